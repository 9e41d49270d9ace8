"""Measures of predictions, one signature for all of them, and their spread over resampled rows.

Targets are codes 0..K-1; of two classes, class 1 is the positive one. Measures of classes are
functions of tables of counts (true class x predicted class), of many tables at once: the bootstrap
and the search for thresholds and cut points need thousands, where scikit-learn measures one set of
rows at a time. Measures of a probability of class 1 depend on which rows share a probability,
never on their order: rows are sorted once, and the bootstrap only counts.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.exceptions import ConfigurationError
from clientela.models.base import NamedRegistry

# Equal-width bins of a calibration error, as in Naeini et al. 2015.
CALIBRATION_BINS = 10

# Quantiles of a 95 % percentile interval (Efron 1979).
INTERVAL = (0.025, 0.975)

# Sampled rows held in memory at once; more gains no speed.
CELLS_AT_A_TIME = 2_000_000


def ratio(numerator: Floats, denominator: Floats, *, empty: float) -> Floats:
    """Element by element quotient, `empty` where the divisor is zero."""
    top, bottom = np.broadcast_arrays(numerator, denominator)
    filled = np.full(top.shape, empty)
    quotient: Floats = np.divide(top, bottom, out=filled, where=bottom > 0)
    return quotient


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
    levels, cells = _assign_histogram_cells(y_true, probability)
    counts = np.bincount(cells, minlength=2 * len(levels)).astype(np.float64)
    return ScoreHistogram(levels, counts.reshape(-1, 2))


def _assign_histogram_cells(y_true: Codes, probability: Floats) -> tuple[Floats, Codes]:
    """The distinct probabilities, increasing; and `2 * level + code` for each row."""
    levels, positions = np.unique(np.asarray(probability, dtype=np.float64), return_inverse=True)
    cells: Codes = 2 * positions + np.asarray(y_true, dtype=np.int64)
    return levels, cells


# Each measure of classes takes tables of counts, shape (..., K, K), and what weighs mistakes: the
# K values of ordered classes, or the 2 x 2 costs of decisions (true class x predicted class). It
# returns one number for each table.


def accuracy(counts: Floats, scale: Floats) -> Floats:
    """Share of rows that are predicted in their own class."""
    del scale
    right = np.trace(counts, axis1=-2, axis2=-1)
    return ratio(right, counts.sum(axis=(-2, -1)), empty=np.nan)


def mean_cost(counts: Floats, costs: Floats) -> Floats:
    """Mean cost of the decisions, in the currency of the costs."""
    total = (counts * costs).sum(axis=(-2, -1))
    return ratio(total, counts.sum(axis=(-2, -1)), empty=np.nan)


def precision(counts: Floats, costs: Floats) -> Floats:
    """Share of class 1 among the rows that are predicted as 1; 0 where there are none."""
    del costs
    return ratio(counts[..., 1, 1], counts[..., :, 1].sum(axis=-1), empty=0.0)


def recall(counts: Floats, costs: Floats) -> Floats:
    """Share of the rows of class 1 that are predicted as 1; 0 where there are none."""
    del costs
    return ratio(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1), empty=0.0)


def f1(counts: Floats, costs: Floats) -> Floats:
    """Harmonic mean of precision and recall; 0 where class 1 is neither true nor predicted."""
    del costs
    hits = 2 * counts[..., 1, 1]
    return ratio(hits, hits + counts[..., 0, 1] + counts[..., 1, 0], empty=0.0)


def specificity(counts: Floats, costs: Floats) -> Floats:
    """The recall of class 0; 0 where there are no such rows."""
    del costs
    return ratio(counts[..., 0, 0], counts[..., 0, :].sum(axis=-1), empty=0.0)


def balanced_accuracy(counts: Floats, costs: Floats) -> Floats:
    """Mean of the recalls of both classes; one half is what any constant reaches."""
    mean: Floats = (recall(counts, costs) + specificity(counts, costs)) / 2
    return mean


def matthews_correlation(counts: Floats, costs: Floats) -> Floats:
    """Correlation of true and predicted codes (Matthews 1975); 0 for any constant."""
    del costs
    margins = counts.sum(axis=-1).prod(axis=-1) * counts.sum(axis=-2).prod(axis=-1)
    agreed = counts[..., 0, 0] * counts[..., 1, 1] - counts[..., 0, 1] * counts[..., 1, 0]
    return ratio(agreed, np.sqrt(margins), empty=0.0)


def saving_over_constant(counts: Floats, costs: Floats, *, code: int) -> Floats:
    """What decisions save per row against one class for everybody; negative if they cost more."""
    total = (counts.sum(axis=-1) * costs[:, code]).sum(axis=-1)
    constant = ratio(total, counts.sum(axis=(-2, -1)), empty=np.nan)
    return constant - mean_cost(counts, costs)


def quadratic_weighted_kappa(counts: Floats, values: Floats) -> Floats:
    """Agreement beyond chance, misses weighted by their squared distance in classes.

    `1 - sum(w O) / sum(w E)` with `w = (i - j)^2` and E the product of the margins (Cohen 1968).
    Zero where truth and prediction are one and the same constant: nothing is beyond chance there.
    """
    weights = _compute_class_distances(values) ** 2
    margins = counts.sum(axis=-1)[..., :, None] * counts.sum(axis=-2)[..., None, :]
    observed, expected = mean_cost(counts, weights), mean_cost(margins, weights)
    kappa: Floats = 1.0 - ratio(observed, expected, empty=1.0)
    return kappa


def mean_class_distance(counts: Floats, values: Floats) -> Floats:
    """Mean absolute error, counted in classes: between 0 and K-1."""
    return mean_cost(counts, _compute_class_distances(values))


def mean_value_distance(counts: Floats, values: Floats) -> Floats:
    """Mean absolute error, counted on the values that the classes stand for."""
    return mean_cost(counts, np.abs(values[:, None] - values[None, :]))


def macro_class_distance(counts: Floats, values: Floats) -> Floats:
    """Mean absolute error in classes, averaged over the true classes, each with equal weight.

    Also called AMAE or macroaveraged MAE (Baccianella et al. 2009). Classes without rows are
    left out of the average.
    """
    rows = counts.sum(axis=-1)
    missed = (counts * _compute_class_distances(values)).sum(axis=-1)
    by_class = ratio(missed, rows, empty=0.0)
    mean: Floats = by_class.sum(axis=-1) / (rows > 0).sum(axis=-1)
    return mean


def off_by_one_accuracy(counts: Floats, values: Floats) -> Floats:
    """Share of rows that are predicted in their class or in a neighbouring one."""
    near = _compute_class_distances(values) <= 1
    return mean_cost(counts, near.astype(np.float64))


def _compute_class_distances(values: Floats) -> Floats:
    codes = np.arange(len(values), dtype=np.float64)
    return np.abs(codes[:, None] - codes[None, :])


# Each measure of the probability of class 1 takes many tables of counts over the same levels, and
# returns one number for each. Where a table holds one class only, a measure that compares the
# classes is missing (nan).


def roc_auc(counted: ScoreHistogram) -> Floats:
    """Probability that a row of class 1 scores above a row of class 0; ties count one half.

    Hanley and McNeil 1982.
    """
    zeros, ones = counted.rows[..., 0], counted.rows[..., 1]
    won = (ones * (zeros.cumsum(axis=-1) - zeros / 2)).sum(axis=-1)
    return ratio(won, counted.totals.prod(axis=-1), empty=np.nan)


def gini(counted: ScoreHistogram) -> Floats:
    """Twice the ROC-AUC minus one: Somers' D, the usual figure of credit scoring; 0 for chance."""
    coefficient: Floats = 2 * roc_auc(counted) - 1
    return coefficient


