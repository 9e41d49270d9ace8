"""Measures of predicted probabilities, as functions of tallies.

They measure many tables of counts over the same levels at once. Where a table holds one class
only, a measure that compares the classes is missing (nan).
"""

import numpy as np

from clientela.binary.tallies import Tallies, ratio
from clientela.classification.codes import Floats

CALIBRATION_BINS = 10
"""Equal-width bins of a calibration error, as in Naeini et al. 2015."""


def roc_auc(counted: Tallies) -> Floats:
    """Probability that a row of class 1 scores above a row of class 0; ties count one half.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One share for each table (Hanley and McNeil 1982).
    """
    zeros, ones = counted.rows[..., 0], counted.rows[..., 1]
    won = (ones * (zeros.cumsum(axis=-1) - zeros / 2)).sum(axis=-1)
    return ratio(won, counted.totals.prod(axis=-1), empty=np.nan)


def gini(counted: Tallies) -> Floats:
    """Twice the ROC-AUC minus one: Somers' D, the usual figure of credit scoring.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One number for each table, 0 for chance.
    """
    coefficient: Floats = 2 * roc_auc(counted) - 1
    return coefficient


def kolmogorov_smirnov(counted: Tallies) -> Floats:
    """Largest distance between the score distributions of the two classes.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One share for each table.
    """
    shares = ratio(counted.rows.cumsum(axis=-2), counted.totals[..., None, :], empty=np.nan)
    distance: Floats = np.abs(shares[..., 1] - shares[..., 0]).max(axis=-1)
    return distance


def pr_auc(counted: Tallies) -> Floats:
    """Average precision of class 1: mean precision over its recall, without interpolation.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One share for each table; the share of class 1 is what chance reaches.
    """
    return _average_precision(counted.rows[..., ::-1, :])


def pr_auc_rare(counted: Tallies) -> Floats:
    """Average precision of the class with fewer rows, found by its own probability.

    Which class that is, all tables decide together: samples of one set of rows agree.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One share for each table; the share of the rare class is what chance reaches.
    """
    zeros, ones = counted.totals.reshape(-1, 2).sum(axis=0)
    return pr_auc(counted) if ones <= zeros else _average_precision(counted.rows[..., ::-1])


def _average_precision(falling: Floats) -> Floats:
    """Of the class in the last column, from levels that run from its surest row downwards."""
    found = falling.cumsum(axis=-2)
    precision = ratio(found[..., 1], found.sum(axis=-1), empty=0.0)
    gained = (precision * falling[..., 1]).sum(axis=-1)
    return ratio(gained, found[..., -1, 1], empty=np.nan)


def brier(counted: Tallies) -> Floats:
    """Mean squared error of the probability (Brier 1950); a proper score, 0 is perfect.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One mean for each table.
    """
    return _mean_loss(counted, counted.levels**2, (1 - counted.levels) ** 2)


def brier_skill(counted: Tallies) -> Floats:
    """Share of the Brier score of "everybody has the observed share" that the model removes.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One number for each table: 1 is perfect, 0 no better than the share, negative worse.
    """
    share = ratio(counted.totals[..., 1], counted.totals.sum(axis=-1), empty=np.nan)
    skill: Floats = 1 - ratio(brier(counted), share * (1 - share), empty=np.nan)
    return skill


def log_loss(counted: Tallies) -> Floats:
    """Mean negative log-likelihood; probabilities are kept off 0 and 1 by the machine's epsilon.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One mean for each table.
    """
    margin = np.finfo(np.float64).eps
    levels = counted.levels.clip(margin, 1 - margin)
    return _mean_loss(counted, -np.log1p(-levels), -np.log(levels))


def _mean_loss(counted: Tallies, of_zero: Floats, of_one: Floats) -> Floats:
    total = counted.rows[..., 0] @ of_zero + counted.rows[..., 1] @ of_one
    return ratio(total, counted.totals.sum(axis=-1), empty=np.nan)


def calibration_error(counted: Tallies) -> Floats:
    """Mean distance between promised and observed share over ten bins, weighted by their rows.

    The expected calibration error of Naeini et al. 2015, with bins of equal width.

    Args:
        counted: Tables of counts over the same levels.

    Returns:
        One mean for each table.
    """
    bins = (counted.levels * CALIBRATION_BINS).astype(np.int64).clip(0, CALIBRATION_BINS - 1)
    surplus = counted.rows.sum(axis=-1) * counted.levels - counted.rows[..., 1]
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    gaps = np.abs(np.add.reduceat(surplus, starts, axis=-1)).sum(axis=-1)
    return ratio(gaps, counted.totals.sum(axis=-1), empty=np.nan)
