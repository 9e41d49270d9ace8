import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from tests.modelling.binary_cases import SCHEMA, loans, problem, settings

from clientela.exceptions import ConfigurationError
from clientela.models.problem import BinaryTask, CrossValidation, create_problem
from clientela.models.settings import TrainingSettings
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate


@pytest.fixture
def tuned_xgboost():
    asked, frame = problem(), loans()
    return fit_model(frame, get_configured_candidate("xgboost_ajustado", asked), asked)


def test_one_fit_serves_every_decision_rule(tuned_xgboost):
    task, X = problem().task, loans()[tuned_xgboost.features]
    estimator = tuned_xgboost.estimator
    for rule in ("half", "cost", "best_cost", "best_f1"):
        said = task.predictions(estimator, X, rule)
        assert (said.codes == (said.expected >= estimator.thresholds_[rule])).all()
        assert (said.expected == said.probabilities[:, 1]).all()
    own = task.predictions(estimator, X, None)
    assert (own.codes == estimator.predict(X)).all()


def test_the_threshold_of_costs_is_that_of_the_configured_costs(tuned_xgboost):
    assert tuned_xgboost.estimator.thresholds_["cost"] == pytest.approx(0.8)
    assert problem(costs=None).task.costs.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert problem().task.costs.tolist() == [[0.0, 4.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("decisions", "richest"),
    [
        (("half", "best_cost", "share"), "best_cost"),
        (("half", "share"), "share"),
        (("cost", "half"), "cost"),
        ((), None),
    ],
)
def test_the_richest_rule_is_one_that_learns_thresholds(decisions, richest):
    assert BinaryTask().choose_fit_decision(decisions) == richest


def test_grades_are_those_of_scikit_learn():
    task, rng = BinaryTask(), np.random.default_rng(0)
    truth, positive = rng.integers(2, size=80), rng.random(80)
    asked, frame = problem(), loans(80)
    model = fit_model(frame, get_configured_candidate("logistica", asked), asked)
    said = task.predictions(model.estimator, frame[model.features], "half")
    grades = task.grade(truth, said, np.array([0.0, 1.0]))
    assert grades["roc_auc"] == pytest.approx(roc_auc_score(truth, said.expected))
    assert grades["brier"] == pytest.approx(brier_score_loss(truth, said.expected))
    assert len(positive) == len(said.codes)


@pytest.mark.parametrize("metric", ["roc_auc", "brier", "expected_cost"])
def test_a_tuning_grade_is_the_mean_over_folds(metric):
    asked, frame = problem(), loans(120).sort_values("id_credito", ignore_index=True)
    model = asked.build_estimator("xgboost_ajustado", {"n_estimators": 5, "max_depth": 2}, "cost")
    codes, X = asked.schema.codes(frame), frame[asked.schema.features("all")]
    found = list(
        asked.task.iter_tuning_scores(model, X, codes, CrossValidation(metric, 3, 4, workers=2))
    )[-1]
    by_hand = []
    # what a repeated cross-validation hands to its first repetition
    generator = np.random.RandomState(4)
    splitter = StratifiedKFold(3, shuffle=True, random_state=generator)
    for learn, held_out in splitter.split(X, codes):
        fitted = clone(model).fit(X.iloc[learn], codes[learn])
        said = asked.task.predictions(fitted, X.iloc[held_out], "cost")
        by_hand.append(asked.task.grade(codes[held_out], said, asked.schema.value_array)[metric])
    assert found == pytest.approx(np.mean(by_hand))


def test_settings_of_a_binary_task_are_refused_elsewhere():
    ordinal = {
        "primary_metric": "qwk",
        "candidates": {
            "m": {"kind": "majority", "role": "rule"},
            "x": {"kind": "xgboost_regressor", "role": "required", "calibrate": "sigmoid"},
        },
    }
    with pytest.raises(ConfigurationError, match=r"training\.candidates\.x: .*'ordinal' has no"):
        create_problem("ordinal", SCHEMA, TrainingSettings.model_validate(ordinal))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"primary_metric": "roc_auk"}, "No metric is called 'roc_auk'"),
        ({"fairness": {"columns": {"genro": {}}}}, "'genro' is not among features.sensitive"),
        (
            {"candidates": {"x": {"kind": "majority", "role": "rule", "decisions": ["haf"]}}},
            "No decision rule is called 'haf'",
        ),
    ],
)
def test_a_name_that_does_not_exist_is_told_before_anything_is_learned(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        problem(**changes)


def test_a_split_by_time_needs_a_time():
    timeless = SCHEMA | {"time": None}
    with pytest.raises(ConfigurationError, match="the features name no time column"):
        create_problem(
            "binary", timeless, TrainingSettings.model_validate(settings(holdout="time"))
        )
