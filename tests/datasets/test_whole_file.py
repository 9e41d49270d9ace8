import pandas as pd
import pytest
from kedro.io import DatasetError

from clientela.datasets.files import WholeFileDataset

CSV = {"type": "kedro_datasets.pandas.CSVDataset", "save_args": {"index": False}}
TEXT = {"type": "kedro_datasets.text.TextDataset"}


class Unwritable:
    """What a text dataset refuses in the middle of writing."""


def test_what_is_saved_comes_back(tmp_path):
    table = pd.DataFrame({"period": ["2024-05"], "psi": [0.1]})
    dataset = WholeFileDataset(filepath=f"{tmp_path}/drift/log.csv", dataset=CSV)
    dataset.save(table)
    pd.testing.assert_frame_equal(dataset.load(), table)


def test_before_the_first_run_what_stands_for_absence_is_loaded(tmp_path):
    path = f"{tmp_path}/log.csv"
    assert WholeFileDataset(filepath=path, dataset=TEXT, absent="").load() == ""
    assert not WholeFileDataset(filepath=path, dataset=TEXT, absent="").exists()


def test_without_it_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="No such file"):
        WholeFileDataset(filepath=f"{tmp_path}/log.csv", dataset=TEXT).load()


def test_a_save_that_fails_leaves_the_file_of_the_run_before_and_no_rest(tmp_path):
    dataset = WholeFileDataset(filepath=f"{tmp_path}/log.txt", dataset=TEXT)
    dataset.save("whole")
    with pytest.raises(DatasetError):
        dataset.save(Unwritable())
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
    assert dataset.load() == "whole"


def test_a_later_save_replaces_the_file(tmp_path):
    dataset = WholeFileDataset(filepath=f"{tmp_path}/log.txt", dataset=TEXT)
    dataset.save("first")
    dataset.save("second")
    assert dataset.load() == "second"
