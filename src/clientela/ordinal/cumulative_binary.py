"""Any binary classifier as an ordinal one: one model for each boundary between classes."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.classification.codes import Floats
from clientela.ordinal.base import OrdinalClassifier


class CumulativeBinaryClassifier(MetaEstimatorMixin, OrdinalClassifier):
    """K-1 binary models of `P(y > k)`, whose differences are class probabilities.

    After Frank and Hall (2001). The binary models know nothing of each other, so `P(y > k)` may
    rise with k for some row: a negative difference counts as zero, and the row is divided by its
    sum (at least one, since the differences add up to one before).

    Args:
        estimator: Binary classifier with `predict_proba`; cloned for each boundary.
        values: The K class values; without them the classes are the sorted targets.

    Attributes:
        estimators_: One fitted classifier per boundary between classes that occurred.
    """

    def __init__(self, estimator: Any, *, values: Sequence[float] | None = None) -> None:
        self.estimator = estimator
        self.values = values

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit one binary model for each boundary.

        Args:
            X: Rows x features, of any form that the binary classifier takes.
            y: Codes, or ordered labels when `values` is not given.

        Returns:
            Itself.

        Raises:
            UnusableTarget: There is one class only, or the target is not codes.
        """
        validate_data(self, X, y, skip_check_array=True)
        X, y = indexable(X, y)
        codes = self._compact(self._learn_classes(y))
        self.estimators_ = [
            clone(self.estimator).fit(X, (codes > boundary).astype(np.int64))
            for boundary in range(len(self.present_) - 1)
        ]
        return self

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, in the order of `classes_`.

        Args:
            X: Rows x features.

        Returns:
            Rows x K; each row adds up to one.
        """
        check_is_fitted(self)
        above = np.column_stack([model.predict_proba(X)[:, 1] for model in self.estimators_])
        edges = np.pad(
            above.astype(np.float64), ((0, 0), (1, 1)), constant_values=((0, 0), (1.0, 0.0))
        )
        shares = np.clip(-np.diff(edges, axis=1), 0.0, None)
        return self._over_all_classes(shares / shares.sum(axis=1, keepdims=True))
