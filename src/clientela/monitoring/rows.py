"""What monitoring sees of a use case: columns without keys, names or dates, and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clientela.exceptions import CurrentDataUnfit, did_you_mean
from clientela.modelling.problem import TASKS
from clientela.modelling.schema import FeatureSchema, check_columns
from clientela.modelling.scores import NO_HISTORY, customer_scores
from clientela.modelling.settings import ScoringSettings
from clientela.modelling.storage.stored_model import StoredModel
from clientela.monitoring.settings import MonitoringSettings

CLASS, SEGMENT = "clase", "cluster_nombre"
CHAMPION, CALIBRATION = "champion", "calibration_error"
ScoredTask: TypeAlias = Literal["binary", "ordinal"]


@dataclass(frozen=True)
class ScoredModel:
    """The model whose scores are watched.

    Attributes:
        task: What kind of classes it has.
        classes: In order.
        graded: Measure to its value on the test part, when the model was chosen.
    """

    task: ScoredTask
    classes: tuple[str, ...]
    graded: Mapping[str, float]


@dataclass(frozen=True)
class MonitoredRows:
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


@dataclass(frozen=True)
class Trained:
    """What training left that monitoring reads.

    Attributes:
        champion: The model.
        schema: What its columns mean.
        training: The rows it was trained from.
        test: The rows it was graded on.
        grades: Its grades on them.
        explanations: What it leans on.
    """

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


def scored_rows(
    features: pd.DataFrame,
    scores: pd.DataFrame,
    trained: Trained,
    labelled: pd.DataFrame | None,
    settings: MonitoringSettings,
) -> MonitoredRows:
    """The rows of a use case whose cases are scored.

    Args:
        features: One row per case (PII), as it was scored.
        scores: Their scores.
        trained: What training left.
        labelled: Key and target of the cases whose class is known by now; None where today's rows
            can't have one.
        settings: What may vary.

    Returns:
        Rows with the features, class and score; by date where the schema names one, else against
        the training part.

    Raises:
        CurrentDataUnfit: Features and scores are not of the same cases.
    """
    schema = trained.schema
    current = _with_scores(_with_history(features), scores, schema)
    if schema.time:
        # a column of days comes as objects
        current = current.assign(**{schema.time: pd.to_datetime(current[schema.time])})
    if labelled is not None:
        known = labelled[[schema.key, schema.target]]
        current = current.merge(known, on=schema.key, how="left", validate="one_to_one")
    own = schema.time is not None or settings.against == "first_scored"
    seen = _fingerprints(trained.training, schema)
    now = _fingerprints(current, schema)
    held_out = np.union1d(seen, _fingerprints(trained.test, schema))
    return MonitoredRows(
        current=current.drop(columns=schema.key),
        columns=watched_columns(trained, settings),
        baseline=None if own else _scored_training(trained),
        moment=schema.time,
        period=settings.file_period,
        target=schema.target if labelled is not None else None,
        unseen=~np.isin(now, seen),
        new=not np.isin(now, held_out).all(),
        model=trained.scored_model,
        importance=trained.importance,
    )


def watched_columns(trained: Trained, settings: MonitoringSettings) -> tuple[str, ...]:
    """The features that can drift, the class that is decided, and its score.

    What is made of the period's own date alone (its month, weekday, hour) says when, not what: it
    moves with every period, so it is left out, as `leave_out` is.

    Args:
        trained: What training left.
        settings: `leave_out`.

    Returns:
        Names of columns.
    """
    schema = trained.schema
    sources = {} if schema.tabular is None else schema.tabular.sources
    clock = {name for name, columns in sources.items() if list(columns) == [schema.time]}
    chosen = (*schema.features("all"), CLASS, trained.score)
    return tuple(
        name
        for name in chosen
        if name not in clock
        and not any(fnmatchcase(name, pattern) for pattern in settings.leave_out)
    )


def segmented_rows(
    features: pd.DataFrame, export: pd.DataFrame, model: StoredModel, settings: MonitoringSettings
) -> MonitoredRows:
    """The rows of a use case whose customers are put into segments.

    Args:
        features: One row per customer (PII), as it was placed.
        export: Who is in which segment, and the date of the model.
        model: The segmentation.
        settings: What may vary.

    Returns:
        Rows with what segments are made from and the segment; the first run's are the baseline.

    Raises:
        CurrentDataUnfit: Features and segments are not of the same customers.
    """
    key = str(model.manifest["key"])
    named = export[["dni", SEGMENT]].rename(columns={"dni": key})
    _check_same_cases(features[key].astype("str"), named[key])
    current = features.assign(**{key: features[key].astype("str")}).merge(
        named, on=key, validate="one_to_one"
    )
    chosen = (*dict.fromkeys(("num_tx", *model.features)), SEGMENT)
    return MonitoredRows(
        current=current[list(chosen)],
        columns=tuple(
            name
            for name in chosen
            if not any(fnmatchcase(name, pattern) for pattern in settings.leave_out)
        ),
        period=settings.file_period or str(export["fecha_modelo"].max()),
    )


def _with_history(features: pd.DataFrame) -> pd.DataFrame:
    """Cases that a model applies to; the others get no score, and were never trained on."""
    if NO_HISTORY not in features:
        return features
    return features[features[NO_HISTORY] == 0].reset_index(drop=True)


def _with_scores(
    features: pd.DataFrame, scores: pd.DataFrame, schema: FeatureSchema
) -> pd.DataFrame:
    check_columns(features, [schema.key, *schema.features("all")], "The table of scored cases")
    keyed = features.assign(**{schema.key: features[schema.key].astype("str")})
    ours = scores[scores[schema.key].isin(keyed[schema.key])]
    _check_same_cases(keyed[schema.key], ours[schema.key])
    known = [name for name in scores if name == schema.key or name not in features]
    return keyed.merge(ours[known], on=schema.key, validate="one_to_one")


def _check_same_cases(features: "pd.Series[str]", scored: "pd.Series[str]") -> None:
    lost = len(set(features) ^ set(scored))
    if lost:
        raise CurrentDataUnfit(
            f"Features and scores should be of the same cases; {lost} are in one of them only. "
            "Run the scoring stage again: kedro run --pipelines=scoring"
        )


def _scored_training(trained: Trained) -> pd.DataFrame:
    """The training part with its class and score, as the champion gives them."""
    training = trained.training
    keyed = training.assign(**{trained.schema.key: training[trained.schema.key].astype("str")})
    scores = customer_scores(trained.champion, keyed, ScoringSettings(reasons=0))
    return _with_scores(_with_history(keyed), scores, trained.schema)


def _fingerprints(rows: pd.DataFrame, schema: FeatureSchema) -> NDArray[np.uint64]:
    """One number per row, of its key and features: the same customer with other values is new."""
    columns = [schema.key, *schema.features("all")]
    if absent := sorted(set(columns) - set(rows)):
        raise CurrentDataUnfit(
            f"The rows should have the features of the model; {absent} are missing. "
            f"{did_you_mean(absent[0], map(str, rows))} Run the training stage again."
        )
    numbers = {name: "float64" for name in schema.features("all") if name not in schema.words}
    typed = rows[columns].astype({schema.key: "str", **numbers})
    return np.asarray(pd.util.hash_pandas_object(typed, index=False), dtype=np.uint64)
