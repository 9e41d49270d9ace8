"""All measures of one set of predictions, and of resampled rows."""

import numpy as np
import pandas as pd

from clientela.classification.codes import Codes, Floats, class_counts
from clientela.classification.measures import PointMetric
from clientela.ordinal.metrics import METRICS


def grade(y_true: Codes, y_pred: Codes, probabilities: Floats, values: Floats) -> dict[str, float]:
    """Every measure of one set of predictions.

    Args:
        y_true: True codes, 0..K-1.
        y_pred: Predicted codes, 0..K-1.
        probabilities: Predicted probabilities, rows x K.
        values: The K class values.

    Returns:
        Measure by name, in the order of `METRICS`.
    """
    return {
        name: metric(y_true, y_pred if isinstance(metric, PointMetric) else probabilities, values)
        for name, metric in METRICS.items()
    }


def bootstrap_grades(  # noqa: PLR0913 - four describe the predictions, two the resampling
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

    Args:
        y_true: True codes, 0..K-1.
        y_pred: Predicted codes, 0..K-1.
        probabilities: Predicted probabilities, rows x K.
        values: The K class values.
        replicates: Number of samples.
        seed: Seed of the resampling.

    Returns:
        Columns as in `METRICS`, float64.
    """
    generator = np.random.default_rng(seed)
    counts = np.empty((replicates, len(values), len(values)))
    columns: dict[str, Floats] = {name: np.empty(replicates) for name in METRICS}
    for replicate in range(replicates):
        rows = generator.integers(len(y_true), size=len(y_true))
        counts[replicate] = class_counts(y_true[rows], y_pred[rows], len(values))
        for name, metric in METRICS.items():
            if not isinstance(metric, PointMetric):
                columns[name][replicate] = metric(y_true[rows], probabilities[rows], values)
    for name, metric in METRICS.items():
        if isinstance(metric, PointMetric):
            columns[name] = metric.of_counts(counts, values)
    return pd.DataFrame(columns)
