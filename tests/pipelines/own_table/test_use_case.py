"""A third person's table, by the two files of docs/adding-a-use-case.md: from CSV to scores."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.pipelines.own_table import orders
from tests.pipelines.own_table.conftest import LEARNING, SMALL, on_the_page

pytestmark = pytest.mark.slow  # one run that learns, for all of them
OWN_FILES = "local/globals.yml"


def read(path: Path):
    return json.loads(path.read_text("utf-8"))


def test_every_row_of_the_file_is_accounted_for(first_run: Path):
    account = read(first_run / "02_intermediate/returns/row_accounting.json")["orders"]
    assert account["read"] == 306
    assert account["accepted"] == 301
    assert account["reasons"] == orders.REASONS
    assert account["set_missing"] == {"dias_entrega": 1}
    report = read(first_run / "04_feature/returns/row_report.json")
    assert report["rows"] == 301
    assert report["status"]["unlabelled"] == 10


def test_every_accepted_row_has_class_probability_and_reasons(first_run: Path):
    scores = pd.read_csv(first_run / "07_model_output/returns/scores.csv", dtype={"id_pedido": str})
    assert scores["id_pedido"].tolist() == [*orders.orders()["id_pedido"], "X4"]
    assert set(scores["clase"]) == {"se_queda", "devuelve"}
    assert (scores["p_se_queda"] + scores["p_devuelve"]).between(0.999, 1.001).all()
    assert scores["razon_1"].str.contains(r" = .* \([↑↓]\)$").all()
    imputed = scores.set_index("id_pedido")["imputadas"]
    assert "dias_entrega" in imputed["X4"]


def test_the_card_begins_with_the_verdict_and_names_the_candidates(first_run: Path):
    folder = first_run / "08_reporting/returns"
    card = (folder / "model_card.md").read_text("utf-8")
    headline = read(folder / "headline.json")
    assert card.splitlines()[0] == headline["sentence"]
    assert "clase_mayor" in headline["sentence"] or "regla" in headline["sentence"]
    table = pd.read_csv(first_run / "06_models/returns/candidates.csv")
    candidates = dict(zip(table["candidate"], table["role"], strict=True))
    assert candidates == {
        "clase_mayor": "rule",
        "logistica": "challenger",
        "logistica_completa": "required",
        "bosque": "challenger",
        "xgboost": "challenger",
    }
    assert "logistica_completa" in card


def test_neither_report_nor_card_shows_a_row(first_run: Path):
    folder = first_run / "08_reporting/returns"
    for page in ("eda/report.html", "model_card.html", "model_card.md"):
        text = (folder / page).read_text("utf-8")
        assert not any(key in text for key in orders.orders()["id_pedido"])


def test_no_other_use_case_is_run_or_asked_for_its_files(first_run: Path):
    """All of them were on, and not one had a raw file."""
    files = [path.relative_to(first_run) for path in first_run.rglob("*") if path.is_file()]
    files = [path for path in files if not path.name.startswith(".")]
    assert {path.parts[1] for path in files} == {"returns"}
    layers = {path.parts[0] for path in files}
    assert len(layers) == 8


def test_the_settings_of_the_page_read_several_files_of_another_form(
    run_in, own_conf: Path, tmp_path: Path, data_root: Path
):
    conf = Path(shutil.copytree(own_conf, tmp_path / "conf"))
    with (conf / "test/globals.yml").open("a", encoding="utf-8") as file:  # local is not read here
        file.write("\n" + on_the_page(OWN_FILES))
    folder = data_root / "01_raw/pedidos"
    folder.mkdir(parents=True)
    frame = orders.orders()
    for place, name in enumerate(("orders-1.csv", "orders-2.csv")):
        frame[place::2].to_csv(folder / name, sep=";", index=False)
    catalog = run_in(data_root, ["ingestion"], conf=conf)
    assert catalog.load("returns.row_accounting")["orders"]["accepted"] == 300


def test_what_the_page_offers_to_add_next_is_a_few_lines_more(run, data_root: Path):
    changes = {
        "features": {
            "time": "fecha_pedido",
            "sensitive": ["canal"],
            "excluded": {"cliente": "quien es no dice nada"},
            "enrichment": {"logs": {"columns": ["valor_pedido"]}},
        },
        "training": SMALL
        | {
            "holdout": "time",
            "costs": {"false_positive": 1, "false_negative": 5},
            "fairness": {"columns": {"canal": {}}},
            "candidates": {
                "clase_mayor": {"kind": "majority", "role": "rule"},
                "logistica": {
                    "kind": "logistic_regression",
                    "role": "required",
                    "decisions": ["cost"],
                    "preprocessing": {"scaling": "standard"},
                },
            },
        },
    }
    run(orders.orders().assign(cliente="Ana"), LEARNING, changes=changes)
    card = (data_root / "08_reporting/returns/model_card.md").read_text("utf-8")
    for heading in ("Costos y umbral", "Equidad entre grupos"):
        assert f"\n## {heading}\n" in card
    assert re.search(r"Excluida: cliente.*quien es no dice nada", card)
    test_part = pd.read_parquet(data_root / "05_model_input/returns/test_part.parquet")
    training_part = pd.read_parquet(data_root / "05_model_input/returns/training_part.parquet")
    assert training_part["fecha_pedido"].max() <= test_part["fecha_pedido"].min()
    assert "log_valor_pedido" in test_part
    assert "cliente" not in test_part
