"""Measures of predicted classes, as functions of tables of counts (true class x predicted class).

Class 1 is the positive one. Many tables are measured at once: the bootstrap and the search for a
threshold need thousands. scikit-learn measures one set of rows at a time, and is what the tests
compare with.
"""

import numpy as np

from clientela.binary.tallies import ratio
from clientela.classification.codes import Floats


def accuracy(counts: Floats, costs: Floats) -> Floats:
    """Share of rows that are predicted in their own class.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: 2 x 2 costs, as every measure of classes receives them; not used here.

    Returns:
        One share for each table.
    """
    del costs
    right = counts[..., 0, 0] + counts[..., 1, 1]
    return ratio(right, counts.sum(axis=(-2, -1)), empty=np.nan)


def precision(counts: Floats, costs: Floats) -> Floats:
    """Share of class 1 among the rows that are predicted as 1; 0 where there are none.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: Not used here.

    Returns:
        One share for each table.
    """
    del costs
    return ratio(counts[..., 1, 1], counts[..., :, 1].sum(axis=-1), empty=0.0)


def recall(counts: Floats, costs: Floats) -> Floats:
    """Share of the rows of class 1 that are predicted as 1; 0 where there are none.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: Not used here.

    Returns:
        One share for each table.
    """
    del costs
    return ratio(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1), empty=0.0)


def f1(counts: Floats, costs: Floats) -> Floats:
    """Harmonic mean of precision and recall of class 1.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: Not used here.

    Returns:
        One number for each table, 0 where class 1 is neither true nor predicted.
    """
    del costs
    hits = 2 * counts[..., 1, 1]
    return ratio(hits, hits + counts[..., 0, 1] + counts[..., 1, 0], empty=0.0)


def specificity(counts: Floats, costs: Floats) -> Floats:
    """Share of the rows of class 0 that are predicted as 0: the recall of class 0.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: Not used here.

    Returns:
        One share for each table, 0 where there are no such rows.
    """
    del costs
    return ratio(counts[..., 0, 0], counts[..., 0, :].sum(axis=-1), empty=0.0)


def balanced_accuracy(counts: Floats, costs: Floats) -> Floats:
    """Mean of the recalls of both classes; one half is what any constant reaches.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: Passed on.

    Returns:
        One mean for each table.
    """
    mean: Floats = (recall(counts, costs) + specificity(counts, costs)) / 2
    return mean


def matthews_correlation(counts: Floats, costs: Floats) -> Floats:
    """Correlation of true and predicted codes (Matthews 1975); 0 for any constant.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: Not used here.

    Returns:
        One number for each table, between -1 and 1.
    """
    del costs
    margins = counts.sum(axis=-1).prod(axis=-1) * counts.sum(axis=-2).prod(axis=-1)
    agreed = counts[..., 0, 0] * counts[..., 1, 1] - counts[..., 0, 1] * counts[..., 1, 0]
    return ratio(agreed, np.sqrt(margins), empty=0.0)


def cost_per_row(counts: Floats, costs: Floats) -> Floats:
    """Mean cost of the decisions.

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        One mean for each table, in the currency of the costs.
    """
    total = (counts * costs).sum(axis=(-2, -1))
    return ratio(total, counts.sum(axis=(-2, -1)), empty=np.nan)


def saving_over_all_positive(counts: Floats, costs: Floats) -> Floats:
    """What the decisions save per row against predicting 1 for everybody ("approve all").

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        One mean for each table; negative where everybody would have been cheaper.
    """
    return _cost_of_constant(counts, costs, 1) - cost_per_row(counts, costs)


def saving_over_all_negative(counts: Floats, costs: Floats) -> Floats:
    """What the decisions save per row against predicting 0 for everybody ("do nothing").

    Args:
        counts: Tables of counts, shape (..., 2, 2).
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        One mean for each table; negative where nobody would have been cheaper.
    """
    return _cost_of_constant(counts, costs, 0) - cost_per_row(counts, costs)


def _cost_of_constant(counts: Floats, costs: Floats, code: int) -> Floats:
    total = (counts.sum(axis=-1) * costs[:, code]).sum(axis=-1)
    return ratio(total, counts.sum(axis=(-2, -1)), empty=np.nan)
