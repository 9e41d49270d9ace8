"""Models that are arithmetic on a matrix: each as one function, the same for any number of cases.

Sums are added up in the order of the columns. The libraries that multiply matrices choose the order
by the number of rows, so that a case would get other last digits alone than among others.
"""

from functools import singledispatch
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from xgboost import XGBClassifier, XGBRegressor

from clientela.classification.codes import Floats
from clientela.inference.trees import Answer, boosted, forest, histogram_boosted
from clientela.ordinal.cumulative_binary import CumulativeBinaryClassifier
from clientela.ordinal.decision_classifier import OrdinalDecisionClassifier
from clientela.ordinal.proportional_odds import ProportionalOddsClassifier


def weighted_sums(terms: Floats) -> Floats:
    """The sums over the columns, added up from the first to the last.

    Args:
        terms: Columns x cases, at least one column.

    Returns:
        One number for each case.
    """
    sums: Floats = np.add.accumulate(terms, axis=0)[-1]
    return sums


@singledispatch
def positive_probability(model: Any) -> Answer | None:
    """A classifier of two classes as the probability of the second one.

    Args:
        model: Fitted.

    Returns:
        The answer; None where nothing faster is known than the model itself.
    """
    del model
    return None


@positive_probability.register
def _of_logistic(model: LogisticRegression) -> Answer:
    coefficients, intercept = model.coef_[0][:, None], model.intercept_[0]

    def answer(matrix: Floats) -> Floats:
        probability: Floats = expit(weighted_sums(matrix.T * coefficients) + intercept)
        return probability

    return answer


@positive_probability.register
def _of_boosted_classifier(model: XGBClassifier) -> Answer | None:
    return boosted(model) if model.objective == "binary:logistic" else None


@positive_probability.register
def _of_forest(model: RandomForestClassifier) -> Answer:
    return forest(model)


@positive_probability.register
def _of_histogram_boosting(model: HistGradientBoostingClassifier) -> Answer:
    return histogram_boosted(model)


@positive_probability.register
def _of_constant(model: DummyClassifier) -> Answer | None:
    if model.strategy != "prior":
        return None
    share = float(model.class_prior_[1])
    return lambda matrix: np.full(len(matrix), share)


@singledispatch
def expected_value(model: Any) -> Answer | None:
    """A regressor as its prediction.

    Args:
        model: Fitted.

    Returns:
        The answer; None where nothing faster is known than the model itself.
    """
    del model
    return None


@expected_value.register
def _of_boosted_regressor(model: XGBRegressor) -> Answer | None:
    return boosted(model)


@singledispatch
def class_probabilities(model: Any) -> Answer | None:
    """An ordinal classifier as the probabilities of all its classes.

    Args:
        model: Fitted.

    Returns:
        The answer; None where nothing faster is known than the model itself.
    """
    del model
    return None


@class_probabilities.register
def _of_linear(model: ProportionalOddsClassifier) -> Answer:
    mean, scale = model.mean_[:, None], model.scale_[:, None]
    coefficients, thresholds = model.coef_[:, None], model.thresholds_
    complete = _over_all_classes(model)

    def answer(matrix: Floats) -> Floats:
        score = weighted_sums((matrix.T - mean) / scale * coefficients)
        return complete(_differences(expit(thresholds - score[:, None]), 0.0, 1.0))

    return answer


@class_probabilities.register
def _of_cumulative(model: CumulativeBinaryClassifier) -> Answer | None:
    compiled = [positive_probability(each) for each in model.estimators_]
    boundaries = [each for each in compiled if each is not None]
    if len(boundaries) < len(compiled):
        return None
    complete = _over_all_classes(model)

    def answer(matrix: Floats) -> Floats:
        above = np.column_stack([boundary(matrix) for boundary in boundaries])
        shares = np.clip(-_differences(above, 1.0, 0.0), 0.0, None)
        return complete(shares / weighted_sums(shares.T)[:, None])

    return answer


@class_probabilities.register
def _of_shares(model: DummyClassifier) -> Answer | None:
    shares = model.class_prior_
    return (lambda matrix: np.tile(shares, (len(matrix), 1))) if model.strategy == "prior" else None


@class_probabilities.register
def _of_decision(model: OrdinalDecisionClassifier) -> Answer | None:
    inner, complete = class_probabilities(model.estimator_), _over_all_classes(model)
    return None if inner is None else (lambda matrix: complete(inner(matrix)))


def _differences(inner: Floats, first: float, last: float) -> Floats:
    """From cumulative probabilities to those of each class."""
    edges = np.empty((len(inner), inner.shape[1] + 2))
    edges[:, 0], edges[:, 1:-1], edges[:, -1] = first, inner, last
    return np.diff(edges, axis=1)


def _over_all_classes(model: Any) -> Answer:
    """Zeros for the classes that did not occur in `fit`."""
    present, classes = model.present_, len(model.classes_)
    if len(present) == classes:
        return lambda probabilities: probabilities

    def complete(probabilities: Floats) -> Floats:
        table = np.zeros((len(probabilities), classes))
        table[:, present] = probabilities
        return table

    return complete
