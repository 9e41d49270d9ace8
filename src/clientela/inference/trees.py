"""Trees on a matrix, each kind asked in the leanest way that its library has.

One thread for each request: a batch of a few rows is answered before a second thread has started.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from xgboost import XGBModel

from clientela.classification.codes import Floats

Answer: TypeAlias = Callable[[Floats], Floats]
"""From a matrix (cases x columns) to one number for each case, or one for each case and class."""

TREES: Final = (None, "gbtree", "dart")
"""Boosters of XGBoost that are trees; without a name they are."""


def boosted(model: XGBModel) -> Answer | None:
    """A boosted model of XGBoost as its native prediction.

    Args:
        model: Fitted, with one output.

    Returns:
        The answer; None where the wrapper does more than to ask its booster.
    """
    if model.booster not in TREES or model.early_stopping_rounds is not None:
        return None
    # of its own, since answering is thread-safe only where nothing else is done with it
    booster, missing = model.get_booster().copy(), model.missing
    booster.set_param({"nthread": 1})

    def answer(matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        found = booster.inplace_predict(matrix, missing=missing, validate_features=False)
        # XGBoost overwrites its answer with the next one
        return np.array(found, dtype=np.float64)

    answer(np.zeros((1, booster.num_features())))  # settings take effect with the first answer
    return answer


def forest(model: RandomForestClassifier) -> Answer:
    """A forest as the mean of its trees.

    Args:
        model: Fitted on two classes.

    Returns:
        The probability of the second class.
    """
    trees = [each.tree_ for each in model.estimators_]

    def answer(matrix: Floats) -> Floats:
        cases, total = matrix.astype(np.float32), np.zeros(len(matrix))
        for tree in trees:
            total += tree.predict(cases)[:, 1]
        return total / len(trees)

    return answer


def histogram_boosted(model: HistGradientBoostingClassifier) -> Answer:
    """Boosted trees of scikit-learn, which would otherwise start a thread for each core.

    Args:
        model: Fitted on two classes.

    Returns:
        The probability of the second class.
    """

    def answer(matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        # the number of threads is an argument here only
        raw = model._raw_predict(matrix, n_threads=1)  # noqa: SLF001
        ones: Floats = model._loss.predict_proba(raw)[:, 1]  # noqa: SLF001
        return ones

    return answer
