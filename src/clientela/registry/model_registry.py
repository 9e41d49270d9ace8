"""What every model registry does for this project, and MLflow as the local one."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Final, Literal, Protocol, TypeAlias

from pydantic import Field

from clientela.exceptions import RegistryError
from clientela.models.problem import TASKS
from clientela.registry.manifest import MetricEstimate, Role, ServedManifest, ServedTask
from clientela.settings_base import FrozenSettings

# What every model registry does for this project, whatever product it is.
#
# Then the parameters of the stage, and models and entries in words, what flatters least first.


Status: TypeAlias = Literal["pending", "approved", "rejected"]

Verdict: TypeAlias = Literal["worse", "equal", "not proven", "better", "no rule"]

# As SageMaker allows them: letters, digits and dashes inside, 63 at most.
Group: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]


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
    """An entry, so that a person finds it."""
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


# MLflow's model registry on a database of one's own: without a server, without an account.


# Alias of the entry that was approved last, as MLflow's own tools look it up.
APPROVED: Final = "approved"

SQLITE: Final = "sqlite:///"

INSTALL: Final = 'pip install "clientela[mlflow]"'


# For another process: making a new database takes some seconds, everything else far less.
WAIT_SECONDS: Final = 120

PAUSE_SECONDS: Final = 0.05


class MlflowRegistry:
    """Entries as versions of registered models, one model per group; what they say, as tags.

    MLflow is imported at the first use: it takes seconds. With SQLite one process registers or
    decides at a time, the others wait; another database is asked without a lock, so that two
    processes that register the same model at the same moment make two entries there.

    Args:
        uri: Address of the database, as SQLAlchemy writes it, or of an MLflow server.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def register(self, submission: Submission) -> RegisteredModel:
        """See `clientela.registry.model_registry.ModelRegistry`."""
        with self._open_client() as client:
            for entry in self._list_entries(client, submission.group):
                if entry.version == submission.version:
                    return self._update_addresses(client, entry, submission)
            group = submission.group
            if not client.search_registered_models(f"name='{group}'"):
                client.create_registered_model(group, tags={"use_case": submission.use_case})
            # tags go in with the entry: there is no moment at which it says nothing of itself
            created = client.create_model_version(
                group,
                submission.package,
                tags=_make_tags(submission),
                description=submission.description,
            )
            return _parse_model_version(created)

    def models(self, group: str) -> list[RegisteredModel]:
        """See `clientela.registry.model_registry.ModelRegistry`."""
        if self._file is not None and not self._file.exists():
            return []
        with self._open_client() as client:
            return self._list_entries(client, group)

    def set_status(self, model: RegisteredModel, status: Status, reason: str) -> RegisteredModel:
        """See `clientela.registry.model_registry.ModelRegistry`."""
        group, number = model.group, str(model.number)
        with self._open_client() as client:
            for name, value in (("reason", reason), ("status", status)):
                client.set_model_version_tag(group, number, name, value)
            approved = client.get_registered_model(group).aliases.get(APPROVED)
            if status == APPROVED:
                client.set_registered_model_alias(group, APPROVED, number)
            elif approved is not None and int(approved) == model.number:
                client.delete_registered_model_alias(group, APPROVED)
            return _parse_model_version(client.get_model_version(group, number))

    def _update_addresses(
        self, client: Any, entry: RegisteredModel, submission: Submission
    ) -> RegisteredModel:
        """The entry; where the same files lie elsewhere now, it says so."""
        number = str(entry.number)
        if entry.package == submission.package:
            return entry
        for name in ("prebuilt", "metrics", "package"):
            value = getattr(submission, name)
            if value is not None:
                client.set_model_version_tag(entry.group, number, name, value)
        return _parse_model_version(client.get_model_version(entry.group, number))

    @property
    def _file(self) -> Path | None:
        """The database, where it is a file."""
        return Path(self.uri.removeprefix(SQLITE)) if self.uri.startswith(SQLITE) else None

    @contextmanager
    def _open_client(self) -> Iterator[Any]:
        """A client, alone with the database; what goes wrong in it says which registry it was."""
        client_class, refusals = _import_mlflow()
        try:
            with _lock_database(self._file):
                yield client_class(tracking_uri=self.uri, registry_uri=self.uri)
        except refusals as err:
            scheme, separator, rest = self.uri.partition("://")
            without_password = f"{scheme}{separator}{rest.rpartition('@')[2]}"
            raise RegistryError(
                f"The MLflow registry at {without_password} refuses: "
                f"{str(err).splitlines()[0]}. Check its address (registry.uri in globals.yml), and "
                "that its folder may be written."
            ) from err

    def _list_entries(self, client: Any, group: str) -> list[RegisteredModel]:
        entries: list[RegisteredModel] = []
        token = None
        while True:
            page = client.search_model_versions(f"name='{group}'", page_token=token)
            entries += [_parse_model_version(version) for version in page]
            token = page.token
            if not token:
                return sorted(entries, key=lambda entry: -entry.number)


def _import_mlflow() -> tuple[Any, tuple[type[Exception], ...]]:
    """MLflow's client, and what it raises; it reports to nobody."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - seconds, and an extra
        from mlflow.tracking import MlflowClient  # noqa: PLC0415 - likewise
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as err:
        raise RegistryError(
            f"The local model registry needs MLflow, and {err.name} is not installed. Install it "
            f"({INSTALL}), or name another registry in globals.yml."
        ) from err
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient, (MlflowException, SQLAlchemyError, OSError)


@contextmanager
def _lock_database(database: Path | None) -> Iterator[None]:
    """Waits until no other process writes to the same file; a killed one lets go by itself."""
    if database is None:
        yield
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    with database.with_name(f"{database.name}.lock").open("w") as lock:
        _wait_for_lock(lock, database)
        yield


def _wait_for_lock(file: IO[str], database: Path) -> None:
    last = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            if time.monotonic() > last:
                raise RegistryError(
                    f"Another process has held the registry {database} for {WAIT_SECONDS} seconds. "
                    "Wait for it, or end it, and run the same command again."
                ) from err
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _make_tags(submission: Submission) -> dict[str, str]:
    given = {
        "use_case": submission.use_case,
        "role": submission.role,
        "version": submission.version,
        "status": "pending",
        "package": submission.package,
        "package_sha256": submission.package_sha256,
        "prebuilt": submission.prebuilt,
        "metrics": submission.metrics,
        "problem_type": submission.problem_type,
        "training_data_sha256": submission.training_data_sha256,
        **{f"grade.{name}": f"{value:.6g}" for name, value in submission.grades.items()},
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def _parse_model_version(version: Any) -> RegisteredModel:
    tags = version.tags
    try:
        return RegisteredModel(
            group=version.name,
            number=int(version.version),
            status=tags["status"],
            use_case=tags["use_case"],
            role=tags["role"],
            version=tags["version"],
            package=tags["package"],
            package_sha256=tags["package_sha256"],
            address=f"models:/{version.name}/{version.version}",
        )
    except KeyError as err:
        raise RegistryError(
            f"Version {version.version} of the group {version.name} was not registered by this "
            f"project: it has no tag {err}. Give the group another name (deployment.groups), or "
            "delete that version in MLflow."
        ) from err
