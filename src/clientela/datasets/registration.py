"""Enters models into the registry that the environment names, and keeps what it answered."""

import json
from collections.abc import Mapping
from typing import Any

from kedro.io import AbstractDataset

from clientela.aws.model_registry import SageMakerRegistry
from clientela.aws.settings import aws_settings
from clientela.classification.named import check_name
from clientela.datasets.storage import is_stored
from clientela.exceptions import ConfigurationError, StageInputMissing
from clientela.modelling.storage.packaging import json_bytes
from clientela.registry.base import ModelRegistry, RegisteredModel, Submission
from clientela.registry.mlflow_registry import SQLITE, MlflowRegistry
from clientela.registry.whole_files import read_whole, write_whole

KINDS = ("mlflow", "sagemaker")

DATABASE = "registry/mlflow.db"
"""Of the local registry, below the root of models."""


def registry_of(
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
        return SageMakerRegistry(aws_settings(aws or {}))
    return MlflowRegistry(settings.get("uri") or _local_database(models))


def _local_database(models: str) -> str:
    if "://" in models and not models.startswith("file://"):
        raise ConfigurationError(
            f"The local registry is a database file and can't lie at {models}. Set registry.uri in "
            "globals.yml (postgresql://…, or an MLflow server), or registry.kind to 'sagemaker'."
        )
    return f"{SQLITE}{models.removeprefix('file://').rstrip('/')}/{DATABASE}"


class RegistrationDataset(AbstractDataset[dict[str, Submission], dict[str, RegisteredModel]]):
    """Models in a registry, by role: saving registers each that is not there yet.

    What the registry answered is kept in a file, for the run summary and for people.

    Args:
        filepath: That file; local or `s3://`.
        registry: `registry` of globals.yml.
        models: `{path: <root of models>}`.
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

        Returns:
            Role to its entry.

        Raises:
            StageInputMissing: Nothing was registered yet.
        """
        text = read_whole(self._filepath)
        if text is None:
            raise StageInputMissing(
                f"No record of registered models at {self._filepath}. Run first: "
                "kedro run --pipelines=deployment"
            )
        return {role: RegisteredModel(**entry) for role, entry in json.loads(text).items()}

    def save(self, data: dict[str, Submission]) -> None:
        """Registers each model; one that is there already stays as it stands.

        Args:
            data: Role to what is submitted.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """
        registry = registry_of(self._registry, self._models, self._aws)
        entries = {role: registry.register(submission) for role, submission in data.items()}
        record = {role: entry.record() for role, entry in entries.items()}
        write_whole(self._filepath, json_bytes(record))

    def _exists(self) -> bool:
        return is_stored(self._filepath)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "registry": self._registry.get("kind")}
