"""How far measures spread over resampled rows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.models.base import PointMetric
from clientela.models.binary_metrics import (
    BINARY_METRICS,
    ScoreHistogram,
    assign_histogram_cells,
    compute_score_histogram,
)
from clientela.models.ordinal_metrics import ORDINAL_METRICS

# How far measures spread over resampled rows.


INTERVAL = (0.025, 0.975)
"""Quantiles of a 95 % percentile interval (Efron 1979)."""


def summarize_replicates(replicates: pd.DataFrame) -> pd.DataFrame:
    """One row per measure: standard deviation and 95 % percentile interval over replicates.

    Args:
        replicates: One row per bootstrap sample, one column per measure; or the difference of two
            such frames.
    """
    lower, upper = (replicates.quantile(level) for level in INTERVAL)
    frame = pd.DataFrame({"std": replicates.std(ddof=1), "lower": lower, "upper": upper})
    return frame.rename_axis("metric")


# All measures of one set of predictions, and of resampled rows.


CELLS_AT_A_TIME = 2_000_000
"""Sampled rows held in memory at once; more gains no speed."""


def compute_binary_metrics(
    y_true: Codes, y_pred: Codes, probability: Floats, costs: Floats
) -> dict[str, float]:
    """Every measure of one set of predictions.

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        Measure by name, in the order of `METRICS`.
    """
    counts, counted = (
        compute_confusion_matrix(y_true, y_pred, 2),
        compute_score_histogram(y_true, probability),
    )
    return {
        name: float(value)
        for name, value in _compute_metrics_from_counts(counts, counted, costs).items()
    }


def bootstrap_binary_metrics(  # noqa: PLR0913 - four describe the predictions, two the resampling
    y_true: Codes,
    y_pred: Codes,
    probability: Floats,
    costs: Floats,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """One row per bootstrap sample of the rows, one column per measure.

    The same seed and number of rows give the same samples, so that the difference of two models'
    frames is a paired bootstrap of their difference. A sample with one class only has no measures
    that compare the classes (nan).

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).
    """
    decided = 2 * np.asarray(y_true, dtype=np.int64) + np.asarray(y_pred, dtype=np.int64)
    levels, cells = assign_histogram_cells(y_true, probability)
    parts = [
        _compute_metrics_from_counts(
            count_bootstrap_cells(decided, 4, rows).reshape(-1, 2, 2),
            ScoreHistogram(
                levels,
                count_bootstrap_cells(cells, 2 * len(levels), rows).reshape(len(rows), -1, 2),
            ),
            costs,
        )
        for rows in draw_bootstrap_rows(len(cells), replicates=replicates, seed=seed)
    ]
    return pd.DataFrame(
        {name: np.concatenate([part[name] for part in parts]) for name in BINARY_METRICS}
    )


def draw_bootstrap_rows(n_rows: int, *, replicates: int, seed: int) -> Iterator[Codes]:
    """Bootstrap samples in portions that fit in memory.

    Args:
        n_rows: Rows to draw from, and to draw.

    Yields:
        Positions of the drawn rows, samples x `n_rows`.
    """
    generator = np.random.default_rng(seed)
    portion = max(1, CELLS_AT_A_TIME // n_rows)
    for start in range(0, replicates, portion):
        yield generator.integers(n_rows, size=(min(portion, replicates - start), n_rows))


def count_bootstrap_cells(cells: Codes, n_cells: int, rows: Codes) -> Floats:
    """How often each cell occurs in each sample.

    Args:
        rows: Samples of rows, as `sampled_rows` gives them.
    """
    shifted = cells[rows] + n_cells * np.arange(len(rows))[:, None]
    counts = np.bincount(shifted.ravel(), minlength=n_cells * len(rows))
    return counts.astype(np.float64).reshape(len(rows), n_cells)


def _compute_metrics_from_counts(
    counts: Floats, counted: ScoreHistogram, costs: Floats
) -> dict[str, Floats]:
    return {
        name: metric.of_counts(counts, costs)
        if isinstance(metric, PointMetric)
        else metric.of_tallies(counted)
        for name, metric in BINARY_METRICS.items()
    }


# All measures of one set of predictions, and of resampled rows.


def compute_ordinal_metrics(
    y_true: Codes, y_pred: Codes, probabilities: Floats, values: Floats
) -> dict[str, float]:
    """Every measure of one set of predictions.

    Returns:
        Measure by name, in the order of `METRICS`.
    """
    return {
        name: metric(y_true, y_pred if isinstance(metric, PointMetric) else probabilities, values)
        for name, metric in ORDINAL_METRICS.items()
    }


def bootstrap_ordinal_metrics(  # noqa: PLR0913 - four describe the predictions, two the resampling
    y_true: Codes,
    y_pred: Codes,
    probabilities: Floats,
    values: Floats,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """One row per bootstrap sample of the rows, one column per measure.

    The same seed and number of rows give the same samples, so that the difference of two models'
    frames is a paired bootstrap of their difference.
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((replicates, len(values), len(values)))
    columns: dict[str, Floats] = {name: np.empty(replicates) for name in ORDINAL_METRICS}
    for replicate in range(replicates):
        rows = generator.integers(len(y_true), size=len(y_true))
        counts[replicate] = compute_confusion_matrix(y_true[rows], y_pred[rows], len(values))
        for name, metric in ORDINAL_METRICS.items():
            if not isinstance(metric, PointMetric):
                columns[name][replicate] = metric(y_true[rows], probabilities[rows], values)
    for name, metric in ORDINAL_METRICS.items():
        if isinstance(metric, PointMetric):
            columns[name] = metric.of_counts(counts, values)
    return pd.DataFrame(columns)
