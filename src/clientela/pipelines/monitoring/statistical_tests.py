"""Distances, tests and intervals between the baseline and a period."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, NonNegativeInt, PositiveInt
from scipy.special import rel_entr
from scipy.stats import chi2, chi2_contingency, fisher_exact, ks_2samp, wasserstein_distance

from clientela.arrays import Floats
from clientela.models.metrics import BINARY_METRICS as BINARY
from clientela.models.metrics import PointMetric, ScoreHistogram, get_point_metric
from clientela.pipelines.monitoring.counting import Range
from clientela.pipelines.monitoring.profile import Cells, Numbers
from clientela.settings_base import FrozenSettings

# Divergences between the cells of two samples, and distances between two samples of numbers.


def compute_shares(cells: Cells, pseudo_count: float = 0.0) -> Numbers:
    """The share of each cell, after adding some rows to every cell.

    Returns:
        Shares that sum to 1; NaN when there are no rows.
    """
    raised = np.asarray(cells, dtype=np.float64) + pseudo_count
    total = raised.sum()
    return raised / total if total > 0 else np.full(len(raised), np.nan)


def compute_psi_terms(baseline: Cells, current: Cells, pseudo_count: float) -> Numbers:
    """What each cell adds to the population stability index: (p - q) ln(p / q).

    The index is Jeffreys' divergence (Jeffreys 1946; Siddiqi, Credit Risk Scorecards, 2006) of the
    shares p and q. A cell that is empty in both samples adds nothing and gets no pseudo-count.

    Args:
        pseudo_count: Rows added to every cell, so that the logarithm of an empty one exists.
    """
    parts = np.zeros(len(baseline))
    there = find_occupied_cells(baseline, current)
    p, q = (
        compute_shares(baseline[there], pseudo_count),
        compute_shares(current[there], pseudo_count),
    )
    parts[there] = (p - q) * np.log(p / q)
    return parts


def compute_js_divergence(baseline: Cells, current: Cells) -> float:
    """The Jensen-Shannon divergence in bits (base 2; Lin 1991), 0 to 1; its root is the distance.

    Returns:
        The divergence of the shares, without pseudo-counts; NaN when a sample has no rows.
    """
    p, q = compute_shares(baseline), compute_shares(current)
    middle = (p + q) / 2
    nats = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2
    return float(np.maximum(nats / np.log(2), 0.0))


def compute_psi_noise(baseline: Cells, current: Cells, quantile: float) -> float:
    """The PSI that samples of these sizes reach without any drift.

    Under no drift PSI / (1/n + 1/m) is near chi-square with one degree of freedom less than there
    are cells (Yurdakul 2018, Statistical Properties of Population Stability Index).

    Args:
        quantile: How rarely it is exceeded: .99 is one column in a hundred.
    """
    freedom = int(find_occupied_cells(baseline, current).sum()) - 1
    if freedom < 1:
        return 0.0
    return float(chi2.ppf(quantile, freedom) * (1 / baseline.sum() + 1 / current.sum()))


def find_occupied_cells(baseline: Cells, current: Cells) -> NDArray[np.bool_]:
    """The cells that hold a row of either sample."""
    return (baseline + current) > 0


class Distances(NamedTuple):
    """How far two distributions of numbers are apart; missing values are left out.

    Attributes:
        ks_lower: The Kolmogorov-Smirnov distance D = max |F - G| is at least this.
        wasserstein: Area between F and G (earth mover's distance), in units of the column.
    """

    ks_lower: float
    ks_upper: float
    wasserstein: float


NOTHING_KNOWN = Distances(np.nan, np.nan, np.nan)


def compute_exact_distances(baseline: ArrayLike, current: ArrayLike) -> Distances:
    """The distances of two samples whose values are at hand.

    Returns:
        D twice, and the Wasserstein distance; NaN when a sample has no values.
    """
    left, right = (
        values[~np.isnan(values)]
        for values in (np.asarray(baseline, np.float64), np.asarray(current, np.float64))
    )
    if len(left) == 0 or len(right) == 0:
        return NOTHING_KNOWN
    d = float(ks_2samp(left, right, method="asymp").statistic)
    return Distances(d, d, float(wasserstein_distance(left, right)))


def compute_certified_distances(
    points: Numbers, baseline: Cells, current: Cells, spread: Range | None
) -> Distances:
    """The distances of two samples of which only the cells are known.

    F and G are known on both sides of every point. Between two points both rise by what lies there,
    at unknown places: D is at least the largest known difference, and at most what is reached when
    one rises at once and the other at the end. That exceeds the known differences by no more than
    the rise of F, so the interval is no wider than the largest share of the baseline between two
    points. Wasserstein is the area when both rise evenly between two points, and G outside the
    baseline between its nearest and its outermost value there: an approximation.

    Args:
        spread: Where the current values lie; None when there are none.
    """
    if len(points) == 0 or spread is None:
        return NOTHING_KNOWN
    f, g = (np.cumsum(cells[:-1]) / cells[:-1].sum() for cells in (baseline, current))
    # the start and the end of every stretch between points, the open ones included
    f_start, g_start = (np.concatenate([[0.0], known[1::2]]) for known in (f, g))
    f_end, g_end = f[::2], g[::2]
    lower = max(np.abs(f - g).max(), 0.0)
    upper = np.maximum(np.abs(f_end - g_start), np.abs(g_end - f_start)).max()
    area = _compute_area(np.diff(points), (f_start - g_start)[1:-1], (f_end - g_end)[1:-1])
    outside = _compute_tail_area(points, g[0], 1 - g[-2], spread)
    return Distances(float(lower), float(max(lower, upper)), area + outside)


def _compute_tail_area(points: Numbers, below: float, above: float, spread: Range) -> float:
    """The area beyond the baseline's extremes, where F is 0 or 1 and G runs evenly or is flat."""
    area = 0.0
    if below > 0:
        area += below * (points[0] - (spread.minimum + spread.below) / 2)
    if above > 0:
        area += above * ((spread.above + spread.maximum) / 2 - points[-1])
    return float(area)


def _compute_area(widths: Numbers, start: Numbers, end: Numbers) -> float:
    """The area under |difference| where the difference runs straight from start to end."""
    sizes = np.abs(start) + np.abs(end)
    crossing = start * end < 0
    heights = np.where(
        crossing, (start**2 + end**2) / np.where(crossing, 2 * sizes, 1.0), sizes / 2
    )
    return float((widths * heights).sum())


# The test of homogeneity over cells, and measures of counted rows with bootstrap intervals.


# Share of the baseline below which a cell is rare: pooling would hide what happens in it.
RARE_SHARE = 0.01


class ChiSquareResult(NamedTuple):
    """The outcome of a test.

    Attributes:
        p: Probability of a difference this large without drift.
        cramers_v: Size of the difference, 0 to 1, bias-corrected.
    """

    chi2: float
    p: float
    cramers_v: float


def run_chi_square_test(baseline: Cells, current: Cells, fewest_expected: float) -> ChiSquareResult:
    """Pearson's chi-square test of homogeneity, neighbouring cells pooled where rows are few.

    Pooling makes the chi-square distribution hold, but mixes what is rare in the baseline (values
    never seen, missing where nothing was) with what is common. So where a rare cell had to be
    pooled, Fisher's exact test of rare against common is run too, and p is twice the smaller p
    (Bonferroni).

    Returns:
        The test; chi2 0, p 1 when all rows are in one cell.
    """
    table = np.vstack([baseline, current])[:, find_occupied_cells(baseline, current)]
    common = merge_sparse_cells(table, fewest_expected)
    statistic, p = 0.0, 1.0
    if common.shape[1] > 1:
        tested = chi2_contingency(common, correction=False)
        statistic, p = float(tested.statistic), float(tested.pvalue)
    rare = (_compute_expected_rows(table) < fewest_expected) & (
        table[0] < RARE_SHARE * table[0].sum()
    )
    if table[1, rare].sum() > 0:
        split = np.column_stack([table[:, rare].sum(axis=1), table[:, ~rare].sum(axis=1)])
        p = min(1.0, 2 * min(p, float(fisher_exact(split).pvalue)))
    return ChiSquareResult(statistic, p, compute_cramers_v(statistic, common))


def merge_sparse_cells(table: Cells, fewest_expected: float) -> Cells:
    """The table with neighbours joined, from the left, until each expects enough rows.

    Args:
        fewest_expected: Expected rows that each pooled cell has in both samples.

    Returns:
        Two samples x pooled cells; one cell when there are too few rows for more.
    """
    expected, starts, held = _compute_expected_rows(table), [0], 0.0
    for place, rows in enumerate(expected):
        if held >= fewest_expected:
            starts.append(place)
            held = 0.0
        held += rows
    if held < fewest_expected and len(starts) > 1:
        starts.pop()
    return np.asarray(np.add.reduceat(table, starts, axis=1))


def compute_cramers_v(statistic: float, table: Cells) -> float:
    """Cramér's V with the bias correction of Bergsma (2013)."""
    (rows, columns), total = table.shape, table.sum()
    if columns < rows or total <= 1:
        return 0.0
    excess = max(0.0, statistic / total - (columns - 1) * (rows - 1) / (total - 1))
    sides = [side - (side - 1) ** 2 / (total - 1) for side in (rows, columns)]
    return float(min(1.0, np.sqrt(excess / (min(sides) - 1)))) if min(sides) > 1 else 0.0


def _compute_expected_rows(table: Cells) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Rows of each cell that the smaller sample expects when both are alike."""
    sizes = table.sum(axis=1)
    return np.asarray(table.sum(axis=0) * sizes.min() / sizes.sum(), dtype=np.float64)


BinaryMeasure: TypeAlias = Literal[
    "roc_auc", "accuracy", "brier", "log_loss", "pr_auc", "precision", "recall", "f1", "mcc"
]
OrdinalMeasure: TypeAlias = Literal["qwk", "accuracy", "mae_class", "off_by_one"]
Kind: TypeAlias = Literal["estimated", "realised"]

# Costs that count mistakes; measures of classes receive some.
ONE_EACH = np.array([[0.0, 1.0], [1.0, 0.0]])


class PerformanceSettings(FrozenSettings):
    """How performance is estimated.

    Attributes:
        draws: Samples behind an interval; with a few hundred, 95 % intervals hold some 92 %.
        groups: Scores are pooled into so many groups of neighbours when samples are drawn.
        tolerance: A measure has fallen when it lies this much below its reference for sure.
    """

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    draws: PositiveInt = 2000
    groups: PositiveInt = 1000
    minimum_rows: PositiveInt = 30
    tolerance: float = Field(default=0.02, ge=0)
    seed: NonNegativeInt = 42


@dataclass(frozen=True)
class SampledMetric:
    """One measure of one table of counts, and of samples of it.

    Attributes:
        centre: Of the rows in the groups that samples are drawn from.
    """

    name: str
    value: float
    centre: float
    draws: Floats


def group_scores(counted: ScoreHistogram, groups: int) -> ScoreHistogram:
    """Neighbouring scores as one, at their mean, so that samples stay small.

    Args:
        groups: About how many levels are kept, each of about as many rows.

    Returns:
        Fewer levels, the same number of rows; the argument itself where it is small already.
    """
    if len(counted.levels) <= groups:
        return counted
    rows = counted.rows.sum(axis=1)
    group = np.minimum((rows.cumsum() - rows) * groups // rows.sum(), groups - 1).astype(np.int64)
    _, start = np.unique(group, return_index=True)
    pooled = np.add.reduceat(counted.rows, start, axis=0)
    levels = np.add.reduceat(counted.levels * rows, start) / pooled.sum(axis=1)
    return ScoreHistogram(levels, pooled)


def draw_bootstrap_counts(counts: Floats, settings: PerformanceSettings) -> Floats:
    """Bootstrap samples of counted rows."""
    flat = counts.ravel()
    random = np.random.default_rng(settings.seed)
    drawn = random.multinomial(round(flat.sum()), flat / flat.sum(), settings.draws)
    return drawn.reshape(settings.draws, *counts.shape).astype(np.float64)


def sample_binary_metrics(
    measures: Sequence[BinaryMeasure],
    threshold: float,
    counted: ScoreHistogram,
    pooled: ScoreHistogram,
    drawn: ScoreHistogram,
) -> list[SampledMetric]:
    """Measures of binary predictions on a table of counts and on its samples."""

    def measure(name: BinaryMeasure, histogram: ScoreHistogram) -> Floats:
        metric = BINARY[name]
        if not isinstance(metric, PointMetric):
            return metric.of_histogram(histogram)
        ones = histogram.rows[..., histogram.levels >= threshold, :].sum(axis=-2)
        return metric.of_counts(np.stack([histogram.totals - ones, ones], axis=-1), ONE_EACH)

    return [
        SampledMetric(
            name, float(measure(name, counted)), float(measure(name, pooled)), measure(name, drawn)
        )
        for name in measures
    ]


def sample_ordinal_metrics(
    measures: Sequence[OrdinalMeasure], counts: Floats, drawn: Floats
) -> list[SampledMetric]:
    """Measures of decided classes on a table of counts and on its samples."""
    values = np.arange(counts.shape[0], dtype=np.float64)
    metrics = []
    for name in measures:
        measure = get_point_metric(name).of_counts
        value = float(measure(counts, values))
        metrics.append(SampledMetric(name, value, value, measure(drawn, values)))
    return metrics


def interval_table(
    found: Sequence[SampledMetric], kind: Kind, n: int, settings: PerformanceSettings
) -> pd.DataFrame:
    """One row per measure: the interval of the samples, moved to the value of ungrouped rows."""
    tail = (1 - settings.confidence) / 2
    rows = []
    for each in found:
        few = not np.isfinite([each.value, *each.draws]).all()
        ends = [np.nan] * 2 if few else np.quantile(each.draws, [tail, 1 - tail])
        moved = [end + each.value - each.centre for end in ends]
        rows.append([each.name, kind, each.value, *moved, n, "few_events" if few else ""])
    return _build_interval_frame(rows)


def empty_interval_table(measures: Sequence[str], kind: Kind, n: int, note: str) -> pd.DataFrame:
    """One row per measure that can't be known."""
    return _build_interval_frame(
        [[name, kind, np.nan, np.nan, np.nan, n, note] for name in measures]
    )


def _build_interval_frame(rows: list[list[object]]) -> pd.DataFrame:
    columns = ["measure", "kind", "value", "lower", "upper", "n", "note"]
    return pd.DataFrame(rows, columns=columns)
