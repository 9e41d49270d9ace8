"""The configuration of an environment without a session, and what commands on AWS share."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import click
from kedro.utils import find_kedro_project
from pydantic import BaseModel, ValidationError

from clientela.aws.plan import Plan
from clientela.aws_clients import Clients
from clientela.aws_settings import AccountRegion, AwsSettings, parse_aws_settings
from clientela.cli.main import Command
from clientela.config_loader import CONFIG_LOADER_ARGS, CheckedConfigLoader, list_environments
from clientela.datasets.model_packages import create_model_registry
from clientela.exceptions import ConfigurationError, MissingStageInputError, did_you_mean
from clientela.registry.manifest import ServedTask
from clientela.registry.model_registry import DeploymentSettings, ModelRegistry
from clientela.registry.package import PublishedModelStore
from clientela.use_cases import UseCase, parse_use_cases

# The configuration of an environment, as `kedro run --env=` sees it, without a session.


Settings = TypeVar("Settings", bound=BaseModel)

DEPLOYMENT = "deployment"
# Folder of served models, below the root of models.
SERVED = "served"


@dataclass(frozen=True)
class Environment:
    """The configuration of one environment.

    Attributes:
        project: Folder of the project.
    """

    project: Path
    loader: CheckedConfigLoader

    @classmethod
    def named(cls, env: str | None = None, conf_source: str | None = None) -> Self:
        """The environment of a name.

        Args:
            env: A folder of the configuration; None: `KEDRO_ENV`, or `local`.
            conf_source: Folder of the configuration; None: `conf` of the project.

        Raises:
            ConfigurationError: There is no project, or no such environment.
        """
        project = find_kedro_project(Path.cwd())
        if project is None and conf_source is None:
            raise ConfigurationError(
                f"No Clientela project lies at {Path.cwd()} or above. Change into its folder, or "
                "name its configuration: --conf-source=<folder>."
            )
        folder = Path(conf_source) if conf_source is not None else Path(str(project)) / "conf"
        chosen = env or os.getenv("KEDRO_ENV")
        _require_environment(folder, chosen)
        loader = CheckedConfigLoader(conf_source=str(folder), env=chosen, **CONFIG_LOADER_ARGS)
        return cls(Path(project or Path.cwd()), loader)

    @cached_property
    def globals(self) -> dict[str, Any]:
        """Where things lie, and which registry there is; see globals.yml."""
        return dict(self.loader["globals"])

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The parameters of every entry."""
        return dict(self.loader["parameters"])

    @property
    def models(self) -> str:
        """Root of models: an address, or an absolute path."""
        return self.place(str(self.globals["models"]))

    def place(self, path: str) -> str:
        """A path of the configuration, from whatever folder the command is called.

        Args:
            path: An address, or a path relative to the project.
        """
        return path if "://" in path else (self.project / path).as_posix()

    @cached_property
    def use_cases(self) -> dict[str, UseCase]:
        """The use cases that are on and can be deployed, by name."""
        return {n: entry for n, entry in self.entries.items() if DEPLOYMENT in entry.stages}

    def use_case(self, name: str) -> UseCase:
        """A use case that can be deployed.

        Raises:
            ConfigurationError: There is none, or it has no stage `deployment`.
        """
        known = self.use_cases
        if name not in known:
            raise ConfigurationError(
                f"No use case with the stage {DEPLOYMENT} that is on is called {name!r}. "
                f"{did_you_mean(name, known)}"
            )
        return known[name]

    def deployment(self, use_case: str) -> DeploymentSettings:
        """What a person decided about registering the models of a use case.

        Returns:
            The typed parameters; every setting has a default.
        """
        return self.settings(use_case, DEPLOYMENT, DeploymentSettings)

    def settings(self, use_case: str, block: str, form: type[Settings]) -> Settings:
        """One block of the parameters of a use case, typed."""
        given = self.parameters.get(use_case, {}).get(block) or {}
        try:
            return form.model_validate(given)
        except ValidationError as err:
            problem = err.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, (use_case, block, *problem["loc"])))
            raise ConfigurationError(f"The parameter {place} is wrong: {problem['msg']}.") from err

    def load_datasets(self, names: Sequence[str], run: str) -> list[Any]:
        """What the catalog holds under some names.

        Args:
            run: Options of the `kedro run` that writes them.

        Raises:
            MissingStageInputError: One is not there yet.
        """
        from clientela.context import open_context  # noqa: PLC0415 - brings Kedro's framework

        catalog = open_context(self.project, self.loader.env, str(self.loader.conf_source)).catalog
        if absent := [name for name in names if not catalog.exists(name)]:
            raise MissingStageInputError(
                f"{', '.join(absent)} is not there yet. Run first: kedro run {run}"
            )
        return [catalog.load(name) for name in names]

    @property
    def registry(self) -> ModelRegistry:
        """The model registry that the environment names."""
        return create_model_registry(self.globals["registry"], self.models, self.globals["aws"])

    @property
    def aws(self) -> AwsSettings:
        """What is true of the AWS account; see aws.yml."""
        return parse_aws_settings(self.globals["aws"], self.globals)

    @cached_property
    def entries(self) -> dict[str, UseCase]:
        """Every entry of the switchboard that is on, shared tables included."""
        return parse_use_cases(self.loader["use_cases"])

    @property
    def groups(self) -> list[str]:
        """The model package groups of every use case that is on."""
        named = []
        for name, entry in self.use_cases.items():
            settings, task = self.deployment(name), cast("ServedTask", entry.task)
            named += [settings.group(name, task, role) for role in settings.list_roles(task)]
        return list(dict.fromkeys(named))

    @property
    def served(self) -> PublishedModelStore:
        """The folder of served models."""
        return PublishedModelStore(f"{self.models}/{SERVED}")


