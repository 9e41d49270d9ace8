"""All measures of one set of predictions, and of resampled rows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from clientela.binary.metrics import METRICS
from clientela.binary.tallies import Tallies, tallies, tally_cells
from clientela.classification.codes import Codes, Floats, class_counts
from clientela.classification.measures import PointMetric

CELLS_AT_A_TIME = 2_000_000
"""Sampled rows held in memory at once; more gains no speed."""


def grade(y_true: Codes, y_pred: Codes, probability: Floats, costs: Floats) -> dict[str, float]:
    """Every measure of one set of predictions.

    Args:
        y_true: True codes, 0 or 1.
        y_pred: Predicted codes, 0 or 1.
        probability: Predicted probability of code 1.
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        Measure by name, in the order of `METRICS`.
    """
    counts, counted = class_counts(y_true, y_pred, 2), tallies(y_true, probability)
    return {name: float(value) for name, value in _measures(counts, counted, costs).items()}


def bootstrap_grades(  # noqa: PLR0913 - four describe the predictions, two the resampling
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
        y_true: True codes, 0 or 1.
        y_pred: Predicted codes, 0 or 1.
        probability: Predicted probability of code 1.
        costs: 2 x 2 costs by true class (row) and predicted class (column).
        replicates: Number of samples.
        seed: Seed of the resampling.

    Returns:
        Columns as in `METRICS`, float64.
    """
    decided = 2 * np.asarray(y_true, dtype=np.int64) + np.asarray(y_pred, dtype=np.int64)
    levels, cells = tally_cells(y_true, probability)
    parts = [
        _measures(
            sampled_counts(decided, 4, rows).reshape(-1, 2, 2),
            Tallies(levels, sampled_counts(cells, 2 * len(levels), rows).reshape(len(rows), -1, 2)),
            costs,
        )
        for rows in sampled_rows(len(cells), replicates=replicates, seed=seed)
    ]
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in METRICS})


def sampled_rows(n_rows: int, *, replicates: int, seed: int) -> Iterator[Codes]:
    """Bootstrap samples in portions that fit in memory.

    Args:
        n_rows: Rows to draw from, and to draw.
        replicates: Number of samples.
        seed: Seed of the drawing.

    Yields:
        Positions of the drawn rows, samples x `n_rows`.
    """
    generator = np.random.default_rng(seed)
    portion = max(1, CELLS_AT_A_TIME // n_rows)
    for start in range(0, replicates, portion):
        yield generator.integers(n_rows, size=(min(portion, replicates - start), n_rows))


def sampled_counts(cells: Codes, n_cells: int, rows: Codes) -> Floats:
    """How often each cell occurs in each sample.

    Args:
        cells: Cell of each row.
        n_cells: Number of cells.
        rows: Samples of rows, as `sampled_rows` gives them.

    Returns:
        Samples x cells.
    """
    shifted = cells[rows] + n_cells * np.arange(len(rows))[:, None]
    counts = np.bincount(shifted.ravel(), minlength=n_cells * len(rows))
    return counts.astype(np.float64).reshape(len(rows), n_cells)


def _measures(counts: Floats, counted: Tallies, costs: Floats) -> dict[str, Floats]:
    return {
        name: metric.of_counts(counts, costs)
        if isinstance(metric, PointMetric)
        else metric.of_tallies(counted)
        for name, metric in METRICS.items()
    }
