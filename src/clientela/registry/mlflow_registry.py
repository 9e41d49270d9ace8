"""MLflow's model registry on a database of one's own: without a server, without an account."""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from clientela.exceptions import RegistryError
from clientela.registry.model_registry import RegisteredModel, Status, Submission

APPROVED: Final = "approved"
"""Alias of the entry that was approved last, as MLflow's own tools look it up."""

SQLITE: Final = "sqlite:///"

INSTALL: Final = 'pip install "clientela[mlflow]"'


WAIT_SECONDS: Final = 120
"""For another process: making a new database takes some seconds, everything else far less."""

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
