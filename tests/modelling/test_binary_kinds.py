from typing import Any

import numpy as np
import pytest
from tests.modelling.binary_cases import SCHEMA, SETTINGS, loans, problem

from clientela.exceptions import ConfigurationError
from clientela.models.estimator_kinds import BINARY_KINDS
from clientela.models.explanations import contributions
from clientela.models.problem import create_problem
from clientela.models.settings import TrainingSettings
from clientela.models.stored_model import decode_model, encode_model
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate

MORE: dict[str, Any] = {
    "histogramas": {
        "kind": "hist_gradient_boosting",
        "role": "challenger",
        "decisions": ["cost"],
        "params": {"max_iter": 6, "max_depth": 2},
    },
    "puntos": {
        "kind": "woe_scorecard",
        "role": "challenger",
        "decisions": ["cost"],
        "params": {"bins": 4},
        "search": {"bins": {"low": 2, "high": 8, "integer": True}},
    },
}
NAMES = sorted(SETTINGS["candidates"] | MORE)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_model_answers_as_before_and_is_stored_as_the_same_bytes(name):
    asked, frame = problem(candidates=MORE), loans()
    model = fit_model(frame, get_configured_candidate(name, asked), asked)
    content, manifest = encode_model(model)
    loaded = decode_model(content, manifest, "here")
    X = frame[model.features]
    assert (loaded.estimator.predict_proba(X) == model.estimator.predict_proba(X)).all()
    assert encode_model(loaded)[0] == content


def test_every_kind_has_a_candidate_in_these_tests():
    assert {each["kind"] for each in (SETTINGS["candidates"] | MORE).values()} == {*BINARY_KINDS}


@pytest.mark.parametrize("name", NAMES)
def test_training_can_explain_every_kind(name):
    asked, frame = problem(candidates=MORE), loans()
    model = fit_model(frame, get_configured_candidate(name, asked), asked)
    assert np.isfinite(contributions(model.estimator, frame[model.features].head(20))).all(
        axis=None
    )


@pytest.mark.parametrize("name", NAMES)
def test_neither_the_order_of_columns_nor_new_words_nor_the_batch_change_a_row(name):
    asked, frame = problem(candidates=MORE), loans()
    model = fit_model(frame, get_configured_candidate(name, asked), asked)
    X = frame[model.features].head(20)
    together = model.estimator.predict_proba(X)
    alone = [model.estimator.predict_proba(X.iloc[[i]])[0] for i in range(20)]
    assert np.allclose(together, alone, rtol=0, atol=1e-7)
    strange = X.assign(tipo="nunca visto")
    assert np.isfinite(model.estimator.predict_proba(strange)).all()


@pytest.mark.parametrize("kind", sorted(BINARY_KINDS))
def test_a_parameter_that_the_kind_does_not_have_is_refused(kind):
    candidate = {"kind": kind, "role": "challenger", "params": {"depht": 2}}
    with pytest.raises(ConfigurationError, match=f"kind '{kind}' has no parameter 'depht'"):
        problem(candidates={"x": candidate})


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("xgboost_classifier", {"scale_pos_weight": 20.0}),
        ("xgboost_classifier", {"scale_pos_weight": "balanced"}),
        ("logistic_regression", {"class_weight": "balanced"}),
        ("random_forest", {"class_weight": "balanced"}),
        ("hist_gradient_boosting", {"class_weight": "balanced"}),
    ],
)
def test_reweighting_needs_recalibration(kind, params):
    candidate = {"kind": kind, "role": "challenger", "params": params}
    with pytest.raises(ConfigurationError, match="no longer mean what they say"):
        problem(candidates={"x": candidate})
    problem(candidates={"x": candidate | {"calibrate": "sigmoid"}})


@pytest.mark.parametrize("kind", ["logistic_regression", "random_forest", "hist_gradient_boosting"])
def test_weights_by_class_need_recalibration_too(kind):
    weighted = {"kind": kind, "role": "challenger", "params": {"class_weight": {0: 5, 1: 1}}}
    with pytest.raises(ConfigurationError, match="class_weight makes the rare class more likely"):
        problem(candidates={"x": weighted})
    asked = problem(candidates={"x": weighted | {"calibrate": "sigmoid"}})
    model = fit_model(loans(), get_configured_candidate("x", asked), asked)
    assert model.estimator.classifier_[-1].class_weight == {0: 5, 1: 1}
    assert encode_model(decode_model(*encode_model(model), "here"))[0] == encode_model(model)[0]


def test_a_balanced_weight_is_the_ratio_of_the_rows_that_were_learned_from():
    weighted = {
        "kind": "xgboost_classifier",
        "role": "challenger",
        "params": {"n_estimators": 5, "scale_pos_weight": "balanced"},
        "calibrate": "sigmoid",
    }
    asked, frame = problem(candidates={"x": weighted}), loans()
    model = fit_model(frame, get_configured_candidate("x", asked), asked)
    unpaid = frame["pago"].eq("no_paga").sum()
    ratio = unpaid / (len(frame) - unpaid)
    assert model.estimator.classifier_[-1].scale_pos_weight == pytest.approx(ratio)
    assert model.manifest["params"]["scale_pos_weight"] == "balanced"
    assert encode_model(decode_model(*encode_model(model), "here"))[0] == encode_model(model)[0]
    told = model.estimator.predict_proba(frame[model.features])[:, 1].mean()
    assert told == pytest.approx(1 - unpaid / len(frame), abs=0.02)


@pytest.mark.parametrize("role", ["required", "challenger"])
def test_a_rule_with_a_limit_is_a_yardstick_and_never_a_model(role):
    rule = {"kind": "threshold_rule", "role": role, "params": {"column": "deuda", "limit": 1}}
    with pytest.raises(ConfigurationError, match=f"has role '{role}'. Set its role to 'rule'"):
        problem(candidates={"x": rule})


def test_points_stay_the_score():
    card = MORE["puntos"] | {"calibrate": "sigmoid"}
    with pytest.raises(ConfigurationError, match=r"points that add up .* Remove calibrate"):
        problem(candidates={"x": card})


def test_a_rule_with_a_limit_needs_a_number_to_compare_and_decides_by_itself():
    rule = {"kind": "threshold_rule", "role": "rule", "params": {"column": "tipo", "limit": 1}}
    with pytest.raises(ConfigurationError, match="a numeric feature, but has 'tipo'"):
        problem(candidates={"x": rule})
    deciding = rule | {"params": {"column": "deuda"}, "decisions": ["half"]}
    with pytest.raises(ConfigurationError, match="decides by its own limit"):
        problem(candidates={"x": deciding})


def test_a_scorecard_bins_columns_as_they_are():
    card = MORE["puntos"] | {"preprocessing": {"scaling": "standard"}}
    with pytest.raises(ConfigurationError, match="takes no preprocessing"):
        problem(candidates={"x": card})


def test_the_shipped_kinds_learn_on_one_thread_and_from_one_seed():
    asked = problem(seed=9)
    for name in ("logistica", "bosque", "xgboost"):
        model = asked.build_estimator(name, {}, "half").classifier[-1]
        assert model.get_params()["random_state"] == 9
        assert model.get_params().get("n_jobs") in {1, None}


def test_a_schema_without_words_or_numbers_is_no_table():
    bare = {key: value for key, value in SCHEMA.items() if key not in {"sources", "time"}}
    with pytest.raises(ConfigurationError, match="learns from tables"):
        create_problem(
            "binary",
            bare,
            TrainingSettings.model_validate({k: v for k, v in SETTINGS.items() if k != "fairness"}),
        )
