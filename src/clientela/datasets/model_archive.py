"""Stores several files as one: an archive whose bytes depend on nothing but its files."""

import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from fsspec.core import url_to_fs
from kedro.io import AbstractDataset

from clientela.datasets.storage import folder_made, is_stored
from clientela.exceptions import ModelFileError, StageInputMissing
from clientela.modelling.storage.archive import archived, unarchived

ARCHIVE = ".tar.gz"


class ModelArchiveDataset(AbstractDataset[Mapping[str, bytes], dict[str, bytes]]):
    """Files by relative path: one `.tar.gz` archive if the path ends so, else a folder.

    Args:
        filepath: The archive or the folder; local or `s3://`. What stood there is replaced.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = filepath
        self.metadata = metadata

    def load(self) -> dict[str, bytes]:
        """The files.

        Returns:
            Path to content.

        Raises:
            StageInputMissing: Nothing is there.
            ModelFileError: The archive is damaged.
        """
        if not self._exists():
            raise StageInputMissing(f"No model at {self._filepath}. Run the training stage first.")
        fs, path = url_to_fs(self._filepath)
        if not path.endswith(ARCHIVE):
            names = sorted(str(found) for found in fs.find(path))
            return {str(PurePosixPath(name).relative_to(path)): fs.cat_file(name) for name in names}
        try:
            return unarchived(fs.cat_file(path))
        except (tarfile.TarError, OSError, EOFError) as err:
            raise ModelFileError(
                f"{self._filepath} can't be read as a .tar.gz archive ({err}). "
                "Run the training stage again."
            ) from err

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write the files in place of those that were there.

        Args:
            data: Path to content.
        """
        fs, path = url_to_fs(self._filepath)
        if path.endswith(ARCHIVE):
            _write(fs, path, archived(data))
            return
        if fs.exists(path):
            fs.rm(path, recursive=True)
        for name, content in data.items():
            _write(fs, f"{path}/{name}", content)

    def _exists(self) -> bool:
        return is_stored(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


def _write(fs: Any, path: str, content: bytes) -> None:
    folder_made(fs, path)
    with fs.open(path, "wb") as file:
        file.write(content)
