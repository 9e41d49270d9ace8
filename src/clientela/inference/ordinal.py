"""Ordinal models over features: one compiler for each type of estimator.

What has no compiler is asked as batch scoring asks it, over a DataFrame: slower, and never another
answer.
"""

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np

from clientela.classification.codes import Codes, Floats
from clientela.inference.arithmetic import (
    class_probabilities,
    expected_value,
    weighted_sums,
)
from clientela.inference.binary import Model
from clientela.inference.features import Features, Layout, bounded
from clientela.inference.trees import Answer
from clientela.modelling.problem import TASKS
from clientela.modelling.tasks import Predictions
from clientela.ordinal.cut_points import midpoints
from clientela.ordinal.deciding import DecidingClassifier
from clientela.ordinal.decision import LEARNED, argmax_codes, cut_codes, median_codes
from clientela.ordinal.decision_classifier import OrdinalDecisionClassifier
from clientela.ordinal.last_quarter import LastQuarterRule
from clientela.ordinal.regressor import OrdinalRegressor

MISSING_COUNTS_AS = 0.0
"""What feature engineering puts where a customer has no value."""

BY_PROBABILITY = {"argmax": argmax_codes, "median": median_codes}
"""Decision rules that read probabilities; the others cut the expected value."""


@singledispatch
def ordinal_model(estimator: Any, layout: Layout, decision: str | None) -> Model:
    """A fitted ordinal model over features.

    Args:
        estimator: Fitted.
        layout: Where its columns stand.
        decision: Of the manifest; None where the model decides by itself.

    Returns:
        From features to what it says of each case.
    """
    task = TASKS["ordinal"]
    return lambda features: task.predictions(estimator, layout.frame(features), decision)


@ordinal_model.register
def _regressor(estimator: OrdinalRegressor, layout: Layout, decision: str | None) -> Model:
    native, calibrated = (
        expected_value(estimator.regressor_),
        class_probabilities(estimator.calibrator_),
    )
    if native is None or calibrated is None:
        return ordinal_model.dispatch(object)(estimator, layout, decision)
    expected_of, probabilities_of = native, calibrated
    matrix, decide = _matrix(layout), _decision(estimator, decision)

    def model(features: Features) -> Predictions:
        expected = expected_of(matrix(features))
        probabilities = probabilities_of(expected[:, None])
        return Predictions(decide(probabilities, expected), probabilities, expected)

    return model


@ordinal_model.register
def _deciding(estimator: OrdinalDecisionClassifier, layout: Layout, decision: str | None) -> Model:
    compiled = class_probabilities(estimator)
    if compiled is None:
        return ordinal_model.dispatch(object)(estimator, layout, decision)
    probabilities_of, means = compiled, _means(estimator.values_)
    matrix, decide = _matrix(layout), _decision(estimator, decision)

    def model(features: Features) -> Predictions:
        probabilities = probabilities_of(matrix(features))
        expected = means(probabilities)
        return Predictions(decide(probabilities, expected), probabilities, expected)

    return model


@ordinal_model.register
def _last_quarter(estimator: LastQuarterRule, layout: Layout, decision: str | None) -> Model:
    del decision  # it has one of its own
    row = layout.rows[layout.features[estimator.column_index_]]
    bounds, most = np.asarray(estimator.lower_bounds), len(estimator.classes_) - 1
    shares, means = estimator.shares_, _means(estimator.values_)

    def model(features: Features) -> Predictions:
        reached = np.searchsorted(bounds, features.numbers[row], side="right") - 1
        codes = reached.clip(0, most)
        probabilities = shares[codes]
        return Predictions(codes, probabilities, means(probabilities))

    return model


def _matrix(layout: Layout) -> Callable[[Features], Floats]:
    """Cases x features, as the estimator was fitted on."""
    places = layout.places(layout.features)
    return lambda features: np.ascontiguousarray(bounded(features.numbers[places]).T)


def _means(values: Floats) -> Answer:
    """Probabilities as expected class values."""
    weights = values[:, None]
    return lambda probabilities: weighted_sums(probabilities.T * weights)


def _decision(
    estimator: DecidingClassifier, decision: str | None
) -> Callable[[Floats, Floats], Codes]:
    """From probabilities and expected values to codes."""
    rule = estimator.decision if decision is None else decision
    if rule in BY_PROBABILITY:
        decide = BY_PROBABILITY[rule]
        return lambda probabilities, _: decide(probabilities)
    learned = decision is None or decision in LEARNED
    cuts = estimator.cut_points_ if learned else midpoints(estimator.values_)
    return lambda _, expected: cut_codes(expected, cuts)
