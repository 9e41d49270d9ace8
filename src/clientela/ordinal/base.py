"""What every ordinal classifier offers: ordered classes, their values, an expected value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clientela.classification.base import CodedClassifier
from clientela.classification.codes import Codes, Floats
from clientela.exceptions import ConfigurationError, UnusableTarget
from clientela.ordinal.decision import argmax_codes


class OrdinalClassifier(CodedClassifier):
    """Base of the ordinal classifiers.

    With `values`, the target is codes 0..K-1 and K is their number, whether or not every class
    occurs in the data at hand (a rare class may be missing in a fold). Without them, the classes
    are the sorted distinct targets and stand for 0..K-1.

    Attributes:
        values_: The K numbers they stand for.
        present_: The codes that occurred in `fit`; the others have probability zero.
    """

    values: Sequence[float] | None
    values_: Floats
    present_: Codes

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
        present, codes = self._distinct_classes(y)
        if self.values is None:
            self.classes_, self.values_ = present, np.arange(len(present), dtype=np.float64)
            return codes
        self.values_ = checked_values(self.values)
        self.classes_ = np.arange(len(self.values_))
        return _checked_codes(present, len(self.values_))[codes]

    def _decided_codes(self, X: Any) -> Codes:
        return argmax_codes(self.predict_proba(X))

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


def _checked_codes(present: NDArray[Any], n_classes: int) -> Codes:
    """The distinct targets as codes."""
    if np.isin(present, np.arange(n_classes)).all():
        return present.astype(np.int64)
    strange = sorted({str(entry) for entry in present} - {str(code) for code in range(n_classes)})
    raise UnusableTarget(
        f"With {n_classes} class values, the target must be codes 0..{n_classes - 1}; "
        f"found {', '.join(strange[:5])}. Encode the classes by their order."
    )
