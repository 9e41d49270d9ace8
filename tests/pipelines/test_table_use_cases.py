"""Use cases on one table, as a person runs them: from a raw file to the model input."""

import json

import pandas as pd
import pytest
import yaml

from clientela.exceptions import ConfigurationError, TooManyBadRowsError, TrainingDataError
from clientela.pipelines.data_generation.churn import ChurnSimulation, simulate_visitors
from clientela.pipelines.data_generation.credit import (
    CreditDirtShares,
    CreditSimulation,
    simulate_loans,
)

STAGES = "ingestion,feature_engineering"
LOANS = "credit_payment/Base_de_datos.csv"


def csv_of(rows):
    return ",".join(rows.columns) + "\n" + b"".join(map(bytes, rows.csv_blocks())).decode()


@pytest.fixture(scope="session")
def loans():
    """The lines of a small lender's file, header first."""
    return csv_of(simulate_loans(CreditSimulation(rows=300))).splitlines()


@pytest.fixture
def run_credit(run_kedro, data_root):
    """Runs credit_payment on lines of a raw file, and gives the catalog."""

    def run(lines, stages=STAGES, **options):
        path = data_root / "01_raw" / LOANS
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return run_kedro(*stages.split(","), namespaces=["credit_payment"], **options)

    return run


def with_column(lines, column, change):
    """The lines with one column changed: `change(place, value)`."""
    header, *rows = lines
    place = header.split(",").index(column)
    changed = [row.split(",") for row in rows]
    for line, cells in enumerate(changed):
        cells[place] = change(line, cells[place])
    return [header, *(",".join(cells) for cells in changed)]


def test_loans_become_a_model_input_whatever_the_order_of_rows(run_credit, loans, data_root):
    catalog = run_credit(loans)
    model_input = catalog.load("credit_payment.model_input")
    report = catalog.load("credit_payment.row_report")
    account = catalog.load("credit_payment.row_accounting")["loans"]
    assert account["accepted"] == report["rows"] == 300
    assert (report["read"], report["refused"]) == (account["read"], account["reasons"])
    assert len(model_input) == report["status"]["usable"]
    assert model_input["id_fila"].is_monotonic_increasing
    assert "puntaje" not in model_input
    assert set(model_input["Pago_atiempo"]) == {"no_paga", "paga_a_tiempo"}
    assert len(catalog.load("credit_payment.scoring_features")) == 300
    path = data_root / "05_model_input/credit_payment/model_input.parquet"
    first = path.read_bytes()
    run_credit([loans[0], *reversed(loans[1:])])
    assert path.read_bytes() == first


@pytest.mark.slow
def test_an_exploration_names_what_is_suspicious_and_shows_no_key(finished):
    folder = finished / "data/08_reporting/credit_payment/eda"
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    assert {"loans", "model_input"} == set(found["tables"])
    suspects = [r["column"] for r in found["recommendations"] if r["kind"] == "suspicious"]
    assert suspects == ["puntaje"]
    assert "heavy_tailed" in {r["kind"] for r in found["recommendations"]}
    page = (folder / "report.html").read_text("utf-8")
    model_input = finished / "data/05_model_input/credit_payment/model_input.parquet"
    assert not any(key in page for key in pd.read_parquet(model_input)["id_fila"])


def test_dirt_is_quarantined_or_set_missing_and_counted_by_rule(run_credit):
    dirty = CreditSimulation(rows=2000, dirt=CreditDirtShares())
    catalog = run_credit(csv_of(simulate_loans(dirty)).splitlines())
    account = catalog.load("credit_payment.row_accounting")["loans"]
    counts = dirty.count_dirty_rows()
    assert account["reasons"] == {
        "duplicate_row": counts["exact_duplicate"],
        "extra_columns": counts["extra_columns"],
        "invalid_capital_prestado": counts["negative_capital"],
        "invalid_cuota_pactada": counts["negative_instalment"],
        "invalid_fecha_prestamo": counts["impossible_date"],
        "missing_columns": counts["missing_columns"],
        "missing_fecha_prestamo": counts["missing_date"],
    }
    assert account["set_missing"]["salario_cliente"] == counts["unparseable_salary"]
    cells = catalog.load("credit_payment.case_counts")["cells"]
    unknown = cells.query("column == 'tipo_laboral' and finding == 'not_allowed'")["rows"]
    assert unknown.tolist() == [counts["unknown_employment"]]
    status = catalog.load("credit_payment.row_report")["status"]
    assert status["unlabelled"] == counts["missing_target"]


