from pathlib import Path

import pytest

from clientela.exceptions import ModelFileError
from clientela.registry import whole_files
from clientela.registry.whole_files import keep_whole, read_verified, read_whole, write_whole


def test_a_file_comes_back_and_takes_the_place_of_the_one_before(folder):
    address = f"{folder}/a.bin"
    assert read_whole(address) is None
    write_whole(address, b"one")
    assert read_whole(address) == b"one"
    write_whole(address, b"another")
    assert read_whole(address) == b"another"


def test_a_write_that_is_interrupted_leaves_the_former_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch
):
    address = tmp_path / "a.bin"
    write_whole(str(address), b"one")
    fs = whole_files.LocalFileSystem

    def half_written(self, path, value):
        Path(path).write_bytes(value[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(fs, "pipe_file", half_written)
    with pytest.raises(KeyboardInterrupt):
        write_whole(str(address), b"two")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.bin": b"one"}


def test_an_equal_file_is_not_written_again(tmp_path: Path):
    address = tmp_path / "a.bin"
    keep_whole(str(address), b"one")
    before = address.stat()
    keep_whole(str(address), b"one")
    assert (address.stat().st_mtime_ns, address.stat().st_ino) == (
        before.st_mtime_ns,
        before.st_ino,
    )


def test_a_damaged_file_is_replaced(folder):
    address = f"{folder}/a.bin"
    write_whole(address, b"on")
    keep_whole(address, b"one")
    assert read_whole(address) == b"one"


def test_what_storage_does_not_give_back_equal_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(whole_files, "write_whole", lambda address, _: Path(address).touch())
    with pytest.raises(ModelFileError, match="not the one that was stored"):
        keep_whole(str(tmp_path / "a.bin"), b"one")


def test_a_file_that_is_not_there_is_named_with_what_mends_it(folder):
    with pytest.raises(ModelFileError, match=r"No package lies at .*a\.bin.*deployment stage"):
        read_verified(f"{folder}/a.bin", "0" * 64)
