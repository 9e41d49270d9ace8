"""Monitoring as a person runs it, on what earlier stages left."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.pipelines.monitoring.stored import (
    binary_champion,
    cases,
    ordinal_champion,
    table_schema,
    write_scoring,
    write_segments,
    write_training,
)

from clientela.exceptions import MissingStageInputError

LOANS, VISITORS = ("salario", "plazo"), ("visits", "complaints")
PAID = ("no_paga", "paga_a_tiempo")
NO_SEGMENTS = {"segments": {"columns": [], "features": []}}
QUICK = {"performance": {"draws": 50, "groups": 20}}


def settings(use_case, **more):
    """Parameters of a use case's monitoring, over those of the project."""
    return {"test/parameters.yml": {use_case: {"monitoring": NO_SEGMENTS | QUICK | more}}}


def loans(rows=3000, seed=0):
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows) * 172, "min")
    frame = cases(rows, LOANS, seed, fecha_prestamo=moments.as_unit("us"))
    paid = np.random.default_rng(seed).random(rows) < 1 / (1 + np.exp(-frame["salario"] / 20))
    return frame.rename(columns={"id": "id_fila"}).assign(Pago_atiempo=np.where(paid, *PAID[::-1]))


def visitors(rows=2000, seed=0):
    frame = cases(rows, VISITORS, seed).rename(columns={"id": "user_id"})
    return frame.assign(churn=np.where(frame["complaints"] > 20, "se_va", "se_queda"))


@pytest.fixture
def lender(data_root):
    """Leaves what a lender's earlier stages leave; gives the folder of monitoring."""
    schema = table_schema("id_fila", "Pago_atiempo", LOANS, PAID, time="fecha_prestamo")
    frame = loans()
    champion = binary_champion(frame[::2], schema)
    write_training(data_root, "credit_payment", champion, schema, frame[::2], frame[1::2])

    def leave(frame):
        features = frame.drop(columns="Pago_atiempo")
        write_scoring(data_root, "credit_payment", champion, features)
        return data_root / "08_reporting/credit_payment/drift"

    return leave


@pytest.fixture
def mall(data_root):
    """Leaves what the earlier stages of a mall's WiFi leave."""
    schema = table_schema("user_id", "churn", VISITORS, ("se_queda", "se_va"))
    frame = visitors()
    champion = binary_champion(frame[:1500], schema)
    write_training(data_root, "customer_churn", champion, schema, frame[:1500], frame[1500:])

    def leave(frame):
        write_scoring(data_root, "customer_churn", champion, frame.drop(columns="churn"))

    return leave


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def monitor(run_kedro, use_case, **more):
    return run_kedro("monitoring", tags=[use_case], conf=settings(use_case, **more))


def test_loans_are_watched_by_month_without_any_key_and_a_second_run_changes_no_byte(
    lender, run_kedro, capsys
):
    folder = lender(loans())
    catalog = monitor(run_kedro, "credit_payment")
    state = catalog.load("credit_payment.drift_state")
    assert (state["status"], state["recommendation"]) == ("compared", "nothing")
    assert state["baseline"]["rows"] == 2100
    assert state["performance"]["realised"]["n"] == state["performance"]["estimated"]["n"] > 100
    latest = catalog.load("credit_payment.latest_drift_metrics")
    assert set(latest["feature"]) == {*LOANS, "clase", "probabilidad", "Pago_atiempo"}
    log = catalog.load("credit_payment.monitoring_log")
    assert log["period"].tolist()[-1] == state["current"]["period"]
    assert "Monitoreo de credit_payment" in capsys.readouterr().out
    before = bytes_of(folder)
    written = b"".join(before.values()).decode()
    assert not any(key in written for key in loans()["id_fila"])
    assert '"fecha_prestamo"' not in written
    assert sorted(before) == [
        "baseline_parts.json", "baseline_profile.json", "bin_shares.csv", "drift_by_period.csv",
        "drift_by_segment.csv", "drift_headline.json", "drift_state.json",
        "latest_drift_metrics.csv", "monitoring_log.csv",
    ]  # fmt: skip
    monitor(run_kedro, "credit_payment")
    assert bytes_of(folder) == before


def test_an_alert_is_printed_logged_and_kept_in_the_state(lender, run_kedro, capsys, caplog):
    frame = loans()
    late = frame["fecha_prestamo"] >= "2024-10-01"
    lender(frame.assign(salario=frame["salario"].where(~late, frame["salario"] * 3)))
    with caplog.at_level("WARNING", "clientela.pipelines.monitoring.nodes"):
        state = monitor(run_kedro, "credit_payment").load("credit_payment.drift_state")
    sentence = state["alert"]["sentence"]
    assert sentence.startswith("ALERTA: Drift crítico detectado en salario")
    assert sentence in capsys.readouterr().out
    line = next(text for text in caplog.messages if text.startswith("alert "))
    assert json.loads(line.removeprefix("alert "))["text"] == sentence


