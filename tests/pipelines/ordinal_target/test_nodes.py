from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest
from tests.features.tables import Engine, Tx, at

from clientela.exceptions import LeakageError, TrainingDataError
from clientela.features.leakage import LeakageRules, require_no_leak
from clientela.features.settings import FeatureParams
from clientela.features.transactions import OrdinalTarget
from clientela.pipelines.ordinal_target import nodes

TECH = FeatureParams(category="TECNOLOGÍA")
RULE = OrdinalTarget.model_validate(
    {
        "classes": [
            {"name": "sin_compra", "at_least": 0, "value": 0},
            {"name": "baja", "at_least": 1, "value": 1},
            {"name": "media", "at_least": 2, "value": 2},
            {"name": "alta", "at_least": 4, "value": 4},
        ]
    }
)
TARGET = "target_compra_tecnologia"
PERIOD = {"first": "2023-01-31", "last": "2024-05-31"}
CLASSES = ["sin_compra", "baja", "media", "alta"]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def frame(classes: list[str], **columns: list[float]) -> pd.DataFrame:
    keys = [f"c{i}" for i in range(len(classes))]
    return pd.DataFrame({"id_cliente": keys, **columns, TARGET: classes})


def test_the_two_targets_begin_at_the_two_cutoffs(engine: Engine) -> None:
    rows = [
        Tx("ana", at("2024-02-20")),
        Tx("ana", at("2024-03-01")),
        Tx("ana", at("2024-04-30"), "ropa"),
        Tx("beto", at("2024-05-31")),
    ]
    last = nodes.compute_customer_target(Engine.transactions, PERIOD, TECH, RULE)
    on_calendar = TECH.model_copy(update={"cutoff_mode": "calendar"})
    calendar = nodes.compute_customer_target(Engine.transactions, PERIOD, on_calendar, RULE)
    found = [engine.by_customer(table, rows) for table in (last, calendar)]
    purchases = [{key: row["compras_objetivo"] for key, row in each.items()} for each in found]
    assert purchases == [{"ana": 2, "beto": 1}, {"ana": 1, "beto": 1}]


@pytest.mark.parametrize(("minimum", "kept"), [(0, ["ana", "beto", "celia"]), (2, ["beto"])])
def test_who_has_too_little_history_is_not_trained_on(
    engine: Engine, minimum: int, kept: list[str]
) -> None:
    params = TECH.model_copy(update={"minimum_transactions": minimum})
    features = ibis.memtable(
        {"id_cliente": ["ana", "beto", "celia"], "num_tx_total": [1.0, 2.0, 0.0]}
    )
    target = ibis.memtable(
        {"id_cliente": ["ana", "beto", "celia"], TARGET: CLASSES[:3], "compras_objetivo": [0, 1, 2]}
    )
    table = nodes.build_ordinal_model_input(features, target, params)
    assert list(table.columns) == ["id_cliente", "num_tx_total", TARGET]
    rows: list[dict[str, Any]] = engine.backend.to_pyarrow(table).to_pylist()
    assert sorted(row["id_cliente"] for row in rows) == kept


@pytest.mark.parametrize(
    ("category", "slug"), [("TECNOLOGÍA", "tecnologia"), ("DRUG GM", "drug_gm")]
)
def test_features_supervised_has_exactly_the_columns_of_the_requirement(
    category: str, slug: str
) -> None:
    expected = (
        "id_cliente num_tx_total total_gasto recencia_dias log_num_tx_total log_total_gasto "
        "num_tx_3m gasto_3m puntos_ganados_3m puntos_redimidos_3m "
        "num_tx_6m gasto_6m puntos_ganados_6m puntos_redimidos_6m "
        f"gasto_{slug}_12m pct_{slug}_12m compra_{slug} avg_gasto_{slug}_3m avg_gasto_{slug}_6m "
        f"edad estrato_social saldo_puntos target_compra_{slug}"
    ).split()
    everything = pd.DataFrame([range(25)], columns=[*reversed(expected), "sin_historial", "x"])
    found = nodes.select_required_columns(everything, FeatureParams(category=category))
    assert list(found.columns) == expected
    assert list(everything.columns)[-1] == "x"


def test_shares_of_both_cutoffs_and_who_was_left_out() -> None:
    model_input = frame(["sin_compra", "baja", "media", "alta", "sin_compra"])
    dated = frame(["sin_compra", "sin_compra", "baja"]).assign(modo="calendar", corte="2024-02-29")
    older = frame(["alta"]).assign(modo="calendar", corte="2024-01-31")
    rows = pd.concat([dated, older, frame(["media"]).assign(modo="required", corte="2024-05-01")])
    shares = nodes.compare_class_shares(model_input, rows, frame(["x"] * 7), TECH, RULE)
    (warning,) = shares.pop("warnings")
    assert "«sin_compra» tiene 40,0 %" in warning
    assert "features.cutoff_mode: calendar" in warning
    assert shares == {
        "category": "TECNOLOGÍA",
        "customers": 7,
        "trained_on": 5,
        "left_out": 2,
        "classes": {
            "last_transaction": {
                "counts": {"sin_compra": 2, "baja": 1, "media": 1, "alta": 1},
                "shares": {"sin_compra": 0.4, "baja": 0.2, "media": 0.2, "alta": 0.2},
            },
            "calendar": {
                "counts": {"sin_compra": 2, "baja": 1, "media": 0, "alta": 0},
                "shares": {"sin_compra": 0.666667, "baja": 0.333333, "media": 0.0, "alta": 0.0},
            },
        },
    }