def _require_environment(folder: Path, env: str | None) -> None:
    known = list_environments(folder)
    if known is None:
        raise ConfigurationError(
            f"No configuration lies at {folder}: a folder, or the archive that kedro package "
            "makes, was expected."
        )
    if env is not None and env not in known:
        raise ConfigurationError(
            f"No environment is called {env!r} in {folder}. {did_you_mean(env, known)}"
        )


# What the commands that speak with AWS share: the account, plans on paper, progress.


NOT_ASKED = (
    "No AWS credentials were found, so AWS was not asked what is there: this is the plan for an "
    "empty account. Names that hold content will be others."
)


@dataclass(frozen=True)
class Account:
    """An AWS account as an environment describes it.

    Attributes:
        settings: What is true of it.
    """

    settings: AwsSettings
    clients: Clients

    @property
    def place(self) -> AccountRegion:
        """Account and region.

        Raises:
            ConfigurationError: No role, or no region is set.
        """
        return AccountRegion.of(self.settings, self.clients.region)

    @classmethod
    def of(cls, environment: Environment) -> Self:
        """The account of an environment.

        Returns:
            The account; nothing is asked of it yet.

        Raises:
            ConfigurationError: A setting is wrong.
        """
        settings = environment.aws
        return cls(settings, Clients(settings))


def with_plan_options(command: Command) -> Command:
    """The command with the options that print its plan instead of carrying it out."""
    options: list[Callable[[Any], Any]] = [
        click.option("--json", "as_json", is_flag=True, help="With --dry-run: as JSON, not YAML."),
        click.option("--dry-run", is_flag=True, help="Print what would be asked of AWS, and stop."),
    ]
    for option in options:
        command = option(command)
    return command


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print a plan, after it was held against what AWS takes.

    Raises:
        DeploymentError: AWS would refuse it.
    """
    checked = plan.validate()
    as_text = json.dumps(checked.record(), indent=2, ensure_ascii=False)
    click.echo(as_text if as_json else checked.text())


@contextmanager
def print_aws_progress() -> Iterator[None]:
    """Shows on the terminal, within, what the AWS adapters log."""
    logger = logging.getLogger("clientela.aws")
    handler = _TerminalHandler()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(record.getMessage(), err=True)
