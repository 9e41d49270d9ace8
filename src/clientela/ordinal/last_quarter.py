"""The business rule that every model must beat: customers do what they did last quarter."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.classification.base import column_position
from clientela.classification.codes import Codes, Floats
from clientela.exceptions import ConfigurationError
from clientela.ordinal.base import OrdinalClassifier

REQUIRED_LOWER_BOUNDS = (0, 1, 2, 4)
"""Fewest purchases of sin_compra, baja, media and alta, as the business rule has them."""


class LastQuarterRule(OrdinalClassifier):
    """Repeats the class of the quarter before the cutoff.

    Its probabilities are the class shares, seen in `fit`, of customers with the same class last
    quarter, mixed with the overall shares as if `smoothing` further customers had those.

    Args:
        column: Feature with the number of purchases of the category in the three months before
            the cutoff; a name, or a position.
        lower_bounds: Fewest purchases of each class, increasing.
        values: The K class values; without them the classes are the sorted targets, and
            quarters beyond the highest of them count as the highest.
        smoothing: Weight of the overall shares, in customers.

    Attributes:
        shares_: Class shares (columns) for each class of last quarter (rows), K x K.
        column_index_: Position of the column.
        mean_value_: Mean class value in `fit`.
    """

    def __init__(
        self,
        column: str | int = 0,
        *,
        lower_bounds: Sequence[float] = REQUIRED_LOWER_BOUNDS,
        values: Sequence[float] | None = None,
        smoothing: float = 1.0,
    ) -> None:
        self.column = column
        self.lower_bounds = lower_bounds
        self.values = values
        self.smoothing = smoothing

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # one count can't separate arbitrary blobs
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Count how often each class follows each class.

        Args:
            X: Rows x features, no missing values.
            y: Codes, or ordered labels when `values` is not given.

        Returns:
            Itself.

        Raises:
            ConfigurationError: The column is absent, or bounds and values differ in number.
            UnusableTarget: There is one class only, or the target is not codes.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        codes = self._learn_classes(y)
        if self.values is not None and len(self.lower_bounds) != len(self.values_):
            raise ConfigurationError(
                f"Each class needs one lower bound: got {len(self.lower_bounds)} bounds "
                f"for {len(self.values_)} class values."
            )
        self.column_index_ = column_position(self, self.column, "last-quarter")
        n_classes = len(self.classes_)
        cells = self._last_codes(X) * n_classes + codes
        counts = np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)
        overall = counts.sum(axis=0) / counts.sum()
        self.mean_value_ = float(overall @ self.values_)
        weights = counts.sum(axis=1, keepdims=True) + self.smoothing
        self.shares_ = (counts + self.smoothing * overall) / weights
        return self

    def predict_proba(self, X: Any) -> Floats:
        """What followed last quarter's class in `fit`.

        Args:
            X: Rows x features.

        Returns:
            Rows x K; each row adds up to one.
        """
        codes = self._decided_codes(X)
        probabilities: Floats = self.shares_[codes]
        return probabilities

    def _decided_codes(self, X: Any) -> Codes:
        check_is_fitted(self)
        return self._last_codes(validate_data(self, X, reset=False, dtype=np.float64))

    def _last_codes(self, X: Floats) -> Codes:
        counts = X[:, self.column_index_]
        codes = np.searchsorted(np.asarray(self.lower_bounds), counts, side="right") - 1
        return codes.clip(0, len(self.classes_) - 1).astype(np.int64)
