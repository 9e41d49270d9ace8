"""Keeps what one run wrote beside what the runs before it wrote, each under its own date.

Kedro's partitions come close: they write in place, so that a crash leaves half a file, and they
take a folder without any for an error, though every first run begins there.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fsspec.core import url_to_fs
from kedro.io import AbstractDataset
from kedro_datasets.partitions import PartitionedDataset

from clientela.datasets.storage import folder_made, looked_up_anew
from clientela.exceptions import ConfigurationError


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
        snapshots = self._partitions(self._path).load()
        return {name: partial(self._read, name, snapshots[name]) for name in sorted(snapshots)}

    def save(self, data: Mapping[str, Any]) -> None:
        """Writes these snapshots beside, or in place of, those that stand there.

        Args:
            data: Name to what it holds.
        """
        # beside the folder: who reads it as one table must not meet half a file
        aside = f"{self._path}.writing"
        _remove(aside)
        try:
            self._partitions(aside).save(dict(data))
            for name in sorted(data):
                self._put_in_place(f"{aside}/{name}{self._suffix}", self._file(name))
        finally:
            _remove(aside)

    def _partitions(self, path: str) -> PartitionedDataset:
        return PartitionedDataset(
            path=path, dataset=self._dataset, filename_suffix=self._suffix, save_lazily=False
        )

    def _read(self, name: str, load: Callable[[], Any]) -> Any:
        path = self._file(name)
        looked_up_anew(url_to_fs(path)[0], path)
        return load()

    def _put_in_place(self, staged: str, path: str) -> None:
        (fs, source), (_, target) = url_to_fs(staged), url_to_fs(path)
        folder_made(fs, target)
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
