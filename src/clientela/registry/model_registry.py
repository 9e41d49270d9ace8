"""What every model registry does for this project, whatever product it is.

Then the parameters of the stage, and models and entries in words, what flatters least first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, TypeAlias

from pydantic import Field

from clientela.models.tasks import TASKS
from clientela.registry.manifest import MetricEstimate, Role, ServedManifest, ServedTask
from clientela.settings_base import FrozenSettings

Status: TypeAlias = Literal["pending", "approved", "rejected"]

Verdict: TypeAlias = Literal["worse", "equal", "not proven", "better", "no rule"]

Group: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]
"""As SageMaker allows them: letters, digits and dashes inside, 63 at most."""


@dataclass(frozen=True)
class Submission:
    """A packaged model on its way into a registry.

    Attributes:
        group: Model package group; made when it does not exist.
        version: Of the manifest: made of the content.
        package: Address of `model.tar.gz` for our own image.
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
        number: The registry's own version, from 1 on.
        status: Whether a person approved it.
        package: Address of its package.
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

        Returns:
            The entry: two calls with the same version and group make one.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """

    def models(self, group: str) -> list[RegisteredModel]:
        """The entries of a group, the newest first; empty where there is no such group.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """

    def set_status(self, model: RegisteredModel, status: Status, reason: str) -> RegisteredModel:
        """Approve or reject an entry.

        Args:
            reason: Their words, kept with the entry.

        Raises:
            RegistryError: The registry can't be reached, or refuses.
        """


class DeploymentSettings(FrozenSettings):
    """Parameters of the deployment stage.

    Attributes:
        groups: Role to the model package group that it is registered in; others are called after
            the use case.
        roles: Which models are registered: the best one that training found (`champion`), the one
            that the requirement names (`required`). Segments have a champion only.
        event: What `clientela invoke` calls the positive class in its records; None: by its name.
    """

    groups: dict[Role, Group] = {}
    roles: tuple[Role, ...] = Field(default=("champion", "required"), min_length=1)
    event: str | None = None

    def group(self, use_case: str, task: ServedTask, role: Role) -> str:
        """The group of a model: as configured, else after its use case.

        Segments, which have one role, are called after the use case alone.
        """
        dashed = use_case.replace("_", "-")
        return self.groups.get(role, dashed if task == "segments" else f"{dashed}-{role}")

    def list_roles(self, task: ServedTask) -> list[Role]:
        """The roles that are registered, champion first."""
        known: tuple[Role, ...] = ("champion",) if task == "segments" else ("champion", "required")
        return [role for role in known if role in self.roles]


@dataclass(frozen=True)
class Comparison:
    """One measure of a model beside that of the best business rule.

    Attributes:
        grade: Of the model, and of the rule.
        verdict: `worse` or `equal` where the rule is no worse, `not proven` where the interval of
            the model holds the rule's figure, else `better`; `no rule` where none was graded.
    """

    measure: str
    grade: MetricEstimate
    verdict: Verdict


def compare_with_rule(manifest: ServedManifest) -> list[Comparison]:
    """The grades of a model, the least flattering one first.

    Returns:
        By how much the model gains over the rule, in shares of the larger figure of the two; those
        without a rule last.
    """
    gains = {name: _compute_gain(manifest, name, grade) for name, grade in manifest.grades.items()}
    ordered = sorted(
        manifest.grades.items(),
        key=lambda item: (gains[item[0]] is None, gains[item[0]] or 0.0, item[0]),
    )
    return [
        Comparison(name, grade, _compute_verdict(grade, gains[name])) for name, grade in ordered
    ]


def _compute_gain(manifest: ServedManifest, name: str, grade: MetricEstimate) -> float | None:
    if grade.rule is None:
        return None
    larger = max(abs(grade.value), abs(grade.rule))
    if larger == 0:
        return 0.0
    known = TASKS.get(manifest.task)
    sign = 1.0 if known is None or known.greater_is_better(name) else -1.0
    return sign * (grade.value - grade.rule) / larger


def _compute_verdict(grade: MetricEstimate, gain: float | None) -> Verdict:
    if gain is None or grade.rule is None:
        return "no rule"
    if gain <= 0:
        return "worse" if gain < 0 else "equal"
    if grade.lower is None or grade.upper is None:
        return "better"
    return "not proven" if grade.lower <= grade.rule <= grade.upper else "better"


def describe_model(manifest: ServedManifest) -> str:
    """A model in one sentence, against the best rule where it was graded against one."""
    rows = manifest.model["training_rows"]
    who = f"{manifest.use_case}, {manifest.role}, learned from {rows} rows"
    metric = manifest.primary_metric or next(iter(manifest.grades), None)
    if metric is None or metric not in manifest.grades:
        return f"{who}."
    grade = manifest.grades[metric]
    verdict = _compute_verdict(grade, _compute_gain(manifest, metric, grade))
    if grade.rule is None:
        return f"{who}; {metric} {format_interval(grade)}."
    return f"{who}; {metric} {format_interval(grade)}, best rule {grade.rule:.3f}: {verdict}."


def format_interval(grade: MetricEstimate) -> str:
    """A figure, and how sure it is."""
    if grade.lower is None or grade.upper is None:
        return f"{grade.value:.3f}"
    return f"{grade.value:.3f} [{grade.lower:.3f}, {grade.upper:.3f}]"


def describe_entry(entry: RegisteredModel) -> str:
    """An entry, so that a person finds it.

    Returns:
        For example `champion 1c2a3b4d5e6f, number 2 of credit-payment-champion (pending)`.
    """
    return f"{entry.role} {entry.version}, number {entry.number} of {entry.group} ({entry.status})"


def describe_registration(entries: Mapping[str, RegisteredModel]) -> str:
    """What is registered, and the command that approves it where that is still to be done.

    Args:
        entries: Role to its entry; at least one, all of one use case.
    """
    first = next(iter(entries.values()))
    listing = "; ".join(describe_entry(entry) for entry in entries.values())
    sentence = f"{first.use_case} is registered: {listing}."
    pending = [role for role, entry in entries.items() if entry.status == "pending"]
    if not pending:
        return sentence
    option = "" if "champion" in pending else f" --role {pending[0]}"
    return f"{sentence} Approve with: clientela approve {first.use_case}{option}"
