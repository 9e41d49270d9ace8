"""What every classifier of ours offers: codes inside, the words of the target outside."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from clientela.classification.codes import Codes, Floats
from clientela.exceptions import ConfigurationError, UnusableTarget, did_you_mean


class CodedClassifier(ClassifierMixin, BaseEstimator):
    """Base of the classifiers, which work on codes 0..K-1.

    Attributes:
        classes_: The K classes in order; what a code stands for.
    """

    classes_: NDArray[Any]

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of each row under the model's decision rule.

        Args:
            X: Rows x features.

        Returns:
            Members of `classes_`.
        """
        codes = self._decided_codes(X)
        classes: NDArray[Any] = self.classes_[codes]
        return classes

    @abstractmethod
    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, in the order of `classes_`.

        Args:
            X: Rows x features.

        Returns:
            Rows x K; each row adds up to one.
        """

    @abstractmethod
    def _decided_codes(self, X: Any) -> Codes:
        """The code of each row under the model's decision rule."""

    def _distinct_classes(self, y: ArrayLike) -> tuple[NDArray[Any], Codes]:
        """The classes that occur, sorted, and for each row the position of its class."""
        target = column_or_1d(check_array(y, ensure_2d=False, dtype=None), warn=True)
        check_classification_targets(target)
        classes, codes = np.unique(target, return_inverse=True)
        if len(classes) < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
            raise UnusableTarget(
                f"The target holds one class only ({len(target)} rows), and telling classes "
                "apart needs two. Check the target's column or rule and the filters before it, "
                "or use more data."
            )
        return classes, codes.astype(np.int64)


def column_position(rule: BaseEstimator, column: str | int, title: str) -> int:
    """Where the one column stands that a business rule reads.

    Args:
        rule: The rule, after it has seen its features.
        column: The column; a name, or already a position.
        title: What to call the rule in the error.

    Returns:
        Its position.

    Raises:
        ConfigurationError: No feature has this name.
    """
    if isinstance(column, int):
        return column
    names = fitted_feature_names(rule)
    if column not in names:
        raise ConfigurationError(
            f"The {title} rule needs the column {column!r} among the features. "
            f"{did_you_mean(column, names)}"
        )
    return names.index(column)


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
