"""Estimators of ordered classes: the last-quarter rule, boundaries, linear model, regression."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError
from clientela.models.base import find_column_position
from clientela.models.explanations import compute_contributions
from clientela.models.ordinal_decision import (
    DecisionRuleClassifier,
    OrdinalClassifier,
    OrdinalDecision,
)

# Fewest purchases of sin_compra, baja, media and alta, as the business rule has them.
REQUIRED_LOWER_BOUNDS = (0, 1, 2, 4)


class LastQuarterRule(OrdinalClassifier):
    """Repeats the class of the quarter before the cutoff.

    Its probabilities are the class shares, seen in `fit`, of customers with the same class last
    quarter, mixed with the overall shares as if `smoothing` further customers had those.

    Args:
        column: Feature with the number of purchases of the category in the three months before
            the cutoff; a name, or a position.
        values: The K class values; without them the classes are the sorted targets, and
            quarters beyond the highest of them count as the highest.

    Attributes:
        shares_: Class shares (columns) for each class of last quarter (rows), K x K.
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
        """Count how often each class follows each class."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        codes = self._encode_target(y)
        if self.values is not None and len(self.lower_bounds) != len(self.values_):
            raise ConfigurationError(
                f"Each class needs one lower bound: got {len(self.lower_bounds)} bounds "
                f"for {len(self.values_)} class values."
            )
        self.column_index_ = find_column_position(self, self.column, "last-quarter")
        n_classes = len(self.classes_)
        cells = self._assign_last_quarter_codes(X) * n_classes + codes
        counts = np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)
        overall = counts.sum(axis=0) / counts.sum()
        self.mean_value_ = float(overall @ self.values_)
        weights = counts.sum(axis=1, keepdims=True) + self.smoothing
        self.shares_ = (counts + self.smoothing * overall) / weights
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Rows x K: what followed last quarter's class in `fit`."""
        codes = self._predict_codes(X)
        probabilities: Floats = self.shares_[codes]
        return probabilities

    def contributions(self, X: Any) -> Floats:
        """The expected value's distance from its mean in `fit`, all due to the one column."""
        terms = np.zeros(X.shape)
        terms[:, self.column_index_] = self.expected_value(X) - self.mean_value_
        return terms

    def _predict_codes(self, X: Any) -> Codes:
        check_is_fitted(self)
        return self._assign_last_quarter_codes(
            validate_data(self, X, reset=False, dtype=np.float64)
        )

    def _assign_last_quarter_codes(self, X: Floats) -> Codes:
        counts = X[:, self.column_index_]
        codes = np.searchsorted(np.asarray(self.lower_bounds), counts, side="right") - 1
        return codes.clip(0, len(self.classes_) - 1).astype(np.int64)


class CumulativeBinaryClassifier(MetaEstimatorMixin, OrdinalClassifier):
    """K-1 binary models of `P(y > k)`, whose differences are class probabilities.

    After Frank and Hall (2001). The binary models know nothing of each other, so `P(y > k)` may
    rise with k for some row: a negative difference counts as zero, and the row is divided by its
    sum (at least one, since the differences add up to one before).

    Attributes:
        estimators_: One fitted classifier per boundary between classes that occurred.
    """

    def __init__(self, estimator: Any, *, values: Sequence[float] | None = None) -> None:
        self.estimator = estimator
        self.values = values

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit one binary model for each boundary."""
        validate_data(self, X, y, skip_check_array=True)
        X, y = indexable(X, y)
        codes = self._encode_present_codes(self._encode_target(y))
        self.estimators_ = [
            clone(self.estimator).fit(X, (codes > boundary).astype(np.int64))
            for boundary in range(len(self.present_) - 1)
        ]
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Rows x K: the probability of each class, in the order of `classes_`."""
        check_is_fitted(self)
        above = np.column_stack([model.predict_proba(X)[:, 1] for model in self.estimators_])
        edges = np.pad(
            above.astype(np.float64), ((0, 0), (1, 1)), constant_values=((0, 0), (1.0, 0.0))
        )
        shares = np.clip(-np.diff(edges, axis=1), 0.0, None)
        return self._expand_to_all_classes(shares / shares.sum(axis=1, keepdims=True))

    def contributions(self, X: Any) -> Floats:
        """Sum over the boundaries: log-odds of being above each of them."""
        terms = [compute_contributions(model, X) for model in self.estimators_]
        total: Floats = np.sum(terms, axis=0)
        return total


