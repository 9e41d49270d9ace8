"""What the estimators share whose class comes from a decision rule that configuration chooses."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import MetaEstimatorMixin
from sklearn.utils import indexable
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.classification.codes import Codes, Floats
from clientela.classification.named import check_name
from clientela.ordinal.base import OrdinalClassifier
from clientela.ordinal.cut_points import best_cut_points, midpoints
from clientela.ordinal.decision import (
    DECISIONS,
    Decision,
    argmax_codes,
    cut_codes,
    median_codes,
)
from clientela.ordinal.metrics import point_metric_named
from clientela.ordinal.out_of_fold import out_of_fold_scores


class DecidingClassifier(MetaEstimatorMixin, OrdinalClassifier):
    """Base of the estimators with a decision rule; the one place where rules are fitted and used.

    Attributes:
        cut_points_: The K-1 cut points on the expected value that `nearest` (midpoints) and
            `thresholds` (best on out-of-fold scores) use; midpoints under the other rules.
    """

    decision: Decision
    metric: str
    folds: int
    random_state: int
    cut_points_: Floats

    def _decided_codes(self, X: Any) -> Codes:
        check_is_fitted(self)
        if self.decision == "argmax":
            return argmax_codes(self.predict_proba(X))
        if self.decision == "median":
            return median_codes(self.predict_proba(X))
        return cut_codes(self.expected_value(X), self.cut_points_)

    @abstractmethod
    def _held_out_scores(self, X: Any, codes: Codes, X_held_out: Any) -> Floats:
        """Expected values of rows that a fresh model did not learn from."""

    def _checked(self, X: Any, y: ArrayLike) -> tuple[Any, Codes]:
        """Features that folds can be taken from, and the target as codes."""
        check_name("decision rule", self.decision, DECISIONS)
        point_metric_named(self.metric)
        validate_data(self, X, y, skip_check_array=True)
        X, y = indexable(X, y)
        return X, self._learn_classes(y)

    def _learned_cut_points(self, codes: Codes, out_of_fold: Callable[[], Floats]) -> Floats:
        """Cut points under the decision rule; only `thresholds` asks for out-of-fold scores."""
        if self.decision != "thresholds":
            return midpoints(self.values_)
        metric = point_metric_named(self.metric)
        return best_cut_points(out_of_fold(), codes, self.values_, metric)

    def _out_of_fold(self, X: Any, codes: Codes) -> Floats:
        return out_of_fold_scores(
            self._held_out_scores, X, codes, folds=self.folds, seed=self.random_state
        )
