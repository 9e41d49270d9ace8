"""What each column adds along the paths of a forest's trees."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from clientela.classification.codes import Floats

ROWS_AT_A_TIME = 20_000
"""Rows whose paths are held in memory at once."""


def path_contributions(trees: list[Any], matrix: Floats) -> Floats:
    """What each column adds to the mean probability of class 1 (Saabas 2014).

    At each split the share of class 1 changes from the node to its child; the change belongs to the
    column that splits. Along a path the changes add up to leaf minus root, so that contributions
    and the mean share of the roots are the forest's probability exactly. They are no Shapley
    values: of two columns that say the same, the one that splits nearer to the leaf gets more.

    Args:
        trees: Fitted binary decision trees.
        matrix: Rows x columns, as the trees see them.

    Returns:
        Rows x columns, in probability.
    """
    values = np.asarray(matrix, dtype=np.float32)
    total = np.zeros(values.shape)
    for start in range(0, len(values), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        for tree in trees:
            paths = tree.tree_.decision_path(values[rows])
            total[rows] += (paths @ _changes(tree.tree_, values.shape[1])).toarray()
    return total / len(trees)


def _changes(tree: Any, n_columns: int) -> csr_matrix:
    """Change of the share of class 1 on entering each node, in the column that led there."""
    split = np.flatnonzero(tree.children_left >= 0)
    children = np.concatenate([tree.children_left[split], tree.children_right[split]])
    parents = np.concatenate([split, split])
    shares = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
    return csr_matrix(
        (shares[children] - shares[parents], (children, tree.feature[parents])),
        shape=(tree.node_count, n_columns),
    )
