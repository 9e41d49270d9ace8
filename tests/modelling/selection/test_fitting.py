from clientela.modelling.problem import Contender
from clientela.modelling.selection.fitting import (
    champion_contender,
    competing_contender,
    configured_contender,
    fitted_model,
)


def test_the_champion_is_built_as_chosen():
    row = {"candidate": "lineal", "features": "required", "decision": "median"}
    choice = {"champion": row, "params": {"l2": 3.0}}
    assert champion_contender(choice) == Contender("lineal", "required", "median", {"l2": 3.0})


def test_a_candidate_is_built_as_configured(problem):
    assert configured_contender("mayoria", problem) == Contender("mayoria", "all", None, {})
    assert configured_contender("lineal", problem).decision == "thresholds"


def test_a_candidate_competes_with_the_parameters_that_tuning_found(problem):
    tuned = {"lineal": {"params": {"l2": 3.0}}}
    assert competing_contender("lineal", tuned, problem) == Contender(
        "lineal", configured_contender("lineal", problem).features, "thresholds", {"l2": 3.0}
    )


def test_the_manifest_tells_what_was_fitted(train, problem):
    model = fitted_model(train, Contender("lineal", "required", "median", {"l2": 3.0}), problem)
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
