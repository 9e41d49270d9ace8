"""What all classifiers of the project share: codes inside, the classes of the target outside."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, InvalidTargetError, did_you_mean

Entry = TypeVar("Entry")


def check_name(sort: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that nothing has."""
    names = tuple(known)
    if name not in names:
        raise ConfigurationError(f"No {sort} is called {name!r}. {did_you_mean(name, names)}")


class NamedRegistry(Mapping[str, Entry]):
    """Measures or calibrations by the name that configuration uses, in a fixed order."""

    def __init__(self, sort: str, entries: Mapping[str, Entry]) -> None:
        self._sort, self._entries = sort, dict(entries)

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def named(self, name: str) -> Entry:
        """The entry of a name that a person wrote.

        Raises:
            ConfigurationError: No entry has this name; the message names the nearest ones.
        """
        check_name(self._sort, name, self)
        return self[name]


@dataclass(frozen=True)
class Predictions:
    """What a model predicts for some rows.

    Attributes:
        expected: Mean class value, or the probability of class 1 of two.
    """

    codes: Codes
    probabilities: Floats
    expected: Floats


class BaseClassifier(ClassifierMixin, BaseEstimator):
    """Base of the classifiers, which work on codes 0..K-1.

    `fit` raises ConfigurationError where settings are not usable, and InvalidTargetError where the
    target has one class only, too few rows of one, or is not the codes that were promised.

    Attributes:
        classes_: The K classes in order; what a code stands for.
    """

    classes_: NDArray[Any]

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of each row under the model's decision rule."""
        codes = self._predict_codes(X)
        classes: NDArray[Any] = self.classes_[codes]
        return classes

    @abstractmethod
    def predict_proba(self, X: Any) -> Floats:
        """Rows x K: the probability of each class, in the order of `classes_`."""

    @abstractmethod
    def contributions(self, X: Any) -> Floats:
        """Rows x columns of `X`: what each column adds to the model's raw score."""

    @abstractmethod
    def _predict_codes(self, X: Any) -> Codes:
        """The code of each row under the model's decision rule."""

    def _find_classes(self, y: ArrayLike) -> tuple[NDArray[Any], Codes]:
        """The classes that occur, sorted, and for each row the position of its class."""
        target = column_or_1d(check_array(y, ensure_2d=False, dtype=None), warn=True)
        check_classification_targets(target)
        classes, codes = np.unique(target, return_inverse=True)
        if len(classes) < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
            raise InvalidTargetError(
                f"The target holds one class only ({len(target)} rows), and telling classes "
                "apart needs two. Check the target's column or rule and the filters before it, "
                "or use more data."
            )
        return classes, codes.astype(np.int64)


class BinaryClassifier(BaseClassifier):
    """Base of the binary classifiers; of `classes_`, the second is the positive class, code 1."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _encode_target(self, y: ArrayLike) -> Codes:
        """Set the classes and return the target as codes."""
        classes, codes = self._find_classes(y)
        if len(classes) > 2:  # noqa: PLR2004 - two is what binary means
            raise InvalidTargetError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}: {len(classes)} classes, expected 2. Name the positive "
                "and the negative class in the configuration, or use the task 'ordinal'."
            )
        self.classes_ = classes
        return codes

    def _table(self, X: Any) -> Any:
        """A DataFrame as it is, for it may hold words beside numbers; anything else as numbers."""
        if isinstance(X, pd.DataFrame):
            return X
        return check_array(X, dtype=np.float64, ensure_all_finite="allow-nan", estimator=self)

    def _validate_table(self, X: Any) -> Any:
        """The same, once its columns are known to be those of `fit`."""
        check_is_fitted(self)
        table = self._table(X)
        validate_data(self, table, reset=False, skip_check_array=True)
        return table


def find_column_position(rule: BaseEstimator, column: str | int, title: str) -> int:
    """Where the one column stands that a business rule reads."""
    if isinstance(column, int):
        return column
    names = get_feature_names_in(rule)
    if column not in names:
        raise ConfigurationError(
            f"The {title} rule needs the column {column!r} among the features. "
            f"{did_you_mean(column, names)}"
        )
    return names.index(column)


def get_feature_names_in(estimator: BaseEstimator) -> list[str]:
    """Feature names of a fitted estimator, `x0, x1, ...` where it was fitted on a bare array."""
    check_is_fitted(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{i}" for i in range(estimator.n_features_in_)] if names is None else list(names)
