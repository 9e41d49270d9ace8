"""Files that are there whole, or as they were before: single ones, dated snapshots, samples.

Monitoring lives on such files from run to run, snapshots of one run stand beside those of the runs
before it, and generated sample data never replace data that somebody brought.
"""

import gzip
import hashlib
import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple, NoReturn, Protocol, cast

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from kedro.io import AbstractDataset
from kedro_datasets.partitions import PartitionedDataset

from clientela.exceptions import ConfigurationError, ForeignRawDataError, RawDataError
from clientela.progress import iter_with_progress
from clientela.storage import (
    is_stored,
    make_parent_folder,
    refresh_listing,
    remove_if_present,
    replace_atomically,
)

logger = logging.getLogger(__name__)

READ_BLOCK = 1 << 22
RECORD = ".generated.json"


class OptionalFileDataset(AbstractDataset[Any, Any]):
    """A file of an earlier run, or what stands for it before there is one; loads only.

    Args:
        dataset: What reads it, without its path; Kedro's form (`type`, `load_args`, …).
        absent: What is loaded while there is no file.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(
        self,
        *,
        filepath: str,
        dataset: dict[str, Any],
        absent: Any,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = filepath
        self._dataset = dataset
        self._absent = absent
        self.metadata = metadata

    def load(self) -> Any:
        """What the file holds, or what stands for its absence."""
        if not self._exists():
            return self._absent
        config = deepcopy(self._dataset) | {"filepath": self._filepath}
        return AbstractDataset.from_config("optional_file", config).load()

    def save(self, data: Any) -> NoReturn:
        """Refuse: the file's own entry in the catalog writes it."""
        raise NotImplementedError("An earlier run's file is only read here.")

    def _exists(self) -> bool:
        return is_stored(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class SnapshotsDataset(AbstractDataset[Mapping[str, Any], dict[str, Callable[[], Any]]]):
    """Dated snapshots of any dataset that is one file; saving one leaves the others as they are.

    Kedro's partitions come close: they write in place, so that a crash leaves half a file, and they
    take a folder without any for an error, though every first run begins there. Here each snapshot
    takes its place only when it is whole. A suffix that begins with a slash makes
    each snapshot a folder of its own, as Hive partitions are (`fecha_modelo=2024-06-30`): readers
    take every file in it, so what else lies there is removed.

    Args:
        path: The folder of all snapshots; local or `s3://`.
        dataset: What one snapshot is: a catalog entry without its `filepath`.
        filename_suffix: What follows the name of a snapshot in its path, e.g. `.json`.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(
        self,
        *,
        path: str,
        dataset: dict[str, Any],
        filename_suffix: str,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if not filename_suffix.strip("/"):
            raise ConfigurationError(
                f"{path}: expected a filename_suffix such as .json or /data.parquet, but got "
                f"{filename_suffix!r}. By it a snapshot's name is told from its file."
            )
        self._path = path.rstrip("/")
        self._dataset = dataset
        self._suffix = filename_suffix
        self.metadata = metadata

    def load(self) -> dict[str, Callable[[], Any]]:
        """Every snapshot, to be read when it is needed.

        Returns:
            Name to a function that loads it, in the order of the names; empty before the first.
        """
        if not self._exists():
            return {}
        snapshots = self._create_partitions(self._path).load()
        return {name: partial(self._read, name, snapshots[name]) for name in sorted(snapshots)}

    def save(self, data: Mapping[str, Any]) -> None:
        """Writes these snapshots beside, or in place of, those that stand there."""
        # beside the folder: who reads it as one table must not meet half a file
        aside = f"{self._path}.writing"
        remove_if_present(aside)
        try:
            self._create_partitions(aside).save(dict(data))
            for name in sorted(data):
                self._replace_snapshot(f"{aside}/{name}{self._suffix}", self._file(name))
        finally:
            remove_if_present(aside)

    def _create_partitions(self, path: str) -> PartitionedDataset:
        return PartitionedDataset(
            path=path, dataset=self._dataset, filename_suffix=self._suffix, save_lazily=False
        )

    def _read(self, name: str, load: Callable[[], Any]) -> Any:
        path = self._file(name)
        refresh_listing(url_to_fs(path)[0], path)
        return load()

    def _replace_snapshot(self, staged: str, path: str) -> None:
        (fs, source), (_, target) = url_to_fs(staged), url_to_fs(path)
        make_parent_folder(path)
        fs.mv(source, target)
        if self._suffix.startswith("/"):
            for other in set(fs.find(path.removesuffix(self._suffix))) - {target}:
                fs.rm(other)

    def _file(self, name: str) -> str:
        return f"{self._path}/{name}{self._suffix}"

    def _exists(self) -> bool:
        fs, folder = url_to_fs(self._path)
        fs.invalidate_cache(folder)
        return any(file.endswith(self._suffix) for file in fs.find(folder))

    def _describe(self) -> dict[str, Any]:
        return {
            "path": self._path,
            "filename_suffix": self._suffix,
            "dataset": self._dataset.get("type"),
        }


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


class GeneratedFileDataset(AbstractDataset[GeneratedRows, Any]):
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

    def load(self) -> Any:
        """Refuse: the raw table of the same file reads it."""
        raise RawDataError(
            f"{self._filepath} is only written here. Read it through its raw table in the catalog, "
            "for example retail.raw_transactions."
        )

    def save(self, data: GeneratedRows) -> None:
        """Draw the rows and write them, once nothing but generated files stands in the way.

        Raises:
            ForeignRawDataError: This file, or one of `together_with`, was not generated.
            ConfigurationError: The name is a pattern or tells no format.
        """
        write = _select_writer(self._filepath)
        for path in (self._filepath, *self._together_with):
            _require_generated_file(path)
        # one name for all runs: what a killed one left behind may be large
        with replace_atomically(self._filepath, ".writing") as staged:
            fs, path = url_to_fs(staged)
            with fs.open(path, "wb") as file:
                seal = _HashingWriter(file)
                write(data, cast("IO[bytes]", seal), PurePosixPath(self._filepath).name)
            record = {"sha256": seal.sha256, "size": seal.size, "parameters": data.origin}
            text = json.dumps(record, indent=2, sort_keys=True) + "\n"
            # before the file: a crash in between leaves a record without a file, which hurts nobody
            fs.pipe_file(url_to_fs(self._filepath)[1] + RECORD, text.encode())

    def _exists(self) -> bool:
        fs, path = url_to_fs(self._filepath)
        return bool(fs.exists(path))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "together_with": self._together_with}


class SimulatedPeriod(NamedTuple):
    """The rows of one table in a later period.

    Attributes:
        shift: The change that was planted; `none` where nothing was.
    """

    shift: str
    rows: pa.Table


class SimulatedPeriodDataset(GeneratedFileDataset):
    """Generated rows of a later period (Parquet), which never meet somebody's own files.

    They are loaded while the sample that they continue lies in its place. Beside any other file
    they are left out, and the log says so; where there are none, nothing is loaded.
    """

    def load(self) -> SimulatedPeriod | None:
        """The rows, or None."""
        fs, path = url_to_fs(self._filepath)
        fs.invalidate_cache(path)
        if not fs.exists(path):
            return None
        for other in (self._filepath, *self._together_with):
            if not _is_generated_file(*url_to_fs(other)):
                logger.warning(
                    "The simulated period %s is left out: %s is no generated sample, or was "
                    "changed since.", self._filepath, other,
                )  # fmt: skip
                return None
        record = json.loads(fs.cat_file(path + RECORD))
        with fs.open(path, "rb") as file:
            return SimulatedPeriod(record["parameters"]["shift"], pq.read_table(file))  # type: ignore[no-untyped-call]

    def _exists(self) -> bool:
        # no file is an answer too, so nobody is asked to make one first
        return True


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
    if fs.isdir(path) or not fs.exists(path + RECORD):
        return False
    try:
        record = json.loads(fs.cat_file(path + RECORD))
    except ValueError:
        return False
    if not isinstance(record, dict) or record.get("size") != fs.size(path):
        return False
    digest = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while block := file.read(READ_BLOCK):
            digest.update(block)
    return bool(record.get("sha256") == digest.hexdigest())
