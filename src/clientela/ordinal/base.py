"""What every ordinal classifier offers: ordered classes, their values, an expected value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from clientela.exceptions import ConfigurationError, UnusableTarget
from clientela.ordinal.decision import argmax_codes
from clientela.ordinal.metrics import Codes, Floats


class OrdinalClassifier(ClassifierMixin, BaseEstimator):
    """Base of the ordinal classifiers.

    With `values`, the target is codes 0..K-1 and K is their number, whether or not every class
    occurs in the data at hand (a rare class may be missing in a fold). Without them, the classes
    are the sorted distinct targets and stand for 0..K-1.

    Attributes:
        classes_: The K classes in order.
        values_: The K numbers they stand for.
        present_: The codes that occurred in `fit`; the others have probability zero.
    """

    values: Sequence[float] | None
    classes_: NDArray[Any]
    values_: Floats
    present_: Codes

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row.

        Args:
            X: Rows x features.

        Returns:
            Members of `classes_`.
        """
        probabilities = self.predict_proba(X)
        classes: NDArray[Any] = self.classes_[argmax_codes(probabilities)]
        return classes

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, in the order of `classes_`.

        Args:
            X: Rows x features.

        Returns:
            Rows x K; each row adds up to one.
        """
        raise NotImplementedError

    def expected_value(self, X: Any) -> Floats:
        """The mean of the class values under the predicted probabilities.

        Args:
            X: Rows x features.

        Returns:
            One number per row, on the scale of `values`.
        """
        probabilities = self.predict_proba(X)
        means: Floats = probabilities @ self.values_
        return means

    def _learn_classes(self, y: ArrayLike) -> Codes:
        """Set the classes and return the target as codes."""
        target = column_or_1d(check_array(y, ensure_2d=False, dtype=None), warn=True)
        check_classification_targets(target)
        present, codes = np.unique(target, return_inverse=True)
        if len(present) < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
            raise UnusableTarget(
                f"The target holds one class only ({len(target)} rows), and telling classes "
                "apart needs two. Check the target rule, or use more data."
            )
        if self.values is None:
            self.classes_, self.values_ = present, np.arange(len(present), dtype=np.float64)
            return codes.astype(np.int64)
        self.values_ = checked_values(self.values)
        self.classes_ = np.arange(len(self.values_))
        return _checked_codes(target, len(self.values_))

    def _compact(self, codes: Codes) -> Codes:
        """Remember which codes occur, and number these 0, 1, ... without gaps."""
        self.present_, compact = np.unique(codes, return_inverse=True)
        return compact.astype(np.int64)

    def _over_all_classes(self, probabilities: Floats) -> Floats:
        """Probabilities of the codes that occur, with a column of zeros for each other class."""
        complete = np.zeros((len(probabilities), len(self.classes_)))
        complete[:, self.present_] = probabilities
        return complete


def checked_values(values: Sequence[float]) -> Floats:
    """The class values as an array.

    Args:
        values: What configuration gives.

    Returns:
        K numbers.

    Raises:
        ConfigurationError: They are fewer than two, or do not increase.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) < 2 or not (np.diff(array) > 0).all():  # noqa: PLR2004
        raise ConfigurationError(
            f"Class values must be at least two strictly increasing numbers, not {values!r}."
        )
    return array


def _checked_codes(target: NDArray[Any], n_classes: int) -> Codes:
    if np.isin(target, np.arange(n_classes)).all():
        return target.astype(np.int64)
    strange = sorted({str(entry) for entry in target} - {str(code) for code in range(n_classes)})
    raise UnusableTarget(
        f"With {n_classes} class values, the target must be codes 0..{n_classes - 1}; "
        f"found {', '.join(strange[:5])}. Encode the classes by their order."
    )


def fitted_feature_names(estimator: BaseEstimator) -> list[str]:
    """Feature names of a fitted estimator, `x0, x1, ...` where it was fitted on a bare array.

    Args:
        estimator: A fitted estimator.

    Returns:
        One name per feature, in the order of fitting.
    """
    check_is_fitted(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{i}" for i in range(estimator.n_features_in_)] if names is None else list(names)
