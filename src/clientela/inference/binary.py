"""Binary models over features: one compiler for each type of estimator.

What has no compiler is asked as batch scoring asks it, over a DataFrame: slower, and never another
answer.
"""

from collections.abc import Callable
from functools import singledispatch
from typing import Any, TypeAlias

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from clientela.binary.calibration import CALIBRATIONS
from clientela.binary.decision import decided_codes
from clientela.binary.decision_classifier import BinaryDecisionClassifier
from clientela.binary.rules import ThresholdRule
from clientela.binary.woe_scorecard import WoeScorecard
from clientela.classification.codes import Floats
from clientela.inference.arithmetic import positive_probability
from clientela.inference.features import Features, Layout
from clientela.inference.preprocessing import compiled_preprocessing
from clientela.inference.scorecard import scorecard_probability
from clientela.inference.trees import Answer
from clientela.modelling.problem import TASKS
from clientela.modelling.tasks import Predictions

Model: TypeAlias = Callable[[Features], Predictions]
Probability: TypeAlias = Callable[[Features], Floats]

ON_NEITHER_SIDE = 2
"""Where a threshold rule keeps the share of rows whose value is missing."""


@singledispatch
def binary_model(estimator: Any, layout: Layout, decision: str | None) -> Model:
    """A fitted binary model over features.

    Args:
        estimator: Fitted.
        layout: Where its columns stand.
        decision: Of the manifest; None where the model decides by itself.

    Returns:
        From features to what it says of each case.
    """
    task = TASKS["binary"]
    return lambda features: task.predictions(estimator, layout.frame(features), decision)


@binary_model.register
def _deciding(estimator: BinaryDecisionClassifier, layout: Layout, decision: str | None) -> Model:
    raw = probability_of(estimator.classifier_, layout)
    calibrated, learned = CALIBRATIONS.named(estimator.calibrate).apply, estimator.calibration_
    threshold = estimator.threshold_ if decision is None else estimator.thresholds_[decision]

    def model(features: Features) -> Predictions:
        ones = calibrated(raw(features), learned)
        return Predictions(decided_codes(ones, threshold), _both(ones), ones)

    return model


@binary_model.register
def _threshold_rule(estimator: ThresholdRule, layout: Layout, decision: str | None) -> Model:
    del decision  # it has one of its own
    row = layout.rows[layout.features[estimator.column_index_]]
    shares, limit, from_on = estimator.shares_, estimator.limit, estimator.positive == "from"

    def model(features: Features) -> Predictions:
        values = features.numbers[row]
        decided = values >= limit if from_on else values < limit
        sides = np.where(np.isnan(values), ON_NEITHER_SIDE, decided)
        ones = shares[sides]
        return Predictions((sides == 1).astype(np.int64), _both(ones), ones)

    return model


def _both(ones: Floats) -> Floats:
    table = np.empty((len(ones), 2))
    table[:, 0], table[:, 1] = 1 - ones, ones
    return table


@singledispatch
def probability_of(classifier: Any, layout: Layout) -> Probability:
    """A fitted classifier as the raw probability of class 1.

    Args:
        classifier: Fitted on a DataFrame.
        layout: Where its columns stand.

    Returns:
        From features to one number for each case.
    """

    def probability(features: Features) -> Floats:
        found = classifier.predict_proba(layout.frame(features))
        return np.asarray(found[:, 1], dtype=np.float64)

    return probability


@probability_of.register
def _of_pipeline(classifier: Pipeline, layout: Layout) -> Probability:
    steps = [step for _, step in classifier.steps]
    compiled = None
    if len(steps) == 2 and isinstance(steps[0], ColumnTransformer):  # noqa: PLR2004 - and the model
        compiled = compiled_preprocessing(steps[0], layout)
    if compiled is None:
        return probability_of.dispatch(object)(classifier, layout)
    preprocessed, answer = compiled, positive_probability(steps[1]) or _own(steps[1])
    return lambda features: answer(preprocessed(features))


def _own(classifier: Any) -> Answer:
    """What the last step of a pipeline says by itself: it was fitted on a bare matrix."""

    def answer(matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        return np.asarray(classifier.predict_proba(matrix)[:, 1], dtype=np.float64)

    return answer


@probability_of.register
def _of_scorecard(classifier: WoeScorecard, layout: Layout) -> Probability:
    return scorecard_probability(classifier, layout)


@probability_of.register
def _of_constant(classifier: DummyClassifier, layout: Layout) -> Probability:
    answer = positive_probability(classifier)
    if answer is None:
        return probability_of.dispatch(object)(classifier, layout)
    constant = answer
    return lambda features: constant(features.numbers.T)
