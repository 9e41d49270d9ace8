import csv
import gzip
import hashlib
import json
from dataclasses import dataclass, replace

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from clientela.datasets.files import GeneratedFileDataset


@dataclass(frozen=True)
class Rows:
    """Two batches of two rows; the second one may fail."""

    columns: tuple[str, ...] = ("id_cliente", "ciudad")
    city: str = "Bogotá"
    fails: bool = False

    @property
    def origin(self):
        return {"city": self.city}

    def __len__(self):
        return 2

    def tables(self):
        for batch in (["01", "02"], ["03", "04"]):
            if self.fails and batch[0] == "03":
                raise RuntimeError("the generator broke")
            yield pa.table({"id_cliente": batch, "ciudad": [self.city] * 2})

    def csv_blocks(self):
        for table in self.tables():
            lines = (f"{row['id_cliente']},{row['ciudad']}\n" for row in table.to_pylist())
            yield pa.py_buffer("".join(lines).encode())


TEXT = "id_cliente,ciudad\n01,Bogotá\n02,Bogotá\n03,Bogotá\n04,Bogotá\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "transacciones" / "muestra.csv"


def test_csv_has_the_header_once_and_all_batches(path):
    GeneratedFileDataset(filepath=str(path)).save(Rows())
    assert path.read_text(encoding="utf-8") == TEXT


def test_gzipped_csv_holds_the_same_text_and_no_time(tmp_path):
    files = [tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"]
    for file in files:
        GeneratedFileDataset(filepath=str(file)).save(Rows())
    assert files[0].read_bytes() == files[1].read_bytes()
    assert gzip.decompress(files[0].read_bytes()).decode() == TEXT


def test_parquet_holds_the_tables_with_their_types(tmp_path):
    file = tmp_path / "muestra.parquet"
    GeneratedFileDataset(filepath=str(file)).save(Rows())
    assert pq.read_table(file).equals(pa.concat_tables(Rows().tables()))


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_the_record_seals_the_bytes_and_tells_the_parameters(tmp_path, ending):
    file = tmp_path / f"muestra{ending}"
    GeneratedFileDataset(filepath=str(file)).save(Rows())
    record = json.loads((tmp_path / f"muestra{ending}.generated.json").read_text())
    assert record == {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "size": file.stat().st_size,
        "parameters": {"city": "Bogotá"},
    }


def test_a_generated_file_is_replaced(path):
    dataset = GeneratedFileDataset(filepath=str(path))
    dataset.save(Rows())
    dataset.save(Rows(city="Lima"))
    assert path.read_text(encoding="utf-8") == TEXT.replace("Bogotá", "Lima")


def test_somebodys_own_file_is_kept_and_the_message_tells_what_to_do(path):
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(DatasetError, match=r"was not written by data_generation.*move it away"):
        GeneratedFileDataset(filepath=str(path)).save(Rows())
    assert path.read_text() == "mine"
    assert [file.name for file in path.parent.iterdir()] == ["muestra.csv"]


@pytest.mark.parametrize("change", ["05,Lima\n", ""], ids=["appended", "same size"])
def test_a_generated_file_that_was_edited_since_is_kept(path, change):
    dataset = GeneratedFileDataset(filepath=str(path))
    dataset.save(Rows())
    edited = path.read_text(encoding="utf-8").replace("01,", "99,") + change
    path.write_text(edited, encoding="utf-8")
    with pytest.raises(DatasetError, match="changed since"):
        dataset.save(Rows())
    assert path.read_text(encoding="utf-8") == edited


@pytest.mark.parametrize("record", ["not JSON", "[]", "{}"])
def test_a_damaged_record_does_not_make_a_file_ours(path, record):
    GeneratedFileDataset(filepath=str(path)).save(Rows())
    (path.parent / "muestra.csv.generated.json").write_text(record)
    with pytest.raises(DatasetError, match="was not written by data_generation"):
        GeneratedFileDataset(filepath=str(path)).save(Rows())


def test_nothing_is_written_beside_somebodys_own_other_table(path, tmp_path):
    own = tmp_path / "clientes.csv"
    own.write_text("mine")
    dataset = GeneratedFileDataset(filepath=str(path), together_with=[str(own)])
    with pytest.raises(DatasetError, match=r"clientes\.csv was not written by data_generation"):
        dataset.save(Rows())
    assert not path.exists()


def test_a_folder_in_the_place_of_the_file_is_kept(path):
    path.mkdir(parents=True)
    with pytest.raises(DatasetError, match="was not written by data_generation"):
        GeneratedFileDataset(filepath=str(path)).save(Rows())


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_failure_half_way_leaves_the_old_sample_and_no_rest(tmp_path, ending):
    file = tmp_path / f"muestra{ending}"
    dataset = GeneratedFileDataset(filepath=str(file))
    dataset.save(Rows())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DatasetError, match="the generator broke"):
        dataset.save(replace(Rows(), fails=True))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    dataset.save(Rows())


def test_a_pattern_names_no_file_to_write(tmp_path):
    with pytest.raises(DatasetError, match=r"\*\.csv is a pattern.*raw_files"):
        GeneratedFileDataset(filepath=str(tmp_path / "*.csv")).save(Rows())


def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(DatasetError, match=r"ends in \.csv, \.csv\.gz, \.parquet"):
        GeneratedFileDataset(filepath=str(tmp_path / "muestra.xlsx")).save(Rows())


def test_it_is_read_through_the_raw_table(path):
    with pytest.raises(DatasetError, match="Read it through its raw table"):
        GeneratedFileDataset(filepath=str(path)).load()


def test_existence_is_that_of_the_file(path):
    dataset = GeneratedFileDataset(filepath=str(path))
    assert not dataset.exists()
    dataset.save(Rows())
    assert dataset.exists()


def test_other_file_systems_work_alike():
    fs = fsspec.filesystem("memory")
    dataset = GeneratedFileDataset(filepath="memory://raw/muestra.csv")
    dataset.save(Rows())
    dataset.save(Rows())
    rows = list(csv.reader(fs.cat_file("/raw/muestra.csv").decode().splitlines()))
    assert rows[0] == ["id_cliente", "ciudad"]
    assert sorted(fs.ls("/raw", detail=False)) == [
        "/raw/muestra.csv",
        "/raw/muestra.csv.generated.json",
    ]
    fs.rm("/raw", recursive=True)
