"""What every model registry does for this project, whatever product it is."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from clientela.inference.manifest import Role

Status: TypeAlias = Literal["pending", "approved", "rejected"]


@dataclass(frozen=True)
class Submission:
    """A packaged model on its way into a registry.

    Attributes:
        group: Model package group; made when it does not exist.
        use_case: Whose model.
        role: `champion` or `required`.
        version: Of the manifest: made of the content.
        package: Address of `model.tar.gz` for our own image.
        package_sha256: Of that file.
        prebuilt: Address of `model.tar.gz` for the prebuilt XGBoost container; None where the
            model is no XGBoost model, or not the required one.
        metrics: Address of the metrics in the form that the SageMaker console draws; None without.
        grades: Measure to its value on the test part.
        description: One sentence for people: the model against the best rule.
        problem_type: As registries call it.
        training_data_sha256: Of the rows it learned from.
    """

    group: str
    use_case: str
    role: Role
    version: str
    package: str
    package_sha256: str
    prebuilt: str | None
    metrics: str | None
    grades: dict[str, float]
    description: str
    problem_type: str
    training_data_sha256: str


@dataclass(frozen=True)
class RegisteredModel:
    """One entry of a registry.

    Attributes:
        group: Model package group.
        number: The registry's own version, from 1 on.
        status: Whether a person approved it.
        use_case: Whose model.
        role: `champion` or `required`.
        version: Of the manifest.
        package: Address of its package.
        package_sha256: Of that file.
        address: What the registry itself calls the entry (an ARN, a URI).
    """

    group: str
    number: int
    status: Status
    use_case: str
    role: Role
    version: str
    package: str
    package_sha256: str
    address: str

    def record(self) -> dict[str, Any]:
        """The entry as JSON."""
        return dict(vars(self))


class ModelRegistry(Protocol):
    """Where models are registered; MLflow and SageMaker each have one class that does this."""

    def register(self, submission: Submission) -> RegisteredModel:
        """Enter a model, approval pending; one that is there already is returned as it stands.

        Args:
            submission: What to enter.

        Returns:
            The entry: two calls with the same version and group make one.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """

    def models(self, group: str) -> list[RegisteredModel]:
        """The entries of a group, the newest first; empty where there is no such group.

        Args:
            group: Model package group.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """

    def decide(self, model: RegisteredModel, status: Status, reason: str) -> RegisteredModel:
        """Approve or reject an entry.

        Args:
            model: Which.
            status: What a person decided.
            reason: Their words, kept with the entry.

        Returns:
            The entry as it is now.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """
