import gzip
import random
from datetime import date, datetime
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from clientela.datasets.raw_table import LINEAGE, RawTableDataset


def frame(path, **fields):
    table = RawTableDataset(filepath=str(path), **fields).load()
    return table.order_by("_file", "_line").to_pandas()


def test_text_files_become_text_columns_with_their_lineage(tmp_path):
    (tmp_path / "tx.csv").write_text("id,valor\n1,10.50\n2,\n", encoding="utf-8")
    expected = pd.DataFrame(
        {
            "id": ["1", "2"],
            "valor": ["10.50", ""],
            "_file": ["tx.csv", "tx.csv"],
            "_line": [2, 3],
            "_raw": ["1,10.50", "2,"],
            "_problem": pd.Series([None, None], dtype="str"),
        }
    )
    pd.testing.assert_frame_equal(frame(tmp_path / "tx.csv"), expected)


def test_several_files_are_one_table_by_column_name(tmp_path):
    (tmp_path / "2023.csv").write_text("id,valor\n1,10\n", encoding="utf-8")
    (tmp_path / "2024.csv.gz").write_bytes(gzip.compress(b"valor,canal,id\n20,web,2\n"))
    found = frame(tmp_path / "*.csv*")
    assert found[["id", "valor", "canal", "_file"]].fillna("-").to_numpy().tolist() == [
        ["1", "10", "-", "2023.csv"],
        ["2", "20", "web", "2024.csv.gz"],
    ]


def test_each_file_has_its_own_encoding(tmp_path):
    (tmp_path / "a.csv").write_bytes("id,rubro\n1,TECNOLOGÍA\n".encode("latin-1"))
    (tmp_path / "b.csv").write_bytes("id,rubro\n2,TECNOLOGÍA\n".encode())
    assert frame(tmp_path / "*.csv")["rubro"].tolist() == ["TECNOLOGÍA"] * 2


def test_a_large_file_is_read_whole(tmp_path):
    lines = [f"{i},{random.Random(i).random()},TECNOLOGÍA" for i in range(60_000)]  # noqa: S311
    (tmp_path / "tx.csv").write_text("id,valor,rubro\n" + "\n".join(lines), encoding="utf-8")
    found = frame(tmp_path / "tx.csv")
    assert found["_raw"].tolist() == lines
    assert found["_line"].tolist() == list(range(2, 60_002))


def test_typed_parquet_becomes_the_same_text_as_a_csv(tmp_path):
    typed = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "fecha": pa.array([datetime(2024, 2, 29, 10, 5), None], pa.timestamp("us")),  # noqa: DTZ001
            "nacimiento": pa.array([date(1990, 1, 31), None], pa.date32()),
            "valor": pa.array([Decimal("10.50"), Decimal("-3.00")], pa.decimal128(18, 2)),
            "rubro": ["TECNOLOGÍA", None],
        }
    )
    pq.write_table(typed, tmp_path / "tx.parquet")
    found = frame(tmp_path / "tx.parquet").fillna("-")
    first = ["1", "2024-02-29 10:05:00", "1990-01-31", "10.50", "TECNOLOGÍA"]
    assert found.drop(columns="_problem").to_numpy().tolist() == [
        [*first, "tx.parquet", 1, ",".join(first)],
        ["2", "-", "-", "-3.00", "-", "tx.parquet", 2, "2,,,-3.00,"],
    ]


