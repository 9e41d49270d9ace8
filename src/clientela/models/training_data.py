"""The model input as training sees it: its columns, whether they can be learned, and their split.

Splits and folds are seeded and independent of the order of the rows.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split
from threadpoolctl import ThreadpoolController

from clientela.arrays import Codes, Floats
from clientela.exceptions import TrainingDataError, did_you_mean
from clientela.features.table_settings import TabularSchema
from clientela.models.settings import FeatureGroup, TrainingSettings


class FeatureSchema(BaseModel):
    """What the columns of a model input mean.

    Attributes:
        target: Column with the class of a row, as text.
        required: Features that the requirement lists, in its order.
        extra: Further features, a group that can be switched off.
        history: Those of `extra` that only the model that scores customers learns from.
        last_quarter: Feature with the number of events of the last quarter; None without it.
        lower_bounds: Fewest events of each class; None where the default of the rule holds.
        tabular: What more is known of a use case on a table: which features are words, what they
            are made of, the time, the sensitive columns; None where all features are numbers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    target: str
    required: tuple[str, ...] = Field(min_length=1)
    extra: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    last_quarter: str | None = None
    classes: tuple[str, ...] = Field(min_length=2)
    values: tuple[float, ...] = Field(min_length=2)
    lower_bounds: tuple[float, ...] | None = None
    tabular: TabularSchema | None = None

    @model_validator(mode="before")
    @classmethod
    def _add_tabular_schema(cls, stored: dict[str, Any]) -> dict[str, Any]:
        # `sources` stands in every schema of a table, and in no other
        return {**stored, "tabular": stored} if "sources" in stored else stored

    @property
    def words(self) -> list[str]:
        """The features that are words; the others are numbers."""
        return [] if self.tabular is None else [*self.tabular.categorical, *self.tabular.ordinal]

    @property
    def time(self) -> str | None:
        """Column with the moment of a row; None without one."""
        return None if self.tabular is None else self.tabular.time

    def features(self, group: FeatureGroup) -> list[str]:
        """Names of the features of a group, in their order."""
        if group == "required":
            return list(self.required)
        kept = () if self.tabular is None else self.tabular.kept
        hidden = {name for name, columns in self.withheld.items() if set(columns) - {*kept}}
        left_out = hidden if group == "deciding" else set()
        return [name for name in self.required + self.extra if name not in left_out]

    @property
    def withheld(self) -> dict[str, list[str]]:
        """Features made of columns that may not drive a decision, each with those columns."""
        if self.tabular is None:
            return {}
        made = {
            name: [column for column in columns if column in self.tabular.withheld]
            for name, columns in self.tabular.sources.items()
        }
        return {name: columns for name, columns in made.items() if columns}

    def may_decide(self, group: FeatureGroup) -> bool:
        """Whether a model of these features may decide about people."""
        return set(self.features(group)) <= set(self.features("deciding"))

    def codes(self, frame: pd.DataFrame) -> Codes:
        """The target as codes 0..K-1."""
        codes: Codes = (
            pd.Index(self.classes).get_indexer(pd.Index(frame[self.target])).astype(np.int64)
        )
        return codes

    @property
    def value_array(self) -> Floats:
        """The class values as an array."""
        return np.asarray(self.values, dtype=np.float64)


def class_shares(frame: pd.DataFrame, schema: FeatureSchema) -> dict[str, dict[str, float]]:
    """Rows and share of each class, in order."""
    counts = np.bincount(schema.codes(frame), minlength=len(schema.classes))
    return {
        name: {"rows": int(count), "share": float(count / len(frame))}
        for name, count in zip(schema.classes, counts, strict=True)
    }


def check_model_input(
    frame: pd.DataFrame, schema: FeatureSchema, settings: TrainingSettings
) -> None:
    """Refuse a model input that can't be learned from.

    Raises:
        TrainingDataError: Columns are missing, keys repeat, features or targets are not usable, or
            a class has too few rows for the folds.
    """
    check_columns(frame, [schema.key, schema.target, *schema.features("all")], "The model input")
    _check_keys(frame[schema.key])
    _check_values(frame[schema.features("all")], schema)
    _check_target(frame[schema.target], schema)
    _check_class_sizes(frame, schema, settings)


def check_columns(frame: pd.DataFrame, expected: list[str], what: str) -> None:
    """Refuse a table that lacks columns."""
    missing = [name for name in expected if name not in frame.columns]
    if missing:
        hint = did_you_mean(missing[0], map(str, frame.columns))
        raise TrainingDataError(
            f"{what} lacks the column(s) {', '.join(missing)}. {hint} "
            "Run the feature_engineering stage again, and the training stage after it."
        )


def _check_keys(keys: "pd.Series[Any]") -> None:
    if len(keys) < 2:  # noqa: PLR2004 - one row can't be split
        raise TrainingDataError(
            f"The model input holds {len(keys)} row(s), and learning needs many. "
            "Check that the raw files are whole."
        )
    repeated = int(keys.duplicated().sum())
    if repeated or keys.isna().any():
        raise TrainingDataError(
            f"The model input should hold one row for each {keys.name}, but {repeated} row(s) "
            f"repeat a key and {int(keys.isna().sum())} have none. Check the tables it joins."
        )


