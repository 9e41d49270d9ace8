"""A file that is there whole, or as it was before: what monitoring lives on from run to run."""

from copy import deepcopy
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from kedro.io import AbstractDataset

from clientela.datasets.storage import folder_made, is_stored


class WholeFileDataset(AbstractDataset[Any, Any]):
    """Any dataset of one file, written beside its place first and then put there.

    A run that is interrupted leaves the file of the run before. An object store does this by
    itself: an object appears whole or not at all.

    Args:
        filepath: The file; local or `s3://`.
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
        return self._at(self._filepath).load()

    def save(self, data: Any) -> None:
        """Writes the file whole.

        Args:
            data: What the inner dataset takes.
        """
        fs, path = url_to_fs(self._filepath)
        if not isinstance(fs, LocalFileSystem):
            self._at(self._filepath).save(data)
            return
        folder_made(fs, path)
        staged = f"{path}.{uuid4().hex}.part"
        try:
            self._at(staged).save(data)
            fs.mv(staged, path)
        finally:
            if fs.exists(staged):
                fs.rm(staged)

    def _at(self, path: str) -> AbstractDataset[Any, Any]:
        config = deepcopy(self._dataset) | {"filepath": path}
        return AbstractDataset.from_config("whole_file", config)

    def _exists(self) -> bool:
        return is_stored(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
