"""Divergences between the cells of two samples."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr
from scipy.stats import chi2

from clientela.drift.cells import Cells, Numbers


def shares(cells: Cells, pseudo_count: float = 0.0) -> Numbers:
    """The share of each cell, after adding some rows to every cell.

    Args:
        cells: Rows per cell.
        pseudo_count: Rows added to each.

    Returns:
        Shares that sum to 1; NaN when there are no rows.
    """
    raised = np.asarray(cells, dtype=np.float64) + pseudo_count
    total = raised.sum()
    return raised / total if total > 0 else np.full(len(raised), np.nan)


def psi_parts(baseline: Cells, current: Cells, pseudo_count: float) -> Numbers:
    """What each cell adds to the population stability index: (p - q) ln(p / q).

    The index is Jeffreys' divergence (Jeffreys 1946; Siddiqi, Credit Risk Scorecards, 2006) of the
    shares p and q. A cell that is empty in both samples adds nothing and gets no pseudo-count.

    Args:
        baseline: Rows per cell.
        current: Rows per cell.
        pseudo_count: Rows added to every cell, so that the logarithm of an empty one exists.

    Returns:
        One non-negative number per cell.
    """
    parts = np.zeros(len(baseline))
    there = occupied(baseline, current)
    p, q = shares(baseline[there], pseudo_count), shares(current[there], pseudo_count)
    parts[there] = (p - q) * np.log(p / q)
    return parts


def jensen_shannon(baseline: Cells, current: Cells) -> float:
    """The Jensen-Shannon divergence in bits (base 2; Lin 1991), 0 to 1; its root is the distance.

    Args:
        baseline: Rows per cell.
        current: Rows per cell.

    Returns:
        The divergence of the shares, without pseudo-counts; NaN when a sample has no rows.
    """
    p, q = shares(baseline), shares(current)
    middle = (p + q) / 2
    nats = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2
    return float(np.maximum(nats / np.log(2), 0.0))


def psi_noise(baseline: Cells, current: Cells, quantile: float) -> float:
    """The PSI that samples of these sizes reach without any drift.

    Under no drift PSI / (1/n + 1/m) is near chi-square with one degree of freedom less than there
    are cells (Yurdakul 2018, Statistical Properties of Population Stability Index).

    Args:
        baseline: Rows per cell.
        current: Rows per cell.
        quantile: How rarely it is exceeded: .99 is one column in a hundred.

    Returns:
        A PSI; 0 when there is only one cell.
    """
    freedom = int(occupied(baseline, current).sum()) - 1
    if freedom < 1:
        return 0.0
    return float(chi2.ppf(quantile, freedom) * (1 / baseline.sum() + 1 / current.sum()))


def occupied(baseline: Cells, current: Cells) -> NDArray[np.bool_]:
    """The cells that hold a row of either sample.

    Args:
        baseline: Rows per cell.
        current: Rows per cell.

    Returns:
        True for those.
    """
    return (baseline + current) > 0
