"""What a backend reads: the requirement's columns, types, partitions and record."""

import json
import sqlite3
from contextlib import closing

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest

OUTPUT = "07_model_output"
HEADER = (
    "dni,cluster_id,cluster_nombre,rubro_top,score_supermercado,score_farmacia,score_restaurante,"
    "fecha_modelo"
)
RECORD = {
    "dni": "70457247",
    "cluster_id": 1,
    "cluster_nombre": "Farmacia",
    "rubro_top": "xyz",
    "score_supermercado": 0.22,
    "score_farmacia": 0.85,
    "score_restaurante": 0.45,
    "fecha_modelo": "2024-08-07",
}
TEXT = {"dni": "str"}


@pytest.fixture
def exported(data):
    return pd.read_csv(data / OUTPUT / "clientes_segmentados.csv", dtype=TEXT)


def test_every_customer_stands_in_the_csv_once_with_the_required_columns(data, exported):
    lines = (data / OUTPUT / "clientes_segmentados.csv").read_text("utf-8").splitlines()
    assert lines[0] == HEADER
    assert lines[1].startswith("00000,0,Supermercado,Supermercado,")
    assert exported["dni"].tolist() == [*(f"{n:05d}" for n in range(75)), "09999"]
    assert {name: str(kind) for name, kind in exported.dtypes.items()} == {
        "dni": "str",
        "cluster_id": "int64",
        "cluster_nombre": "str",
        "rubro_top": "str",
        **dict.fromkeys(HEADER.split(",")[4:7], "float64"),
        "fecha_modelo": "str",
    }
    scores = exported.filter(like="score_")
    assert scores.ge(0).all(axis=None)
    assert scores.le(1).all(axis=None)
    assert set(exported["fecha_modelo"]) == {"2024-08-07"}


def test_each_segment_is_who_it_says(exported):
    sizes = exported.groupby(["cluster_id", "cluster_nombre"]).size()
    assert sizes.to_dict() == {
        (-1, "Sin actividad"): 4,
        (0, "Supermercado"): 30,
        (1, "Farmacia"): 24,
        (2, "Restaurante"): 18,
    }
    active = exported[exported["cluster_id"] >= 0]
    assert (active["rubro_top"] == active["cluster_nombre"]).mean() > 0.9
    # one customer never bought
    assert exported.iloc[-1].drop(["dni", "fecha_modelo"]).fillna("").tolist() == [
        -1, "Sin actividad", "", 0.0, 0.0, 0.0,
    ]  # fmt: skip


def test_the_parquet_is_partitioned_by_the_date_of_the_model(data, exported):
    folder = data / OUTPUT / "clientes_segmentados.parquet"
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert files == ["fecha_modelo=2024-08-07/clientes.parquet"]
    read = pd.read_parquet(folder)
    assert list(read.columns) == HEADER.split(",")
    pd.testing.assert_frame_equal(read.astype({"fecha_modelo": "str"}), exported)
    # any engine finds date and types in the partitions
    hive = pa.dataset.partitioning(pa.schema([("fecha_modelo", pa.date32())]), flavor="hive")
    schema = pa.dataset.dataset(folder, partitioning=hive).schema
    assert {field.name: str(field.type).removeprefix("large_") for field in schema} == {
        "dni": "string",
        "cluster_id": "int64",
        "cluster_nombre": "string",
        "rubro_top": "string",
        **dict.fromkeys(HEADER.split(",")[4:7], "double"),
        "fecha_modelo": "date32[day]",
    }


def test_each_json_line_has_the_keys_and_types_of_the_required_record(data, exported):
    lines = (data / OUTPUT / "clientes_segmentados.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert {tuple(record) for record in records} == {tuple(RECORD)}
    active = [record for record in records if record["rubro_top"] is not None]
    assert {tuple(map(type, record.values())) for record in active} == {
        tuple(map(type, RECORD.values()))
    }
    pd.testing.assert_frame_equal(pd.DataFrame(records), exported)


@pytest.mark.parametrize("table", ["clientes_segmentados", "clientes_segmentados_historia"])
def test_the_embedded_database_holds_the_same_customers(data, exported, table):
    with closing(sqlite3.connect(data / OUTPUT / "clientes_segmentados.sqlite")) as con:
        read = pd.read_sql_query(f"SELECT * FROM {table} ORDER BY dni", con)  # noqa: S608
    pd.testing.assert_frame_equal(read, exported)
