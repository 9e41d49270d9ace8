"""Whether two samples can come from one distribution over cells, and how strongly they differ."""

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2_contingency, fisher_exact

from clientela.drift.cells import Cells
from clientela.drift.divergence import occupied

RARE_SHARE = 0.01
"""Share of the baseline below which a cell is rare: pooling would hide what happens in it."""


class Homogeneity(NamedTuple):
    """The outcome of a test.

    Attributes:
        chi2: The statistic over the pooled cells.
        p: Probability of a difference this large without drift.
        cramers_v: Size of the difference, 0 to 1, bias-corrected.
    """

    chi2: float
    p: float
    cramers_v: float


def homogeneity(baseline: Cells, current: Cells, fewest_expected: float) -> Homogeneity:
    """Pearson's chi-square test of homogeneity, neighbouring cells pooled where rows are few.

    Pooling makes the chi-square distribution hold, but mixes what is rare in the baseline (values
    never seen, missing where nothing was) with what is common. So where a rare cell had to be
    pooled, Fisher's exact test of rare against common is run too, and p is twice the smaller p
    (Bonferroni).

    Args:
        baseline: Rows per cell, neighbours next to one another.
        current: The same cells.
        fewest_expected: Expected rows below which a cell is pooled.

    Returns:
        The test; chi2 0, p 1 when all rows are in one cell.
    """
    table = np.vstack([baseline, current])[:, occupied(baseline, current)]
    common = pooled(table, fewest_expected)
    statistic, p = 0.0, 1.0
    if common.shape[1] > 1:
        tested = chi2_contingency(common, correction=False)
        statistic, p = float(tested.statistic), float(tested.pvalue)
    rare = (_expected(table) < fewest_expected) & (table[0] < RARE_SHARE * table[0].sum())
    if table[1, rare].sum() > 0:
        split = np.column_stack([table[:, rare].sum(axis=1), table[:, ~rare].sum(axis=1)])
        p = min(1.0, 2 * min(p, float(fisher_exact(split).pvalue)))
    return Homogeneity(statistic, p, cramers_v(statistic, common))


def pooled(table: Cells, fewest_expected: float) -> Cells:
    """The table with neighbours joined, from the left, until each expects enough rows.

    Args:
        table: Two samples x cells.
        fewest_expected: Expected rows that each pooled cell has in both samples.

    Returns:
        Two samples x pooled cells; one cell when there are too few rows for more.
    """
    expected, starts, held = _expected(table), [0], 0.0
    for place, rows in enumerate(expected):
        if held >= fewest_expected:
            starts.append(place)
            held = 0.0
        held += rows
    if held < fewest_expected and len(starts) > 1:
        starts.pop()
    return np.asarray(np.add.reduceat(table, starts, axis=1))


def cramers_v(statistic: float, table: Cells) -> float:
    """Cramér's V with the bias correction of Bergsma (2013).

    Args:
        statistic: Chi-square of the table.
        table: Samples x cells.

    Returns:
        0 (no association) to 1.
    """
    (rows, columns), total = table.shape, table.sum()
    if columns < rows or total <= 1:
        return 0.0
    excess = max(0.0, statistic / total - (columns - 1) * (rows - 1) / (total - 1))
    sides = [side - (side - 1) ** 2 / (total - 1) for side in (rows, columns)]
    return float(min(1.0, np.sqrt(excess / (min(sides) - 1)))) if min(sides) > 1 else 0.0


def _expected(table: Cells) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Rows of each cell that the smaller sample expects when both are alike."""
    sizes = table.sum(axis=1)
    return np.asarray(table.sum(axis=0) * sizes.min() / sizes.sum(), dtype=np.float64)
