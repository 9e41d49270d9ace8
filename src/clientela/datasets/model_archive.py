"""Stores several files as one: an archive whose bytes depend on nothing but its files."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from fsspec.core import url_to_fs
from kedro.io import AbstractDataset

from clientela.datasets.storage import folder_made, is_stored
from clientela.exceptions import ModelFileError, StageInputMissing

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


def archived(files: Mapping[str, bytes]) -> bytes:
    """A `.tar.gz` archive, the same for the same files: sorted, without dates, owners or name.

    Args:
        files: Path to content.

    Returns:
        Bytes of the archive.
    """
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def unarchived(content: bytes) -> dict[str, bytes]:
    """The files of an archive, read in memory.

    Args:
        content: Bytes of a `.tar.gz` archive.

    Returns:
        Path to content.
    """
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is not None:
                files[entry.name] = file.read()
    return files


def _write(fs: Any, path: str, content: bytes) -> None:
    folder_made(fs, path)
    with fs.open(path, "wb") as file:
        file.write(content)
