"""Divergences between the cells of two samples, and distances between two samples of numbers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr
from scipy.stats import chi2, ks_2samp, wasserstein_distance

from clientela.pipelines.monitoring.binning import Cells, Numbers
from clientela.pipelines.monitoring.counting import Range


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

    Returns:
        A PSI; 0 when there is only one cell.
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
        ks_upper: D is at most this.
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

    Returns:
        The distances; NaN when a sample has no values.
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