def kolmogorov_smirnov(counted: ScoreHistogram) -> Floats:
    """Largest distance between the score distributions of the two classes."""
    shares = ratio(counted.rows.cumsum(axis=-2), counted.totals[..., None, :], empty=np.nan)
    distance: Floats = np.abs(shares[..., 1] - shares[..., 0]).max(axis=-1)
    return distance


def pr_auc(counted: ScoreHistogram) -> Floats:
    """Average precision of class 1, without interpolation; chance reaches its share."""
    return _compute_average_precision(counted.rows[..., ::-1, :])


def pr_auc_rare(counted: ScoreHistogram) -> Floats:
    """Average precision of the class with fewer rows, found by its own probability.

    Which class that is, all tables decide together: samples of one set of rows agree.
    """
    zeros, ones = counted.totals.reshape(-1, 2).sum(axis=0)
    return pr_auc(counted) if ones <= zeros else _compute_average_precision(counted.rows[..., ::-1])


def _compute_average_precision(falling: Floats) -> Floats:
    """Of the class in the last column, from levels that run from its surest row downwards."""
    passed = falling.cumsum(axis=-2)
    precision_so_far = ratio(passed[..., 1], passed.sum(axis=-1), empty=0.0)
    gained = (precision_so_far * falling[..., 1]).sum(axis=-1)
    return ratio(gained, passed[..., -1, 1], empty=np.nan)


def brier(counted: ScoreHistogram) -> Floats:
    """Mean squared error of the probability (Brier 1950); a proper score, 0 is perfect."""
    return _compute_mean_loss(counted, counted.levels**2, (1 - counted.levels) ** 2)


def brier_skill(counted: ScoreHistogram) -> Floats:
    """Share of the Brier score of "everybody has the observed share" that the model removes."""
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


# Each measure of class probabilities takes true codes, rows x K probabilities and the K values.


