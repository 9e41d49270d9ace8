"""Rows counted by predicted probability and true class: all that a probability measure needs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from clientela.arrays import Codes, Floats
from clientela.models.base import BaseMetric, NamedRegistry, PointMetric

# Rows counted by predicted probability and true class: all that a probability measure needs.
#
# Ranking, calibration and loss depend on which rows share a probability, never on their order. So
# rows are sorted once, and the bootstrap only counts: a thousand samples cost a few passes over one
# table instead of a thousand sorts.


@dataclass(frozen=True)
class ScoreHistogram:
    """Numbers of rows at each distinct predicted probability.

    Attributes:
        levels: The distinct probabilities of class 1, increasing; m of them.
        rows: Rows of class 0 and class 1 at each level, shape (..., m, 2).
    """

    levels: Floats
    rows: Floats

    @cached_property
    def totals(self) -> Floats:
        """Rows of class 0 and class 1, shape (..., 2)."""
        totals: Floats = self.rows.sum(axis=-2)
        return totals


def compute_score_histogram(y_true: Codes, probability: Floats) -> ScoreHistogram:
    """The rows of one set of predictions, counted."""
    levels, cells = assign_histogram_cells(y_true, probability)
    counts = np.bincount(cells, minlength=2 * len(levels)).astype(np.float64)
    return ScoreHistogram(levels, counts.reshape(-1, 2))


def assign_histogram_cells(y_true: Codes, probability: Floats) -> tuple[Floats, Codes]:
    """The distinct probabilities, and for each row its cell in the flattened table of counts.

    Returns:
        Levels, increasing; and `2 * level + code` for each row.
    """
    levels, positions = np.unique(np.asarray(probability, dtype=np.float64), return_inverse=True)
    cells: Codes = 2 * positions + np.asarray(y_true, dtype=np.int64)
    return levels, cells


def ratio(numerator: Floats, denominator: Floats, *, empty: float) -> Floats:
    """Element by element quotient, with a given value where nothing is divided.

    Args:
        empty: The quotient where the divisor is zero.
    """
    top, bottom = np.broadcast_arrays(numerator, denominator)
    filled = np.full(top.shape, empty)
    quotient: Floats = np.divide(top, bottom, out=filled, where=bottom > 0)
    return quotient


# Measures of predicted classes, as functions of tables of counts (true class x predicted class).
#
# Class 1 is the positive one. Many tables are measured at once: the bootstrap and the search for a
# threshold need thousands. scikit-learn measures one set of rows at a time, and is what the tests
# compare with.


def accuracy(counts: Floats, costs: Floats) -> Floats:
    """Share of rows that are predicted in their own class.

    Args:
        costs: 2 x 2 costs, as every measure of classes receives them; not used here.
    """
    del costs
    right = counts[..., 0, 0] + counts[..., 1, 1]
    return ratio(right, counts.sum(axis=(-2, -1)), empty=np.nan)


def precision(counts: Floats, costs: Floats) -> Floats:
    """Share of class 1 among the rows that are predicted as 1; 0 where there are none."""
    del costs
    return ratio(counts[..., 1, 1], counts[..., :, 1].sum(axis=-1), empty=0.0)


def recall(counts: Floats, costs: Floats) -> Floats:
    """Share of the rows of class 1 that are predicted as 1; 0 where there are none."""
    del costs
    return ratio(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1), empty=0.0)


def f1(counts: Floats, costs: Floats) -> Floats:
    """Harmonic mean of precision and recall of class 1.

    Returns:
        One number for each table, 0 where class 1 is neither true nor predicted.
    """
    del costs
    hits = 2 * counts[..., 1, 1]
    return ratio(hits, hits + counts[..., 0, 1] + counts[..., 1, 0], empty=0.0)


def specificity(counts: Floats, costs: Floats) -> Floats:
    """Share of the rows of class 0 that are predicted as 0: the recall of class 0.

    Returns:
        One share for each table, 0 where there are no such rows.
    """
    del costs
    return ratio(counts[..., 0, 0], counts[..., 0, :].sum(axis=-1), empty=0.0)


def balanced_accuracy(counts: Floats, costs: Floats) -> Floats:
    """Mean of the recalls of both classes; one half is what any constant reaches."""
    mean: Floats = (recall(counts, costs) + specificity(counts, costs)) / 2
    return mean


def matthews_correlation(counts: Floats, costs: Floats) -> Floats:
    """Correlation of true and predicted codes (Matthews 1975); 0 for any constant.

    Returns:
        One number for each table, between -1 and 1.
    """
    del costs
    margins = counts.sum(axis=-1).prod(axis=-1) * counts.sum(axis=-2).prod(axis=-1)
    agreed = counts[..., 0, 0] * counts[..., 1, 1] - counts[..., 0, 1] * counts[..., 1, 0]
    return ratio(agreed, np.sqrt(margins), empty=0.0)


def cost_per_row(counts: Floats, costs: Floats) -> Floats:
    """Mean cost of the decisions.

    Returns:
        One mean for each table, in the currency of the costs.
    """
    total = (counts * costs).sum(axis=(-2, -1))
    return ratio(total, counts.sum(axis=(-2, -1)), empty=np.nan)


def saving_over_all_positive(counts: Floats, costs: Floats) -> Floats:
    """What the decisions save per row against predicting 1 for everybody ("approve all").

    Returns:
        One mean for each table; negative where everybody would have been cheaper.
    """
    return _compute_constant_cost(counts, costs, 1) - cost_per_row(counts, costs)


def saving_over_all_negative(counts: Floats, costs: Floats) -> Floats:
    """What the decisions save per row against predicting 0 for everybody ("do nothing").

    Returns:
        One mean for each table; negative where nobody would have been cheaper.
    """
    return _compute_constant_cost(counts, costs, 0) - cost_per_row(counts, costs)


def _compute_constant_cost(counts: Floats, costs: Floats, code: int) -> Floats:
    total = (counts.sum(axis=-1) * costs[:, code]).sum(axis=-1)
    return ratio(total, counts.sum(axis=(-2, -1)), empty=np.nan)


# Measures of predicted probabilities, as functions of tallies.
#
# They measure many tables of counts over the same levels at once. Where a table holds one class
# only, a measure that compares the classes is missing (nan).


CALIBRATION_BINS = 10
"""Equal-width bins of a calibration error, as in Naeini et al. 2015."""


def roc_auc(counted: ScoreHistogram) -> Floats:
    """Probability that a row of class 1 scores above a row of class 0; ties count one half.

    Returns:
        One share for each table (Hanley and McNeil 1982).
    """
    zeros, ones = counted.rows[..., 0], counted.rows[..., 1]
    won = (ones * (zeros.cumsum(axis=-1) - zeros / 2)).sum(axis=-1)
    return ratio(won, counted.totals.prod(axis=-1), empty=np.nan)


def gini(counted: ScoreHistogram) -> Floats:
    """Twice the ROC-AUC minus one: Somers' D, the usual figure of credit scoring.

    Returns:
        One number for each table, 0 for chance.
    """
    coefficient: Floats = 2 * roc_auc(counted) - 1
    return coefficient


def kolmogorov_smirnov(counted: ScoreHistogram) -> Floats:
    """Largest distance between the score distributions of the two classes."""
    shares = ratio(counted.rows.cumsum(axis=-2), counted.totals[..., None, :], empty=np.nan)
    distance: Floats = np.abs(shares[..., 1] - shares[..., 0]).max(axis=-1)
    return distance


def pr_auc(counted: ScoreHistogram) -> Floats:
    """Average precision of class 1: mean precision over its recall, without interpolation.

    Returns:
        One share for each table; the share of class 1 is what chance reaches.
    """
    return _compute_average_precision(counted.rows[..., ::-1, :])


def pr_auc_rare(counted: ScoreHistogram) -> Floats:
    """Average precision of the class with fewer rows, found by its own probability.

    Which class that is, all tables decide together: samples of one set of rows agree.

    Returns:
        One share for each table; the share of the rare class is what chance reaches.
    """
    zeros, ones = counted.totals.reshape(-1, 2).sum(axis=0)
    return pr_auc(counted) if ones <= zeros else _compute_average_precision(counted.rows[..., ::-1])


def _compute_average_precision(falling: Floats) -> Floats:
    """Of the class in the last column, from levels that run from its surest row downwards."""
    found = falling.cumsum(axis=-2)
    precision = ratio(found[..., 1], found.sum(axis=-1), empty=0.0)
    gained = (precision * falling[..., 1]).sum(axis=-1)
    return ratio(gained, found[..., -1, 1], empty=np.nan)


def brier(counted: ScoreHistogram) -> Floats:
    """Mean squared error of the probability (Brier 1950); a proper score, 0 is perfect."""
    return _compute_mean_loss(counted, counted.levels**2, (1 - counted.levels) ** 2)


def brier_skill(counted: ScoreHistogram) -> Floats:
    """Share of the Brier score of "everybody has the observed share" that the model removes.

    Returns:
        One number for each table: 1 is perfect, 0 no better than the share, negative worse.
    """
    share = ratio(counted.totals[..., 1], counted.totals.sum(axis=-1), empty=np.nan)
    skill: Floats = 1 - ratio(brier(counted), share * (1 - share), empty=np.nan)
    return skill


def log_loss(counted: ScoreHistogram) -> Floats:
    """Mean negative log-likelihood; probabilities are kept off 0 and 1 by the machine's epsilon."""
    margin = np.finfo(np.float64).eps
    levels = counted.levels.clip(margin, 1 - margin)
    return _compute_mean_loss(counted, -np.log1p(-levels), -np.log(levels))


