"""A file that is there whole, or as it was before: what monitoring lives on from run to run."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from kedro.io import AbstractDataset
from kedro_datasets.partitions import PartitionedDataset

from clientela.exceptions import ConfigurationError
from clientela.storage import is_stored, make_parent_folder, refresh_listing

# A file that is there whole, or as it was before: what monitoring lives on from run to run.


class WholeFileDataset(AbstractDataset[Any, Any]):
    """Any dataset of one file, written beside its place first and then put there.

    A run that is interrupted leaves the file of the run before. An object store does this by
    itself: an object appears whole or not at all.

    Args:
        dataset: What reads and writes it, without its path; Kedro's form (`type`, `save_args`, …).
        absent: What is loaded while there is no file; without it that is an error.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(
        self,
        *,
        filepath: str,
        dataset: dict[str, Any],
        absent: Any = ...,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = filepath
        self._dataset = dataset
        self._absent = absent
        self.metadata = metadata

    def load(self) -> Any:
        """What the file holds, or what stands for its absence."""
        if self._absent is not ... and not self._exists():
            return self._absent
        return self._create_dataset(self._filepath).load()

    def save(self, data: Any) -> None:
        """Writes the file whole."""
        fs, path = url_to_fs(self._filepath)
        if not isinstance(fs, LocalFileSystem):
            self._create_dataset(self._filepath).save(data)
            return
        make_parent_folder(fs, path)
        staged = f"{path}.{uuid4().hex}.part"
        try:
            self._create_dataset(staged).save(data)
            fs.mv(staged, path)
        finally:
            if fs.exists(staged):
                fs.rm(staged)

    def _create_dataset(self, path: str) -> AbstractDataset[Any, Any]:
        config = deepcopy(self._dataset) | {"filepath": path}
        return AbstractDataset.from_config("whole_file", config)

    def _exists(self) -> bool:
        return is_stored(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


# Keeps what one run wrote beside what the runs before it wrote, each under its own date.
#
# Kedro's partitions come close: they write in place, so that a crash leaves half a file, and they
# take a folder without any for an error, though every first run begins there.


class SnapshotsDataset(AbstractDataset[Mapping[str, Any], dict[str, Callable[[], Any]]]):
    """Dated snapshots of any dataset that is one file; saving one leaves the others as they are.

    Each snapshot takes its place only when it is whole. A suffix that begins with a slash makes
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
        _remove(aside)
        try:
            self._create_partitions(aside).save(dict(data))
            for name in sorted(data):
                self._move_into_place(f"{aside}/{name}{self._suffix}", self._file(name))
        finally:
            _remove(aside)

    def _create_partitions(self, path: str) -> PartitionedDataset:
        return PartitionedDataset(
            path=path, dataset=self._dataset, filename_suffix=self._suffix, save_lazily=False
        )

    def _read(self, name: str, load: Callable[[], Any]) -> Any:
        path = self._file(name)
        refresh_listing(url_to_fs(path)[0], path)
        return load()

    def _move_into_place(self, staged: str, path: str) -> None:
        (fs, source), (_, target) = url_to_fs(staged), url_to_fs(path)
        make_parent_folder(fs, target)
        fs.mv(source, target)
        folder = path.removesuffix(self._suffix)
        if self._suffix.startswith("/"):
            for other in set(fs.find(folder)) - {target}:
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


def _remove(folder: str) -> None:
    fs, path = url_to_fs(folder)
    fs.invalidate_cache(path)
    if fs.exists(path):
        fs.rm(path, recursive=True)
