"""Measures of ordinal predictions, one signature for all of them.

Accuracy treats every mistake alike, and a majority rule already scores well on it. These
measures count how far a prediction misses. Those that depend on classes alone are functions of
the table of counts (true class x predicted class), of many tables at once: the search for cut
points and the bootstrap need thousands of them.

Targets are codes 0..K-1; `values` are the K strictly increasing numbers the classes stand for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError
from clientela.models.base import BaseMetric, NamedRegistry, PointMetric

CALIBRATION_BINS = 10
"""Equal-width bins of a calibration error, as in Naeini et al. 2015."""


def _compute_distances(scale: Floats) -> Floats:
    return np.abs(scale[:, None] - scale[None, :])


def _compute_mean_cost(counts: Floats, cost: Floats) -> Floats:
    total: Floats = (counts * cost).sum(axis=(-2, -1)) / counts.sum(axis=(-2, -1))
    return total


def quadratic_weighted_kappa(counts: Floats, values: Floats) -> Floats:
    """Agreement beyond chance, misses weighted by their squared distance in classes.

    `1 - sum(w O) / sum(w E)` with `w = (i - j)^2` and E the product of the margins (Cohen 1968).
    Zero where truth and prediction are one and the same constant: nothing is beyond chance there.

    Returns:
        One kappa for each table, at most 1.
    """
    weights = _compute_distances(np.arange(len(values), dtype=np.float64)) ** 2
    margins = counts.sum(axis=-1)[..., :, None] * counts.sum(axis=-2)[..., None, :]
    expected = _compute_mean_cost(margins, weights)
    observed = _compute_mean_cost(counts, weights)
    ratio = np.divide(observed, expected, out=np.ones_like(observed), where=expected > 0)
    kappa: Floats = 1.0 - ratio
    return kappa


def mean_class_distance(counts: Floats, values: Floats) -> Floats:
    """Mean absolute error, counted in classes.

    Returns:
        One mean for each table, between 0 and K-1.
    """
    return _compute_mean_cost(counts, _compute_distances(np.arange(len(values), dtype=np.float64)))


def mean_value_distance(counts: Floats, values: Floats) -> Floats:
    """Mean absolute error, counted on the values that the classes stand for.

    Returns:
        One mean for each table, in units of the values.
    """
    return _compute_mean_cost(counts, _compute_distances(values))


def macro_class_distance(counts: Floats, values: Floats) -> Floats:
    """Mean absolute error in classes, averaged over the true classes, each with equal weight.

    Also called AMAE or macroaveraged MAE (Baccianella et al. 2009). Classes without rows are
    left out of the average.

    Returns:
        One mean for each table, between 0 and K-1.
    """
    cost = _compute_distances(np.arange(len(values), dtype=np.float64))
    rows = counts.sum(axis=-1)
    missed = (counts * cost).sum(axis=-1)
    by_class = np.divide(missed, rows, out=np.zeros_like(missed), where=rows > 0)
    mean: Floats = by_class.sum(axis=-1) / (rows > 0).sum(axis=-1)
    return mean


def off_by_one_accuracy(counts: Floats, values: Floats) -> Floats:
    """Share of rows that are predicted in their class or in a neighbouring one."""
    near = _compute_distances(np.arange(len(values), dtype=np.float64)) <= 1
    return _compute_mean_cost(counts, near.astype(np.float64))


def exact_accuracy(counts: Floats, values: Floats) -> Floats:
    """Share of rows that are predicted in their own class."""
    return _compute_mean_cost(counts, np.eye(len(values)))


def _compute_exceedances(y_true: Codes, probabilities: Floats) -> tuple[Floats, Floats]:
    """P(y > k) and 1{y > k} for the K-1 boundaries k."""
    boundaries = np.arange(probabilities.shape[1] - 1)
    happened = (np.asarray(y_true)[:, None] > boundaries).astype(np.float64)
    return 1.0 - probabilities.cumsum(axis=1)[:, :-1], happened


def ranked_probability_score(y_true: Codes, probabilities: Floats, values: Floats) -> float:
    """Mean squared error of the cumulative probabilities, divided by K-1 (Epstein 1969).

    A proper score: 0 is certainty in the true class, 1 is certainty at the other end.

    Args:
        probabilities: One row of K class probabilities for each true code.

    Returns:
        The mean score, between 0 and 1.
    """
    predicted, happened = _compute_exceedances(y_true, probabilities)
    return float(((predicted - happened) ** 2).sum(axis=1).mean() / (len(values) - 1))


def cumulative_calibration_error(y_true: Codes, probabilities: Floats, values: Floats) -> float:
    """How far promised and observed shares above a boundary differ, averaged over boundaries.

    For each boundary k, rows fall into ten equal-width bins of P(y > k); the error is the mean of
    |mean of P(y > k) - share with y > k| over bins, weighted by their rows (expected calibration
    error, Naeini et al. 2015). The result is the plain mean of the K-1 errors.

    Args:
        probabilities: One row of K class probabilities for each true code.

    Returns:
        The mean error, between 0 and 1.
    """
    predicted, happened = _compute_exceedances(y_true, probabilities)
    boundaries = len(values) - 1
    bins = np.clip((predicted * CALIBRATION_BINS).astype(np.int64), 0, CALIBRATION_BINS - 1)
    cells = (bins + CALIBRATION_BINS * np.arange(boundaries)).ravel()
    gaps = np.bincount(cells, weights=(predicted - happened).ravel())
    return float(np.abs(gaps).sum() / (len(predicted) * boundaries))


@dataclass(frozen=True)
class ProbabilityMetric(BaseMetric):
    """A measure of predicted class probabilities."""

    of_probabilities: Callable[[Codes, Floats, Floats], float]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one table of predicted probabilities (rows x K)."""
        return self.of_probabilities(y_true, predicted, scale)


OrdinalMetric: TypeAlias = PointMetric | ProbabilityMetric

ORDINAL_METRICS: NamedRegistry[OrdinalMetric] = NamedRegistry(
    "metric",
    {
        metric.name: metric
        for metric in (
            PointMetric("qwk", True, quadratic_weighted_kappa),
            PointMetric("mae_class", False, mean_class_distance),
            PointMetric("mae_value", False, mean_value_distance),
            PointMetric("amae", False, macro_class_distance),
            PointMetric("off_by_one", True, off_by_one_accuracy),
            PointMetric("accuracy", True, exact_accuracy),
            ProbabilityMetric("rps", False, ranked_probability_score),
            ProbabilityMetric("calibration_error", False, cumulative_calibration_error),
        )
    },
)
"""Every measure by the name that configuration uses."""


def get_point_metric(name: str) -> PointMetric:
    """The measure of classes by this name, for a decision rule to maximise.

    Args:
        name: A key of `METRICS` whose measure reads classes.

    Raises:
        ConfigurationError: No measure has this name, or it reads probabilities.
    """
    metric = ORDINAL_METRICS.named(name)
    if isinstance(metric, PointMetric):
        return metric
    usable = [known for known, entry in ORDINAL_METRICS.items() if isinstance(entry, PointMetric)]
    raise ConfigurationError(
        f"{name!r} grades probabilities, and cut points only move classes. "
        f"Choose one of {', '.join(usable)}."
    )