def test_a_class_of_a_handful_is_named_with_the_setting_that_mends_it() -> None:
    model_input = frame(["sin_compra"] * 8 + ["baja"] * 60 + ["media"] * 60 + ["alta"] * 60)
    rows = frame(["sin_compra"] * 40 + ["baja"] * 60 + ["media"] * 60 + ["alta"] * 60)
    dated = rows.assign(modo="calendar", corte="2024-02-29")
    (warning,) = nodes.compare_class_shares(model_input, dated, rows, TECH, RULE)["warnings"]
    assert "«sin_compra» tiene solo 8 clientes" in warning
    assert "cutoff_mode: calendar" in warning


@pytest.mark.parametrize(
    ("classes", "empty"),
    [
        (["sin_compra"] * 9, "baja, media, alta"),  # no purchase of the category at all
        (["baja"], "sin_compra, media, alta"),  # one customer only
        (["sin_compra", "baja", "alta"], "media"),
        ([], "sin_compra, baja, media, alta"),
    ],
)
def test_an_empty_class_is_an_error_that_says_what_to_do(classes: list[str], empty: str) -> None:
    message = (
        rf"No customer is of class {empty} for the category 'TECNOLOGÍA': found .* among "
        rf"{len(classes)} customers with 0\+ transactions.*features\.category.*"
        r"cutoff_mode: calendar.*target\.classes"
    )
    model_input = frame(classes).assign(modo="calendar", corte="2024-02-29")
    with pytest.raises(TrainingDataError, match=message):
        nodes.compare_class_shares(model_input, model_input, model_input, TECH, RULE)


def changed(engine: Engine, features: ir.Table, scrambled: ir.Table) -> dict[str, int]:
    table = nodes.count_changed_features(features, scrambled)["changed"]
    return dict(engine.backend.to_pyarrow(table).to_pylist()[0])


def test_changed_values_are_counted_by_feature(engine: Engine) -> None:
    features = ibis.memtable({"id_cliente": ["a", "b", "c"], "x": [1.0, 2.0, 3.0], "y": [0.0] * 3})
    scrambled = features.mutate(x=(features["id_cliente"] == "a").ifelse(1.0, 9.0))
    assert changed(engine, features, features) == {"rows": 3, "lost": 0, "x": 0, "y": 0}
    assert changed(engine, features, scrambled) == {"rows": 3, "lost": 0, "x": 2, "y": 0}


def test_a_customer_whom_only_one_side_has_changes_every_feature_once(engine: Engine) -> None:
    features = ibis.memtable({"id_cliente": ["a", "b", "c"], "x": [1.0, 2.0, 3.0]})
    fewer = features.filter(features["id_cliente"] != "b")
    assert changed(engine, features, fewer) == {"rows": 3, "lost": 1, "x": 1}
    assert changed(engine, fewer, features) == {"rows": 3, "lost": 1, "x": 1}


def counts(**features: int) -> dict[str, pd.DataFrame]:
    return {"changed": pd.DataFrame([{"rows": 4, "lost": 0, **features}])}


def test_the_report_orders_features_by_how_well_they_predict() -> None:
    model_input = frame(CLASSES, x=[1.0, 1.0, 2.0, 2.0], y=[0.0] * 4)
    report = nodes.build_ordinal_leakage_report(
        counts(x=0, y=0), model_input, TECH, RULE, LeakageRules()
    )
    assert list(report["concordance"].items()) == [("x", 0.833333), ("y", 0.5)]
    assert report["refused"] == []
    assert report["rows"] == 4


def test_the_target_in_disguise_is_refused_until_a_person_allows_it() -> None:
    model_input = frame(CLASSES, puntaje=[90.0, 40.0, 30.0, 1.0])
    report = nodes.build_ordinal_leakage_report(
        counts(puntaje=0), model_input, TECH, RULE, LeakageRules()
    )
    with pytest.raises(LeakageError, match=r"puntaje \(alone orders the target"):
        require_no_leak(report)
    allowed = LeakageRules(allowed={"puntaje": "agreed with the owner of the data"})
    require_no_leak(
        nodes.build_ordinal_leakage_report(counts(puntaje=0), model_input, TECH, RULE, allowed)
    )
