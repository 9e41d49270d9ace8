"""Fitted models as functions on features: one compiler for each type of estimator.

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
from xgboost import XGBRegressor

from clientela.arrays import Codes, Floats
from clientela.features.columns import FeatureLayout, Features, limit_to_float32
from clientela.features.preprocessing import build_preprocessing
from clientela.models.base import Predictions
from clientela.models.baseline_rules import ThresholdRule
from clientela.models.binary_decision import BinaryDecisionClassifier, apply_threshold
from clientela.models.calibration import CALIBRATIONS
from clientela.models.compiled_models import (
    Answer,
    build_class_probability_predictor,
    build_probability_predictor,
    build_scorecard_predictor,
    build_xgboost_predictor,
    sum_columns_in_order,
)
from clientela.models.ordinal_decision import (
    LEARNED,
    DecisionRuleClassifier,
    OrdinalDecisionClassifier,
    apply_cut_points,
    compute_midpoints,
    select_argmax_codes,
    select_median_codes,
)
from clientela.models.ordinal_estimators import LastQuarterRule, OrdinalRegressor
from clientela.models.scorecard import WoeScorecard
from clientela.models.tasks import TASKS

Model: TypeAlias = Callable[[Features], Predictions]
Probability: TypeAlias = Callable[[Features], Floats]

MISSING_COUNTS_AS = 0.0
"""What feature engineering puts where a customer has no value."""

BY_PROBABILITY = {"argmax": select_argmax_codes, "median": select_median_codes}
"""Decision rules that read probabilities; the others cut the expected value."""

ON_NEITHER_SIDE = 2
"""Where a threshold rule keeps the share of rows whose value is missing."""


@singledispatch
def build_binary_model(estimator: Any, layout: FeatureLayout, decision: str | None) -> Model:
    """A fitted binary model over features.

    Args:
        decision: Of the manifest; None where the model decides by itself.
    """
    task = TASKS["binary"]
    return lambda features: task.predictions(estimator, layout.frame(features), decision)


@build_binary_model.register
def _build_binary_decision(
    estimator: BinaryDecisionClassifier, layout: FeatureLayout, decision: str | None
) -> Model:
    raw = build_raw_probability(estimator.classifier_, layout)
    calibrated, learned = CALIBRATIONS.named(estimator.calibrate).apply, estimator.calibration_
    threshold = estimator.threshold_ if decision is None else estimator.thresholds_[decision]

    def model(features: Features) -> Predictions:
        ones = calibrated(raw(features), learned)
        return Predictions(apply_threshold(ones, threshold), _expand_to_both_classes(ones), ones)

    return model


@build_binary_model.register
def _build_threshold_rule(
    estimator: ThresholdRule, layout: FeatureLayout, decision: str | None
) -> Model:
    del decision  # it has one of its own
    row = layout.rows[layout.features[estimator.column_index_]]
    shares, limit, from_on = estimator.shares_, estimator.limit, estimator.positive == "from"

    def model(features: Features) -> Predictions:
        values = features.numbers[row]
        decided = values >= limit if from_on else values < limit
        sides = np.where(np.isnan(values), ON_NEITHER_SIDE, decided)
        ones = shares[sides]
        return Predictions((sides == 1).astype(np.int64), _expand_to_both_classes(ones), ones)

    return model


def _expand_to_both_classes(ones: Floats) -> Floats:
    table = np.empty((len(ones), 2))
    table[:, 0], table[:, 1] = 1 - ones, ones
    return table


@singledispatch
def build_raw_probability(classifier: Any, layout: FeatureLayout) -> Probability:
    """A fitted classifier as the raw probability of class 1."""

    def probability(features: Features) -> Floats:
        probabilities = classifier.predict_proba(layout.frame(features))
        return np.asarray(probabilities[:, 1], dtype=np.float64)

    return probability


@build_raw_probability.register
def _build_from_pipeline(classifier: Pipeline, layout: FeatureLayout) -> Probability:
    steps = [step for _, step in classifier.steps]
    preprocess = None
    if len(steps) == 2 and isinstance(steps[0], ColumnTransformer):  # noqa: PLR2004 - and the model
        preprocess = build_preprocessing(steps[0], layout)
    if preprocess is None:
        return build_raw_probability.dispatch(object)(classifier, layout)
    prepare, model = preprocess, steps[1]

    def ask_model(matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        # it was fitted on a bare matrix
        return np.asarray(model.predict_proba(matrix)[:, 1], dtype=np.float64)

    answer = build_probability_predictor(model) or ask_model
    return lambda features: answer(prepare(features))


@build_raw_probability.register
def _build_from_scorecard(classifier: WoeScorecard, layout: FeatureLayout) -> Probability:
    return build_scorecard_predictor(classifier, layout)


@build_raw_probability.register
def _build_from_constant(classifier: DummyClassifier, layout: FeatureLayout) -> Probability:
    answer = build_probability_predictor(classifier)
    if answer is None:
        return build_raw_probability.dispatch(object)(classifier, layout)
    constant = answer
    return lambda features: constant(features.numbers.T)


@singledispatch
def build_ordinal_model(estimator: Any, layout: FeatureLayout, decision: str | None) -> Model:
    """A fitted ordinal model over features.

    Args:
        decision: Of the manifest; None where the model decides by itself.
    """
    task = TASKS["ordinal"]
    return lambda features: task.predictions(estimator, layout.frame(features), decision)


@build_ordinal_model.register
def _build_ordinal_regressor(
    estimator: OrdinalRegressor, layout: FeatureLayout, decision: str | None
) -> Model:
    regressor = estimator.regressor_
    expected_of = (
        build_xgboost_predictor(regressor) if isinstance(regressor, XGBRegressor) else None
    )
    probabilities_of = build_class_probability_predictor(estimator.calibrator_)
    if expected_of is None or probabilities_of is None:
        return build_ordinal_model.dispatch(object)(estimator, layout, decision)
    matrix, decide = _build_matrix_reader(layout), _build_decision_rule(estimator, decision)

    def model(features: Features) -> Predictions:
        expected = expected_of(matrix(features))
        probabilities = probabilities_of(expected[:, None])
        return Predictions(decide(probabilities, expected), probabilities, expected)

    return model


@build_ordinal_model.register
def _build_ordinal_classifier(
    estimator: OrdinalDecisionClassifier, layout: FeatureLayout, decision: str | None
) -> Model:
    compiled = build_class_probability_predictor(estimator)
    if compiled is None:
        return build_ordinal_model.dispatch(object)(estimator, layout, decision)
    probabilities_of, means = compiled, _build_class_mean(estimator.values_)
    matrix, decide = _build_matrix_reader(layout), _build_decision_rule(estimator, decision)

    def model(features: Features) -> Predictions:
        probabilities = probabilities_of(matrix(features))
        expected = means(probabilities)
        return Predictions(decide(probabilities, expected), probabilities, expected)

    return model


@build_ordinal_model.register
def _build_last_quarter_rule(
    estimator: LastQuarterRule, layout: FeatureLayout, decision: str | None
) -> Model:
    del decision  # it has one of its own
    row = layout.rows[layout.features[estimator.column_index_]]
    bounds, most = np.asarray(estimator.lower_bounds), len(estimator.classes_) - 1
    shares, means = estimator.shares_, _build_class_mean(estimator.values_)

    def model(features: Features) -> Predictions:
        reached = np.searchsorted(bounds, features.numbers[row], side="right") - 1
        codes = reached.clip(0, most)
        probabilities = shares[codes]
        return Predictions(codes, probabilities, means(probabilities))

    return model


def _build_matrix_reader(layout: FeatureLayout) -> Callable[[Features], Floats]:
    """Cases x features, as the estimator was fitted on."""
    places = layout.places(layout.features)
    return lambda features: np.ascontiguousarray(limit_to_float32(features.numbers[places]).T)


def _build_class_mean(values: Floats) -> Answer:
    """Probabilities as expected class values."""
    weights = values[:, None]
    return lambda probabilities: sum_columns_in_order(probabilities.T * weights)


def _build_decision_rule(
    estimator: DecisionRuleClassifier, decision: str | None
) -> Callable[[Floats, Floats], Codes]:
    """From probabilities and expected values to codes."""
    rule = estimator.decision if decision is None else decision
    if rule in BY_PROBABILITY:
        decide = BY_PROBABILITY[rule]
        return lambda probabilities, _: decide(probabilities)
    learned = decision is None or decision in LEARNED
    cuts = estimator.cut_points_ if learned else compute_midpoints(estimator.values_)
    return lambda _, expected: apply_cut_points(expected, cuts)
