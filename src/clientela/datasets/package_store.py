"""Keeps packaged models under names made of their content, and remembers the latest one."""

from typing import Any

from kedro.io import AbstractDataset
from pydantic import ValidationError

from clientela.datasets.storage import is_stored
from clientela.exceptions import ModelFileError, StageInputMissing
from clientela.inference.manifest import Role
from clientela.modelling.storage.archive import archived
from clientela.modelling.storage.packaging import json_bytes
from clientela.registry.packages import NewPackage, StoredPackage
from clientela.registry.whole_files import (
    keep_whole,
    read_verified,
    read_whole,
    sha256_of,
    write_whole,
)

AGAIN = "Run the deployment stage again."


class PackageStoreDataset(AbstractDataset[NewPackage, StoredPackage]):
    """The packages of one role of a use case: `<role>-<version>.tar.gz`, each written once.

    `<role>.json`, written last, says which one is the latest. A run that is killed leaves the one
    before; a rerun with the same model writes nothing, and puts a damaged file right.

    Args:
        path: The folder; local or `s3://`.
        role: `champion` or `required`.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(self, *, path: str, role: Role, metadata: dict[str, Any] | None = None) -> None:
        self._path = path
        self._role = role
        self.metadata = metadata

    def load(self) -> StoredPackage:
        """The latest package, after checking its file.

        Returns:
            Where its files lie.

        Raises:
            StageInputMissing: There is none.
            ModelFileError: It is damaged.
        """
        text = read_whole(self._latest)
        if text is None:
            raise StageInputMissing(
                f"No package at {self._latest}. Run first: kedro run --pipelines=deployment"
            )
        try:
            stored = StoredPackage.model_validate_json(text)
        except ValidationError as err:
            raise ModelFileError(
                f"{self._latest} should name the latest package, but can't be read. {AGAIN}"
            ) from err
        read_verified(stored.package, stored.package_sha256)
        return stored

    def save(self, data: NewPackage) -> None:
        """Stores the files that are not there yet, then calls them the latest.

        Args:
            data: The files.

        Raises:
            ModelFileError: A file can't be read back equal.
        """
        version = data.manifest.version
        stored = StoredPackage(
            manifest=data.manifest,
            package=self._kept(f"{version}.tar.gz", data.content),
            package_sha256=sha256_of(data.content),
            prebuilt=None
            if data.prebuilt is None
            else self._kept(f"{version}-prebuilt.tar.gz", archived(data.prebuilt)),
            metrics=None
            if data.metrics is None
            else self._kept(f"{version}-metrics.json", json_bytes(data.metrics)),
        )
        latest = json_bytes(stored.model_dump(mode="json"))
        if read_whole(self._latest) != latest:
            write_whole(self._latest, latest)

    @property
    def _latest(self) -> str:
        return f"{self._path}/{self._role}.json"

    def _kept(self, name: str, content: bytes) -> str:
        address = f"{self._path}/{self._role}-{name}"
        keep_whole(address, content)
        return address

    def _exists(self) -> bool:
        return is_stored(self._latest)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._latest, "role": self._role}
