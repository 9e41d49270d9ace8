"""How good a model is on rows without labels, and on those whose labels have come in since.

Without labels: if a probability is calibrated, it says how often its row is right, so any measure
has an expected value (confidence-based performance estimation, CBPE: Bialek et al. 2024,
"Estimating Model Performance Under Covariate Shift Without Labels", arXiv 2401.08348). It sees
the mix of rows change. It cannot see the link between features and target change: only labels
can. Where a figure can't be known, it is missing, and a note says why.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clientela.binary.tallies import Tallies, tallies
from clientela.classification.codes import Codes, Floats, class_counts
from clientela.drift.evidence import Change
from clientela.drift.intervals import (
    BinaryMeasure,
    OrdinalMeasure,
    PerformanceSettings,
    binary_measured,
    interval_table,
    ordinal_measured,
    pooled,
    resampled,
    without_figures,
)


def estimated_binary(
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
        measures: Names of measures.
        settings: How to estimate.

    Returns:
        `measure, kind, value, lower, upper, n, note`; without figures where the note says
        `few_rows`, `uncalibrated` or `few_events`.
    """
    why = _unknown(len(probability), settings) or ("" if calibrated else "uncalibrated")
    if why:
        return without_figures(measures, "estimated", len(probability), why)
    levels, rows = np.unique(np.asarray(probability, dtype=np.float64), return_counts=True)
    expected = Tallies(levels, np.column_stack([rows * (1 - levels), rows * levels]))
    groups = pooled(expected, settings.groups)
    size = np.rint(groups.rows.sum(axis=1)).astype(np.int64)
    random = np.random.default_rng(settings.seed)
    ones = random.binomial(size, groups.levels.clip(0, 1), (settings.draws, len(size)))
    drawn = Tallies(groups.levels, np.stack([size - ones, ones], axis=-1).astype(np.float64))
    found = binary_measured(measures, threshold, expected, groups, drawn)
    return interval_table(found, "estimated", len(probability), settings)


def realised_binary(
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
        measures: Names of measures.
        settings: The interval is a bootstrap of rows.

    Returns:
        `measure, kind, value, lower, upper, n, note`, n the labelled rows; without figures where
        the note says `no_labels`, `few_rows`, `one_class` or `few_events`.
    """
    mature = np.isfinite(y_true)
    labels, scores = y_true[mature].astype(np.int64), probability[mature]
    why = _unknown_by_labels(labels, settings)
    if why:
        return without_figures(measures, "realised", len(labels), why)
    counted = tallies(labels, scores)
    groups = pooled(counted, settings.groups)
    drawn = Tallies(groups.levels, resampled(groups.rows, settings))
    found = binary_measured(measures, threshold, counted, groups, drawn)
    return interval_table(found, "realised", len(labels), settings)


def estimated_ordinal(
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
        probabilities: Calibrated probabilities, rows x K.
        decided: Decided codes, 0..K-1.
        calibrated: Whether the model's probabilities are known to be calibrated.
        measures: Names of measures.
        settings: How to estimate.

    Returns:
        `measure, kind, value, lower, upper, n, note` as for binary targets.
    """
    n, classes = probabilities.shape
    why = _unknown(n, settings) or ("" if calibrated else "uncalibrated")
    if why:
        return without_figures(measures, "estimated", n, why)
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
    return interval_table(ordinal_measured(measures, expected, drawn), "estimated", n, settings)


def realised_ordinal(
    y_true: Floats,
    decided: Codes,
    n_classes: int,
    measures: Sequence[OrdinalMeasure],
    settings: PerformanceSettings,
) -> pd.DataFrame:
    """One row per measure of classes, from the rows whose label is known by now.

    Args:
        y_true: Codes 0..K-1; missing (nan) where the label has not matured yet.
        decided: Decided codes.
        n_classes: K.
        measures: Names of measures.
        settings: The interval is a bootstrap of rows.

    Returns:
        `measure, kind, value, lower, upper, n, note` as for binary targets.
    """
    mature = np.isfinite(y_true)
    labels = y_true[mature].astype(np.int64)
    why = _unknown_by_labels(labels, settings)
    if why:
        return without_figures(measures, "realised", len(labels), why)
    counts = class_counts(labels, decided[mature], n_classes)
    drawn = resampled(counts, settings)
    return interval_table(
        ordinal_measured(measures, counts, drawn), "realised", len(labels), settings
    )


def performance_change(
    figure: "pd.Series[float]", reference: float, greater_is_better: bool, tolerance: float
) -> Change:
    """Whether a measure fell below its reference for sure, held for sure, or can't be told.

    Args:
        figure: One row of figures: `lower` and `upper`.
        reference: What the measure was when the model was graded.
        greater_is_better: Its direction.
        tolerance: A loss that nobody minds.

    Returns:
        `fell` when the whole interval lies beyond the tolerance, `held` when none of it does,
        else `unknown`.
    """
    ends = np.array([figure["lower"], figure["upper"]]) - reference
    worst, best = np.sort(ends if greater_is_better else -ends)
    if best < -tolerance:
        return "fell"
    return "held" if worst >= -tolerance else "unknown"


def _unknown(rows: int, settings: PerformanceSettings) -> str:
    return "few_rows" if rows < settings.minimum_rows else ""


def _unknown_by_labels(labels: Codes, settings: PerformanceSettings) -> str:
    if not len(labels):
        return "no_labels"
    few = _unknown(len(labels), settings)
    return few or ("one_class" if labels.min() == labels.max() else "")