def _check_values(features: pd.DataFrame, schema: FeatureSchema) -> None:
    """Numbers are finite; words, and missing values, only where the schema has words."""
    numbers = features.drop(columns=schema.words)
    texts = [name for name, kind in numbers.dtypes.items() if kind.kind not in "biuf"]
    if texts:
        raise TrainingDataError(
            f"Features must be numbers; not numeric: {', '.join(map(str, texts))}. "
            "Encode them in the feature_engineering stage, or name them there as words."
        )
    values = numbers.to_numpy(dtype=np.float64)
    usable = np.isfinite(values) | (np.isnan(values) if schema.tabular is not None else False)
    infinite = numbers.columns[~usable.all(axis=0)]
    if len(infinite) and schema.tabular is not None:
        raise TrainingDataError(
            f"Features hold infinite values: {', '.join(infinite)}. Missing values are imputed in "
            "training, but the feature_engineering stage should have made infinite ones missing."
        )
    if len(infinite):
        raise TrainingDataError(
            f"Features hold missing or infinite values: {', '.join(infinite)}. "
            "The feature_engineering stage should have imputed them with 0."
        )


def _check_target(target: "pd.Series[Any]", schema: FeatureSchema) -> None:
    if target.isna().any():
        raise TrainingDataError(
            f"The target {schema.target} is missing in {int(target.isna().sum())} of "
            f"{len(target)} rows. Each row of a model input needs its class."
        )
    unknown = sorted(set(target.astype(str)) - set(schema.classes))
    if unknown:
        raise TrainingDataError(
            f"The target {schema.target} holds unknown classes: {', '.join(unknown[:5])}. "
            f"Expected {', '.join(schema.classes)}."
        )


def _check_class_sizes(
    frame: pd.DataFrame, schema: FeatureSchema, settings: TrainingSettings
) -> None:
    shares = class_shares(frame, schema)
    counts = {name: entry["rows"] for name, entry in shares.items()}
    described = ", ".join(f"{name} {rows:.0f}" for name, rows in counts.items())
    full = [name for name, rows in counts.items() if rows > 0]
    if len(full) == 1:
        raise TrainingDataError(
            f"Every row has the class {full[0]!r}, so there is nothing to tell apart. Check the "
            "target and what it is made of."
        )
    folds = max(settings.folds, settings.tuning.folds)
    # of several ordered classes a rare one may miss in some folds; of two, none may
    binary = len(schema.classes) == 2  # noqa: PLR2004 - yes and no
    needed = int(np.ceil((folds + 1) / (1 - settings.test_share))) if binary else 2
    small = [name for name, rows in counts.items() if rows < needed]
    if small:
        raise TrainingDataError(
            f"Each class needs at least {needed} rows for a test part and {folds} folds; too few "
            f"in {', '.join(small)} ({described}). Use more rows, choose a more frequent target "
            "(a longer window, a wider class), or lower training.folds."
        )


@dataclass(frozen=True)
class Fold:
    """One fold of a repeated cross-validation: positions of rows."""

    repeat: int
    fold: int
    learn: NDArray[np.int64]
    held_out: NDArray[np.int64]


def split_stratified(
    frame: pd.DataFrame, *, key: str, target: str, test_share: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training part and the test part, both sorted by key."""
    ordered = frame.sort_values(key, ignore_index=True)
    learn, test = train_test_split(
        np.arange(len(ordered)),
        test_size=test_share,
        stratify=ordered[target].to_numpy(),
        random_state=seed,
    )
    return (
        ordered.iloc[np.sort(learn)].reset_index(drop=True),
        ordered.iloc[np.sort(test)].reset_index(drop=True),
    )


def split_by_time(
    frame: pd.DataFrame, *, key: str, time: str, test_share: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The earlier rows as training part and the latest ones as test part, both sorted by key.

    Rows of one moment stay together, so the test part may hold a few rows more than its share. A
    row without a time can't be called late: it is learned from.

    Raises:
        TrainingDataError: All rows, or all but those of one moment, have the same time.
    """
    moments = frame[time].sort_values(ignore_index=True).dropna()
    first = int(len(moments) * (1 - test_share))
    late = frame[time] >= moments.iloc[first] if len(moments) else frame[time].notna()
    if not late.any() or late.sum() == len(moments):
        raise TrainingDataError(
            f"The latest {test_share:.0%} of the rows can't be told from the others by {time!r}: "
            f"{len(moments)} of {len(frame)} rows are dated, with {moments.nunique()} different "
            "times. Set training.holdout to 'random', or choose another time column."
        )
    ordered = frame.assign(_late=late).sort_values(key, ignore_index=True)
    early, latest = (ordered[ordered["_late"] == part] for part in (False, True))
    return (
        early.drop(columns="_late").reset_index(drop=True),
        latest.drop(columns="_late").reset_index(drop=True),
    )


def make_repeated_folds(codes: Codes, *, folds: int, repeats: int, seed: int) -> list[Fold]:
    """The folds of a repeated stratified cross-validation.

    Args:
        codes: Target by which folds are stratified, in the order of a unique key.
    """
    splitter = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return [
            Fold(position // folds, position % folds, learn, held_out)
            for position, (learn, held_out) in enumerate(splitter.split(codes, codes))
        ]


Result = TypeVar("Result")


def run_in_threads(
    function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[Result]:
    """Results of the calls, in their order, each as soon as it and all before it are done.

    What is fitted computes outside the interpreter lock. Each fit itself takes one thread, so that
    results never depend on the number of cores.
    """
    controller = ThreadpoolController()

    def call_on_one_thread(call: tuple[Any, ...]) -> Result:
        # OpenMP remembers its limit for each thread: one that is set outside does not hold here
        with controller.limit(limits=1):
            return function(*call)

    with warnings.catch_warnings(), controller.limit(limits=1):
        # set here, once: warning filters are shared, and threads that change them race
        warnings.filterwarnings("ignore", message="The least populated class")
        yield from Parallel(n_jobs=workers, prefer="threads", return_as="generator")(
            delayed(call_on_one_thread)(call) for call in calls
        )
