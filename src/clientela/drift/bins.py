"""Bins of a number that are frozen in the baseline: quantiles, with heavy values on their own.

Plain deciles of a column that is mostly one value collapse into one bin, and a column that is all
one value has none; a value that is a bin itself shows when rows leave it, and where they go.
"""

from itertools import pairwise

import numpy as np

from clientela.drift.cells import Numbers

FEWEST_REPEATS = 2
"""A value seen once is not heavy, however few rows there are, unless there is no other."""


def bin_edges(ordered: Numbers, bins: int) -> list[tuple[float, bool]]:
    """Where bins end, and whether they include that value.

    Without heavy values these are the quantiles of `numpy.quantile` (linear interpolation).
    Else each stretch between heavy values gets quantile bins in proportion to its rows.

    Args:
        ordered: The baseline's values, ascending, none missing.
        bins: How many quantile bins; a value with 1 / `bins` of the rows is heavy.

    Returns:
        Edges, ascending; a heavy value v has two, (v, False) and (v, True).
    """
    values, counts = np.unique(ordered, return_counts=True)
    heavy = counts >= max(len(ordered) / bins, FEWEST_REPEATS if len(values) > 1 else 1)
    marks = [-np.inf, *values[heavy].tolist(), np.inf]
    edges = {(value, included) for value in marks[1:-1] for included in (False, True)}
    for lower, upper in pairwise(marks):
        stretch = ordered[
            np.searchsorted(ordered, lower, "right") : np.searchsorted(ordered, upper, "left")
        ]
        edges |= {(edge, True) for edge in _inner_quantiles(stretch, bins, len(ordered))}
    return sorted(edges)


def _inner_quantiles(stretch: Numbers, bins: int, rows: int) -> list[float]:
    own_bins = round(len(stretch) * bins / rows)
    if own_bins <= 1:
        return []
    edges = np.unique(np.quantile(stretch, np.arange(1, own_bins) / own_bins))
    return [float(edge) for edge in edges if edge < stretch[-1]]
