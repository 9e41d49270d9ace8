"""The `clientela` command, whose sub-commands are imported when they are asked for.

Start-up time is a feature: nothing but click is imported here.
"""

import ast
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click

# Name of a sub-command to `<module>:<click command>`.
LAZY: Mapping[str, str] = MappingProxyType(
    {
        "api": "clientela.cli.endpoint:api",
        "approve": "clientela.cli.registry:approve",
        "create-sample": "clientela.cli.invoke:create_sample",
        "deploy": "clientela.cli.endpoint:deploy",
        "invoke": "clientela.cli.invoke:invoke",
        "letters": "clientela.cli.decisions:letters",
        "register": "clientela.cli.decisions:register",
        "reject": "clientela.cli.registry:reject",
        "sagemaker": "clientela.cli.sagemaker:sagemaker",
        "status": "clientela.cli.registry:status",
        "undeploy": "clientela.cli.endpoint:undeploy",
    }
)

Command = TypeVar("Command", bound=Callable[..., Any])


class LazyGroup(click.Group):
    """A group that imports a sub-command when somebody asks for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all sub-commands."""
        return sorted({*super().list_commands(ctx), *LAZY})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A sub-command, imported now.

        Returns:
            The command; None where there is none of that name.
        """
        if cmd_name not in LAZY:
            return super().get_command(ctx, cmd_name)
        module, _, name = LAZY[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the sub-commands with what each is for, without importing any of them."""
        rows = [
            (name, read_command_summary(name)) for name in self.list_commands(ctx) if name in LAZY
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a sub-command; what a person can mend ends it with the message alone.

        Raises:
            click.ClickException: The message of an error of ours, exit code 1.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # Kedro, imported now, tells which logging it uses; a person reads the message alone
            kedro = logging.getLogger("kedro.framework.project")
            kedro.addFilter(lambda record: record.levelno > logging.INFO)
            # kedro takes a second to import, and only errors need it
            from clientela.cli.kedro_run import get_user_message  # noqa: PLC0415

            message = get_user_message(error)
            if message is None:
                raise
            raise click.ClickException(message) from error


def read_command_summary(name: str) -> str:
    """What a sub-command is for, read from its source: importing it may take seconds."""
    module, _, function = LAZY[name].partition(":")
    spec = find_spec(module)
    source = Path(str(spec.origin)).read_text("utf-8") if spec is not None else ""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            words = (ast.get_docstring(node) or "").partition("\n\n")[0]
            return " ".join(words.split())
    return ""


@click.group(name="clientela", cls=LazyGroup)
@click.version_option(package_name="clientela")
def cli() -> None:
    """Approve, deploy, serve and ask trained models."""


def with_environment(command: Command) -> Command:
    """The command with the options that say which configuration is meant.

    Returns:
        The command with `--env` and `--conf-source` in its place.
    """

    @click.option(
        "--env", default=None, help="Environment: a folder of conf. Default: KEDRO_ENV or local."
    )
    @click.option("--conf-source", default=None, help="Another folder of configuration than conf.")
    @wraps(command)
    def wrapped(*args: Any, env: str | None, conf_source: str | None, **kwargs: Any) -> Any:
        from clientela.cli.environment import Environment  # noqa: PLC0415 - imports Kedro

        return command(*args, environment=Environment.named(env, conf_source), **kwargs)

    return wrapped  # type: ignore[return-value]
