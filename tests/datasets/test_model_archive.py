import io
import tarfile

import pytest
from fsspec.core import url_to_fs
from kedro.io import DatasetError

from clientela.datasets.model_packages import ModelArchiveDataset

FILES = {"xgboost-model": b"\x00\x01", "code/features.json": b"[]\n"}


@pytest.fixture(params=["{tmp}/model.tar.gz", "{tmp}/model", "memory://x/a.tar.gz", "memory://x/b"])
def dataset(request, tmp_path):
    made = ModelArchiveDataset(filepath=request.param.format(tmp=tmp_path / "required"))
    yield made
    if made.exists():
        fs, path = url_to_fs(request.param.format(tmp=tmp_path / "required"))
        fs.rm(path, recursive=True)


def test_files_return_as_they_were(dataset):
    dataset.save(FILES)
    assert dataset.load() == FILES


def test_files_of_an_earlier_save_are_gone(dataset):
    dataset.save(FILES | {"old.json": b"{}"})
    dataset.save(FILES)
    assert dataset.load() == FILES


def test_what_was_never_saved_names_the_stage(dataset):
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="Run the training stage first"):
        dataset.load()


def test_an_archive_is_the_same_bytes_whatever_the_order_and_carries_no_owner_or_date(tmp_path):
    path = tmp_path / "model.tar.gz"
    dataset = ModelArchiveDataset(filepath=str(path))
    dataset.save(FILES)
    first = path.read_bytes()
    dataset.save(dict(reversed(FILES.items())))
    assert path.read_bytes() == first
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        entries = archive.getmembers()
    assert {(e.mtime, e.uid, e.gid, e.uname, e.mode) for e in entries} == {(0, 0, 0, "", 0o644)}
    assert first[4:8] == bytes(4)


@pytest.mark.parametrize("keep", [0, 40])
def test_a_damaged_archive_is_named(tmp_path, keep):
    path = tmp_path / "model.tar.gz"
    dataset = ModelArchiveDataset(filepath=str(path))
    dataset.save(FILES)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DatasetError, match=r"can't be read as a \.tar\.gz archive"):
        dataset.load()
