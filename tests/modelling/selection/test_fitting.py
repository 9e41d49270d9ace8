from clientela.models.problem import Candidate
from clientela.pipelines.training.model_selection import (
    fit_model,
    get_champion_candidate,
    get_configured_candidate,
    get_tuned_candidate,
)


def test_the_champion_is_built_as_chosen():
    row = {"candidate": "lineal", "features": "required", "decision": "median"}
    choice = {"champion": row, "params": {"l2": 3.0}}
    assert get_champion_candidate(choice) == Candidate("lineal", "required", "median", {"l2": 3.0})


def test_a_candidate_is_built_as_configured(problem):
    assert get_configured_candidate("mayoria", problem) == Candidate("mayoria", "all", None, {})
    assert get_configured_candidate("lineal", problem).decision == "thresholds"


def test_a_candidate_competes_with_the_parameters_that_tuning_found(problem):
    tuned = {"lineal": {"params": {"l2": 3.0}}}
    assert get_tuned_candidate("lineal", tuned, problem) == Candidate(
        "lineal", get_configured_candidate("lineal", problem).features, "thresholds", {"l2": 3.0}
    )


def test_the_manifest_tells_what_was_fitted(train, problem):
    model = fit_model(train, Candidate("lineal", "required", "median", {"l2": 3.0}), problem)
    told = {
        name: model.manifest[name]
        for name in ("candidate", "kind", "problem_type", "features", "decision", "training_rows")
    }
    assert told == {
        "candidate": "lineal",
        "kind": "proportional_odds",
        "problem_type": "ordinal_regression",
        "features": ["gasto_3m", "num_tx_total", "edad"],
        "decision": "median",
        "training_rows": 240,
    }
    assert model.estimator.estimator_.l2 == 3.0
    assert model.estimator.predict(train[model.features]).shape == (240,)
