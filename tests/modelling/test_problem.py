import pytest
from tests.modelling.binary_cases import problem as binary_problem

from clientela.exceptions import ConfigurationError
from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings


def made(schema, settings, task="ordinal"):
    return create_problem(task, schema, TrainingSettings.model_validate(settings))


def test_an_unknown_task_names_the_known_ones(schema, settings):
    with pytest.raises(ConfigurationError, match=r"No task type is called 'ordnal'.*'ordinal'"):
        made(schema, settings, "ordnal")


def test_an_unknown_kind_names_the_candidate_and_the_nearest_kind(schema, settings):
    candidates = settings["candidates"] | {"x": {"kind": "majorty", "role": "rule"}}
    with pytest.raises(ConfigurationError, match=r"candidates\.x: .*'majorty'.*'majority'"):
        made(schema, settings | {"candidates": candidates})


def test_an_unknown_decision_rule_is_refused(schema, settings):
    lineal = settings["candidates"]["lineal"] | {"decisions": ["medain"]}
    with pytest.raises(ConfigurationError, match=r"'medain'.*'median'"):
        made(schema, settings | {"candidates": settings["candidates"] | {"lineal": lineal}})


def test_an_unknown_metric_is_refused(schema, settings):
    with pytest.raises(ConfigurationError, match="qwkk"):
        made(schema, settings | {"primary_metric": "qwkk"})


@pytest.mark.parametrize(("metric", "gain"), [("qwk", 0.1), ("mae_class", -0.1)])
def test_a_gain_is_positive_when_better(schema, settings, metric, gain):
    problem = made(schema, settings | {"primary_metric": metric})
    assert problem.compute_gain(0.5, 0.4) == pytest.approx(gain)


CANDIDATE = {"kind": "xgboost_classifier", "role": "challenger", "decisions": ["half"]}
RULE = {"kind": "threshold_rule", "role": "rule"}


@pytest.mark.parametrize(
    ("candidate", "complaint"),
    [
        (CANDIDATE | {"params": {"depth": 3}}, r"no parameter 'depth'.*'max_depth'"),
        (CANDIDATE | {"params": {"max_depth": "deep"}}, "max_depth expect int"),
        (CANDIDATE | {"params": {"n_estimators": "many"}}, "'str' object"),
        (CANDIDATE | {"params": {"objective": "foo"}}, "Unknown objective function: `foo`$"),
        (
            CANDIDATE
            | {"params": {"subsample": 1.0}, "search": {"subsample": {"low": 0.5, "high": 1.5}}},
            "value 1.5 for Parameter subsample",
        ),
        (CANDIDATE | {"decisions": ["half", "share"]}, "needs to know which share"),
        (CANDIDATE | {"preprocessing": {"logged": ["tipo"]}}, "'tipo' is no numeric feature"),
        (
            CANDIDATE | {"kind": "logistic_regression", "params": {"C": -1}},
            "'C' parameter of LogisticRegression .* Got -1",
        ),
        (
            CANDIDATE
            | {
                "kind": "random_forest",
                "params": {"max_features": "sqrt"},
                "search": {"max_features": {"choices": ["sqrt", "log3"]}},
            },
            "'max_features' .* Got 'log3'",
        ),
        (RULE | {"params": {"column": "deuda", "positive": "above"}}, "from, below, not 'above'"),
        (RULE | {"params": {"column": "deuda", "limit": "3"}}, "limit must be a number, not '3'"),
    ],
)
def test_settings_that_nothing_can_learn_under_end_a_run_at_its_first_node(candidate, complaint):
    with pytest.raises(ConfigurationError, match=rf"^training\.candidates\.x: .*{complaint}"):
        binary_problem(candidates={"x": candidate})


def test_parameters_that_slow_learning_down_do_not_slow_the_check_down():
    slow = CANDIDATE | {"params": {"n_estimators": 1_000_000}}
    asked = binary_problem(candidates={"x": slow})
    made = asked.build_estimator("x", asked.settings.candidates["x"].params, "half")
    assert made.classifier[-1].n_estimators == 1_000_000


def test_a_wrong_parameter_is_found_before_anything_is_fitted(schema, settings):
    lineal = settings["candidates"]["lineal"] | {"params": {"l2": 1.0, "l3": 2}}
    with pytest.raises(ConfigurationError, match="no parameter 'l3'"):
        made(schema, settings | {"candidates": settings["candidates"] | {"lineal": lineal}})
