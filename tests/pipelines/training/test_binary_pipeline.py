"""A use case on a table that exists in configuration alone, from model input to scores."""

import hashlib
import json
import re

import joblib
import pytest
from tests.modelling.binary_cases import SCHEMA, loans, settings

from clientela.exceptions import ConfigurationError, LeakageError, TrainingDataError

NAME = "prestamos_de_prueba"


def conf(leakage=None, **changes):
    small = {"folds": 2, "tuning": {"trials": 1, "folds": 2}, "workers": 1}
    training = settings(**small, **changes)
    blocks = {"training": training, "scoring": {}, "leakage": leakage or {}}
    return {
        "base/use_cases.yml": {
            NAME: {"kind": "table", "task": "binary", "stages": ["training", "scoring"]}
        },
        "test/parameters.yml": {NAME: blocks},
    }


@pytest.fixture
def write_inputs(data_root):
    def write(frame, schema=SCHEMA):
        folder = data_root / "05_model_input" / NAME
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "feature_schema.json").write_text(json.dumps(schema), "utf-8")
        frame.to_parquet(folder / "model_input.parquet", index=False)
        features = data_root / "04_feature" / NAME
        features.mkdir(parents=True, exist_ok=True)
        (features / "row_report.json").write_text(json.dumps(row_report(frame)), "utf-8")
        frame.drop(columns="pago").to_parquet(features / "scoring_features.parquet", index=False)

    return write


def row_report(frame):
    """As if three more loans had been too young to judge."""
    status = {"usable": len(frame), "unlabelled": 0, "unknown_label": 0, "undated": 0}
    young = {"no_paga": 1, "paga": 2}
    return {
        "rows": len(frame) + 3,
        "status": status | {"too_young": 3},
        "too_young_classes": young,
        "as_of": "2025-05-14",
        "as_of_doubtful": True,
    }


def fingerprints(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.parts[-3] not in {"04_feature", "05_model_input"}
    }


@pytest.mark.slow
def test_a_table_is_learned_from_and_scored_by_configuration_alone(
    write_inputs, run_kedro, data_root
):
    frame = loans()
    write_inputs(frame)
    catalog = run_kedro("training", "scoring", conf=conf(), tags=[NAME])
    first = fingerprints(data_root)

    headline = catalog.load(f"{NAME}.headline")
    card = catalog.load(f"{NAME}.model_card_text")
    assert card.splitlines()[0] == headline["sentence"]
    for heading in ("La tabla del requerimiento", "Prueba fuera de tiempo", "Costos y umbral",
                    "Probabilidades", "Equidad entre grupos"):  # fmt: skip
        assert f"\n## {heading}\n" in card
    assert "| Brier | Ahorro frente a «positivo» para todos |" in card
    assert "Los dos modos de corte" not in card
    assert "Excluida: puntaje" in card
    assert "De 303 créditos de la tabla se usan 300; fuera quedan: 3 demasiado recientes" in card
    assert "(al 2025-05-14; de ellos no_paga 1, paga 2)" in card
    assert "ATENCIÓN: la fecha más reciente, 2025-05-14," in card
    assert not re.search(r"credito-\d{4}", catalog.load(f"{NAME}.model_card"))

    table = catalog.load(f"{NAME}.required_table")
    assert table["Modelo"].tolist()[:3] == ["logistica", "bosque", "xgboost"]
    everybody = table.set_index("Modelo").loc["todos_pagan"]
    assert everybody["Recall"] == 1.0
    metrics = catalog.load(f"{NAME}.required_console_metrics")
    assert "binary_classification_metrics" in metrics

    scores = catalog.load(f"{NAME}.scores")
    assert scores["id_credito"].tolist() == sorted(frame["id_credito"])
    champion = catalog.load(f"{NAME}.champion")
    X = frame.sort_values("id_credito")[champion.features]
    by_hand = champion.estimator.predict_proba(X)[:, 1]
    assert scores["probabilidad"].to_numpy() == pytest.approx(by_hand, abs=1e-6)
    gaps = frame.sort_values("id_credito").reset_index(drop=True)
    imputed = scores["imputadas"].fillna("").str.split(", ")
    assert [("deuda" in names) for names in imputed] == gaps["deuda"].isna().tolist()

    named = joblib.load(data_root / "06_models" / NAME / "best_model.joblib")
    assert (named.predict_proba(X) == champion.estimator.predict_proba(X)).all()

    write_inputs(frame.sample(frac=1, random_state=5))
    run_kedro("training", "scoring", conf=conf(), tags=[NAME])
    assert fingerprints(data_root) == first


def test_the_label_in_disguise_stops_the_run_by_name(write_inputs, run_kedro):
    frame = loans()
    leaking = frame.assign(puntaje=(frame["pago"] == "paga") + frame["ingreso"].fillna(0) / 1e6)
    named = {"extra": ["tendencia", "puntaje"], "numeric": [*SCHEMA["numeric"], "puntaje"],
             "sources": SCHEMA["sources"] | {"puntaje": ["puntaje"]}}  # fmt: skip
    write_inputs(leaking, SCHEMA | named)
    with pytest.raises(LeakageError, match=r"puntaje \(alone orders the target"):
        run_kedro("training", conf=conf(), tags=[NAME])


def test_a_column_that_comes_after_the_decision_stops_the_run_by_name(write_inputs, run_kedro):
    write_inputs(loans())
    late = {"after_decision": {"deuda": "es la del cierre"}}
    with pytest.raises(LeakageError, match=r"deuda \(not known when .*: es la del cierre"):
        run_kedro("training", conf=conf(leakage=late), tags=[NAME])


@pytest.mark.parametrize("block", ["after_decision", "allowed"])
def test_a_misspelt_name_does_not_leave_the_gate_open(write_inputs, run_kedro, block):
    write_inputs(loans())
    misspelt = {block: {"deudas": "es la del cierre"}}
    with pytest.raises(ConfigurationError, match=f"leakage.{block}: .*'deudas'.* mean 'deuda'"):
        run_kedro("training", conf=conf(leakage=misspelt), tags=[NAME])


def test_one_class_stops_the_run(write_inputs, run_kedro):
    write_inputs(loans().assign(pago="paga"))
    with pytest.raises(TrainingDataError, match="Every row has the class 'paga'"):
        run_kedro("training", conf=conf(), tags=[NAME])
