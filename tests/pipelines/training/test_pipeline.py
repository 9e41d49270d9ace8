import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.small_project import TRAINING

from clientela.exceptions import LeakageError, MissingStageInputError, TrainingDataError

CLASSES = ["sin_compra", "baja", "media", "alta"]
SCHEMA = {
    "key": "id_cliente",
    "target": "target_compra_tecnologia",
    "required": ["gasto_3m", "edad"],
    "extra": ["sin_historial", "compras_tecnologia_3m"],
    "history": [],
    "last_quarter": "compras_tecnologia_3m",
    "classes": CLASSES,
    "values": [0.0, 1.0, 2.0, 4.0],
    "lower_bounds": [0, 1, 2, 4],
}
NO_LEAK = {
    "rows": 200,
    "refused": [],
    "sees_the_future": {},
    "suspicious": {},
    "concordance": {"gasto_3m": 0.7},
    "concordance_limit": 0.95,
    "allowed": {},
}
ROOT = Path(__file__).parents[3]


def _quick() -> dict[str, Any]:
    """The shipped settings with one challenger and as little of everything as settings allow."""
    shipped = (ROOT / "conf/base/parameters/purchase_intensity.yml").read_text("utf-8")
    content = yaml.safe_load(shipped)["purchase_intensity"]
    candidates = content["training"]["candidates"]
    candidates["lineal"] = {
        "kind": "proportional_odds",
        "role": "challenger",
        "decisions": ["shares", "median"],
        "params": {"l2": 1.0},
    }
    del candidates["binarios_acumulados"]
    content["training"] |= {**TRAINING, "candidates": candidates}
    return {"base/parameters/purchase_intensity.yml": {"purchase_intensity": content}}


QUICK = _quick()
REQUIRED_FILES = {
    "model.tar.gz",
    "model/features.json",
    "model/manifest.json",
    "model/thresholds.json",
    "model/xgboost-model.ubj",
    "metrics/metrics.json",
    "metrics/sagemaker_metrics.json",
    "metrics/classification_report.json",
    "metrics/classification_report.txt",
    "metrics/confusion_matrix.csv",
    "metrics/confusion_matrix.png",
    "metadata/metadata.json",
}


def customers(rows=200, seed=1):
    rng = np.random.default_rng(seed)
    taste = rng.gamma(1.2, 0.9, rows)
    codes = np.searchsorted([1, 2, 4], rng.poisson(taste), side="right")
    return pd.DataFrame(
        {
            "id_cliente": [f"cliente-{i:04d}" for i in range(rows)],
            "gasto_3m": (taste * rng.lognormal(0, 0.5, rows) * 100).round(2),
            "edad": rng.integers(18, 80, rows).astype(float),
            "sin_historial": 0.0,
            "compras_tecnologia_3m": rng.poisson(taste).astype(float),
            "target_compra_tecnologia": np.array(CLASSES)[codes],
        }
    )


# Two days to learn from before the test, whose own day is the last one to learn from afterwards.
DAYS = ["2024-01-01", "2023-12-17"]
TESTED = "2024-04-01"
PLAN = {
    "backtests": [{"day": TESTED, "learned": DAYS}],
    "learned": [TESTED, *DAYS],
    "learn": "calendar",
}


def past_rows(frame, last_seed=9):
    """The customers on each day of the plan, and the rows of the required model as of the test."""
    days = [
        customers(seed=seed).assign(modo="calendar", corte=day) for seed, day in enumerate(DAYS)
    ]
    test = customers(seed=last_seed).assign(modo="calendar", corte=TESTED)
    return pd.concat([*days, test, frame.assign(modo="required", corte=TESTED)], ignore_index=True)


