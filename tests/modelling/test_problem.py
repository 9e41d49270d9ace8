import pytest

from clientela.exceptions import ConfigurationError
from clientela.modelling.problem import problem_of
from clientela.modelling.settings import TrainingSettings


def made(schema, settings, task="ordinal"):
    return problem_of(task, schema, TrainingSettings.model_validate(settings))


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
    assert problem.gain(0.5, 0.4) == pytest.approx(gain)


def test_a_wrong_parameter_is_found_before_anything_is_fitted(schema, settings):
    lineal = settings["candidates"]["lineal"] | {"params": {"l2": 1.0, "l3": 2}}
    with pytest.raises(ConfigurationError, match="no parameter 'l3'"):
        made(schema, settings | {"candidates": settings["candidates"] | {"lineal": lineal}})
