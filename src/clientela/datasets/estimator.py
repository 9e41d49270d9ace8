"""Fitted models at rest: a skops file with its manifest, and joblib's format with equal bytes.

`dump` and `load` make this module a `backend` of Kedro's pickle dataset. A pickle notes which of
its parts are one object, not only equal ones. For strings and dtypes that depends on what the
process did before, and the gaps between the fields of a tree's nodes hold whatever the memory held,
so two runs would write different files. Here the first of several equal strings or dtypes stands
for all of them, and gaps are zero.
"""

import json
from typing import Any, BinaryIO

import numpy as np
from fsspec.core import url_to_fs
from joblib import load
from joblib.numpy_pickle import NumpyPickler
from kedro.io import AbstractDataset

from clientela.exceptions import MissingStageInputError, ModelFileError
from clientela.models.stored_model import StoredModel, decode_model, encode_model
from clientela.registry.package import encode_json
from clientela.storage import is_stored, write_file_atomically

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


class EstimatorDataset(AbstractDataset[StoredModel, StoredModel]):
    """A fitted model as a skops file, which runs no code when opened, and `.json`, its manifest.

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
            MissingStageInputError: One of the two files is absent.
            ModelFileError: They do not belong together, or a library has changed.
        """
        if not self._exists():
            raise MissingStageInputError(
                f"No model at {self._filepath} with its manifest {self._manifest_path}. "
                "Run the training stage first."
            )
        fs, path = url_to_fs(self._filepath)
        again = "Run the training stage again."
        try:
            manifest = json.loads(fs.cat_file(url_to_fs(self._manifest_path)[1]))
        except ValueError as err:
            raise ModelFileError(
                f"The manifest {self._manifest_path} is not JSON ({err}). {again}"
            ) from err
        if not isinstance(manifest, dict):
            raise ModelFileError(
                f"The manifest {self._manifest_path} should be a JSON object. {again}"
            )
        return decode_model(bytes(fs.cat_file(path)), manifest, self._filepath)

    def save(self, data: StoredModel) -> None:
        """Writes both files."""
        content, manifest = encode_model(data)
        write_file_atomically(self._filepath, content)
        write_file_atomically(self._manifest_path, encode_json(manifest))

    def _exists(self) -> bool:
        return is_stored(self._filepath) and is_stored(self._manifest_path)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
