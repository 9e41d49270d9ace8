import ibis
import pandas as pd
import pytest
from kedro.io import DatasetError

from clientela.datasets.table import SmallTablesDataset


@pytest.fixture
def dataset(tmp_path):
    return SmallTablesDataset(path=str(tmp_path / "conteos"))


def test_lazy_tables_and_frames_come_back_as_frames_by_name(dataset):
    lazy = ibis.memtable({"rubro": ["hogar", "ropa"], "filas": [3, 4]})
    frame = pd.DataFrame({"total": [7]})
    dataset.save({"por_rubro": lazy, "todo": frame})
    found = dataset.load()
    assert sorted(found) == ["por_rubro", "todo"]
    pd.testing.assert_frame_equal(found["todo"], frame)
    assert found["por_rubro"].to_numpy().tolist() == [["hogar", 3], ["ropa", 4]]


def test_each_order_is_kept(dataset):
    dataset.save({"t": ibis.memtable({"n": [2, 3, 1]}).order_by(ibis.desc("n"))})
    assert dataset.load()["t"]["n"].tolist() == [3, 2, 1]


def test_tables_of_an_earlier_save_are_gone(dataset):
    dataset.save({"a": pd.DataFrame({"n": [1]}), "b": pd.DataFrame({"n": [1]})})
    dataset.save({"a": pd.DataFrame({"n": [2]})})
    assert {name: table["n"].tolist() for name, table in dataset.load().items()} == {"a": [2]}


def test_a_missing_folder_says_to_run_the_stage(dataset):
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"No tables in .*conteos. Run the stage"):
        dataset.load()