def _compute_mean_loss(counted: ScoreHistogram, of_zero: Floats, of_one: Floats) -> Floats:
    total = counted.rows[..., 0] @ of_zero + counted.rows[..., 1] @ of_one
    return ratio(total, counted.totals.sum(axis=-1), empty=np.nan)


def calibration_error(counted: ScoreHistogram) -> Floats:
    """Mean distance between promised and observed share over ten bins, weighted by their rows.

    The expected calibration error of Naeini et al. 2015, with bins of equal width.
    """
    bins = (counted.levels * CALIBRATION_BINS).astype(np.int64).clip(0, CALIBRATION_BINS - 1)
    surplus = counted.rows.sum(axis=-1) * counted.levels - counted.rows[..., 1]
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    gaps = np.abs(np.add.reduceat(surplus, starts, axis=-1)).sum(axis=-1)
    return ratio(gaps, counted.totals.sum(axis=-1), empty=np.nan)


# Every measure of a binary prediction by name, with one signature for all of them.
#
# Targets are codes 0 and 1; class 1 is the positive one. Measures of classes read predicted codes
# and the costs of decisions, measures of probabilities read the probability of class 1.


@dataclass(frozen=True)
class ProbabilityMetric(BaseMetric):
    """A measure of predicted probabilities, computed from tallies."""

    of_tallies: Callable[[ScoreHistogram], Floats]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one set of probabilities of class 1."""
        del scale
        return float(self.of_tallies(compute_score_histogram(y_true, predicted)))


BinaryMetric: TypeAlias = PointMetric | ProbabilityMetric

BINARY_METRICS: NamedRegistry[BinaryMetric] = NamedRegistry(
    "metric",
    {
        metric.name: metric
        for metric in (
            PointMetric("accuracy", True, accuracy),
            PointMetric("precision", True, precision),
            PointMetric("recall", True, recall),
            PointMetric("f1", True, f1),
            PointMetric("specificity", True, specificity),
            PointMetric("balanced_accuracy", True, balanced_accuracy),
            PointMetric("mcc", True, matthews_correlation),
            PointMetric("expected_cost", False, cost_per_row),
            PointMetric("saving_over_all_positive", True, saving_over_all_positive),
            PointMetric("saving_over_all_negative", True, saving_over_all_negative),
            ProbabilityMetric("roc_auc", True, roc_auc),
            ProbabilityMetric("gini", True, gini),
            ProbabilityMetric("ks", True, kolmogorov_smirnov),
            ProbabilityMetric("pr_auc", True, pr_auc),
            ProbabilityMetric("pr_auc_rare", True, pr_auc_rare),
            ProbabilityMetric("brier", False, brier),
            ProbabilityMetric("brier_skill", True, brier_skill),
            ProbabilityMetric("log_loss", False, log_loss),
            ProbabilityMetric("calibration_error", False, calibration_error),
        )
    },
)
"""Every measure by the name that configuration uses."""


# How sure an observed share is.


def compute_wilson_intervals(hits: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Lower and upper end of 95 % intervals of shares (Wilson 1927).

    Returns:
        Lower and upper ends; 0 and 1 where there are no rows.
    """
    ends = [
        binomtest(int(hit), int(row)).proportion_ci(method="wilson") if row else (0.0, 1.0)
        for hit, row in zip(hits, rows, strict=True)
    ]
    lower, upper = np.asarray(ends, dtype=np.float64).reshape(-1, 2).T
    return lower, upper