def test_several_parquet_files_are_one_table_by_column_name(tmp_path):
    pq.write_table(pa.table({"id": ["1"], "valor": ["10"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"canal": ["web"], "id": ["2"]}), tmp_path / "b.parquet")
    found = frame(tmp_path / "*.parquet").fillna("-")
    assert found[["id", "valor", "canal", "_file", "_line"]].to_numpy().tolist() == [
        ["1", "10", "-", "a.parquet", 1],
        ["2", "-", "web", "b.parquet", 1],
    ]


@pytest.mark.parametrize("name", ["filename", "file_row_number"])
def test_a_parquet_column_may_bear_a_name_that_the_engine_uses(tmp_path, name):
    pq.write_table(pa.table({"id": ["1"], name: ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(DatasetError, match=rf"{name}"):
        frame(tmp_path / "a.parquet")


def test_a_damaged_parquet_file_is_named(tmp_path):
    (tmp_path / "tx.parquet").write_bytes(b"id,valor\n1,2\n" * 20)
    with pytest.raises(
        DatasetError, match=r"(?s)tx.parquet can't be read as Parquet.*if it is text"
    ):
        frame(tmp_path / "tx.parquet")


def test_the_line_that_declares_a_delimiter_holds_the_key_of_the_table(tmp_path):
    (tmp_path / "a.csv").write_text("id;valor\n1;2\n", encoding="utf-8")
    dataset = RawTableDataset(filepath=str(tmp_path / "a.csv"), named={"key": "loans"})
    with pytest.raises(DatasetError, match=r'globals\.yml: raw_text: {loans: {delimiter: ";"}}'):
        dataset.load()


def test_parquet_and_text_are_not_mixed(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "b.parquet")
    with pytest.raises(DatasetError, match=r"matches Parquet and text files alike \(b.parquet"):
        frame(tmp_path / "*")


def test_a_missing_file_is_answered_with_what_lies_there_and_the_command(tmp_path):
    (tmp_path / "ventas_2024.csv").write_text("id\n1\n", encoding="utf-8")
    (tmp_path / ".oculto").write_text("x", encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        frame(tmp_path / "muestra.csv")
    message = str(caught.value)
    assert f"No raw file at {tmp_path}/muestra.csv. That folder holds: ventas_2024.csv." in message
    assert "kedro run --pipelines=data_generation" in message
    assert "oculto" not in message


def test_a_missing_folder_is_answered_with_the_command(tmp_path):
    with pytest.raises(DatasetError, match=r"No raw file at .*/nada/\*.csv. Put your file there"):
        frame(tmp_path / "nada" / "*.csv")


def test_a_folder_is_answered_with_a_pattern(tmp_path):
    (tmp_path / "tx.csv").mkdir()
    with pytest.raises(DatasetError, match=r"tx.csv is a folder.*tx.csv/\*.csv"):
        frame(tmp_path / "tx.csv")


def test_an_optional_file_that_is_missing_is_an_empty_table(tmp_path):
    dataset = RawTableDataset(filepath=str(tmp_path / "c.csv"), optional_columns=["id_cliente"])
    table = dataset.load()
    assert dataset.exists()
    columns = {"id_cliente": "string", "_file": "string", "_raw": "string", "_problem": "string"}
    assert table.schema() == ibis.schema(
        {name: columns.get(name, "int64") for name in ("id_cliente", *LINEAGE)}
    )
    assert table.count().to_pyarrow().as_py() == 0


def test_an_optional_file_that_exists_is_read(tmp_path):
    (tmp_path / "c.csv").write_text("id_cliente,edad\n7,40\n", encoding="utf-8")
    found = frame(tmp_path / "c.csv", optional_columns=["id_cliente"])
    assert found["edad"].tolist() == ["40"]


def test_a_required_file_exists_or_not(tmp_path):
    dataset = RawTableDataset(filepath=str(tmp_path / "c.csv"))
    assert not dataset.exists()
    (tmp_path / "c.csv").write_text("id\n", encoding="utf-8")
    assert dataset.exists()


def test_raw_files_are_never_written(tmp_path):
    with pytest.raises(DatasetError, match="never written through this dataset"):
        RawTableDataset(filepath=str(tmp_path / "c.csv")).save("x")


def test_the_temporary_copy_belongs_to_the_process_not_to_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.csv").write_text("id\n1\n", encoding="utf-8")
    frame(tmp_path / "c.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["c.csv"]
