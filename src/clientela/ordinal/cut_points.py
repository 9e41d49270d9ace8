"""Cut points on a score that maximise a chosen measure.

A regressor's score shrinks towards the middle, so that midpoints between class values leave the
outer classes nearly empty. Cut points learned from out-of-fold scores undo that.
"""

import numpy as np

from clientela.classification.codes import Codes, Floats
from clientela.classification.measures import PointMetric

MAX_CANDIDATES = 256
"""Candidate cuts: more than this is finer than any sample's noise, and only costs time."""

MAX_SWEEPS = 50
"""Coordinate sweeps; two or three are the rule, the bound only guards against cycling."""


def midpoints(values: Floats) -> Floats:
    """The K-1 cut points halfway between neighbouring class values.

    Args:
        values: The K class values.

    Returns:
        Cut points, increasing.
    """
    halfway: Floats = (values[1:] + values[:-1]) / 2
    return halfway


def best_cut_points(score: Floats, y_true: Codes, values: Floats, metric: PointMetric) -> Floats:
    """The K-1 cut points on the score under which the measure is best.

    Coordinate search over candidates between neighbouring distinct scores (their quantiles when
    there are many), once from the midpoints of the values and once from the cuts that reproduce
    the class shares. Of equally good cuts the first in this order is kept, so that the result
    depends on the set of rows only.

    Args:
        score: One score per row, best out-of-fold.
        y_true: True codes, 0..K-1.
        values: The K class values.
        metric: The measure to make as good as possible.

    Returns:
        Cut points, never decreasing, always finite.
    """
    cuts = _candidates(score, values)
    below = _class_counts_below(cuts, score, y_true, len(values))
    shares = np.bincount(y_true, minlength=len(values)).cumsum()[:-1]
    starts = (
        np.searchsorted(cuts, midpoints(values)).clip(0, len(cuts) - 1),
        np.searchsorted(below.sum(axis=1), shares).clip(0, len(cuts) - 1),
    )
    found = [_coordinate_search(below, start, values, metric) for start in starts]
    positions, _ = max(found, key=lambda result: result[1])
    chosen: Floats = cuts[positions]
    return chosen


def _candidates(score: Floats, values: Floats) -> Floats:
    """Cuts between distinct scores, with one below all of them and one above."""
    distinct = np.unique(score)
    between = (distinct[1:] + distinct[:-1]) / 2
    if len(between) > MAX_CANDIDATES:
        levels = (np.arange(MAX_CANDIDATES) + 0.5) / MAX_CANDIDATES
        between = np.unique(np.quantile(score, levels))
    span = values[-1] - values[0]
    return np.concatenate([[distinct[0] - span], between, [distinct[-1] + span]])


def _class_counts_below(cuts: Floats, score: Floats, y_true: Codes, n_classes: int) -> Floats:
    """Rows of each class with a score at or below each cut (cuts x K)."""
    bins = np.searchsorted(cuts, score, side="left")
    cells = np.bincount(bins * n_classes + y_true, minlength=len(cuts) * n_classes)
    return cells.reshape(len(cuts), n_classes).cumsum(axis=0).astype(np.float64)


def _tables(below: Floats, positions: Codes) -> Floats:
    """Counts of true by predicted class for each row of cut positions."""
    inner = below[positions]
    nothing = np.zeros_like(inner[..., :1, :])
    everything = np.broadcast_to(below[-1], nothing.shape)
    edges = np.concatenate([nothing, inner, everything], axis=-2)
    return np.swapaxes(np.diff(edges, axis=-2), -1, -2)


def _coordinate_search(
    below: Floats, start: Codes, values: Floats, metric: PointMetric
) -> tuple[Codes, float]:
    """Positions that no move of a single cut improves, and how good they are."""
    sign = 1.0 if metric.greater_is_better else -1.0
    positions = np.asarray(start, dtype=np.int64)
    best = sign * float(metric.of_counts(_tables(below, positions), values))
    for _ in range(MAX_SWEEPS):
        before = best
        for cut in range(len(positions)):
            options = _moves(positions, cut, len(below))
            worth = sign * metric.of_counts(_tables(below, options), values)
            winner = int(np.argmax(worth))
            if worth[winner] > best + np.finfo(np.float64).eps:
                positions, best = options[winner], float(worth[winner])
        if best == before:
            break
    return positions, best


def _moves(positions: Codes, cut: int, n_cuts: int) -> Codes:
    """All positions that differ in one cut, which stays between its neighbours."""
    first = positions[cut - 1] if cut > 0 else 0
    last = positions[cut + 1] if cut + 1 < len(positions) else n_cuts - 1
    options = np.tile(positions, (last - first + 1, 1))
    options[:, cut] = np.arange(first, last + 1)
    return options
