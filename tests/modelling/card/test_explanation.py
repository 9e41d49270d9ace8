import pytest

from clientela.models.explanations import ordinal_contributions
from clientela.pipelines.training.card_figures import (
    compute_feature_importance,
    sample_rows_to_explain,
)
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate


def test_features_are_ranked_by_their_mean_contribution(train, problem):
    model = fit_model(train, get_configured_candidate("requerido", problem), problem)
    entries = compute_feature_importance(model, train, {"gasto_3m": "gasto en 3 meses"})
    table = ordinal_contributions(model.estimator, train[model.features]).abs().mean()
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


def test_many_rows_are_sampled_by_seed_in_their_order(train):
    some = sample_rows_to_explain(train, 50, 1)
    assert len(some) == 50
    assert some.index.is_monotonic_increasing
    assert some.equals(sample_rows_to_explain(train, 50, 1))
    assert sample_rows_to_explain(train, 1000, 1) is train
