from pathlib import Path

import pytest

from clientela import storage
from clientela.exceptions import ModelFileError
from clientela.storage import (
    ensure_file,
    read_and_verify,
    read_file_if_present,
    write_file_atomically,
)


def test_a_file_comes_back_and_takes_the_place_of_the_one_before(folder):
    address = f"{folder}/a.bin"
    assert read_file_if_present(address) is None
    write_file_atomically(address, b"one")
    assert read_file_if_present(address) == b"one"
    write_file_atomically(address, b"another")
    assert read_file_if_present(address) == b"another"


def test_a_write_that_is_interrupted_leaves_the_former_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch
):
    address = tmp_path / "a.bin"
    write_file_atomically(str(address), b"one")
    fs = storage.LocalFileSystem

    def half_written(self, path, value):
        Path(path).write_bytes(value[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(fs, "pipe_file", half_written)
    with pytest.raises(KeyboardInterrupt):
        write_file_atomically(str(address), b"two")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.bin": b"one"}


def test_an_equal_file_is_not_written_again(tmp_path: Path):
    address = tmp_path / "a.bin"
    ensure_file(str(address), b"one")
    before = address.stat()
    ensure_file(str(address), b"one")
    assert (address.stat().st_mtime_ns, address.stat().st_ino) == (
        before.st_mtime_ns,
        before.st_ino,
    )


def test_a_damaged_file_is_replaced(folder):
    address = f"{folder}/a.bin"
    write_file_atomically(address, b"on")
    ensure_file(address, b"one")
    assert read_file_if_present(address) == b"one"


def test_what_storage_does_not_give_back_equal_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(storage, "write_file_atomically", lambda address, _: Path(address).touch())
    with pytest.raises(ModelFileError, match="not the one that was stored"):
        ensure_file(str(tmp_path / "a.bin"), b"one")


def test_a_file_that_is_not_there_is_named_with_what_mends_it(folder):
    with pytest.raises(ModelFileError, match=r"No package lies at .*a\.bin.*deployment stage"):
        read_and_verify(f"{folder}/a.bin", "0" * 64)
