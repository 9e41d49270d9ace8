import gzip
import random
from datetime import date, datetime
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
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


def test_columns_are_renamed_in_files_of_every_kind(tmp_path):
    (tmp_path / "tx.csv").write_text("DNI;IMPORTE\n7;10,5\n", encoding="utf-8")
    pq.write_table(pa.table({"DNI": ["7"], "IMPORTE": ["10,5"]}), tmp_path / "tx.parquet")
    rename = {"DNI": "id_cliente", "IMPORTE": "valor"}
    for name in ("tx.csv", "tx.parquet"):
        found = frame(tmp_path / name, text={"delimiter": ";", "rename": rename})
        assert found[["id_cliente", "valor"]].to_numpy().tolist() == [["7", "10,5"]]
        assert found["_raw"].tolist() == ["7;10,5"]


@pytest.mark.parametrize("rename", [{"DMI": "id_cliente"}, {"DNI": "valor"}])
def test_a_column_that_can_not_be_renamed_is_named(tmp_path, rename):
    (tmp_path / "tx.csv").write_text("DNI,valor\n7,10\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=next(iter(rename))):
        frame(tmp_path / "tx.csv", text={"rename": rename})


def test_rows_above_the_header_are_skipped_and_lines_keep_their_number(tmp_path):
    (tmp_path / "tx.csv").write_text("Banco;\nReporte;\nid;valor\n7;10\n", encoding="utf-8")
    found = frame(tmp_path / "tx.csv", text={"delimiter": ";", "skip_rows": 2})
    assert found[["id", "valor", "_line"]].to_numpy().tolist() == [["7", "10", 4]]


def write_workbook(path, rows):
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        book.add_worksheet("Notas")
        sheet = book.add_worksheet("Ventas")
        for place, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(place, column, cell, day)
                elif cell is not None:
                    sheet.write(place, column, cell)


SALES = [
    ["Banco del Sur"],
    ["Reporte de ventas"],
    [],
    ["dni", "fecha", "valor", "rubro"],
    ["00123", date(2024, 1, 31), 63.75, "TECNOLOGÍA"],
    ["00456", datetime.fromisoformat("2024-01-31 10:30"), 20, "HOGAR"],
    [],
    ["Total", None, 83.75],
]


def test_a_workbook_becomes_text_and_its_cells_keep_their_type(tmp_path):
    write_workbook(tmp_path / "ventas.xlsx", SALES)
    found = frame(tmp_path / "ventas.xlsx", text={"sheet": "Ventas", "skip_rows": 3})
    assert found[["dni", "fecha", "valor", "rubro"]].fillna("-").to_numpy().tolist() == [
        ["00123", "2024-01-31", "63.75", "TECNOLOGÍA"],
        ["00456", "2024-01-31 10:30:00", "20", "HOGAR"],
        ["-", "-", "-", "-"],
        ["Total", "-", "83.75", "-"],
    ]
    assert found["_line"].tolist() == [5, 6, 7, 8]
    assert found["_problem"].fillna("-").tolist() == ["-", "-", "blank_line", "-"]


def test_a_title_row_of_a_workbook_is_told_with_the_line_that_skips_it(tmp_path):
    write_workbook(tmp_path / "ventas.xlsx", SALES)
    with pytest.raises(DatasetError, match=r"skip_rows: 3"):
        frame(tmp_path / "ventas.xlsx", text={"sheet": "Ventas"})
    with pytest.raises(DatasetError, match="Ventas"):
        frame(tmp_path / "ventas.xlsx", text={"sheet": "Venta"})


def test_moments_with_a_zone_become_local_time_of_the_declared_one(tmp_path):
    moments = pa.array([datetime.fromisoformat("2024-01-31 03:30")], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"fecha": moments, "valor": ["10"]}), tmp_path / "tx.parquet")
    lines = ["2024-01-31T03:30:00Z", "2024-01-30 22:30:00-05:00", "2024-01-30 22:30:00"]
    (tmp_path / "tx.csv").write_text("fecha\n" + "\n".join(lines), encoding="utf-8")
    for name, rows in (("tx.parquet", 1), ("tx.csv", 3)):
        found = frame(tmp_path / name, text={"timezone": "America/Lima"})
        assert found["fecha"].tolist() == ["2024-01-30 22:30:00"] * rows
    (tmp_path / "wrong.csv").write_text("fecha\n2024-02-30T10:00:00Z\n", encoding="utf-8")
    found = frame(tmp_path / "wrong.csv", text={"timezone": "America/Lima"})
    assert found["fecha"].tolist() == ["2024-02-30T10:00:00Z"]
    with pytest.raises(ValueError, match="America/Lima"):
        RawTableDataset(filepath="tx.csv", text={"timezone": "Lima"})