@pytest.fixture
def write_inputs(data_root):
    def write(frame, rows=None, leakage=NO_LEAK):
        folder = data_root / "05_model_input" / "purchase_intensity"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "feature_schema.json").write_text(json.dumps(SCHEMA), "utf-8")
        frame.to_parquet(folder / "model_input.parquet", index=False)
        dated = past_rows(frame) if rows is None else rows
        dated.to_parquet(folder / "cutoff_rows.parquet", index=False)
        reports = data_root / "08_reporting" / "purchase_intensity"
        reports.mkdir(parents=True, exist_ok=True)
        (reports / "leakage_report.json").write_text(json.dumps(leakage), "utf-8")
        shares = {"classes": {}, "warnings": []}
        (reports / "class_shares.json").write_text(json.dumps(shares), "utf-8")
        features = data_root / "04_feature"
        features.mkdir(exist_ok=True)
        (features / "cutoff_plan.json").write_text(json.dumps(PLAN), "utf-8")
        scored = frame.drop(columns=SCHEMA["target"])
        scored.to_parquet(features / "scoring_features.parquet", index=False)

    return write


def fingerprints(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.is_relative_to(root / "04_feature")
        and not path.name.startswith(("model_input", "cutoff_rows", "feature_schema"))
    }


@pytest.mark.slow
def test_a_run_writes_every_required_file_and_a_permuted_rerun_the_same_bytes(
    write_inputs, run_kedro, data_root
):
    frame = customers()
    write_inputs(frame)
    catalog = run_kedro("training", "scoring", conf=QUICK, tags=["purchase_intensity"])
    first = fingerprints(data_root)

    folder = data_root / "06_models" / "xgboost_ordinal_tecnologia"
    written = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert written == REQUIRED_FILES
    headline = catalog.load("purchase_intensity.headline")
    card = catalog.load("purchase_intensity.model_card_text")
    assert card.splitlines()[0] == headline["sentence"]
    assert headline["rows"] == len(frame)
    backtest = catalog.load("purchase_intensity.backtest")["dates"][0]
    assert backtest["rows"] == len(customers())
    came = customers(seed=9)["target_compra_tecnologia"].value_counts(normalize=True)
    assert backtest["realized"] == pytest.approx(dict(came))
    for shares in ("expected", "decided"):
        assert sum(backtest["models"]["champion"][shares].values()) == pytest.approx(1)
    said = pd.read_parquet(
        data_root / "07_model_output/purchase_intensity/test_predictions.parquet"
    )
    mean = said.query("model == 'champion'")[[f"p_{name}" for name in CLASSES]].mean()
    assert list(backtest["models"]["champion"]["expected"].values()) == pytest.approx(list(mean))
    assert f"prueba hacia atrás del {TESTED}" in headline["sentence"]

    page = catalog.load("purchase_intensity.model_card")
    assert page.count("<img") == 4
    assert not re.search(r"cliente-\d{4}", page)

    scores = pd.read_csv(data_root / "07_model_output/purchase_intensity/scores.csv")
    pd.testing.assert_frame_equal(
        scores, catalog.load("purchase_intensity.scores"), check_dtype=False
    )
    assert scores["id_cliente"].tolist() == sorted(frame["id_cliente"])

    write_inputs(frame.sample(frac=1, random_state=5), past_rows(frame).iloc[::-1])
    run_kedro("training", "scoring", conf=QUICK, tags=["purchase_intensity"])
    assert fingerprints(data_root) == first


def test_a_class_without_customers_stops_the_run_with_its_name(write_inputs, run_kedro):
    frame = customers()
    write_inputs(frame[frame["target_compra_tecnologia"] != "alta"])
    with pytest.raises(TrainingDataError, match=r"too few in alta .*alta 0"):
        run_kedro("training", conf=QUICK, tags=["purchase_intensity"])


def test_without_a_model_input_the_command_that_makes_it_is_named(run_kedro):
    with pytest.raises(MissingStageInputError, match=r"kedro run --pipelines=.*ordinal_target"):
        run_kedro("training", conf=QUICK, tags=["purchase_intensity"])


def test_a_feature_that_the_leakage_report_refuses_stops_training_by_name(write_inputs, run_kedro):
    leak = NO_LEAK | {"refused": ["puntaje"], "suspicious": {"puntaje": 1.0}}
    write_inputs(customers(), leakage=leak)
    with pytest.raises(LeakageError, match="puntaje"):
        run_kedro("training", conf=QUICK, tags=["purchase_intensity"])
