"""How good the model is on the rows of a period: estimated from its scores, measured on labels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from clientela.classification.codes import Codes, Floats
from clientela.drift.evidence import Change
from clientela.drift.intervals import without_figures
from clientela.drift.log_row import PerformanceRecord
from clientela.drift.performance import (
    estimated_binary,
    estimated_ordinal,
    performance_change,
    realised_binary,
    realised_ordinal,
)
from clientela.modelling.problem import TASKS
from clientela.monitoring.rows import CALIBRATION, CLASS, MonitoredRows, ScoredModel
from clientela.monitoring.settings import WatchedPerformance


@dataclass(frozen=True)
class Performance:
    """The performance of one period by one measure.

    Attributes:
        measure: Its name; empty for a use case that has none.
        reference: Its value on the test part, when the model was chosen.
        figures: One row each for `estimated` and `realised`: `value, lower, upper, n, note`.
        estimated: Whether the estimate fell below the reference.
        realised: The same with labels.
    """

    measure: str
    reference: float | None
    figures: pd.DataFrame
    estimated: Change = "unknown"
    realised: Change = "unknown"

    def record(self) -> PerformanceRecord:
        """What the log keeps."""
        if not self.measure:
            return PerformanceRecord()
        values, counted = self.figures["value"].to_dict(), self.figures["n"].to_dict()
        return PerformanceRecord(
            measure=self.measure,
            estimated=values["estimated"],
            realised=values["realised"],
            n_realised=counted["realised"],
        )


NONE = Performance("", None, without_figures([], "estimated", 0, ""))


def performance(
    rows: MonitoredRows, chosen: "pd.Series[bool]", settings: WatchedPerformance
) -> Performance:
    """The performance on some rows, of those that the model never saw with their labels.

    A model knows the labels of its training rows by heart, so that these would only flatter it.

    Args:
        rows: Today's rows.
        chosen: Which of them.
        settings: The measure, and how it is estimated.

    Returns:
        Figures with intervals, or notes why there are none.
    """
    model = rows.model
    if model is None or rows.unseen is None:
        return NONE
    frame = rows.current[chosen.to_numpy() & rows.unseen]
    calibrated = model.graded.get(CALIBRATION, np.inf) < settings.calibrated_below
    truth = _codes(frame[rows.target], model) if rows.target else np.full(len(frame), np.nan)
    measure = settings.binary if model.task == "binary" else settings.ordinal
    figures = _figures(frame, truth, model, settings, calibrated=calibrated)
    reference = model.graded.get(measure)
    changes = {kind: _change(figures, kind, measure, model, settings) for kind in figures.index}
    return Performance(measure, reference, figures, **changes)


def _figures(
    frame: pd.DataFrame,
    truth: Floats,
    model: ScoredModel,
    settings: WatchedPerformance,
    *,
    calibrated: bool,
) -> pd.DataFrame:
    """One row per kind, `estimated` and `realised`."""
    chances = frame[[f"p_{name}" for name in model.classes]].to_numpy(dtype=np.float64)
    decided = pd.Index(model.classes).get_indexer(pd.Index(frame[CLASS])).astype(np.int64)
    if model.task == "binary":
        cut, by = _threshold(chances[:, 1], decided), (settings.binary,)
        both = [
            estimated_binary(chances[:, 1], cut, calibrated, by, settings),
            realised_binary(truth, chances[:, 1], cut, by, settings),
        ]
    else:
        ordered, size = (settings.ordinal,), len(model.classes)
        both = [
            estimated_ordinal(chances, decided, calibrated, ordered, settings),
            realised_ordinal(truth, decided, size, ordered, settings),
        ]
    return pd.concat(both).set_index("kind").drop(columns="measure")


def _threshold(probability: Floats, decided: Codes) -> float:
    """The lowest probability that was decided as 1; beyond every one where none was."""
    ones = probability[decided == 1]
    return float(ones.min()) if len(ones) else float(np.nextafter(1, 2))


def _codes(target: "pd.Series[str]", model: ScoredModel) -> Floats:
    codes = pd.Index(model.classes).get_indexer(pd.Index(target)).astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _change(
    figures: pd.DataFrame,
    kind: str,
    measure: str,
    model: ScoredModel,
    settings: WatchedPerformance,
) -> Change:
    reference = model.graded.get(measure)
    ends = figures[["lower", "upper"]].astype("float64").T[kind]
    if reference is None or ends.isna().any():
        return "unknown"
    better = TASKS[model.task].greater_is_better(measure)
    return performance_change(ends, reference, better, settings.tolerance)
