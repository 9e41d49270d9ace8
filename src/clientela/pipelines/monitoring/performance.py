"""How good a model is on rows without labels, and on those whose labels have come in since.

Without labels: if a probability is calibrated, it says how often its row is right, so any measure
has an expected value (confidence-based performance estimation, CBPE: Bialek et al. 2024,
"Estimating Model Performance Under Covariate Shift Without Labels", arXiv 2401.08348). It sees
the mix of rows change. It cannot see the link between features and target change: only labels
can. Where a figure can't be known, it is missing, and a note says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.models.metrics import ScoreHistogram, compute_score_histogram
from clientela.models.problem import TASKS
from clientela.pipelines.monitoring.inputs import CALIBRATION, CLASS, MonitoringInput, ScoredModel
from clientela.pipelines.monitoring.settings import PerformanceMonitoringSettings
from clientela.pipelines.monitoring.statistical_tests import (
    BinaryMeasure,
    OrdinalMeasure,
    PerformanceSettings,
    draw_bootstrap_counts,
    empty_interval_table,
    group_scores,
    interval_table,
    sample_binary_metrics,
    sample_ordinal_metrics,
)
from clientela.reporting.model_health import Change
from clientela.reporting.monitoring_log import PerformanceRecord


def estimate_binary_performance(
    probability: Floats,
    threshold: float,
    calibrated: bool,
    measures: Sequence[BinaryMeasure],
    settings: PerformanceSettings,
) -> pd.DataFrame:
    """One row per measure: its expected value if the probabilities are right.

    Each row counts as `p` rows of class 1 and `1 - p` rows of class 0. The interval is that of
    the figure that labels would give on these very rows: it comes from drawing them.

    Returns:
        `measure, kind, value, lower, upper, n, note`; without figures where the note says
        `few_rows`, `uncalibrated` or `few_events`.
    """
    n = len(probability)
    if note := _explain_missing_metrics(n, settings, calibrated=calibrated):
        return empty_interval_table(measures, "estimated", n, note)
    levels, rows = np.unique(np.asarray(probability, dtype=np.float64), return_counts=True)
    expected = ScoreHistogram(levels, np.column_stack([rows * (1 - levels), rows * levels]))
    groups = group_scores(expected, settings.groups)
    size = np.rint(groups.rows.sum(axis=1)).astype(np.int64)
    random = np.random.default_rng(settings.seed)
    ones = random.binomial(size, groups.levels.clip(0, 1), (settings.draws, len(size)))
    drawn = ScoreHistogram(groups.levels, np.stack([size - ones, ones], axis=-1).astype(np.float64))
    metrics = sample_binary_metrics(measures, threshold, expected, groups, drawn)
    return interval_table(metrics, "estimated", n, settings)


def measure_binary_performance(
    y_true: Floats,
    probability: Floats,
    threshold: float,
    measures: Sequence[BinaryMeasure],
    settings: PerformanceSettings,
) -> pd.DataFrame:
    """One row per measure, from the rows whose label is known by now, with bootstrap intervals.

    Args:
        y_true: 0 or 1; missing (nan) where the label has not matured yet.

    Returns:
        `measure, kind, value, lower, upper, n, note`, n the labelled rows; without figures where
        the note says `no_labels`, `few_rows`, `one_class` or `few_events`.
    """
    known, labels, note = _select_known_labels(y_true, settings)
    if note:
        return empty_interval_table(measures, "realised", len(labels), note)
    counts = compute_score_histogram(labels, probability[known])
    groups = group_scores(counts, settings.groups)
    drawn = ScoreHistogram(groups.levels, draw_bootstrap_counts(groups.rows, settings))
    metrics = sample_binary_metrics(measures, threshold, counts, groups, drawn)
    return interval_table(metrics, "realised", len(labels), settings)


def estimate_ordinal_performance(
    probabilities: Floats,
    decided: Codes,
    calibrated: bool,
    measures: Sequence[OrdinalMeasure],
    settings: PerformanceSettings,
) -> pd.DataFrame:
    """One row per measure of classes: its expected value if the probabilities are right.

    The expected table of counts adds up the probabilities of the rows decided alike. The interval
    draws classes from their mean, which makes it slightly too wide.

    Returns:
        `measure, kind, value, lower, upper, n, note` as for binary targets.
    """
    n, classes = probabilities.shape
    if note := _explain_missing_metrics(n, settings, calibrated=calibrated):
        return empty_interval_table(measures, "estimated", n, note)
    # true class x decided class
    expected = probabilities.T @ np.eye(classes)[decided]
    random = np.random.default_rng(settings.seed)
    columns = [
        random.multinomial(round(column.sum()), column / column.sum(), settings.draws)
        if column.sum()
        else np.zeros((settings.draws, classes))
        for column in expected.T
    ]
    drawn = np.stack(columns, axis=-1).astype(np.float64)
    metrics = sample_ordinal_metrics(measures, expected, drawn)
    return interval_table(metrics, "estimated", n, settings)


def measure_ordinal_performance(
    y_true: Floats,
    decided: Codes,
    n_classes: int,
    measures: Sequence[OrdinalMeasure],
    settings: PerformanceSettings,
) -> pd.DataFrame:
    """One row per measure of classes, from the rows whose label is known by now.

    Args:
        y_true: Codes 0..K-1; missing (nan) where the label has not matured yet.

    Returns:
        `measure, kind, value, lower, upper, n, note` as for binary targets.
    """
    known, labels, note = _select_known_labels(y_true, settings)
    if note:
        return empty_interval_table(measures, "realised", len(labels), note)
    counts = compute_confusion_matrix(labels, decided[known], n_classes)
    drawn = draw_bootstrap_counts(counts, settings)
    metrics = sample_ordinal_metrics(measures, counts, drawn)
    return interval_table(metrics, "realised", len(labels), settings)


def detect_performance_change(
    figure: "pd.Series[float]", reference: float | None, greater_is_better: bool, tolerance: float
) -> Change:
    """Whether a measure fell below its reference for sure, held for sure, or can't be told.

    Args:
        reference: What the measure was when the model was graded; None where it is not known.

    Returns:
        `fell` when the whole interval lies beyond the tolerance, `held` when none of it does,
        else `unknown`.
    """
    if reference is None or figure[["lower", "upper"]].isna().any():
        return "unknown"
    ends = np.array([figure["lower"], figure["upper"]]) - reference
    worst, best = np.sort(ends if greater_is_better else -ends)
    if best < -tolerance:
        return "fell"
    return "held" if worst >= -tolerance else "unknown"


def _explain_missing_metrics(
    rows: int, settings: PerformanceSettings, *, calibrated: bool = True
) -> str:
    """Why nothing can be estimated; empty where it can."""
    if rows < settings.minimum_rows:
        return "few_rows"
    return "" if calibrated else "uncalibrated"


def _select_known_labels(
    y_true: Floats, settings: PerformanceSettings
) -> tuple[NDArray[np.bool_], Codes, str]:
    """Which rows have a label, the labels, and why nothing can be measured on them."""
    known = np.isfinite(y_true)
    labels = y_true[known].astype(np.int64)
    note = _explain_missing_metrics(len(labels), settings) if len(labels) else "no_labels"
    if not note and labels.min() == labels.max():
        note = "one_class"
    return known, labels, note


@dataclass(frozen=True)
class Performance:
    """The performance of one period by one measure.

    Attributes:
        measure: Its name; empty for a use case that has none.
        reference: Its value on the test part, when the model was chosen.
        figures: One row each for `estimated` and `realised`: `value, lower, upper, n, note`.
        estimated: Whether the estimate fell below the reference.
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


