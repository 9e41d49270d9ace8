"""What the commands that speak with AWS share: the account, plans on paper, progress."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import click

from clientela.aws.plan import Plan
from clientela.aws_clients import Clients
from clientela.aws_settings import AccountRegion, AwsSettings
from clientela.cli.environment import Environment
from clientela.cli.main import Command

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
