"""What monitoring sees of a use case: rows with their scores, cut into periods and windows.

Keys, names and dates are not watched: dates are the axis that periods are cut along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clientela.exceptions import IncompatibleDataError, did_you_mean
from clientela.models.problem import TASKS
from clientela.models.scoring import NO_HISTORY, predict_scores
from clientela.models.settings import ScoringSettings
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import FeatureSchema, check_columns
from clientela.pipelines.monitoring.settings import BaselinePeriod, MonitoringSettings, PeriodUnit
from clientela.reporting.monitoring_log import SIMULATED

Moments: TypeAlias = "pd.Series[pd.Timestamp]"
DAY = pd.Timedelta(days=1)


def assign_periods(moments: Moments, unit: PeriodUnit) -> "pd.Series[str]":
    """The period of each row: `2025-05-17`, `2025-W20`, `2025-05` or `2025-Q2`."""
    if unit == "week":
        parts = moments.dt.isocalendar()
        weeks = parts["week"].astype("str").str.zfill(2)
        return (parts["year"].astype("str") + "-W" + weeks).astype("str")
    if unit == "quarter":
        quarters = moments.dt.quarter.astype("str")
        return (moments.dt.year.astype("str") + "-Q" + quarters).astype("str")
    return moments.dt.strftime("%Y-%m-%d" if unit == "day" else "%Y-%m").astype("str")


def mask_baseline_rows(moments: Moments, wanted: BaselinePeriod) -> "pd.Series[bool]":
    """Which rows are the baseline.

    By share it ends with the moment of the last row that the share holds; rows of that very moment
    all belong to it, so that a later run, which knows the moment alone, cuts as this one did.
    """
    first, last = wanted.first or moments.min(), wanted.last
    if last is None:
        known = np.sort(moments[moments >= first].to_numpy())
        last = known[max(int(len(known) * wanted.share) - 1, 0)] if len(known) else first
    elif pd.Timestamp(last) == pd.Timestamp(last).normalize():
        last = pd.Timestamp(last) + DAY - pd.Timedelta(microseconds=1)
    chosen = (moments >= first) & (moments <= last)
    if not chosen.any():
        raise IncompatibleDataError(
            f"A baseline should have rows; none lies between {first} and {last}, and the data go "
            f"from {moments.min()} to {moments.max()}. Set monitoring.baseline to dates among them."
        )
    return chosen


@dataclass(frozen=True)
class Window:
    """One period as it is measured.

    Attributes:
        pooled: The periods that are measured together, itself the last.
        mode: How it is measured, as the log says it.
    """

    period: str
    pooled: tuple[str, ...]
    mode: str


def build_windows(rows: Mapping[str, int], at_least: int) -> list[Window]:
    """Each period with as many of those before it as it takes to hold enough rows.

    Returns:
        One window per period; at the beginning it may hold fewer rows.
    """
    names, windows = list(rows), []
    for place, name in enumerate(names):
        start, held = place, rows[name]
        while held < at_least and start > 0:
            start -= 1
            held += rows[names[start]]
        mode = "period" if start == place else f"pooled since {names[start]}"
        windows.append(Window(name, tuple(names[start : place + 1]), mode))
    return windows


def find_empty_periods(moments: Moments, unit: PeriodUnit) -> list[str]:
    """Periods without any row between the first and the last one.

    Returns:
        Names of those that a source did not deliver, or where nothing happened.
    """
    days = pd.Series(pd.date_range(moments.min().normalize(), moments.max().normalize()))
    return sorted(set(assign_periods(days, unit)) - set(assign_periods(moments, unit)))


CLASS, SEGMENT = "clase", "cluster_nombre"
# What customers buy in all: shares of rubros would not show that amounts come in another unit.
TOTALS = ("num_tx", "gasto_total")
CHAMPION, CALIBRATION = "champion", "calibration_error"
ScoredTask: TypeAlias = Literal["binary", "ordinal"]


@dataclass(frozen=True)
class ScoredModel:
    """The model whose scores are watched.

    Attributes:
        graded: Measure to its value on the test part, when the model was chosen.
    """

    task: ScoredTask
    classes: tuple[str, ...]
    graded: Mapping[str, float]


@dataclass(frozen=True)
class SimulatedRows:
    """The rows of one simulated period, with the columns of the current ones.

    Attributes:
        shift: The change that was planted in it.
        period: Its name; None where it is that of its dates, or a number.
    """

    shift: str
    rows: pd.DataFrame
    period: str | None = None

    @property
    def mode(self) -> str:
        """How it is marked in the log and in reports."""
        return f"{SIMULATED}: {self.shift.replace('none', 'no shift')}"


@dataclass(frozen=True)
class MonitoringInput:
    """The rows of a use case now, and what they are compared with.

    Attributes:
        current: One row per case; the watched columns and those that the other fields name.
        columns: Watched columns; the target is not among them.
        baseline: Rows that the model was made from; None where the baseline is the older part of
            `current`, or only the first run's.
        moment: Column of `current` with the date that periods are cut along; None without one.
        period: Name of the period of all rows, where there is no such column; None: unknown.
        target: Column of the class, missing where it is not known yet; None where there is none.
        unseen: Whether the model never saw a row of `current` with its label.
        new: Whether any row of `current` is neither in the baseline nor held out beside it.
        model: Whose scores `current` holds; None where there are none.
        importance: Importance of features for the model; empty where none is known.
        simulated: Later periods that data_generation made; never part of `current` or `baseline`.
    """

    current: pd.DataFrame
    columns: tuple[str, ...]
    baseline: pd.DataFrame | None = None
    moment: str | None = None
    period: str | None = None
    target: str | None = None
    unseen: NDArray[np.bool_] | None = None
    new: bool = True
    model: ScoredModel | None = None
    importance: Mapping[str, float] = field(default_factory=dict)
    simulated: Sequence[SimulatedRows] = ()


@dataclass(frozen=True)
class TrainingArtifacts:
    """What training left that monitoring reads."""

    champion: StoredModel
    schema: FeatureSchema
    training: pd.DataFrame
    test: pd.DataFrame
    grades: Mapping[str, Any]
    explanations: Mapping[str, Any]

    @property
    def scored_model(self) -> ScoredModel:
        """The champion as the performance of its scores is followed."""
        found = self.grades["models"][CHAMPION]
        return ScoredModel(
            task=self.champion.manifest["task"],
            classes=self.schema.classes,
            graded={name: measured["value"] for name, measured in found.items()},
        )

    @property
    def importance(self) -> dict[str, float]:
        """Feature to its mean absolute contribution."""
        return {row["feature"]: row["mean_abs"] for row in self.explanations[CHAMPION]}

    @property
    def score(self) -> str:
        """The column of scores that is watched beside the class."""
        return TASKS[self.champion.manifest["task"]].score_column


def build_scored_input(  # noqa: PLR0913 - a node's inputs
    features: pd.DataFrame,
    scores: pd.DataFrame,
    settings: MonitoringSettings,
    *,
    labelled: pd.DataFrame | None = None,
    observed: Mapping[str, str] | None = None,
    simulated: Sequence[SimulatedRows] = (),
    **artifacts: Any,
) -> MonitoringInput:
    """The rows of a use case whose cases are scored.

    Args:
        features: One row per case (PII), as it was scored.
        labelled: Key and target of the cases whose class is known by now; None where today's rows
            can't have one.
        observed: First and last day of the transactions.
        simulated: Later periods that data_generation made, not scored yet.
        artifacts: The fields of `TrainingArtifacts`.

    Returns:
        Rows with the features, class and score; by date where the schema names one, else against
        the training part.

    Raises:
        IncompatibleDataError: Features and scores are not of the same cases.
    """
    schema = FeatureSchema.model_validate(artifacts.pop("schema"))
    trained = TrainingArtifacts(schema=schema, **artifacts)
    key = schema.key
    current = _merge_scores(_drop_cases_without_history(features), scores, schema)
    if schema.time:
        # a column of days comes as objects
        current = current.assign(**{schema.time: pd.to_datetime(current[schema.time])})
    if labelled is not None:
        known = labelled[[key, schema.target]]
        current = current.merge(known, on=key, how="left", validate="one_to_one")
    baseline = None
    if schema.time is None and settings.against == "training":
        # the training part with its class and score, as the champion gives them
        baseline = _score_rows(trained.training, trained)
    seen = _compute_row_hashes(trained.training, schema)
    now = _compute_row_hashes(current, schema)
    held_out = np.union1d(seen, _compute_row_hashes(trained.test, schema))
    return MonitoringInput(
        current=current.drop(columns=key),
        columns=select_monitored_columns(trained, settings),
        baseline=baseline,
        moment=schema.time,
        period=settings.file_period or (observed["last"] if observed else None),
        target=schema.target if labelled is not None else None,
        unseen=~np.isin(now, seen),
        new=not np.isin(now, held_out).all(),
        model=trained.scored_model,
        importance=trained.importance,
        simulated=[replace(each, rows=_score_rows(each.rows, trained)) for each in simulated],
    )


def select_monitored_columns(
    trained: TrainingArtifacts, settings: MonitoringSettings
) -> tuple[str, ...]:
    """The features that can drift, the class that is decided, and its score.

    What is made of the period's own date alone (its month, weekday, hour) says when, not what: it
    moves with every period, so it is left out, as `leave_out` is.
    """
    schema = trained.schema
    sources = {} if schema.tabular is None else schema.tabular.sources
    clock = {name for name, columns in sources.items() if list(columns) == [schema.time]}
    names = (*schema.features("all"), CLASS, trained.score)
    return _leave_out([name for name in names if name not in clock], settings)


def _leave_out(names: Sequence[str], settings: MonitoringSettings) -> tuple[str, ...]:
    return tuple(
        name
        for name in names
        if not any(fnmatchcase(name, pattern) for pattern in settings.leave_out)
    )


def build_segmented_input(
    features: pd.DataFrame,
    export: pd.DataFrame,
    model: StoredModel,
    settings: MonitoringSettings,
    simulated: Sequence[SimulatedRows] = (),
) -> MonitoringInput:
    """The rows of a use case whose customers are put into segments.

    Args:
        export: Who is in which segment, and the date of the model.

    Returns:
        Rows with what segments are made from and the segment; the first run's are the baseline.

    Raises:
        IncompatibleDataError: Features and segments are not of the same customers.
    """
    key = str(model.manifest["key"])
    segments = export[["dni", SEGMENT]].rename(columns={"dni": key})
    keyed = features.assign(**{key: features[key].astype("str")})
    _check_same_cases(keyed[key], segments[key])
    current = keyed.merge(segments, on=key, validate="one_to_one")
    totals = [name for name in TOTALS if name in current]
    columns = (*dict.fromkeys((*totals, *model.features)), SEGMENT)
    return MonitoringInput(
        current=current[list(columns)],
        columns=_leave_out(columns, settings),
        simulated=simulated,
        period=settings.file_period or str(export["fecha_modelo"].max()),
    )


def _drop_cases_without_history(features: pd.DataFrame) -> pd.DataFrame:
    """Cases that a model applies to; the others get no score, and were never trained on."""
    if NO_HISTORY not in features:
        return features
    return features[features[NO_HISTORY] == 0].reset_index(drop=True)


def _merge_scores(
    features: pd.DataFrame, scores: pd.DataFrame, schema: FeatureSchema
) -> pd.DataFrame:
    check_columns(features, [schema.key, *schema.features("all")], "The table of scored cases")
    keyed = features.assign(**{schema.key: features[schema.key].astype("str")})
    ours = scores[scores[schema.key].isin(keyed[schema.key])]
    _check_same_cases(keyed[schema.key], ours[schema.key])
    known = [name for name in scores if name == schema.key or name not in features]
    return keyed.merge(ours[known], on=schema.key, validate="one_to_one")


def _score_rows(rows: pd.DataFrame, trained: TrainingArtifacts) -> pd.DataFrame:
    """Rows with their class and score, as the champion gives them."""
    keyed = rows.assign(**{trained.schema.key: rows[trained.schema.key].astype("str")})
    scores = predict_scores(trained.champion, keyed, ScoringSettings(reasons=0))
    return _merge_scores(_drop_cases_without_history(keyed), scores, trained.schema)


def _check_same_cases(features: "pd.Series[str]", scored: "pd.Series[str]") -> None:
    lost = len(set(features) ^ set(scored))
    if lost:
        raise IncompatibleDataError(
            f"Features and scores should be of the same cases; {lost} are in one of them only. "
            "Run the scoring stage again: kedro run --pipelines=scoring"
        )


def _compute_row_hashes(rows: pd.DataFrame, schema: FeatureSchema) -> NDArray[np.uint64]:
    """One number per row, of its key and features: the same customer with other values is new."""
    columns = [schema.key, *schema.features("all")]
    if absent := sorted(set(columns) - set(rows)):
        raise IncompatibleDataError(
            f"The rows should have the features of the model; {absent} are missing. "
            f"{did_you_mean(absent[0], map(str, rows))} Run the training stage again."
        )
    numbers = {name: "float64" for name in schema.features("all") if name not in schema.words}
    typed = rows[columns].astype({schema.key: "str", **numbers})
    return np.asarray(pd.util.hash_pandas_object(typed, index=False), dtype=np.uint64)
