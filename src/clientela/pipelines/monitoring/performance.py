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

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.models.metrics import ScoreHistogram, compute_score_histogram
from clientela.models.tasks import TASKS
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

    Args:
        probability: Calibrated probability of class 1, one per row.
        threshold: Lowest probability that is decided as 1.
        calibrated: Whether the model's probabilities are known to be calibrated.

    Returns:
        `measure, kind, value, lower, upper, n, note`; without figures where the note says
        `few_rows`, `uncalibrated` or `few_events`.
    """
    why = _check_row_count(len(probability), settings) or ("" if calibrated else "uncalibrated")
    if why:
        return empty_interval_table(measures, "estimated", len(probability), why)
    levels, rows = np.unique(np.asarray(probability, dtype=np.float64), return_counts=True)
    expected = ScoreHistogram(levels, np.column_stack([rows * (1 - levels), rows * levels]))
    groups = group_scores(expected, settings.groups)
    size = np.rint(groups.rows.sum(axis=1)).astype(np.int64)
    random = np.random.default_rng(settings.seed)
    ones = random.binomial(size, groups.levels.clip(0, 1), (settings.draws, len(size)))
    drawn = ScoreHistogram(groups.levels, np.stack([size - ones, ones], axis=-1).astype(np.float64))
    found = sample_binary_metrics(measures, threshold, expected, groups, drawn)
    return interval_table(found, "estimated", len(probability), settings)


def measure_binary_performance(
    y_true: Floats,
    probability: Floats,
    threshold: float,
    measures: Sequence[BinaryMeasure],
    settings: PerformanceSettings,
) -> pd.DataFrame:
    """One row per measure, from the rows whose label is known by now.

    Args:
        y_true: 0 or 1; missing (nan) where the label has not matured yet.
        probability: Probability of class 1, one per row.
        threshold: Lowest probability that is decided as 1.
        settings: The interval is a bootstrap of rows.

    Returns:
        `measure, kind, value, lower, upper, n, note`, n the labelled rows; without figures where
        the note says `no_labels`, `few_rows`, `one_class` or `few_events`.
    """
    mature = np.isfinite(y_true)
    labels, scores = y_true[mature].astype(np.int64), probability[mature]
    why = _check_label_count(labels, settings)
    if why:
        return empty_interval_table(measures, "realised", len(labels), why)
    counted = compute_score_histogram(labels, scores)
    groups = group_scores(counted, settings.groups)
    drawn = ScoreHistogram(groups.levels, draw_bootstrap_counts(groups.rows, settings))
    found = sample_binary_metrics(measures, threshold, counted, groups, drawn)
    return interval_table(found, "realised", len(labels), settings)


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

    Args:
        calibrated: Whether the model's probabilities are known to be calibrated.

    Returns:
        `measure, kind, value, lower, upper, n, note` as for binary targets.
    """
    n, classes = probabilities.shape
    why = _check_row_count(n, settings) or ("" if calibrated else "uncalibrated")
    if why:
        return empty_interval_table(measures, "estimated", n, why)
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
    return interval_table(
        sample_ordinal_metrics(measures, expected, drawn), "estimated", n, settings
    )


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
        settings: The interval is a bootstrap of rows.

    Returns:
        `measure, kind, value, lower, upper, n, note` as for binary targets.
    """
    mature = np.isfinite(y_true)
    labels = y_true[mature].astype(np.int64)
    why = _check_label_count(labels, settings)
    if why:
        return empty_interval_table(measures, "realised", len(labels), why)
    counts = compute_confusion_matrix(labels, decided[mature], n_classes)
    drawn = draw_bootstrap_counts(counts, settings)
    return interval_table(
        sample_ordinal_metrics(measures, counts, drawn), "realised", len(labels), settings
    )


def detect_performance_change(
    figure: "pd.Series[float]", reference: float, greater_is_better: bool, tolerance: float
) -> Change:
    """Whether a measure fell below its reference for sure, held for sure, or can't be told.

    Args:
        figure: One row of figures: `lower` and `upper`.
        reference: What the measure was when the model was graded.

    Returns:
        `fell` when the whole interval lies beyond the tolerance, `held` when none of it does,
        else `unknown`.
    """
    ends = np.array([figure["lower"], figure["upper"]]) - reference
    worst, best = np.sort(ends if greater_is_better else -ends)
    if best < -tolerance:
        return "fell"
    return "held" if worst >= -tolerance else "unknown"


def _check_row_count(rows: int, settings: PerformanceSettings) -> str:
    return "few_rows" if rows < settings.minimum_rows else ""


def _check_label_count(labels: Codes, settings: PerformanceSettings) -> str:
    if not len(labels):
        return "no_labels"
    few = _check_row_count(len(labels), settings)
    return few or ("one_class" if labels.min() == labels.max() else "")


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


NONE = Performance("", None, empty_interval_table([], "estimated", 0, ""))


def measure_performance(
    rows: MonitoringInput, chosen: "pd.Series[bool]", settings: PerformanceMonitoringSettings
) -> Performance:
    """The performance on some rows, of those that the model never saw with their labels.

    A model knows the labels of its training rows by heart, so that these would only flatter it.

    Args:
        settings: The measure, and how it is estimated.

    Returns:
        Figures with intervals, or notes why there are none.
    """
    model = rows.model
    if model is None or rows.unseen is None:
        return NONE
    frame = rows.current[chosen.to_numpy() & rows.unseen]
    calibrated = model.graded.get(CALIBRATION, np.inf) < settings.calibrated_below
    truth = (
        _encode_known_classes(frame[rows.target], model)
        if rows.target
        else np.full(len(frame), np.nan)
    )
    measure = settings.binary if model.task == "binary" else settings.ordinal
    figures = _compute_performance_metrics(frame, truth, model, settings, calibrated=calibrated)
    reference = model.graded.get(measure)
    changes = {
        kind: _detect_metric_change(figures, kind, measure, model, settings)
        for kind in figures.index
    }
    return Performance(measure, reference, figures, **changes)


def _compute_performance_metrics(
    frame: pd.DataFrame,
    truth: Floats,
    model: ScoredModel,
    settings: PerformanceMonitoringSettings,
    *,
    calibrated: bool,
) -> pd.DataFrame:
    """One row per kind, `estimated` and `realised`."""
    chances = frame[[f"p_{name}" for name in model.classes]].to_numpy(dtype=np.float64)
    decided = pd.Index(model.classes).get_indexer(pd.Index(frame[CLASS])).astype(np.int64)
    if model.task == "binary":
        cut, by = _infer_threshold(chances[:, 1], decided), (settings.binary,)
        both = [
            estimate_binary_performance(chances[:, 1], cut, calibrated, by, settings),
            measure_binary_performance(truth, chances[:, 1], cut, by, settings),
        ]
    else:
        ordered, size = (settings.ordinal,), len(model.classes)
        both = [
            estimate_ordinal_performance(chances, decided, calibrated, ordered, settings),
            measure_ordinal_performance(truth, decided, size, ordered, settings),
        ]
    return pd.concat(both).set_index("kind").drop(columns="measure")


def _infer_threshold(probability: Floats, decided: Codes) -> float:
    """The lowest probability that was decided as 1; beyond every one where none was."""
    ones = probability[decided == 1]
    return float(ones.min()) if len(ones) else float(np.nextafter(1, 2))


def _encode_known_classes(target: "pd.Series[str]", model: ScoredModel) -> Floats:
    codes = pd.Index(model.classes).get_indexer(pd.Index(target)).astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _detect_metric_change(
    figures: pd.DataFrame,
    kind: str,
    measure: str,
    model: ScoredModel,
    settings: PerformanceMonitoringSettings,
) -> Change:
    reference = model.graded.get(measure)
    ends = figures[["lower", "upper"]].astype("float64").T[kind]
    if reference is None or ends.isna().any():
        return "unknown"
    better = TASKS[model.task].greater_is_better(measure)
    return detect_performance_change(ends, reference, better, settings.tolerance)
