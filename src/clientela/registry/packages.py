"""A packaged model between training and registry: its files, and where they came to lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from clientela.inference.manifest import ServedManifest
from clientela.registry.base import Submission
from clientela.registry.wording import described


@dataclass(frozen=True)
class NewPackage:
    """The files of one model, not yet stored.

    Attributes:
        manifest: What the package says of its model.
        content: Bytes of `model.tar.gz` for our own image.
        prebuilt: Path to content of the archive for the prebuilt XGBoost container; None where the
            model is no native XGBoost model, or not the required one.
        metrics: Measures in the form that the SageMaker console draws; None without.
    """

    manifest: ServedManifest
    content: bytes
    prebuilt: Mapping[str, bytes] | None = None
    metrics: Mapping[str, Any] | None = None


class StoredPackage(BaseModel):
    """The files of one model, stored; they never change.

    Attributes:
        manifest: What the package says of its model.
        package: Address of `model.tar.gz` for our own image.
        package_sha256: Of that file.
        prebuilt: Address of the archive for the prebuilt XGBoost container; None without.
        metrics: Address of the measures that the SageMaker console draws; None without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: ServedManifest
    package: str
    package_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    prebuilt: str | None = None
    metrics: str | None = None

    @property
    def submission(self) -> Submission:
        """The model on its way into a registry."""
        manifest = self.manifest
        return Submission(
            group=manifest.group,
            use_case=manifest.use_case,
            role=manifest.role,
            version=manifest.version,
            package=self.package,
            package_sha256=self.package_sha256,
            prebuilt=self.prebuilt,
            metrics=self.metrics,
            grades={name: grade.value for name, grade in manifest.grades.items()},
            description=described(manifest),
            problem_type=manifest.problem_type,
            training_data_sha256=manifest.model["training_data_sha256"],
        )
