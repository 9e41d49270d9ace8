import logging

import pytest

from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.pipelines.training.model_selection import list_candidate_configs, tune_candidates


@pytest.fixture
def problem_with(schema, settings):
    def make(**changes):
        tuning = {"trials": 4, "folds": 2} | changes
        made = TrainingSettings.model_validate(settings | {"tuning": tuning})
        return create_problem("ordinal", schema, made)

    return make


def test_the_same_seed_finds_the_same_parameters(problem_with, train):
    problem = problem_with()
    assert tune_candidates(train, problem) == tune_candidates(train, problem)


def test_tuning_is_never_worse_than_the_configured_parameters(problem_with, train):
    found = tune_candidates(train, problem_with())["lineal"]
    assert found["best"] >= found["configured"]
    assert found["trials"] == 4
    assert not found["stopped_early"]


def test_one_trial_keeps_the_configured_parameters(problem_with, train):
    assert tune_candidates(train, problem_with(trials=1))["lineal"]["params"] == {"l2": 1.0}


def test_candidates_without_a_search_space_keep_their_parameters(problem_with, train):
    problem = problem_with()
    found = tune_candidates(train, problem)
    assert found["requerido"] == {"params": problem.settings.candidates["requerido"].params}
    assert [v.candidate for v in list_candidate_configs(found, problem)] == list(
        problem.settings.candidates
    )


def test_a_time_limit_that_strikes_is_reported(problem_with, train, caplog):
    with caplog.at_level(logging.WARNING):
        found = tune_candidates(train, problem_with(time_limit_seconds=1e-9))["lineal"]
    assert (found["trials"], found["stopped_early"]) == (1, True)
    assert "reached its time limit after 1 of 4 trials" in caplog.text


def test_whole_numbers_and_choices_are_searched_as_such(schema, settings, train):
    challenger = {
        "kind": "xgboost_regressor",
        "role": "challenger",
        "decisions": ["thresholds"],
        "params": {"n_estimators": 3, "max_depth": 2, "grow_policy": "depthwise"},
        "search": {
            "max_depth": {"low": 1, "high": 3, "integer": True},
            "grow_policy": {"choices": ["depthwise", "lossguide"]},
        },
    }
    candidates = settings["candidates"] | {"arboles": challenger}
    made = TrainingSettings.model_validate(settings | {"candidates": candidates})
    params = tune_candidates(train, create_problem("ordinal", schema, made))["arboles"]["params"]
    assert params["max_depth"] in {1, 2, 3}
    assert params["grow_policy"] in {"depthwise", "lossguide"}
    assert params["n_estimators"] == 3
