import re

import pandas as pd
import pytest

VIEWS = {
    "summary": ["Qué hacer ahora", "Lo que más cambió", "Desempeño del modelo"],
    "variables": ["PSI por variable"],
    "distributions": [],
    "evolution": ["PSI promedio de las variables", "% de variables en rojo", "ROC-AUC por período"],
    "quality": ["Anomalías", "Faltantes: base y período actual"],
    "segments": ["PSI por variable y segmento, 2024-12"],
    "alerts": ["Envíos", "Variables críticas", "Historial"],
}
ALERT = (
    r"ALERTA: Drift crítico detectado en salario.*\. Recomendación: investigar la causa antes de "
    r"decidir\."
)


def values(elements):
    return [element.value for element in elements]


def everything(page):
    kinds = ("title", "subheader", "caption", "markdown", "info", "error", "success", "code")
    return "\n".join(str(value) for kind in kinds for value in values(page.get(kind)))


def charts(page):
    return len(page.get("vega_lite_chart"))


def test_the_overview_shows_each_model_with_its_state_and_what_to_do(shop, dashboard):
    page = dashboard()
    assert not page.exception
    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("En alarma", "1"),
        ("En observación", "0"),
        ("Estables", "1"),
        ("Sin comparación", "3"),
        ("% de variables en rojo", "33,3 %"),
        ("% de variables en rojo", "0,0 %"),
    ]
    assert values(page.subheader)[:5] == [
        "credit_payment",
        "purchase_intensity",
        "customer_churn",
        "customer_segments",
        "credit_preauth",
    ]
    said = everything(page)
    for words in ("en alarma", "**Investigar**", "**Nada que hacer**", "sin datos nuevos"):
        assert words in said
    assert charts(page) == 1


def test_a_model_that_drifted_is_opened_from_the_overview_and_each_view_is_drawn(shop, dashboard):
    page = dashboard()
    page.button(key="open-credit_payment").click().run()
    assert values(page.title) == ["credit_payment"]
    assert re.fullmatch(ALERT, page.error[0].value)
    for view, headings in VIEWS.items():
        page.segmented_control(key="view").set_value(view).run()
        assert not page.exception
        assert values(page.subheader)[: len(headings)] == headings
        assert charts(page) + len(page.dataframe) > 0
    # of all that is known of an alert, its address is not shown
    assert page.dataframe[0].value.to_dict("records") == [
        {"channel": "1 webhook", "delivered": False, "attempts": 3, "detail": "500"}
    ]


def test_each_view_is_drawn_where_nothing_moved(shop, dashboard):
    page = dashboard(model="purchase_intensity")
    for view in VIEWS:
        page.segmented_control(key="view").set_value(view).run()
        assert not page.exception
        assert not page.error


def test_the_language_is_switched_and_the_view_stays(shop, dashboard):
    page = dashboard(model="credit_payment")
    page.segmented_control(key="language").set_value("en").run()
    for view in VIEWS:
        page.segmented_control(key="view").set_value(view).run()
        assert not page.exception
        assert page.error[0].value.startswith("ALERT: Critical drift detected in")
        assert "Aggregated figures only; no customer rows." in values(page.caption)
    page.segmented_control(key="language").set_value("es").run()
    assert page.segmented_control(key="view").value == "alerts"
    assert values(page.subheader)[:1] == VIEWS["alerts"][:1]


def test_variables_stand_worst_first_and_can_be_narrowed_to_a_severity(shop, dashboard):
    page = dashboard(model="credit_payment", view="variables")
    severities = list(dict.fromkeys(page.dataframe[0].value["severity"]))
    assert severities == ["ROJO", "VERDE"]
    page.pills(key="severities").set_value(["ROJO"]).run()
    assert set(page.dataframe[0].value["severity"]) == {"ROJO"}


def test_the_bins_that_moved_are_named_with_their_change(shop, dashboard):
    page = dashboard(model="credit_payment", view="distributions")
    said = next(value for value in values(page.text) if "del PSI viene de" in value)
    assert "▲ +" in said
    table = page.dataframe[0].value
    assert table["baseline_share"].sum() == pytest.approx(1)
    assert table["current_share"].sum() == pytest.approx(1)


