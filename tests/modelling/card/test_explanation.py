import pytest

from clientela.modelling.card.explanation import explained_rows, feature_importance
from clientela.modelling.selection.fitting import configured_contender, fitted_model
from clientela.ordinal.explanations import contributions


def test_features_are_ranked_by_their_mean_contribution(train, problem):
    model = fitted_model(train, configured_contender("requerido", problem), problem)
    entries = feature_importance(model, train, {"gasto_3m": "gasto en 3 meses"})
    table = contributions(model.estimator, train[model.features]).abs().mean()
    assert {e["feature"]: e["mean_abs"] for e in entries} == pytest.approx(table.to_dict())
    amounts = [e["mean_abs"] for e in entries]
    assert amounts == sorted(amounts, reverse=True)
    spending = next(e for e in entries if e["feature"] == "gasto_3m")
    assert spending["label"] == "gasto en 3 meses"
    assert spending["direction"] > 0.5


def test_a_constant_model_leans_on_nothing(train, problem):
    model = fitted_model(train, configured_contender("mayoria", problem), problem)
    entries = feature_importance(model, train, {})
    assert {(e["mean_abs"], e["direction"]) for e in entries} == {(0.0, 0.0)}


def test_many_rows_are_sampled_by_seed_in_their_order(train):
    some = explained_rows(train, 50, 1)
    assert len(some) == 50
    assert some.index.is_monotonic_increasing
    assert some.equals(explained_rows(train, 50, 1))
    assert explained_rows(train, 1000, 1) is train
