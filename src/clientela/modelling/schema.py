"""The model input as training sees it: which columns mean what, and whether they can be learned."""

from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from clientela.classification.codes import Codes, Floats
from clientela.exceptions import TrainingDataError, did_you_mean
from clientela.modelling.settings import FeatureGroup, TrainingSettings
from clientela.tabular.schema import TabularSchema


class FeatureSchema(BaseModel):
    """What the columns of a model input mean.

    Attributes:
        key: Unique key of a row.
        target: Column with the class of a row, as text.
        required: Features that the requirement lists, in its order.
        extra: Further features, a group that can be switched off.
        last_quarter: Feature with the number of events of the last quarter; None without it.
        classes: Classes in order.
        values: The number each class stands for.
        lower_bounds: Fewest events of each class; None where the default of the rule holds.
        tabular: What more is known of a use case on a table: which features are words, what they
            are made of, the time, the sensitive columns; None where all features are numbers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    target: str
    required: tuple[str, ...] = Field(min_length=1)
    extra: tuple[str, ...] = ()
    last_quarter: str | None = None
    classes: tuple[str, ...] = Field(min_length=2)
    values: tuple[float, ...] = Field(min_length=2)
    lower_bounds: tuple[float, ...] | None = None
    tabular: TabularSchema | None = None

    @model_validator(mode="before")
    @classmethod
    def _tables_say_more(cls, stored: dict[str, Any]) -> dict[str, Any]:
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
        return list(self.required if group == "required" else self.required + self.extra)

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
    """Rows and share of each class, in order.

    Args:
        frame: A model input.
        schema: What its columns mean.

    Returns:
        Class to `rows` and `share`.
    """
    counts = np.bincount(schema.codes(frame), minlength=len(schema.classes))
    return {
        name: {"rows": int(count), "share": float(count / len(frame))}
        for name, count in zip(schema.classes, counts, strict=True)
    }


def check_model_input(
    frame: pd.DataFrame, schema: FeatureSchema, settings: TrainingSettings
) -> None:
    """Refuse a model input that can't be learned from.

    Args:
        frame: One row per case.
        schema: What its columns mean.
        settings: How it will be split.

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
    """Refuse a table that lacks columns.

    Args:
        frame: The table.
        expected: Columns it should have.
        what: What to call the table in the error.

    Raises:
        TrainingDataError: At least one is absent.
    """
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
    needed = int(np.ceil((folds + 1) / (1 - settings.test_share)))
    small = [name for name, rows in counts.items() if rows < needed]
    if small:
        raise TrainingDataError(
            f"Each class needs at least {needed} rows for a test part and {folds} folds; too few "
            f"in {', '.join(small)} ({described}). Use more rows, choose a more frequent target "
            "(a longer window, a wider class), or lower training.folds."
        )
