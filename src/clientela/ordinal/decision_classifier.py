"""Any probabilistic classifier with any decision rule."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from clientela.classification.codes import Codes, Floats
from clientela.ordinal.base import OrdinalClassifier
from clientela.ordinal.deciding import DecidingClassifier
from clientela.ordinal.decision import Decision


class OrdinalDecisionClassifier(DecidingClassifier):
    """Any probabilistic classifier with any decision rule.

    Args:
        estimator: Classifier with `predict_proba`; cloned. One of ours receives `values`.
        values: The K class values; without them the classes are the sorted targets.
        decision: One of `argmax`, `median`, `nearest`, `thresholds`.
        metric: What `thresholds` maximises, a point metric's name.
        folds: Number of inner folds, used by `thresholds` only.
        random_state: Seed of the inner folds.

    Attributes:
        estimator_: Fitted on all rows.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's way: one argument for each setting
        self,
        estimator: Any,
        *,
        values: Sequence[float] | None = None,
        decision: Decision = "argmax",
        metric: str = "qwk",
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.values = values
        self.decision = decision
        self.metric = metric
        self.folds = folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.classifier_tags.poor_score = get_tags(self.estimator).classifier_tags.poor_score
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit the classifier and the cut points.

        Args:
            X: Rows x features, of any form that the classifier takes.
            y: Codes, or ordered labels when `values` is not given.

        Returns:
            Itself.

        Raises:
            ConfigurationError: Decision or metric do not exist.
            UnusableTarget: There is one class only, or the target is not codes.
        """
        X, codes = self._checked(X, y)
        model = clone(self.estimator)
        if isinstance(model, OrdinalClassifier):
            model.set_params(values=tuple(self.values_.tolist()))
            self.present_ = np.arange(len(self.values_))
            self.estimator_ = model.fit(X, codes)
        else:
            self.estimator_ = model.fit(X, self._compact(codes))
        self.cut_points_ = self._learned_cut_points(codes, lambda: self._out_of_fold(X, codes))
        return self

    def predict_proba(self, X: Any) -> Floats:
        """The classifier's probabilities, with zeros for classes it never saw.

        Args:
            X: Rows x features.

        Returns:
            Rows x K; each row adds up to one.
        """
        check_is_fitted(self)
        return self._over_all_classes(self.estimator_.predict_proba(X))

    def _held_out_scores(self, X: Any, codes: Codes, X_held_out: Any) -> Floats:
        model = OrdinalDecisionClassifier(self.estimator, values=tuple(self.values_.tolist()))
        return model.fit(X, codes).expected_value(X_held_out)
