import pytest
from tests.modelling.binary_cases import SCHEMA

from clientela.models.problem import create_problem
from clientela.pipelines.training.nodes import FIRST_CANDIDATES, BinaryTrainingSettings


def test_two_classes_are_learned_without_any_setting():
    settings = BinaryTrainingSettings()
    assert settings.required == "logistica_completa"
    problem = create_problem("binary", SCHEMA, settings)
    assert problem.task.greater_is_better(settings.primary_metric)


def test_candidates_that_are_given_take_the_place_of_all_defaults():
    given = {
        "todos": {"kind": "majority", "role": "rule"},
        "bosque": {"kind": "random_forest", "role": "required"},
    }
    settings = BinaryTrainingSettings.model_validate({"candidates": given})
    assert list(settings.candidates) == ["todos", "bosque"]
    assert settings.candidates["bosque"].params == {}


def test_defaults_of_one_use_case_are_no_others():
    BinaryTrainingSettings().candidates.clear()
    assert dict(FIRST_CANDIDATES) == BinaryTrainingSettings().candidates


def test_a_rule_to_compare_with_is_still_demanded():
    with pytest.raises(ValueError, match="at least one with role: rule"):
        BinaryTrainingSettings.model_validate(
            {"candidates": {"bosque": {"kind": "random_forest", "role": "required"}}}
        )
