"""The stage as a person runs it: through the project's own configuration and catalog."""

import json

import pytest
from kedro.io import DatasetError

HEADER = "id_transaccion,id_cliente,fecha,categoria,valor_transaccion,puntos,tipo_transaccion\n"
SALE = "T1,C1,2024-02-29 10:00:00,TECNOLOGÍA,10.50,3,ACUMULACION\n"
PEOPLE = "id_cliente,fecha_nacimiento,genero,estrato_social,saldo_puntos\nC1,1990-01-31,F,3,100\n"


def account(data_root):
    path = data_root / "02_intermediate" / "retail" / "row_accounting.json"
    return json.loads(path.read_text("utf-8"))


def test_raw_files_become_the_tables_of_the_catalog(run_kedro, write_raw, data_root):
    write_raw(HEADER + SALE, PEOPLE)
    catalog = run_kedro("ingestion", namespaces=["retail"])
    assert catalog.load("transactions").count().to_pyarrow().as_py() == 1
    assert (data_root / "03_primary" / "customers.parquet").is_file()
    assert account(data_root)["transactions"]["unknown_references"] == {"id_cliente": 0}


def test_own_files_are_named_in_globals(run_kedro, data_root):
    folder = data_root / "01_raw" / "ventas"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(HEADER + SALE.replace("T1", name), encoding="utf-8")
    files = {"raw_files": {"transactions": "ventas/*.csv"}}
    run_kedro("ingestion", namespaces=["retail"], conf={"test/globals.yml": files})
    assert account(data_root)["transactions"]["accepted"] == 2


def test_without_raw_files_the_message_names_place_and_command(run_kedro, data_root):
    with pytest.raises(DatasetError) as caught:
        run_kedro("ingestion", namespaces=["retail"])
    message = str(caught.value)
    assert "retail.raw_transactions@text" in message
    assert "No raw file at " in message
    assert "kedro run --pipelines=data_generation" in message
    assert "enabled: false in conf/local/use_cases.yml" in message


def test_a_parameter_of_the_command_line_wins(run_kedro, write_raw, data_root):
    write_raw(HEADER + SALE + "T2,C1,ayer,HOGAR,1,1,A\n")
    rules = {"retail": {"ingestion": {"max_bad_share": 0.5}}}
    run_kedro("ingestion", namespaces=["retail"], params=rules)
    assert account(data_root)["transactions"]["quarantined"] == 1


def test_an_unknown_rule_stops_before_anything_is_read(run_kedro, write_raw, data_root):
    write_raw(HEADER + SALE)
    wrong = {"retail": {"ingestion": {"max_bad_shar": 0.5}}}
    with pytest.raises(Exception, match=r"max_bad_shar[\s\S]*Extra inputs are not permitted"):
        run_kedro("ingestion", conf={"test/parameters.yml": wrong})
    assert not (data_root / "02_intermediate").exists()
