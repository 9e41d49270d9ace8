import pytest

from clientela.models.explanations import contributions
from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.pipelines.training.card_tables import compute_feature_importance, explain_models
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate


def test_features_are_ranked_by_their_mean_contribution(train, problem):
    model = fit_model(train, get_configured_candidate("requerido", problem), problem)
    entries = compute_feature_importance(model, train, {"gasto_3m": "gasto en 3 meses"})
    table = contributions(model.estimator, train[model.features]).abs().mean()
    assert {e["feature"]: e["mean_abs"] for e in entries} == pytest.approx(table.to_dict())
    amounts = [e["mean_abs"] for e in entries]
    assert amounts == sorted(amounts, reverse=True)
    spending = next(e for e in entries if e["feature"] == "gasto_3m")
    assert spending["label"] == "gasto en 3 meses"
    assert spending["direction"] > 0.5


def test_a_constant_model_leans_on_nothing(train, problem):
    model = fit_model(train, get_configured_candidate("mayoria", problem), problem)
    entries = compute_feature_importance(model, train, {})
    assert {(e["mean_abs"], e["direction"]) for e in entries} == {(0.0, 0.0)}


def test_many_rows_are_explained_by_a_sample_that_the_seed_repeats(
    train, problem, schema, settings
):
    few = TrainingSettings.model_validate(settings | {"explained_rows": 50})
    sampled = create_problem("ordinal", schema, few)
    model = fit_model(train, get_configured_candidate("requerido", problem), problem)
    one, again = (explain_models(train, model, model, sampled) for _ in range(2))
    whole = explain_models(train, model, model, problem)
    assert one == again
    assert one["champion"] == one["required"] != whole["champion"]
