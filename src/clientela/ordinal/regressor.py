"""The required method, and its better forms: regress on the class values, then cut."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from clientela.classification.codes import Codes, Floats
from clientela.ordinal.deciding import DecidingClassifier
from clientela.ordinal.decision import Decision
from clientela.ordinal.proportional_odds import ProportionalOddsClassifier


class OrdinalRegressor(DecidingClassifier):
    """A regressor on the class values, whose score is cut into classes.

    With `XGBRegressor` and the decision `nearest` this is the required model. Class probabilities
    come from a proportional-odds model of the out-of-fold score alone.

    Args:
        regressor: Any regressor; cloned.
        values: The K class values; without them the classes are the sorted targets.
        decision: One of `nearest`, `thresholds`, `argmax`, `median`.
        metric: What `thresholds` maximises, a point metric's name.
        folds: Number of inner folds.
        random_state: Seed of the inner folds.

    Attributes:
        regressor_: Fitted on all rows.
        calibrator_: Probabilities from the score.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's way: one argument for each setting
        self,
        regressor: Any,
        *,
        values: Sequence[float] | None = None,
        decision: Decision = "nearest",
        metric: str = "qwk",
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.regressor = regressor
        self.values = values
        self.decision = decision
        self.metric = metric
        self.folds = folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.regressor).input_tags
        tags.classifier_tags.poor_score = True  # arbitrary blobs have no order to regress on
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit the regressor, its probabilities, and the cut points.

        Args:
            X: Rows x features, of any form that the regressor takes.
            y: Codes, or ordered labels when `values` is not given.

        Returns:
            Itself.

        Raises:
            ConfigurationError: Decision or metric do not exist.
            UnusableTarget: There is one class only, or the target is not codes.
        """
        X, codes = self._checked(X, y)
        self.regressor_ = clone(self.regressor).fit(X, self.values_[codes])
        scores = self._out_of_fold(X, codes)
        self.calibrator_ = ProportionalOddsClassifier(values=tuple(self.values_.tolist()))
        self.calibrator_.fit(scores[:, None], codes)
        self.cut_points_ = self._learned_cut_points(codes, lambda: scores)
        return self

    def expected_value(self, X: Any) -> Floats:
        """The regressor's own prediction, which may leave the range of the values a little.

        Args:
            X: Rows x features.

        Returns:
            One number per row, on the scale of `values`.
        """
        check_is_fitted(self)
        return np.asarray(self.regressor_.predict(X), dtype=np.float64)

    def predict_proba(self, X: Any) -> Floats:
        """Calibrated probabilities of each class, given the score.

        Args:
            X: Rows x features.

        Returns:
            Rows x K; each row adds up to one.
        """
        score = self.expected_value(X)
        return self.calibrator_.predict_proba(score[:, None])

    def _held_out_scores(self, X: Any, codes: Codes, X_held_out: Any) -> Floats:
        model = clone(self.regressor).fit(X, self.values_[codes])
        return np.asarray(model.predict(X_held_out), dtype=np.float64)