def ranked_probability_score(y_true: Codes, probabilities: Floats, values: Floats) -> float:
    """Mean squared error of the cumulative probabilities, divided by K-1 (Epstein 1969).

    A proper score: 0 is certainty in the true class, 1 is certainty at the other end.
    """
    predicted, happened = _compute_exceedances(y_true, probabilities)
    return float(((predicted - happened) ** 2).sum(axis=1).mean() / (len(values) - 1))


def cumulative_calibration_error(y_true: Codes, probabilities: Floats, values: Floats) -> float:
    """How far promised and observed shares above a boundary differ, averaged over boundaries.

    For each boundary k, rows fall into ten equal-width bins of P(y > k); the error is the mean of
    |mean of P(y > k) - share with y > k| over bins, weighted by their rows (expected calibration
    error, Naeini et al. 2015). The result is the plain mean of the K-1 errors.
    """
    predicted, happened = _compute_exceedances(y_true, probabilities)
    boundaries = len(values) - 1
    bins = np.clip((predicted * CALIBRATION_BINS).astype(np.int64), 0, CALIBRATION_BINS - 1)
    cells = (bins + CALIBRATION_BINS * np.arange(boundaries)).ravel()
    gaps = np.bincount(cells, weights=(predicted - happened).ravel())
    return float(np.abs(gaps).sum() / (len(predicted) * boundaries))


def _compute_exceedances(y_true: Codes, probabilities: Floats) -> tuple[Floats, Floats]:
    """P(y > k) and 1{y > k} for the K-1 boundaries k."""
    boundaries = np.arange(probabilities.shape[1] - 1)
    happened = (np.asarray(y_true)[:, None] > boundaries).astype(np.float64)
    return 1.0 - probabilities.cumsum(axis=1)[:, :-1], happened


@dataclass(frozen=True)
class BaseMetric(ABC):
    """A measure of predictions, by the name that configuration uses."""

    name: str
    greater_is_better: bool

    @abstractmethod
    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one set of predictions; `scale` weighs mistakes and has K rows."""


@dataclass(frozen=True)
class PointMetric(BaseMetric):
    """A measure of predicted classes, from tables of counts and what weighs mistakes."""

    of_counts: Callable[[Floats, Floats], Floats]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one set of predicted codes."""
        return float(self.of_counts(compute_confusion_matrix(y_true, predicted, len(scale)), scale))


@dataclass(frozen=True)
class HistogramMetric(BaseMetric):
    """A measure of the probability of class 1, from rows counted by probability."""

    of_histogram: Callable[[ScoreHistogram], Floats]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one set of probabilities of class 1."""
        del scale
        return float(self.of_histogram(compute_score_histogram(y_true, predicted)))


@dataclass(frozen=True)
class ClassProbabilityMetric(BaseMetric):
    """A measure of the probabilities of K ordered classes."""

    of_probabilities: Callable[[Codes, Floats, Floats], float]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one table of predicted probabilities (rows x K)."""
        return self.of_probabilities(y_true, predicted, scale)


BinaryMetric: TypeAlias = PointMetric | HistogramMetric
OrdinalMetric: TypeAlias = PointMetric | ClassProbabilityMetric

# Every measure of two classes by the name that configuration uses.
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
            PointMetric("expected_cost", False, mean_cost),
            PointMetric("saving_over_all_positive", True, partial(saving_over_constant, code=1)),
            PointMetric("saving_over_all_negative", True, partial(saving_over_constant, code=0)),
            HistogramMetric("roc_auc", True, roc_auc),
            HistogramMetric("gini", True, gini),
            HistogramMetric("ks", True, kolmogorov_smirnov),
            HistogramMetric("pr_auc", True, pr_auc),
            HistogramMetric("pr_auc_rare", True, pr_auc_rare),
            HistogramMetric("brier", False, brier),
            HistogramMetric("brier_skill", True, brier_skill),
            HistogramMetric("log_loss", False, log_loss),
            HistogramMetric("calibration_error", False, calibration_error),
        )
    },
)

# Every measure of ordered classes by the name that configuration uses.
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
            PointMetric("accuracy", True, accuracy),
            ClassProbabilityMetric("rps", False, ranked_probability_score),
            ClassProbabilityMetric("calibration_error", False, cumulative_calibration_error),
        )
    },
)