@pytest.mark.slow
def test_visitors_become_a_model_input_without_names(finished):
    model_input = pd.read_parquet(
        finished / "data/05_model_input/customer_churn/model_input.parquet"
    )
    accepted = pd.read_parquet(finished / "data/03_primary/visitors.parquet")
    assert len(model_input) == len(accepted) == 800
    assert not {"name", "total_minutes", "age_group"} & set(model_input)
    made = model_input.set_index("user_id")["minutos_totales"]
    written = accepted.set_index("user_id")["total_minutes"]
    pd.testing.assert_series_equal(
        made, written.loc[made.index], check_names=False, atol=0.051, check_index=False
    )


def test_a_target_of_one_class_stops_before_a_model_input_is_written(run_credit, loans, data_root):
    with pytest.raises(TrainingDataError, match=r"has the class 'paga_a_tiempo', so there is noth"):
        run_credit(with_column(loans, "Pago_atiempo", lambda *_: "1"))
    assert not (data_root / "05_model_input/credit_payment/model_input.parquet").exists()


def test_a_column_of_0_and_1_per_category_is_a_number_that_features_name(
    run_kedro, data_root, project_root
):
    path = data_root / "01_raw/customer_churn/wifi.csv"
    path.parent.mkdir(parents=True)
    visitors = simulate_visitors(ChurnSimulation(rows=300, one_hot=True))
    path.write_text(csv_of(visitors), "utf-8")
    indicators = [
        name for name in visitors.columns if name.startswith(("gender_", "mall_", "device_"))
    ]
    shipped = project_root / "conf/base/parameters/customer_churn.yml"
    churn = yaml.safe_load(shipped.read_text("utf-8"))["customer_churn"]
    churn["ingestion"]["tables"]["visitors"]["columns"] |= {
        name: {"type": "integer", "minimum": 0, "maximum": 1} for name in indicators
    }
    churn["features"]["categorical"], churn["features"]["sensitive"] = [], []
    churn["features"]["numeric"] += indicators

    catalog = run_kedro(
        *STAGES.split(","),
        conf={"base/parameters/customer_churn.yml": {"customer_churn": churn}},
        namespaces=["customer_churn"],
    )

    model_input = catalog.load("customer_churn.model_input")
    malls = [name for name in indicators if name.startswith("mall_")]
    assert set(model_input[malls].sum(axis=1)) == {1}


def test_dates_that_do_not_parse_stop_with_the_format_to_declare(run_credit, loans):
    american = with_column(loans, "fecha_prestamo", lambda *_: "12/31/2024")
    with pytest.raises(TooManyBadRowsError, match=r"300 x invalid_fecha_prestamo.*'12/31/2024'"):
        run_credit(american, "ingestion")


def test_nothing_but_duplicates_stops_with_their_reason(run_credit, loans):
    with pytest.raises(TooManyBadRowsError, match="299 x duplicate_row"):
        run_credit([loans[0], *[loans[1]] * 300], "ingestion")


def test_duplicates_that_are_kept_are_counted(run_credit, loans):
    kept = {"credit_payment": {"ingestion": {"tables": {"loans": {"duplicates": "keep"}}}}}
    catalog = run_credit([*loans, *loans[1:11]], "ingestion", conf={"test/parameters.yml": kept})
    assert catalog.load("credit_payment.row_accounting")["loans"]["repeated"] == 10


def test_a_feature_that_the_table_lacks_is_answered_with_the_nearest(run_credit, loans):
    wrong = {"credit_payment": {"features": {"sensitive": ["edad_client"]}}}
    with pytest.raises(
        ConfigurationError, match=r"table does not have: edad_client\. Did you mean"
    ):
        run_credit(loans, conf={"test/parameters.yml": wrong})
