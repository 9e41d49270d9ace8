"""What is registered, what is approved, and what is served: `clientela status`."""

import json
from typing import Any, cast

import click
from rich.console import Console

from clientela.commands.environment import Environment
from clientela.commands.main import with_environment
from clientela.commands.tables import whole_table
from clientela.contracts.use_cases import UseCase
from clientela.inference.manifest import ServedTask
from clientela.registry.base import RegisteredModel
from clientela.registry.served import Served

COLUMNS = ("use case", "group", "number", "version", "status", "served")
NAMES = COLUMNS[:2]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@with_environment
def status(environment: Environment, *, as_json: bool) -> None:
    """List registered models, and which of them are served."""
    served = environment.served.served()
    found: dict[str, dict[str, Any]] = {
        name: {"groups": groups_of(environment, entry), "served": served.get(name)}
        for name, entry in environment.use_cases.items()
    }
    if as_json:
        click.echo(json.dumps(found, default=_record, indent=2, ensure_ascii=False))
        return
    console = Console(soft_wrap=True)
    if rows := _rows(found):
        console.print(whole_table(COLUMNS, rows, folding=NAMES))
    empty = [name for name, about in found.items() if not any(about["groups"].values())]
    if empty:
        console.print(
            f"Nothing registered yet: {', '.join(empty)}. "
            "Run kedro run --pipelines=deployment after training.",
            markup=False,
            highlight=False,
        )


def groups_of(environment: Environment, use_case: UseCase) -> dict[str, list[RegisteredModel]]:
    """The registered models of a use case.

    Args:
        environment: Where to look.
        use_case: Whose models.

    Returns:
        Group to its entries, the newest first.
    """
    settings, task = environment.deployment(use_case.name), cast("ServedTask", use_case.task)
    groups = [settings.group(use_case.name, task, role) for role in settings.registered(task)]
    return {group: environment.registry.models(group) for group in groups}


def _record(value: Served | RegisteredModel) -> dict[str, Any]:
    return value.model_dump(mode="json") if isinstance(value, Served) else value.record()


def _rows(found: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            use_case,
            group,
            str(entry.number),
            entry.version,
            entry.status,
            "●" if _is_served(entry, about["served"]) else "",
        )
        for use_case, about in found.items()
        for group, entries in about["groups"].items()
        for entry in entries
    ]


def _is_served(entry: RegisteredModel, pointer: Served | None) -> bool:
    return pointer is not None and (pointer.group, pointer.number) == (entry.group, entry.number)
