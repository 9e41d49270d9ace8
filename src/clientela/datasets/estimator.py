"""joblib's file format, written so that equal models give equal bytes."""

import json
from typing import Any, BinaryIO

import fsspec
import numpy as np
from fsspec.core import url_to_fs
from joblib import load
from joblib.numpy_pickle import NumpyPickler
from kedro.io import AbstractDataset

from clientela.exceptions import MissingStageInputError, ModelFileError
from clientela.models.stored_model import StoredModel, decode_model, encode_model
from clientela.registry.package import encode_json
from clientela.storage import make_parent_folder

# joblib's file format, written so that equal models give equal bytes.
#
# A pickle notes which of its parts are one object, not only equal ones. For strings and dtypes that
# depends on what the process did before, and the gaps between the fields of a tree's nodes hold
# whatever the memory held. So two runs would write different files. Here the first of several equal
# strings or dtypes stands for all of them, and gaps are zero. Named as `backend` of Kedro's pickle
# dataset.


__all__ = ["dump", "load"]


def dump(value: Any, file: BinaryIO) -> None:
    """Writes a value for `joblib.load`."""
    _RepeatablePickler(file).dump(value)


class _RepeatablePickler(NumpyPickler):  # type: ignore[misc]  # joblib has no types
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._first: dict[tuple[type, Any], Any] = {}
        self._without_gaps: list[np.ndarray] = []  # kept: the pickler knows objects by address

    def save(self, obj: Any, *options: Any, **named: Any) -> Any:
        """Saves an equal object of which every run has the same bytes."""
        if isinstance(obj, str | np.dtype):
            obj = self._first.setdefault((type(obj), obj), obj)
        elif isinstance(obj, np.ndarray) and obj.dtype.names:
            # not zeros_like: that fills fields, and leaves what stands between them
            filled = np.zeros(obj.shape, obj.dtype)
            for name in obj.dtype.names:
                filled[name] = obj[name]
            self._without_gaps.append(filled)
            obj = filled
        return super().save(obj, *options, **named)


# Stores fitted models in a form that runs no code when opened, next to their manifest.


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

        Raises:
            StageInputMissing: One of the two files is absent.
            ModelFileError: They do not belong together, or a library has changed.
        """
        if not self._exists():
            raise MissingStageInputError(
                f"No model at {self._filepath} with its manifest {self._manifest_path}. "
                "Run the training stage first."
            )
        return decode_model(_read(self._filepath), self._load_manifest(), self._filepath)

    def save(self, data: StoredModel) -> None:
        """Write both files.

        Args:
            data: The fitted model with its manifest.
        """
        content, manifest = encode_model(data)
        _write(self._filepath, content)
        _write(self._manifest_path, encode_json(manifest))

    def _load_manifest(self) -> dict[str, Any]:
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
    make_parent_folder(fs, stripped)
    with fs.open(stripped, "wb") as file:
        file.write(content)
