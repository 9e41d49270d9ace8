import json

import pandas as pd
import pytest
from tests.pipelines.monitoring.decision_cases import CALM, CRITICAL, drift_rows

from clientela.pipelines.monitoring.alerts import build_alert, format_alert_sentence
from clientela.reporting.drift_findings import DriftThresholds, assign_severity
from clientela.reporting.model_health import StateRules, evaluate_model_state
from clientela.reporting.monitoring_log import PeriodRun

RUN = PeriodRun(period="2024-05", mode="month", baseline="b1", n=3229)
STATE = evaluate_model_state(CRITICAL, "b1", [], StateRules())
JUDGED = assign_severity(
    drift_rows(
        {"feature": "plazo_meses", "psi": 0.3, "q": 1e-9},
        {"feature": "edad_cliente"},
        {"feature": "promedio_ingresos_datacredito", "psi": 1 / 3, "q": 1e-9},
    ),
    DriftThresholds(),
)


def test_the_sentence_names_the_worst_column_first_and_gives_the_advice_of_the_state():
    assert build_alert("credit_payment", RUN, JUDGED, STATE).text == (
        "ALERTA: Drift crítico detectado en promedio_ingresos_datacredito, plazo_meses. "
        "Recomendación: observar el próximo período."
    )


def test_one_column_makes_the_sentence_of_the_requirement():
    assert format_alert_sentence(["promedio_ingresos_datacredito"], "retrain").es == (
        "ALERTA: Drift crítico detectado en promedio_ingresos_datacredito. Recomendación: revisar "
        "calidad de datos, umbrales y considerar reentrenamiento."
    )


def test_the_payload_is_json_that_holds_columns_and_figures_only():
    sent = build_alert("credit_payment", RUN, JUDGED, STATE)
    content = json.loads(sent.payload())
    assert content["columns"][0] == {
        "feature": "promedio_ingresos_datacredito",
        "psi": 0.333333,
        "reason": "distribution_shifted",
        "sentence": "La distribución cambió: PSI 0,333; por azar llegaría a 0,010.",
    }
    assert content["recommendation"] == "watch"
    assert content["advice"] == "Observar el próximo período."
    assert "ALERTA: Drift crítico".encode() in sent.payload()


def test_a_rerun_sends_the_same_bytes_and_another_period_another_id():
    first, again = (build_alert("credit_payment", RUN, JUDGED, STATE) for _ in range(2))
    june = build_alert(
        "credit_payment", RUN.model_copy(update={"period": "2024-06"}), JUDGED, STATE
    )
    assert first.payload() == again.payload()
    assert june.id != first.id


def test_nothing_critical_alerts_nobody():
    calm = evaluate_model_state(CALM, "b1", [], StateRules())
    quiet = assign_severity(drift_rows({}), DriftThresholds())
    assert build_alert("credit_payment", RUN, quiet, calm) is None


def test_a_column_that_no_model_depends_on_is_told_too():
    calm = evaluate_model_state(CALM, "b1", [], StateRules())
    assert build_alert("credit_payment", RUN, JUDGED, calm).columns[0].psi == pytest.approx(
        0.333333
    )


def test_performance_that_fell_is_told_without_any_red_column():
    fell = evaluate_model_state(
        CALM.model_copy(update={"realised": "fell"}), "b1", [], StateRules()
    )
    quiet = assign_severity(drift_rows({}), DriftThresholds())
    sent = build_alert("credit_payment", RUN, quiet, fell)
    assert sent.text == "ALERTA: El desempeño medido con etiquetas maduras bajó."
    assert sent.recommendation == "retrain"
    assert sent.text_en.startswith("ALERT: Performance measured on mature labels fell.")
    assert sent.columns == ()


def test_a_column_whose_psi_is_unknown_is_told_without_it():
    judged = pd.DataFrame(JUDGED).assign(psi=float("nan"))
    assert build_alert("credit_payment", RUN, judged, STATE).columns[0].psi is None