def test_without_scores_the_stage_that_makes_them_is_named(run_kedro):
    with pytest.raises(
        MissingStageInputError, match=r"credit_payment\.scores.*kedro run --pipelines="
    ):
        monitor(run_kedro, "credit_payment")


def test_without_a_newer_file_there_is_nothing_to_compare_and_the_command_is_named(
    mall, run_kedro, capsys
):
    mall(visitors())
    state = monitor(run_kedro, "customer_churn").load("customer_churn.drift_state")
    assert state["status"] == "no_current_data"
    assert state["alert"] is None
    assert "--pipelines=ingestion,feature_engineering,scoring,monitoring" in capsys.readouterr().out


def test_a_newer_file_is_compared_with_the_rows_the_champion_was_trained_from(mall, run_kedro):
    mall(visitors())
    monitor(run_kedro, "customer_churn")
    newer = visitors(seed=7)
    mall(newer.assign(visits=newer["visits"] * 2))
    catalog = monitor(run_kedro, "customer_churn")
    latest = catalog.load("customer_churn.latest_drift_metrics").set_index("feature")
    assert latest.loc["visits", ["severity", "n_baseline", "n"]].tolist() == ["ROJO", 1500, 2000]
    assert latest.loc["complaints", "severity"] == "VERDE"
    assert catalog.load("customer_churn.monitoring_log")["period"].tolist() == ["0001"]


def test_customers_of_a_transaction_model_are_compared_on_the_latest_day_of_the_data(
    data_root, run_kedro
):
    classes = ["sin_compra", "baja", "media", "alta"]
    schema = {
        "key": "id_cliente", "target": "target", "required": ["gasto_3m"],
        "extra": ["sin_historial"], "classes": classes, "values": [0.0, 1.0, 2.0, 4.0],
    }  # fmt: skip
    frame = cases(1200, ["gasto_3m"]).rename(columns={"id": "id_cliente"}).assign(sin_historial=0)
    frame["target"] = np.asarray(classes)[np.digitize(frame["gasto_3m"], [10, 20, 40])]
    champion = ordinal_champion(frame[:900], schema | {"required": ["gasto_3m"]})
    write_training(data_root, "purchase_intensity", champion, schema, frame[:900], frame[900:])
    now = cases(1000, ["gasto_3m"], seed=3).rename(columns={"id": "id_cliente"})
    now["sin_historial"] = np.where(np.arange(1000) < 50, 1, 0)
    write_scoring(data_root, "purchase_intensity", champion, now, place=".")
    (data_root / "04_feature/feature_period.json").write_text(
        '{"first": "2023-01-01", "last": "2024-06-30"}', "utf-8"
    )
    catalog = monitor(run_kedro, "purchase_intensity", against="training")
    state = catalog.load("purchase_intensity.drift_state")
    # the fifty without history are no cases of the model
    assert (state["current"]["rows"], state["current"]["period"]) == (950, "2024-06-30")
    assert state["performance"]["measure"] == "qwk"
    assert state["performance"]["realised"]["note"]["code"] == "no_labels"
    latest = catalog.load("purchase_intensity.latest_drift_metrics")
    assert {"clase", "valor_esperado"} < set(latest["feature"])
    assert set(latest["severity"]) <= {"VERDE", "INSUFICIENTE"}


def shoppers(seed=0, share=0.6):
    frame = cases(1500, ["num_tx", "participacion_hogar"], seed).rename(
        columns={"id": "id_cliente"}
    )
    many = np.random.default_rng(seed).random(len(frame)) < share
    return frame.assign(cluster_nombre=np.where(many, "Hogar", "Ropa"))


def test_segments_are_compared_with_those_of_the_first_run_shares_included(data_root, run_kedro):
    write_segments(data_root, shoppers(), "2024-06-30")
    first = monitor(run_kedro, "customer_segments").load("customer_segments.drift_state")
    assert first["status"] == "no_current_data"
    write_segments(data_root, shoppers(seed=2, share=0.2), "2024-07-07")
    catalog = monitor(run_kedro, "customer_segments")
    state = catalog.load("customer_segments.drift_state")
    assert state["current"]["period"] == "2024-07-07"
    assert state["performance"] is None
    latest = catalog.load("customer_segments.latest_drift_metrics")
    assert latest.set_index("feature")["severity"].to_dict() == {
        "cluster_nombre": "ROJO", "num_tx": "VERDE", "participacion_hogar": "VERDE",
    }  # fmt: skip
