"""What the binary estimators share: two classes, of which the second is the positive one."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Tags
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from clientela.classification.base import CodedClassifier
from clientela.classification.codes import Codes
from clientela.exceptions import UnusableTarget


class BinaryClassifier(CodedClassifier):
    """Base of the binary classifiers; of `classes_`, the second is the positive class, code 1."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _learn_classes(self, y: ArrayLike) -> Codes:
        """Set the classes and return the target as codes."""
        classes, codes = self._distinct_classes(y)
        if len(classes) > 2:  # noqa: PLR2004 - two is what binary means
            raise UnusableTarget(
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

    def _table_as_fitted(self, X: Any) -> Any:
        """The same, once its columns are known to be those of `fit`."""
        check_is_fitted(self)
        table = self._table(X)
        validate_data(self, table, reset=False, skip_check_array=True)
        return table
