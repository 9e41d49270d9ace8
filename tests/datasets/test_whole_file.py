import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError, MemoryDataset
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset, ParquetDataset
from kedro_datasets.text import TextDataset

from clientela.context import WholeFileCatalog
from clientela.datasets.files import OptionalFileDataset
from clientela.datasets.table import SmallTablesDataset
from clientela.storage import replace_atomically

TEXT = {"type": "kedro_datasets.text.TextDataset"}
TABLE = pd.DataFrame({"period": ["2024-05"], "psi": [0.1]})


class Unwritable:
    """What a text dataset refuses in the middle of writing."""


def test_before_the_first_run_what_stands_for_absence_is_loaded(tmp_path):
    former = OptionalFileDataset(filepath=f"{tmp_path}/log.csv", dataset=TEXT, absent="")
    assert former.load() == ""
    assert not former.exists()


@pytest.mark.parametrize(
    ("dataset", "data"),
    [
        (CSVDataset, TABLE),
        (ParquetDataset, TABLE),
        (JSONDataset, {"psi": [0.1]}),
        (TextDataset, "whole"),
    ],
)
def test_what_a_catalog_saves_comes_back_with_nothing_beside_it(tmp_path, dataset, data):
    catalog = WholeFileCatalog({"log": dataset(filepath=f"{tmp_path}/drift/log")})
    (tmp_path / "drift").mkdir()
    (tmp_path / "drift/log.writing").write_text("half, by a run that was killed")
    for _ in range(2):
        catalog.save("log", data)
    found = catalog.load("log")
    assert found.equals(data) if isinstance(data, pd.DataFrame) else found == data
    assert [path.name for path in (tmp_path / "drift").iterdir()] == ["log"]


def test_a_save_that_fails_leaves_the_file_of_the_run_before_and_no_rest(tmp_path):
    catalog = WholeFileCatalog({"log": TextDataset(filepath=f"{tmp_path}/log.txt")})
    catalog.save("log", "whole")
    with pytest.raises(DatasetError):
        catalog.save("log", Unwritable())
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
    assert catalog.load("log") == "whole"


def test_what_is_no_file_is_saved_as_ever():
    catalog = WholeFileCatalog({"aside": MemoryDataset()})
    catalog.save("aside", 1)
    assert catalog.load("aside") == 1


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_folder_takes_the_place_of_another_whatever_the_system_offers(
    tmp_path, monkeypatch, exchanges
):
    if not exchanges:
        monkeypatch.setattr("clientela.storage.ctypes.CDLL", lambda _: object())
    target = tmp_path / "tables"
    for names in (["old", "both"], ["new", "both"]):
        with replace_atomically(str(target)) as staged:
            for name in names:
                Path(staged).mkdir(exist_ok=True)
                Path(staged, name).write_text(names[0])
    assert {path.name: path.read_text() for path in target.iterdir()} == {
        "new": "new",
        "both": "new",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_small_tables_are_never_absent_while_they_are_replaced(tmp_path):
    dataset = SmallTablesDataset(path=f"{tmp_path}/tables")
    dataset.save({"a": TABLE, "b": TABLE})
    seen, done = set(), threading.Event()

    def watch():
        while not done.is_set():
            seen.add((tmp_path / "tables").is_dir())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(20):
        dataset.save({"a": TABLE, "b": TABLE})
    done.set()
    watcher.join()
    assert seen == {True}


KILLED = """
import os, signal, sys
import pandas as pd
from kedro_datasets.pandas import CSVDataset
from clientela import storage
from clientela.context import WholeFileCatalog
from clientela.datasets.model_packages import ModelArchiveDataset
from clientela.datasets.table import SmallTablesDataset, TableDataset

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Deadly:
    __str__ = die

kind, path, when = sys.argv[1:]
frame = pd.DataFrame({"id": range(100_000), "score": 0.5})
dataset, data = {
    "csv": (CSVDataset(filepath=path), frame),
    "table": (TableDataset(filepath=path, order_by="id"), frame),
    "tables": (SmallTablesDataset(path=path), {"a": frame, "b": frame}),
    "folder": (ModelArchiveDataset(filepath=path), {"a": b"1", "b": b"2"}),
}[kind]
catalog = WholeFileCatalog({"out": dataset})
catalog.save("out", data)
if when == "midway":  # a file half written, or a folder with one file of two
    data = frame.assign(score=[0.7] * 99_999 + [Deadly()]) if kind == "csv" else data
    storage._replace_path = lambda *_: die() if kind in {"table", "folder"} else None
    if kind == "tables":
        storage._replace_path = lambda source, target: die() if target.name[0] == "b" else (
            source.replace(target))
if when != "never":
    storage._replace_path = storage._replace_path if when == "midway" else die
    catalog.save("out", data)
"""


@pytest.mark.parametrize(
    ("kind", "when"),
    [("csv", "midway"), ("table", "at its end"), ("tables", "midway"), ("folder", "at its end")],
)
def test_a_run_that_is_killed_while_it_saves_leaves_what_was_there(tmp_path, kind, when):
    path = tmp_path / "out.parquet"

    def save(moment):
        command = [sys.executable, "-c", KILLED, kind, str(path), moment]
        done = subprocess.run(command, check=False, capture_output=True).returncode
        files = [path] if path.is_file() else sorted(path.iterdir())
        return done, {file.name: file.read_bytes() for file in files}

    killed, left = save(when)
    assert killed == -signal.SIGKILL
    assert save("never") == (0, left)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
