"""Stored models, archives of several files, packaged models, and their entries in a registry."""

import json
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import numpy as np
from fsspec.core import url_to_fs
from joblib import load
from joblib.numpy_pickle import NumpyPickler
from kedro.io import AbstractDataset

from clientela.aws_settings import parse_aws_settings
from clientela.exceptions import ConfigurationError, MissingStageInputError, ModelFileError
from clientela.models.base import check_name
from clientela.models.stored_model import StoredModel, decode_model, encode_model
from clientela.registry.manifest import Role
from clientela.registry.model_registry import (
    SQLITE,
    MlflowRegistry,
    ModelRegistry,
    RegisteredModel,
    Submission,
)
from clientela.registry.package import (
    NewPackage,
    PackageStore,
    StoredPackage,
    encode_json,
    extract_archive,
    make_archive,
)
from clientela.registry.sagemaker_registry import SageMakerRegistry
from clientela.storage import (
    compute_sha256,
    is_stored,
    read_and_verify,
    read_file_if_present,
    replace_atomically,
    write_file_atomically,
)

# Fitted models at rest: a skops file with its manifest, and joblib's format with equal bytes.
#
# `dump` and `load` make this module a `backend` of Kedro's pickle dataset. A pickle notes which of
# its parts are one object, not only equal ones. For strings and dtypes that depends on what the
# process did before, and the gaps between the fields of a tree's nodes hold whatever the memory
# held, so two runs would write different files. Here the first of several equal strings or dtypes
# stands for all of them, and gaps are zero.


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


# Packaged models: archives of files, packages named by their content, and the registry.
#
# Which package is the latest is written last, and what the registry answered is kept in a file.


ARCHIVE = ".tar.gz"
AGAIN = "Run the deployment stage again."
KINDS = ("mlflow", "sagemaker")

# Of the local registry, below the root of models.
DATABASE = "registry/mlflow.db"


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

        Raises:
            ModelFileError: The archive is damaged.
        """
        if not self._exists():
            raise MissingStageInputError(
                f"No model at {self._filepath}. Run the training stage first."
            )
        fs, path = url_to_fs(self._filepath)
        if not path.endswith(ARCHIVE):
            names = sorted(str(found) for found in fs.find(path))
            return {str(PurePosixPath(name).relative_to(path)): fs.cat_file(name) for name in names}
        try:
            return extract_archive(fs.cat_file(path))
        except (tarfile.TarError, OSError, EOFError) as err:
            raise ModelFileError(
                f"{self._filepath} can't be read as a .tar.gz archive ({err}). "
                "Run the training stage again."
            ) from err

    def save(self, data: Mapping[str, bytes]) -> None:
        """Write the files in place of those that were there."""
        if self._filepath.endswith(ARCHIVE):
            write_file_atomically(self._filepath, make_archive(data))
            return
        with replace_atomically(self._filepath, ".writing") as staged:
            for name, content in data.items():
                write_file_atomically(f"{staged}/{name}", content)

    def _exists(self) -> bool:
        return is_stored(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class PackageStoreDataset(AbstractDataset[NewPackage, StoredPackage]):
    """The packages of one role of a use case: `<role>-<version>.tar.gz`, each written once.

    `<role>.json`, written last, says which one is the latest. A run that is killed leaves the one
    before; a rerun with the same model writes nothing, and puts a damaged file right.

    Args:
        metadata: For kedro-viz and the run summary.
    """

    def __init__(self, *, path: str, role: Role, metadata: dict[str, Any] | None = None) -> None:
        self._store = PackageStore(path)
        self._role = role
        self.metadata = metadata

    def load(self) -> StoredPackage:
        """The latest package, after checking its file."""
        stored = self._store.read_pointer(self._role, StoredPackage, AGAIN)
        if stored is None:
            raise MissingStageInputError(
                f"No package at {self._latest_path}. Run first: kedro run --pipelines=deployment"
            )
        read_and_verify(stored.package, stored.package_sha256)
        return stored

    def save(self, data: NewPackage) -> None:
        """Stores the files that are not there yet, then calls them the latest.

        Raises:
            ModelFileError: A file can't be read back equal.
        """
        prefix, store = f"{self._role}-{data.manifest.version}", self._store.store
        more: dict[str, str] = {}
        if data.prebuilt is not None:
            more["prebuilt"] = store(f"{prefix}-prebuilt.tar.gz", make_archive(data.prebuilt))
        if data.metrics is not None:
            more["metrics"] = store(f"{prefix}-metrics.json", encode_json(data.metrics))
        stored = StoredPackage(
            manifest=data.manifest,
            package=store(f"{prefix}.tar.gz", data.content),
            package_sha256=compute_sha256(data.content),
            **more,
        )
        self._store.point(self._role, stored)

    @property
    def _latest_path(self) -> str:
        return self._store.build_address(f"{self._role}.json")

    def _exists(self) -> bool:
        return is_stored(self._latest_path)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._latest_path, "role": self._role}


def create_model_registry(
    settings: Mapping[str, Any], models: str, aws: Mapping[str, Any] | None = None
) -> ModelRegistry:
    """The registry that an environment names.

    Args:
        settings: `registry` of globals.yml: `kind`, and what that kind needs.
        models: Root of models, where the local registry lies unless its `uri` says otherwise.
        aws: Content of aws.yml, for SageMaker; None: its defaults.

    Returns:
        The registry; nothing is asked of it yet.

    Raises:
        ConfigurationError: There is no such kind, or no place for its database.
    """
    kind = str(settings.get("kind"))
    check_name("model registry (registry.kind in globals.yml)", kind, KINDS)
    if kind == "sagemaker":
        return SageMakerRegistry(parse_aws_settings(aws or {}))
    uri = settings.get("uri")
    if not uri:
        if "://" in models and not models.startswith("file://"):
            raise ConfigurationError(
                f"The local registry is a database file and can't lie at {models}. Set "
                "registry.uri in globals.yml (postgresql://…, or an MLflow server), or "
                "registry.kind to 'sagemaker'."
            )
        uri = f"{SQLITE}{models.removeprefix('file://').rstrip('/')}/{DATABASE}"
    return MlflowRegistry(uri)


class RegistrationDataset(AbstractDataset[dict[str, Submission], dict[str, RegisteredModel]]):
    """Models in a registry, by role: saving registers each that is not there yet.

    What the registry answered is kept in a file, for the run summary and for people.

    Args:
        aws: Content of aws.yml, for a registry in SageMaker.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(
        self,
        *,
        filepath: str,
        registry: dict[str, Any],
        models: dict[str, str],
        aws: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = filepath
        self._registry = registry
        self._models = models["path"]
        self._aws = aws
        self.metadata = metadata

    def load(self) -> dict[str, RegisteredModel]:
        """What the registry answered when the models were registered.

        Raises:
            MissingStageInputError: Nothing was registered yet.
        """
        text = read_file_if_present(self._filepath)
        if text is None:
            raise MissingStageInputError(
                f"No record of registered models at {self._filepath}. Run first: "
                "kedro run --pipelines=deployment"
            )
        return {role: RegisteredModel(**entry) for role, entry in json.loads(text).items()}

    def save(self, data: dict[str, Submission]) -> None:
        """Registers each model; one that is there already stays as it stands.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """
        registry = create_model_registry(self._registry, self._models, self._aws)
        entries = {role: registry.register(submission) for role, submission in data.items()}
        record = {role: entry.record() for role, entry in entries.items()}
        write_file_atomically(self._filepath, encode_json(record))

    def _exists(self) -> bool:
        return is_stored(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "registry": self._registry.get("kind")}
