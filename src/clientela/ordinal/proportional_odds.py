"""The linear ordinal model: one direction in feature space, K-1 cut points on it."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.classification.codes import Codes, Floats
from clientela.ordinal.base import OrdinalClassifier

MAX_ITERATIONS = 1000

GRADIENT_TOLERANCE = 1e-8
"""Largest gradient component, per row, at which the optimum counts as reached."""

SMALLEST_GAP = 1e-200
"""Neighbouring thresholds count as this far apart at least, so that no logarithm is infinite."""


class ProportionalOddsClassifier(OrdinalClassifier):
    """Cumulative logit model `P(y <= k | x) = sigmoid(theta_k - x'beta)` (McCullagh 1980).

    Features are standardised inside, so that one penalty fits all. The fit minimises the negative
    log-likelihood plus `l2 / 2 * |beta|^2`.

    Args:
        values: The K class values; without them the classes are the sorted targets.
        l2: Penalty on the squared standardised coefficients.

    Attributes:
        coef_: One coefficient per standardised feature; positive pulls towards higher classes.
        thresholds_: Cut points between the classes that occurred, increasing.
        mean_: Feature means.
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
        """Find the penalised maximum of the likelihood.

        Args:
            X: Rows x features, no missing values.
            y: Codes, or ordered labels when `values` is not given.

        Returns:
            Itself.

        Raises:
            UnusableTarget: There is one class only, or the target is not codes.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        codes = self._compact(self._learn_classes(y))
        self.mean_ = X.mean(axis=0)
        spread = X.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        optimum = minimize(
            penalised_loss,
            _start(codes, X.shape[1]),
            args=((X - self.mean_) / self.scale_, codes, self.l2),
            method="L-BFGS-B",
            jac=True,
            options={"maxiter": MAX_ITERATIONS, "gtol": GRADIENT_TOLERANCE, "ftol": 0.0},
        )
        self.n_iter_ = int(optimum.nit)
        n_thresholds = len(self.present_) - 1
        self.thresholds_ = _thresholds(optimum.x[:n_thresholds])
        self.coef_ = optimum.x[n_thresholds:]
        return self

    def linear_score(self, X: Any) -> Floats:
        """The linear predictor `x'beta` of each row, in log-odds.

        Args:
            X: Rows x features.

        Returns:
            One number per row; zero is the mean customer.
        """
        score: Floats = self.standardised(X) @ self.coef_
        return score

    def standardised(self, X: Any) -> Floats:
        """Features as the coefficients see them: distance from the mean, in deviations.

        Args:
            X: Rows x features.

        Returns:
            Rows x features.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        distances: Floats = (X - self.mean_) / self.scale_
        return distances

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, in the order of `classes_`.

        Args:
            X: Rows x features.

        Returns:
            Rows x K; each row adds up to one.
        """
        score = self.linear_score(X)
        below = expit(self.thresholds_ - score[:, None])
        edges = np.pad(below, ((0, 0), (1, 1)), constant_values=((0, 0), (0.0, 1.0)))
        return self._over_all_classes(np.diff(edges, axis=1))


def _start(codes: Codes, n_features: int) -> Floats:
    """The optimum without features: thresholds that reproduce the class shares."""
    shares = np.bincount(codes).cumsum()[:-1] / len(codes)
    thresholds = logit(shares)
    gaps = np.log(np.diff(thresholds))
    return np.concatenate([thresholds[:1], gaps, np.zeros(n_features)])


def _thresholds(free: Floats) -> Floats:
    """Increasing thresholds from the first one and the logarithms of the gaps."""
    increasing: Floats = np.cumsum(np.concatenate([free[:1], np.exp(free[1:])]))
    return increasing


def penalised_loss(parameters: Floats, X: Floats, codes: Codes, l2: float) -> tuple[float, Floats]:
    """Mean negative log-likelihood plus penalty per row, and its gradient.

    With `u` and `l` the distances to the upper and lower threshold,
    `log P = log s(u) + log s(-l) + log(1 - exp(l - u))`, which is exact far out in the tails too.

    Args:
        parameters: First threshold, logarithms of the gaps, coefficients.
        X: Standardised features.
        codes: Codes 0..J-1, all of which occur.
        l2: Penalty on the squared coefficients.

    Returns:
        The loss, and its gradient by each parameter.
    """
    n_thresholds = int(codes.max())
    thresholds, beta = _thresholds(parameters[:n_thresholds]), parameters[n_thresholds:]
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
