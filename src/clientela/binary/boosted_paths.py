"""What each column adds along the paths of scikit-learn's boosted trees.

scikit-learn has no contributions of its own, and keeps the trees where only it looks: in
`_predictors`. The tests hold the sums against its raw scores, so that a change there is noticed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from clientela.classification.codes import Floats
from clientela.exceptions import ConfigurationError


def boosted_contributions(model: HistGradientBoostingClassifier, matrix: Floats) -> Floats:
    """What each column adds to the log-odds of class 1 (Saabas 2014).

    A node is worth the mean of its leaves, weighted by the training rows in them. At each split
    the worth changes from the node to its child, and the change belongs to the column that splits.
    Contributions and a constant, the sum of what the roots are worth, are the raw score exactly.

    Args:
        model: Fitted on two classes.
        matrix: Rows x columns, as the model sees them; missing values allowed.

    Returns:
        Rows x columns, in log-odds.

    Raises:
        ConfigurationError: The model splits by categories.
    """
    if model.is_categorical_ is not None:
        raise ConfigurationError(
            "No exact contributions are known for histogram boosting with categorical_features. "
            "Remove that parameter: preprocessing makes one column per word."
        )
    total = np.zeros(matrix.shape)
    for trees in model._predictors:  # noqa: SLF001 - see above
        _add_path(trees[0].nodes, matrix, total)
    return total


def _add_path(nodes: NDArray[Any], matrix: Floats, total: Floats) -> None:
    """Follow all rows through one tree, level by level."""
    worth, rows = _worth(nodes), np.arange(len(matrix))
    place = np.zeros(len(matrix), dtype=np.int64)
    while len(rows := rows[nodes["is_leaf"][place[rows]] == 0]):
        at = nodes[place[rows]]
        value = matrix[rows, at["feature_idx"]]
        left = np.where(
            np.isnan(value), at["missing_go_to_left"] == 1, value <= at["num_threshold"]
        )
        child = np.where(left, at["left"], at["right"]).astype(np.int64)
        total[rows, at["feature_idx"]] += worth[child] - worth[place[rows]]
        place[rows] = child


def _worth(nodes: NDArray[Any]) -> Floats:
    """The mean of the leaves below each node; a child always stands behind its parent."""
    worth: Floats = nodes["value"].astype(np.float64)
    for place in np.flatnonzero(nodes["is_leaf"] == 0)[::-1]:
        children = [nodes["left"][place], nodes["right"][place]]
        worth[place] = np.average(worth[children], weights=nodes["count"][children])
    return worth