MAX_ITERATIONS = 1000

# Largest gradient component, per row, at which the optimum counts as reached.
GRADIENT_TOLERANCE = 1e-8

# Neighbouring thresholds count as this far apart at least, so that no logarithm is infinite.
SMALLEST_GAP = 1e-200


class ProportionalOddsClassifier(OrdinalClassifier):
    """Cumulative logit model `P(y <= k | x) = sigmoid(theta_k - x'beta)` (McCullagh 1980).

    Features are standardised inside, so that one penalty fits all. The fit minimises the negative
    log-likelihood plus `l2 / 2 * |beta|^2`.

    Attributes:
        coef_: One coefficient per standardised feature; positive pulls towards higher classes.
        thresholds_: Cut points between the classes that occurred, increasing.
        scale_: Feature standard deviations, one where a feature is constant.
    """

    def __init__(self, *, values: Sequence[float] | None = None, l2: float = 1.0) -> None:
        self.values = values
        self.l2 = l2

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # arbitrary blobs have no order to regress on
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Find the penalised maximum of the likelihood."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        codes = self._encode_present_codes(self._encode_target(y))
        self.mean_ = X.mean(axis=0)
        spread = X.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        optimum = minimize(
            compute_penalized_loss,
            _init_parameters(codes, X.shape[1]),
            args=((X - self.mean_) / self.scale_, codes, self.l2),
            method="L-BFGS-B",
            jac=True,
            options={"maxiter": MAX_ITERATIONS, "gtol": GRADIENT_TOLERANCE, "ftol": 0.0},
        )
        self.n_iter_ = int(optimum.nit)
        n_thresholds = len(self.present_) - 1
        self.thresholds_ = _compute_thresholds(optimum.x[:n_thresholds])
        self.coef_ = optimum.x[n_thresholds:]
        return self

    def compute_linear_score(self, X: Any) -> Floats:
        """The linear predictor `x'beta` of each row, in log-odds."""
        score: Floats = self.scale_features(X) @ self.coef_
        return score

    def scale_features(self, X: Any) -> Floats:
        """Features as the coefficients see them: distance from the mean, in deviations."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        distances: Floats = (X - self.mean_) / self.scale_
        return distances

    def predict_proba(self, X: Any) -> Floats:
        """Rows x K: the probability of each class, in the order of `classes_`."""
        score = self.compute_linear_score(X)
        below = expit(self.thresholds_ - score[:, None])
        edges = np.pad(below, ((0, 0), (1, 1)), constant_values=((0, 0), (0.0, 1.0)))
        return self._expand_to_all_classes(np.diff(edges, axis=1))

    def contributions(self, X: Any) -> Floats:
        """Coefficient times standardised value: they add up to the linear score."""
        terms: Floats = self.scale_features(X) * self.coef_
        return terms


def _init_parameters(codes: Codes, n_features: int) -> Floats:
    """The optimum without features: thresholds that reproduce the class shares."""
    shares = np.bincount(codes).cumsum()[:-1] / len(codes)
    thresholds = logit(shares)
    gaps = np.log(np.diff(thresholds))
    return np.concatenate([thresholds[:1], gaps, np.zeros(n_features)])


def _compute_thresholds(free: Floats) -> Floats:
    """Increasing thresholds from the first one and the logarithms of the gaps."""
    increasing: Floats = np.cumsum(np.concatenate([free[:1], np.exp(free[1:])]))
    return increasing


def compute_penalized_loss(
    parameters: Floats, X: Floats, codes: Codes, l2: float
) -> tuple[float, Floats]:
    """Mean negative log-likelihood plus penalty per row, and its gradient.

    With `u` and `l` the distances to the upper and lower threshold,
    `log P = log s(u) + log s(-l) + log(1 - exp(l - u))`, which is exact far out in the tails too.
    """
    n_thresholds = int(codes.max())
    thresholds, beta = _compute_thresholds(parameters[:n_thresholds]), parameters[n_thresholds:]
    score = X @ beta
    edges = np.concatenate([[-np.inf], thresholds, [np.inf]])
    lower, upper = edges[codes] - score, edges[codes + 1] - score
    gap = np.maximum(upper - lower, SMALLEST_GAP)
    inside = -np.expm1(-gap)
    log_p = log_expit(upper) + log_expit(-lower) + np.log(inside)
    crowding = np.exp(-gap) / inside
    by_upper, by_lower = expit(-upper) + crowding, -expit(lower) - crowding

    n_rows = len(codes)
    by_edge = np.bincount(codes + 1, weights=by_upper, minlength=n_thresholds + 2)
    by_edge += np.bincount(codes, weights=by_lower, minlength=n_thresholds + 2)
    by_threshold = by_edge[1:-1]
    from_here_up = by_threshold[::-1].cumsum()[::-1]
    by_free = from_here_up * np.concatenate([[1.0], np.exp(parameters[1:n_thresholds])])
    by_beta = -X.T @ (by_upper + by_lower)
    loss = -log_p.sum() + l2 / 2 * beta @ beta
    gradient = np.concatenate([-by_free, -by_beta + l2 * beta])
    return float(loss / n_rows), gradient / n_rows


class OrdinalRegressor(DecisionRuleClassifier):
    """A regressor on the class values, whose score is cut into classes.

    With `XGBRegressor` and the decision `nearest` this is the required model. Class probabilities
    come from a proportional-odds model of the out-of-fold score alone.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's way: one argument for each setting
        self,
        regressor: Any,
        *,
        values: Sequence[float] | None = None,
        decision: OrdinalDecision = "nearest",
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

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        latest: ArrayLike | None = None,
    ) -> Self:
        """Fit the regressor, its probabilities, and the cut points.

        Args:
            groups: Whose each row is, where somebody has several.
            latest: Which rows are the latest: probabilities and cut points are learned from their
                out-of-fold scores alone. None: from those of all rows.
        """
        X, codes = self._validate_input(X, y)
        self.regressor_ = clone(self.regressor).fit(X, self.values_[codes])
        scores = self._predict_out_of_fold(X, codes, groups)
        if latest is not None:
            rows = np.asarray(latest, dtype=bool)
            scores, codes = scores[rows], codes[rows]
        self.calibrator_ = ProportionalOddsClassifier(values=tuple(self.values_.tolist()))
        self.calibrator_.fit(scores[:, None], codes)
        self.cut_points_ = self._fit_cut_points(codes, lambda: scores)
        return self

    def expected_value(self, X: Any) -> Floats:
        """The regressor's own prediction, which may leave the range of the values a little."""
        check_is_fitted(self)
        return np.asarray(self.regressor_.predict(X), dtype=np.float64)

    def predict_proba(self, X: Any) -> Floats:
        """Rows x K: calibrated probabilities of each class, given the score."""
        score = self.expected_value(X)
        return self.calibrator_.predict_proba(score[:, None])

    def contributions(self, X: Any) -> Floats:
        """Those of the regressor, in class values."""
        return compute_contributions(self.regressor_, X)

    def _score_held_out(self, X: Any, codes: Codes, X_held_out: Any) -> Floats:
        model = clone(self.regressor).fit(X, self.values_[codes])
        return np.asarray(model.predict(X_held_out), dtype=np.float64)
