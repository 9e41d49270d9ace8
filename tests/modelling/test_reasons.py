import json
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from tests.modelling.binary_cases import SCHEMA, loans, settings, untuned

from clientela.exceptions import ConfigurationError
from clientela.models.problem import create_problem
from clientela.models.reasons import explain_decisions, group_features
from clientela.models.scoring import REFERRED, predict_scores
from clientela.models.settings import ScoringSettings, TrainingSettings
from clientela.models.stored_model import decode_model, encode_model
from clientela.pipelines.training.holdout_evaluation import compare_withheld, predict_holdout
from clientela.pipelines.training.model_selection import fit_final_models

CODES = {
    "deuda": {"features": ["deuda"], "es": "Lo que debe", "en": "What you owe"},
    "ingresos": {"features": ["ingreso", "tenden*"], "es": "Sus ingresos", "en": "Your income"},
    "tipo": {"features": ["tipo"], "es": "El tipo de crédito", "en": "The kind of loan"},
}
CANDIDATE = {"kind": "xgboost_classifier", "role": "challenger", "features": "deciding"}


def lending(kept=(), codes=CODES):
    """A problem in which the age of the applicant is withheld."""
    names = [*SCHEMA["inputs"], "edad"]
    schema = SCHEMA | {
        "extra": ["tendencia", "edad"],
        "numeric": ["ingreso", "deuda", "edad"],
        "sources": {name: [name] for name in names},
        "inputs": names,
        "sensitive": ["genero", "edad"],
        "withheld": {"edad": "la edad"},
        "kept": list(kept),
    }
    params = {"n_estimators": 12, "max_depth": 2, "learning_rate": 0.5, "base_score": 0.5}
    chosen = {"decide": CANDIDATE | {"decisions": ["cost"], "params": params}}
    given = settings(candidates=chosen, reason_codes=codes)
    return create_problem("binary", schema, TrainingSettings.model_validate(given))


def applicants(rows=300):
    table = loans(rows)
    age = np.where(table["pago"] == "paga", 50.0, 20.0)
    return table.assign(edad=age + np.arange(rows) % 7)


def decider(problem, table):
    """The model that decides, as it comes out of its files."""
    choice = {
        "champion": {"candidate": "decide", "features": "deciding", "decision": "cost"},
        "params": problem.settings.candidates["decide"].params,
    }
    champion, _ = fit_final_models(table, choice, untuned(problem), problem)
    content, manifest = encode_model(champion)
    return decode_model(content, json.loads(json.dumps(manifest)), "a test"), choice


def shapley_of_tree(tree, row, total):
    """Adds the exact Shapley value of each column, by all its coalitions."""

    def value(node, known):
        if "leaf" in node:
            return node["leaf"]
        children = {child["nodeid"]: child for child in node["children"]}
        column = int(node["split"][1:])
        if column in known:
            given = row[column]
            if np.isnan(given):
                return value(children[node["missing"]], known)
            inside = np.float32(given) < np.float32(node["split_condition"])
            return value(children[node["yes" if inside else "no"]], known)
        return sum(
            child["cover"] / node["cover"] * value(child, known) for child in children.values()
        )

    def columns(node):
        own = {int(node["split"][1:])} if "split" in node else set()
        return own.union(*(columns(child) for child in node.get("children", [])))

    used = columns(tree)
    for column in used:
        others = used - {column}
        for size in range(len(used)):
            weight = factorial(size) * factorial(len(used) - size - 1) / factorial(len(used))
            for subset in combinations(sorted(others), size):
                gain = value(tree, {*subset, column}) - value(tree, set(subset))
                total[column] += weight * gain