def get_point_metric(name: str) -> PointMetric:
    """The ordinal measure of classes by this name, for a decision rule to maximise.

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


def compute_metrics(
    metrics: Mapping[str, BaseMetric],
    y_true: Codes,
    y_pred: Codes,
    probability: Floats,
    scale: Floats,
) -> dict[str, float]:
    """Every measure of one set of predictions, in the order of `metrics`.

    Args:
        probability: Of class 1 for binary measures, rows x K for ordinal ones.
        scale: 2 x 2 costs for binary measures, the K class values for ordinal ones.
    """
    return {
        name: metric(y_true, y_pred if isinstance(metric, PointMetric) else probability, scale)
        for name, metric in metrics.items()
    }


def bootstrap_metrics(  # noqa: PLR0913 - five describe the predictions, two the resampling
    metrics: Mapping[str, BaseMetric],
    y_true: Codes,
    y_pred: Codes,
    probability: Floats,
    scale: Floats,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """One row per bootstrap sample of the rows, one column per measure; see `compute_metrics`.

    The same seed and number of rows give the same samples, so that the difference of two models'
    frames is a paired bootstrap of their difference. A sample with one class only has no measures
    that compare two classes (nan).
    """
    n_classes = len(scale)
    decided = n_classes * np.asarray(y_true, dtype=np.int64) + np.asarray(y_pred, dtype=np.int64)
    binary = probability.ndim == 1
    levels, cells = (
        _assign_histogram_cells(y_true, probability) if binary else (probability, decided)
    )
    parts: dict[str, list[Floats]] = {name: [] for name in metrics}
    for rows in draw_bootstrap_rows(len(decided), replicates=replicates, seed=seed):
        counts = _count_cells(decided, n_classes**2, rows).reshape(-1, n_classes, n_classes)
        histogram = _count_histograms(levels, cells, rows) if binary else None
        for name, metric in metrics.items():
            if isinstance(metric, PointMetric):
                part = metric.of_counts(counts, scale)
            elif isinstance(metric, HistogramMetric) and histogram is not None:
                part = metric.of_histogram(histogram)
            else:
                part = np.array([metric(y_true[row], probability[row], scale) for row in rows])
            parts[name].append(part)
    return pd.DataFrame({name: np.concatenate(part) for name, part in parts.items()})


def sample_confusion_matrices(
    y_true: Codes, y_pred: Codes, n_classes: int, *, replicates: int, seed: int
) -> Floats:
    """Counts of true by predicted class in bootstrap samples of the rows, samples x K x K."""
    decided = n_classes * np.asarray(y_true, dtype=np.int64) + np.asarray(y_pred, dtype=np.int64)
    portions = draw_bootstrap_rows(len(decided), replicates=replicates, seed=seed)
    counts = [_count_cells(decided, n_classes**2, rows) for rows in portions]
    return np.concatenate(counts).reshape(-1, n_classes, n_classes)


def sample_score_histograms(
    y_true: Codes, probability: Floats, *, replicates: int, seed: int
) -> Iterator[ScoreHistogram]:
    """Bootstrap samples of the rows, counted, in portions that fit in memory."""
    levels, cells = _assign_histogram_cells(y_true, probability)
    for rows in draw_bootstrap_rows(len(cells), replicates=replicates, seed=seed):
        yield _count_histograms(levels, cells, rows)


def draw_bootstrap_rows(n_rows: int, *, replicates: int, seed: int) -> Iterator[Codes]:
    """Positions of the drawn rows, samples x `n_rows`, in portions that fit in memory."""
    generator = np.random.default_rng(seed)
    portion = max(1, CELLS_AT_A_TIME // n_rows)
    for start in range(0, replicates, portion):
        yield generator.integers(n_rows, size=(min(portion, replicates - start), n_rows))


def _count_histograms(levels: Floats, cells: Codes, rows: Codes) -> ScoreHistogram:
    counts = _count_cells(cells, 2 * len(levels), rows)
    return ScoreHistogram(levels, counts.reshape(len(rows), -1, 2))


def _count_cells(cells: Codes, n_cells: int, rows: Codes) -> Floats:
    """How often each cell occurs in each sample of rows."""
    shifted = cells[rows] + n_cells * np.arange(len(rows))[:, None]
    counts = np.bincount(shifted.ravel(), minlength=n_cells * len(rows))
    return counts.astype(np.float64).reshape(len(rows), n_cells)


def summarize_replicates(replicates: pd.DataFrame) -> pd.DataFrame:
    """One row per measure: standard deviation and 95 % percentile interval over replicates.

    Args:
        replicates: One row per bootstrap sample, one column per measure; or the difference of two
            such frames.
    """
    lower, upper = (replicates.quantile(level) for level in INTERVAL)
    frame = pd.DataFrame({"std": replicates.std(ddof=1), "lower": lower, "upper": upper})
    return frame.rename_axis("metric")


def compute_wilson_intervals(hits: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Lower and upper ends of 95 % intervals of shares (Wilson 1927); 0 and 1 without rows."""
    ends = [
        binomtest(int(hit), int(row)).proportion_ci(method="wilson") if row else (0.0, 1.0)
        for hit, row in zip(hits, rows, strict=True)
    ]
    lower, upper = np.asarray(ends, dtype=np.float64).reshape(-1, 2).T
    return lower, upper
