"""What the binary estimators share: two classes, of which the second is the positive one."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, column_or_1d

from clientela.binary.tallies import Codes
from clientela.exceptions import UnusableTarget


class BinaryClassifier(ClassifierMixin, BaseEstimator):
    """Base of the binary classifiers.

    Attributes:
        classes_: The two classes, sorted; the second one is the positive class, code 1.
    """

    classes_: NDArray[Any]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _learn_classes(self, y: ArrayLike) -> Codes:
        """Set the classes and return the target as codes."""
        target = column_or_1d(check_array(y, ensure_2d=False, dtype=None), warn=True)
        check_classification_targets(target)
        classes, codes = np.unique(target, return_inverse=True)
        if len(classes) < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
            raise UnusableTarget(
                f"The target holds one class only ({len(target)} rows), and telling classes "
                "apart needs two. Check the target column and the filters before it."
            )
        if len(classes) > 2:  # noqa: PLR2004 - two is what binary means
            raise UnusableTarget(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(target)}: {len(classes)} classes, expected 2. Name the positive "
                "and the negative class in the configuration, or use the task 'ordinal'."
            )
        self.classes_ = classes
        return codes.astype(np.int64)
