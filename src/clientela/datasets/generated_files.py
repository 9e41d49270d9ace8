"""Writes generated sample data where raw data lies, and never over data that somebody brought."""

import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, NoReturn, Protocol, cast

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from kedro.io import AbstractDataset

from clientela.exceptions import ConfigurationError, ForeignRawDataError, RawDataError
from clientela.progress import iter_with_progress
from clientela.storage import make_parent_folder

READ_BLOCK = 1 << 22


class GeneratedRows(Protocol):
    """Rows that are made while they are written; `len` is the number of batches."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""

    @property
    def origin(self) -> dict[str, Any]:
        """The parameters that make these rows, as JSON holds them."""

    def __len__(self) -> int: ...

    def tables(self) -> Iterator[pa.Table]:
        """The batches as tables of one schema."""

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """The batches as lines of CSV, UTF-8, without header."""


class GeneratedFileDataset(AbstractDataset[GeneratedRows, NoReturn]):
    """One raw file of generated rows: CSV (`.csv`, `.csv.gz`) or Parquet; saves only.

    Beside the file stands `<file>.generated.json` with its size, its SHA-256 and the parameters
    that made it. An existing file is replaced only when that record fits it.

    Args:
        filepath: Where the file lies; its ending decides the format. Local or `s3://`.
        together_with: Other raw files that must be absent or generated too, so that a sample never
            mixes with somebody's own tables.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(
        self,
        *,
        filepath: str,
        together_with: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = filepath
        self._together_with = together_with or []
        self.metadata = metadata

    def load(self) -> NoReturn:
        """Refuse: the raw table of the same file reads it."""
        raise RawDataError(
            f"{self._filepath} is only written here. Read it through its raw table in the catalog, "
            "for example retail.raw_transactions."
        )

    def save(self, data: GeneratedRows) -> None:
        """Draw the rows and write them, once nothing but generated files stands in the way.

        Raises:
            RawDataNotOurs: This file, or one of `together_with`, was not generated.
            ConfigurationError: The name is a pattern or tells no format.
        """
        write = _select_writer(self._filepath)
        for path in (self._filepath, *self._together_with):
            _require_generated_file(path)
        fs, path = url_to_fs(self._filepath)
        make_parent_folder(fs, path)
        with _replace_file(fs, path) as staged:
            with fs.open(staged, "wb") as file:
                seal = _HashingWriter(file)
                write(data, cast("IO[bytes]", seal), PurePosixPath(path).name)
            # before the file: a crash in between leaves a record without a file, which hurts nobody
            fs.pipe_file(_get_record_path(path), _encode_record(seal, data.origin))

    def _exists(self) -> bool:
        fs, path = url_to_fs(self._filepath)
        return bool(fs.exists(path))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "together_with": self._together_with}


class _HashingWriter(io.RawIOBase):
    """A file being written, with its size and digest so far."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._file.write(view)
        self._digest.update(view)
        self.size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.size

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _write_csv(rows: GeneratedRows, target: IO[bytes], name: str) -> None:
    target.write((",".join(rows.columns) + "\n").encode())
    target.writelines(iter_with_progress(rows.csv_blocks(), len(rows), name))


def _write_gzipped_csv(rows: GeneratedRows, target: IO[bytes], name: str) -> None:
    # no file name, no time: equal rows give equal bytes
    with gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as packed:
        _write_csv(rows, cast("IO[bytes]", packed), name)


def _write_parquet(rows: GeneratedRows, target: IO[bytes], name: str) -> None:
    tables = iter_with_progress(rows.tables(), len(rows), name)
    first = next(tables)
    with pq.ParquetWriter(target, first.schema, compression="zstd") as writer:  # type: ignore[no-untyped-call]
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


_WRITERS = {".csv": _write_csv, ".csv.gz": _write_gzipped_csv, ".parquet": _write_parquet}


def _select_writer(filepath: str) -> Any:
    if "*" in filepath:
        raise ConfigurationError(
            f"{filepath} is a pattern; generated rows need the name of one file. Name one under "
            "raw_files in globals.yml."
        )
    for ending, writer in _WRITERS.items():
        if filepath.endswith(ending):
            return writer
    raise ConfigurationError(
        f"{filepath}: expected a name that ends in {', '.join(_WRITERS)}. Change raw_files in "
        "globals.yml."
    )


def _get_record_path(path: str) -> str:
    return f"{path}.generated.json"


def _encode_record(seal: _HashingWriter, origin: dict[str, Any]) -> bytes:
    record = {"sha256": seal.sha256, "size": seal.size, "parameters": origin}
    return (json.dumps(record, indent=2, sort_keys=True) + "\n").encode()


def _require_generated_file(filepath: str) -> None:
    """Raise unless the file is absent or is what its record says was generated."""
    fs, path = url_to_fs(filepath)
    fs.invalidate_cache(path)
    if fs.exists(path) and not _is_generated_file(fs, path):
        raise ForeignRawDataError(
            f"{filepath} was not written by data_generation, or was changed since: it is kept, and "
            "no sample was written. To work on this file, skip data_generation. To replace it by a "
            "sample, move it away first, or name another file under raw_files in conf/local."
        )


def _is_generated_file(fs: fsspec.AbstractFileSystem, path: str) -> bool:
    if fs.isdir(path) or not fs.exists(_get_record_path(path)):
        return False
    try:
        record = json.loads(fs.cat_file(_get_record_path(path)))
    except ValueError:
        return False
    if not isinstance(record, dict) or record.get("size") != fs.size(path):
        return False
    return bool(record.get("sha256") == _compute_sha256(fs, path))


def _compute_sha256(fs: fsspec.AbstractFileSystem, path: str) -> str:
    digest = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while block := file.read(READ_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _replace_file(fs: fsspec.AbstractFileSystem, path: str) -> Iterator[str]:
    """Where to write; the file takes its place only when it is whole."""
    staged = f"{path}.writing"
    try:
        yield staged
    except BaseException:
        if fs.exists(staged):
            fs.rm(staged)
        raise
    fs.mv(staged, path)
