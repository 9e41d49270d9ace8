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


def read(path):
    return json.loads(path.read_text("utf-8"))


def with_column(lines, column, change):
    """The lines with one column changed: `change(place, value)`."""
    header, *rows = lines
    place = header.split(",").index(column)
    changed = [row.split(",") for row in rows]
    for line, cells in enumerate(changed):
        cells[place] = change(line, cells[place])
    return [header, *(",".join(cells) for cells in changed)]


@pytest.mark.slow
def test_loans_become_a_model_input_and_every_row_is_accounted_for(run_credit, loans, data_root):
    catalog = run_credit(loans, stages=f"{STAGES},eda")
    model_input = catalog.load("credit_payment.model_input")
    report = catalog.load("credit_payment.row_report")
    account = catalog.load("credit_payment.row_accounting")["loans"]
    assert account["accepted"] == report["rows"] == 300
    assert len(model_input) == report["status"]["usable"]
    assert model_input["id_fila"].is_monotonic_increasing
    assert "puntaje" not in model_input
    assert set(model_input["Pago_atiempo"]) == {"no_paga", "paga_a_tiempo"}
    assert len(catalog.load("credit_payment.scoring_features")) == 300
    folder = data_root / "08_reporting/credit_payment/eda"
    found = read(folder / "findings.json")
    assert {"loans", "model_input"} == set(found["tables"])
    suspects = [r["column"] for r in found["recommendations"] if r["kind"] == "suspicious"]
    assert suspects == ["puntaje"]
    assert "heavy_tailed" in {r["kind"] for r in found["recommendations"]}
    page = (folder / "report.html").read_text("utf-8")
    assert not any(key in page for key in model_input["id_fila"])


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


def test_the_order_of_the_rows_changes_no_byte_of_the_model_input(run_credit, loans, data_root):
    path = data_root / "05_model_input/credit_payment/model_input.parquet"
    run_credit(loans)
    first = path.read_bytes()
    run_credit([loans[0], *reversed(loans[1:])])
    assert path.read_bytes() == first


@pytest.mark.slow
def test_visitors_become_a_model_input_without_names(run_kedro, data_root):
    path = data_root / "01_raw/customer_churn/wifi.csv"
    path.parent.mkdir(parents=True)
    path.write_text(csv_of(simulate_visitors(ChurnSimulation(rows=300))), "utf-8")
    catalog = run_kedro(*STAGES.split(","), "eda", namespaces=["customer_churn"])
    model_input = catalog.load("customer_churn.model_input")
    accepted = catalog.load("customer_churn.accepted_visitors").execute()
    assert len(model_input) == 300
    assert not {"name", "total_minutes", "age_group"} & set(model_input)
    made = model_input.set_index("user_id")["minutos_totales"]
    written = accepted.set_index("user_id")["total_minutes"]
    pd.testing.assert_series_equal(
        made, written.loc[made.index], check_names=False, atol=0.051, check_index=False
    )
    page = (data_root / "08_reporting/customer_churn/eda/report.html").read_text("utf-8")
    assert not any(name in page for name in accepted["name"])


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


def test_nothing_is_learned_from_a_file_without_the_target_which_is_named(run_credit, loans):
    short = [line.rsplit(",", 1)[0] for line in loans]
    with pytest.raises(TrainingDataError, match="'Pago_atiempo' is empty or absent in every row"):
        run_credit(short)


def test_a_column_without_values_is_kept_and_named(run_credit, loans):
    catalog = run_credit(with_column(loans, "saldo_mora", lambda *_: ""))
    (sentence,) = catalog.load("credit_payment.column_findings")
    assert sentence.startswith("saldo_mora has no believable value in any of 300 rows")


def test_dates_that_do_not_parse_stop_with_the_format_to_declare(run_credit, loans):
    american = with_column(loans, "fecha_prestamo", lambda *_: "12/31/2024")
    with pytest.raises(TooManyBadRowsError, match=r"300 x invalid_fecha_prestamo.*'12/31/2024'"):
        run_credit(american)


def test_nothing_but_duplicates_stops_with_their_reason(run_credit, loans):
    with pytest.raises(TooManyBadRowsError, match="299 x duplicate_row"):
        run_credit([loans[0], *[loans[1]] * 300])


def test_duplicates_that_are_kept_are_counted(run_credit, loans):
    kept = {"credit_payment": {"ingestion": {"tables": {"loans": {"duplicates": "keep"}}}}}
    catalog = run_credit([*loans, *loans[1:11]], conf={"test/parameters.yml": kept})
    assert catalog.load("credit_payment.row_accounting")["loans"]["repeated"] == 10


def test_a_feature_that_the_table_lacks_is_answered_with_the_nearest(run_credit, loans):
    wrong = {"credit_payment": {"features": {"sensitive": ["edad_client"]}}}
    with pytest.raises(
        ConfigurationError, match=r"table does not have: edad_client\. Did you mean"
    ):
        run_credit(loans, conf={"test/parameters.yml": wrong})


VISITS = """\
use_case:
  ingestion:
    tables:
      visits:
        key: [id]
        columns:
          id: {type: id, missing: quarantine}
          minutos: {type: float, minimum: 0}
          vuelve: {type: text, allowed: ["si", "no"]}
  features:
    key: id
    target:
      column: vuelve
      negative: {label: "no", name: no_vuelve}
      positive: {label: "si", name: vuelve}
    numeric: [minutos]
  eda: {keys: [id]}
"""


def test_a_use_case_of_ones_own_is_an_entry_and_parameters(run_kedro, data_root):
    path = data_root / "01_raw/regresos/visits.csv"
    path.parent.mkdir(parents=True)
    lines = [f"{place},{place % 7}.5,{'si' if place % 3 else 'no'}" for place in range(60)]
    path.write_text("\n".join(["id,minutos,vuelve", *lines]), "utf-8")
    entry = {
        "kind": "table",
        "task": "binary",
        "stages": ["ingestion", "eda", "feature_engineering"],
        "tables": {"visits": {}},
    }
    catalog = run_kedro(
        tags=["regresos"],
        conf={
            "test/use_cases.yml": {"regresos": entry},
            "test/parameters.yml": {"regresos": yaml.safe_load(VISITS)["use_case"]},
        },
    )
    assert catalog.load("regresos.row_report")["classes"] == {"no_vuelve": 20, "vuelve": 40}
    assert (data_root / "08_reporting/regresos/eda/report.html").is_file()
    assert (data_root / "03_primary/regresos/visits.parquet").is_file()