def reasons_by_hand(model, X):
    """For each case (favourable, {code: amount towards the decision}), by loops."""
    basis, fitted = model.manifest["reasons"], model.estimator.classifier_
    booster = fitted[-1].get_booster()
    trees = [json.loads(dump) for dump in booster.get_dump(with_stats=True, dump_format="json")]
    matrix = np.asarray(fitted[:-1].transform(X), dtype=np.float32)
    names = [name.split("__", 1)[1] for name in fitted[:-1].get_feature_names_out()]
    chances = model.estimator.predict_proba(X)[:, 1]
    threshold = model.estimator.thresholds_[model.manifest["decision"]]
    found = []
    for row, chance in zip(matrix, chances, strict=True):
        total = np.zeros(len(names))
        for tree in trees:
            shapley_of_tree(tree, row, total)
        approved = bool(chance >= threshold)
        side = basis["reference"]["unfavourable" if approved else "favourable"]
        amounts = {}
        for code, entry in basis["codes"].items():
            mine = sum(
                total[place]
                for place, name in enumerate(names)
                if any(name == each or name.startswith(f"{each}_") for each in entry["features"])
            )
            amounts[code] = (mine - side[code]) * (1 if approved else -1)
        found.append((approved, amounts))
    return found


def test_reasons_equal_those_of_a_slow_oracle_that_reads_the_package_alone():
    problem, table = lending(), applicants()
    model, _ = decider(problem, table)
    assert "edad" not in model.features
    X = table[model.features].head(60)
    explained = explain_decisions(model, X)
    assert {decision.favourable for decision in explained} == {True, False}
    for decision, (approved, amounts) in zip(explained, reasons_by_hand(model, X), strict=True):
        assert decision.favourable == approved
        assert not decision.referred
        true = sorted((name for name in amounts if amounts[name] > 1e-5), key=lambda n: -amounts[n])
        assert [reason.code for reason in decision.reasons if reason.amount > 1e-5] == true
        for reason in decision.reasons:
            assert reason.amount == pytest.approx(amounts[reason.code], abs=1e-4)
            assert reason.amount > 0


def test_scores_give_each_refused_case_its_reasons_in_words():
    problem, table = lending(), applicants()
    model, _ = decider(problem, table)
    scores = predict_scores(model, table, ScoringSettings(reasons=4))
    assert scores["razon_1"].notna().all()
    firsts = scores.loc[scores["clase"] == "no_paga", "razon_1"]
    sentences = tuple(code["es"] for code in CODES.values())
    assert len(firsts) > 10
    assert all(first.startswith(sentences) for first in firsts)


def test_a_case_that_a_kept_column_decides_goes_to_a_person():
    problem, table = lending(kept=["edad"]), applicants()
    model, _ = decider(problem, table)
    assert "edad" in model.features
    explained = explain_decisions(model, table[model.features])
    referred = np.array([decision.referred for decision in explained])
    assert referred.any()
    assert all("edad" not in [r.code for r in decision.reasons] for decision in explained)
    assert all(not decision.reasons for decision in explained if decision.referred)
    scores = predict_scores(model, table, ScoringSettings(reasons=2)).set_index("id_credito")
    told = scores.loc[table["id_credito"], ["razon_1", "razon_2"]]
    assert (told["razon_1"] == REFERRED).tolist() == referred.tolist()
    assert told.loc[referred, "razon_2"].isna().all()


def test_the_price_of_withholding_a_column_is_measured_on_the_test_part():
    problem, table = lending(), applicants()
    model, choice = decider(problem, table)
    test = loans(200, seed=9).assign(edad=30.0)
    test["edad"] = np.where(test["pago"] == "paga", 50.0, 20.0)
    predictions = predict_holdout(test, {"champion": model}, problem)
    price = compare_withheld(table, test, choice, predictions, problem)
    assert price["with"]["roc_auc"]["value"] == 1
    assert price["without"]["roc_auc"]["value"] < 0.95
    assert set(price["without"]["selection_ratio"]) == {"genero"}
    twin = table.assign(deuda=pd.factorize(table["genero"])[0] + 0.0)
    proxies = compare_withheld(twin, test, choice, predictions, problem)["proxies"]
    assert [(entry["feature"], entry["column"]) for entry in proxies] == [("deuda", "genero")]
    assert proxies[0]["association"] == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        ({"deuda": CODES["deuda"]}, "ingreso"),
        (CODES | {"otra": {"features": ["deuda"], "es": "Otra", "en": "Other"}}, "deuda"),
        (CODES | {"vacia": {"features": ["perro"], "es": "Vacía", "en": "Empty"}}, "perro"),
    ],
)
def test_a_feature_has_one_code_and_a_code_a_feature(codes, named):
    with pytest.raises(ConfigurationError, match=named):
        group_features(lending(codes=codes))
