"""Stores fitted models in a form that runs no code when opened, next to their manifest."""

import json
from typing import Any

import fsspec
from fsspec.core import url_to_fs
from kedro.io import AbstractDataset

from clientela.datasets.storage import folder_made
from clientela.exceptions import ModelFileError, StageInputMissing
from clientela.modelling.storage.packaging import json_bytes
from clientela.modelling.storage.stored_model import StoredModel, packed, unpacked


class EstimatorDataset(AbstractDataset[StoredModel, StoredModel]):
    """A fitted model as a skops file, and beside it, ending in `.json`, its manifest.

    The manifest carries the file's SHA-256; a file that differs from it is never opened.

    Args:
        filepath: The skops file; local or `s3://`.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = filepath
        self._manifest_path = f"{filepath.removesuffix('.skops')}.json"
        self.metadata = metadata

    def load(self) -> StoredModel:
        """The model, after checking its file against the manifest.

        Returns:
            The fitted model with its manifest.

        Raises:
            StageInputMissing: One of the two files is absent.
            ModelFileError: They do not belong together, or a library has changed.
        """
        if not self._exists():
            raise StageInputMissing(
                f"No model at {self._filepath} with its manifest {self._manifest_path}. "
                "Run the training stage first."
            )
        return unpacked(_read(self._filepath), self._manifest(), self._filepath)

    def save(self, data: StoredModel) -> None:
        """Write both files.

        Args:
            data: The fitted model with its manifest.
        """
        content, manifest = packed(data)
        _write(self._filepath, content)
        _write(self._manifest_path, json_bytes(manifest))

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads(_read(self._manifest_path))
        except ValueError as err:
            raise ModelFileError(
                f"The manifest {self._manifest_path} is not JSON ({err}). "
                "Run the training stage again."
            ) from err
        if not isinstance(manifest, dict):
            raise ModelFileError(
                f"The manifest {self._manifest_path} should be a JSON object. "
                "Run the training stage again."
            )
        return manifest

    def _exists(self) -> bool:
        fs, _ = url_to_fs(self._filepath)
        fs.invalidate_cache(self._filepath)
        return bool(fs.exists(self._filepath) and fs.exists(self._manifest_path))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


def _read(path: str) -> bytes:
    with fsspec.open(path, "rb") as file:
        return bytes(file.read())


def _write(path: str, content: bytes) -> None:
    fs, stripped = url_to_fs(path)
    folder_made(fs, stripped)
    with fs.open(stripped, "wb") as file:
        file.write(content)