def test_missing_values_and_values_out_of_range_are_anomalies(shop, dashboard):
    page = dashboard(model="credit_payment", view="quality")
    odd = page.dataframe[0].value
    assert {"salario", "tipo"} <= set(odd["feature"])
    assert odd["sentence_es"].str.contains("Falta en el 33,4 % de las filas").any()


def test_before_any_run_the_page_says_what_to_run(dashboard):
    page = dashboard("--env=test")
    assert not page.exception
    assert "Todavía no hay nada que mostrar" in page.info[0].value
    assert values(page.code) == ["kedro run --pipelines=monitoring --env=test"]


def test_without_anything_to_compare_the_page_says_what_to_run_for_that_model_alone(
    shop, dashboard
):
    never = dashboard(model="customer_segments")
    monitoring = "kedro run --pipelines=monitoring --tags=customer_segments --env=test"
    assert values(never.code) == [monitoring]
    nothing_new = dashboard(model="customer_churn")
    stages = "ingestion,feature_engineering,scoring,monitoring"
    assert values(nothing_new.code) == [
        f"kedro run --pipelines={stages} --tags=customer_churn --env=test"
    ]


def test_a_part_that_is_absent_leaves_the_others_on_show(shop, dashboard, folder):
    (folder("credit_payment") / "bin_shares.csv").unlink()
    page = dashboard(model="credit_payment", view="distributions")
    assert not page.exception
    assert "Falta `bin_shares`" in page.info[0].value
    page.segmented_control(key="view").set_value("variables").run()
    assert charts(page) == 1


def test_a_truncated_state_is_reported_and_the_other_models_stay(shop, dashboard, folder):
    path = folder("credit_payment") / "drift_state.json"
    path.write_bytes(path.read_bytes()[:200])
    page = dashboard()
    assert not page.exception
    assert "purchase_intensity" in values(page.subheader)
    assert "El estado de este modelo no se puede leer." in values(page.markdown)
    page = dashboard(model="credit_payment")
    assert "No se pudo leer `drift_state`:" in values(page.error)


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe\x00\x81", "text"])
def test_a_damaged_log_of_one_model_is_named_and_the_others_stay(shop, dashboard, folder, damage):
    path = folder("credit_payment") / "monitoring_log.csv"
    if damage == "text":
        log = pd.read_csv(path).astype({"pct_red": "object"})
        log.loc[0, "pct_red"] = "mucho"
        log.to_csv(path, index=False)
    else:
        path.write_bytes(damage)
    page = dashboard()
    assert not page.exception
    assert {"credit_payment", "purchase_intensity"} <= set(values(page.subheader))
    page = dashboard(model="credit_payment", view="evolution")
    assert not page.exception
    assert "No se pudo leer `monitoring_log`:" in values(page.error)


def test_a_file_that_changed_is_seen_when_it_is_read_again(shop, dashboard, folder):
    page = dashboard(model="credit_payment", view="variables")
    (folder("credit_payment") / "latest_drift_metrics.csv").unlink()
    page.run()
    assert charts(page) == 1
    page.button[0].click().run()
    assert charts(page) == 0
    assert "Falta `latest_drift_metrics`" in page.info[0].value


def test_an_environment_that_is_not_there_is_named(dashboard):
    page = dashboard("--env=produccion")
    assert not page.exception
    assert values(page.error) == ["No se pudo abrir el catálogo:"]
    assert "produccion" in page.code[0].value


def test_without_a_bucket_the_page_says_which_variable_to_set(dashboard, monkeypatch):
    monkeypatch.delenv("BUCKET", raising=False)
    page = dashboard("--env=aws")
    assert not page.exception
    assert "BUCKET=<your bucket>" in page.code[0].value


def test_without_the_stage_no_model_is_listed(dashboard, conf_source):
    off = {"enabled": False}
    names = (
        "purchase_intensity",
        "customer_segments",
        "credit_payment",
        "customer_churn",
        "credit_preauth",
    )
    source = conf_source({"test/use_cases.yml": dict.fromkeys(names, off)})
    page = dashboard("--env=test", f"--conf-source={source}")
    assert not page.exception
    assert "Ningún caso de uso tiene la etapa `monitoring`" in page.info[0].value
