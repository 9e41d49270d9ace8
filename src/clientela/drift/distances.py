"""Distances between two distributions of numbers, from what a profile keeps of them, or exact."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import ks_2samp, wasserstein_distance

from clientela.drift.cells import Cells, Numbers
from clientela.drift.counts import Range


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


def exact_distances(baseline: ArrayLike, current: ArrayLike) -> Distances:
    """The distances of two samples whose values are at hand.

    Args:
        baseline: Numbers, NaN where missing.
        current: The same.

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


def certified_distances(
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
        points: Of the profile.
        baseline: Rows per cell, MISSING last.
        current: The same cells.
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
    area = _area(np.diff(points), (f_start - g_start)[1:-1], (f_end - g_end)[1:-1])
    outside = _area_outside(points, g[0], 1 - g[-2], spread)
    return Distances(float(lower), float(max(lower, upper)), area + outside)


def _area_outside(points: Numbers, below: float, above: float, spread: Range) -> float:
    """The area beyond the baseline's extremes, where F is 0 or 1 and G runs evenly or is flat."""
    area = 0.0
    if below > 0:
        area += below * (points[0] - (spread.minimum + spread.below) / 2)
    if above > 0:
        area += above * ((spread.above + spread.maximum) / 2 - points[-1])
    return float(area)


def _area(widths: Numbers, start: Numbers, end: Numbers) -> float:
    """The area under |difference| where the difference runs straight from start to end."""
    sizes = np.abs(start) + np.abs(end)
    crossing = start * end < 0
    heights = np.where(
        crossing, (start**2 + end**2) / np.where(crossing, 2 * sizes, 1.0), sizes / 2
    )
    return float((widths * heights).sum())