NONE = Performance("", None, empty_interval_table([], "estimated", 0, ""))


def measure_performance(
    rows: MonitoringInput, chosen: "pd.Series[bool]", settings: PerformanceMonitoringSettings
) -> Performance:
    """The performance on some rows, of those that the model never saw with their labels.

    A model knows the labels of its training rows by heart, so that these would only flatter it.
    """
    model = rows.model
    if model is None or rows.unseen is None:
        return NONE
    frame = rows.current[chosen.to_numpy() & rows.unseen]
    truth = np.full(len(frame), np.nan)
    if rows.target:
        codes = pd.Index(model.classes).get_indexer(pd.Index(frame[rows.target]))
        truth = np.where(codes < 0, np.nan, codes.astype(np.float64))
    measure = settings.binary if model.task == "binary" else settings.ordinal
    figures = _compute_performance_metrics(frame, truth, model, settings)
    reference = model.graded.get(measure)
    is_better = reference is not None and TASKS[model.task].greater_is_better(measure)
    intervals = figures[["lower", "upper"]].astype("float64").T
    changes = {
        kind: detect_performance_change(intervals[kind], reference, is_better, settings.tolerance)
        for kind in figures.index
    }
    return Performance(measure, reference, figures, **changes)


def _compute_performance_metrics(
    frame: pd.DataFrame, truth: Floats, model: ScoredModel, settings: PerformanceMonitoringSettings
) -> pd.DataFrame:
    """One row per kind, `estimated` and `realised`."""
    calibrated = model.graded.get(CALIBRATION, np.inf) < settings.calibrated_below
    chances = frame[[f"p_{name}" for name in model.classes]].to_numpy(dtype=np.float64)
    decided = pd.Index(model.classes).get_indexer(pd.Index(frame[CLASS])).astype(np.int64)
    if model.task == "binary":
        probability, binary = chances[:, 1], (settings.binary,)
        ones = probability[decided == 1]
        # the lowest probability that was decided as 1; beyond every one where none was
        threshold = float(ones.min()) if len(ones) else float(np.nextafter(1, 2))
        tables = [
            estimate_binary_performance(probability, threshold, calibrated, binary, settings),
            measure_binary_performance(truth, probability, threshold, binary, settings),
        ]
    else:
        ordinal, size = (settings.ordinal,), len(model.classes)
        tables = [
            estimate_ordinal_performance(chances, decided, calibrated, ordinal, settings),
            measure_ordinal_performance(truth, decided, size, ordinal, settings),
        ]
    return pd.concat(tables).set_index("kind").drop(columns="measure")
