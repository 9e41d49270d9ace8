"""`clientela approve` has a registered model served, `reject` says no, `status` lists them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

import click
from rich.console import Console
from rich.table import Table

from clientela.cli.environment import Environment
from clientela.cli.main import with_environment
from clientela.exceptions import ModelFileError, NoApprovedModelError, did_you_mean
from clientela.registry.manifest import Role, ServedManifest, ServedTask
from clientela.registry.model_registry import (
    RegisteredModel,
    compare_with_rule,
    describe_entry,
    format_interval,
)
from clientela.registry.package import PublishedModel, open_package, package_name
from clientela.storage import read_and_verify
from clientela.use_cases import UseCase

ROLES = click.Choice(["champion", "required"])
NO_REASON = "none given"
COLUMNS = ("use case", "group", "number", "version", "status", "served")
NAMES = COLUMNS[:2]
GRADES = ("measure", "model [95 %]", "best rule", "against the rule")

role_option = click.option("--role", type=ROLES, default="champion", show_default=True)
number_option = click.option(
    "--number", type=click.IntRange(min=1), help="Entry of the group; default: the newest."
)
reason_option = click.option("--reason", default=NO_REASON, help="Kept with the entry.")


@click.command()
@click.argument("use_case")
@role_option
@number_option
@reason_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_environment
def approve(  # noqa: PLR0913 - one argument for each option
    environment: Environment,
    use_case: str,
    role: str,
    number: int | None,
    reason: str,
    *,
    yes: bool,
) -> None:
    """Approve a registered model of USE_CASE and have it served.

    An earlier entry, given by its number, takes the place of the one that is served: this is the
    way back.
    """
    console = Console(soft_wrap=True)
    entry = select_entry(environment, environment.use_case(use_case), role, number)
    content = read_and_verify(entry.package, entry.package_sha256)
    manifest = load_verified_manifest(entry, content)
    console.print(f"{use_case}: {describe_entry(entry)}", markup=False, highlight=False)
    console.print(_describe_grading(manifest), markup=False, highlight=False)
    if manifest.grades:
        console.print(_build_grades_table(manifest))
    if not yes:
        click.confirm("Approve it, and have it served?", abort=True)
    if entry.status != "approved" or reason != NO_REASON:
        entry = environment.registry.set_status(entry, "approved", reason)
    environment.served.publish(content, create_pointer(entry))
    console.print(
        f"Approved and served: {describe_entry(entry)}, from {environment.served.folder}",
        markup=False,
        highlight=False,
    )


@click.command()
@click.argument("use_case")
@role_option
@number_option
@reason_option
@with_environment
def reject(
    environment: Environment, use_case: str, role: str, number: int | None, reason: str
) -> None:
    """Reject a registered model of USE_CASE; what is served stays until another is approved."""
    entry = select_entry(environment, environment.use_case(use_case), role, number)
    entry = environment.registry.set_status(entry, "rejected", reason)
    click.echo(f"Rejected: {describe_entry(entry)}")
    pointer = environment.served.served().get(use_case)
    if pointer is not None and pointer.version == entry.version:
        click.echo(
            "It is still served. Have another one served: clientela approve "
            f"{use_case} --number <number>"
        )


def select_entry(
    environment: Environment, use_case: UseCase, role: str, number: int | None
) -> RegisteredModel:
    """The entry that a person means.

    Args:
        number: Of the entry; None: the newest.

    Raises:
        NoApprovedModelError: The group has no entry, or none of that number.
    """
    settings = environment.deployment(use_case.name)
    task = cast("ServedTask", use_case.task)
    group = settings.group(use_case.name, task, cast("Role", role))
    entries = environment.registry.models(group)
    if not entries:
        raise NoApprovedModelError(
            f"No model is registered in the group {group}. Run first: "
            f"kedro run --pipelines=deployment --tags={use_case.name}"
        )
    matching = [entry for entry in entries if number in (None, entry.number)]
    if not matching:
        numbers = [str(entry.number) for entry in entries]
        raise NoApprovedModelError(
            f"The group {group} has no entry {number}. {did_you_mean(str(number), numbers)}"
        )
    return matching[0]


def load_verified_manifest(entry: RegisteredModel, content: bytes) -> ServedManifest:
    """What a package says of its model, once everything in it is verified and can be loaded.

    Raises:
        ModelFileError: It is damaged, or that of another model.
    """
    manifest = open_package(content, entry.package, entry.package_sha256).manifest
    packaged = (manifest.use_case, manifest.role, manifest.version)
    if packaged != (entry.use_case, entry.role, entry.version):
        raise ModelFileError(
            f"The entry {describe_entry(entry)} names the package {entry.package}, which holds "
            f"{' '.join(packaged)}. Run the deployment stage again."
        )
    return manifest


def create_pointer(entry: RegisteredModel) -> PublishedModel:
    """The pointer by which servers find the model of an entry."""
    return PublishedModel(
        use_case=entry.use_case,
        role=entry.role,
        group=entry.group,
        number=entry.number,
        version=entry.version,
        package=package_name(entry.use_case, entry.role, entry.version),
        package_sha256=entry.package_sha256,
    )


def _describe_grading(manifest: ServedManifest) -> str:
    kind = manifest.model.get("candidate") or manifest.task
    rows = manifest.model["training_rows"]
    graded = f"{kind}, learned from {rows} rows"
    if not manifest.grades:
        return f"{graded}; never graded."
    chose = " (* chose the champion)" if manifest.primary_metric in manifest.grades else ""
    where = "" if manifest.task == "segments" else "on the test part, "
    return f"{graded}; {where}what flatters least first{chose}:"


def _build_grades_table(manifest: ServedManifest) -> Table:
    rows = [
        (
            f"{row.measure} *" if row.measure == manifest.primary_metric else row.measure,
            format_interval(row.grade),
            "" if row.grade.rule is None else f"{row.grade.rule:.3f}",
            row.verdict,
        )
        for row in compare_with_rule(manifest)
    ]
    return make_full_text_table(GRADES, rows, folding=GRADES)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@with_environment
def status(environment: Environment, *, as_json: bool) -> None:
    """List registered models, and which of them are served."""
    served = environment.served.served()
    found: dict[str, dict[str, Any]] = {
        name: {"groups": list_group_models(environment, entry), "served": served.get(name)}
        for name, entry in environment.use_cases.items()
    }
    if as_json:
        click.echo(json.dumps(found, default=_convert_to_json, indent=2, ensure_ascii=False))
        return
    console = Console(soft_wrap=True)
    if rows := _build_status_rows(found):
        console.print(make_full_text_table(COLUMNS, rows, folding=NAMES))
    empty = [name for name, about in found.items() if not any(about["groups"].values())]
    if empty:
        console.print(
            f"Nothing registered yet: {', '.join(empty)}. "
            "Run kedro run --pipelines=deployment after training.",
            markup=False,
            highlight=False,
        )


def list_group_models(
    environment: Environment, use_case: UseCase
) -> dict[str, list[RegisteredModel]]:
    """The registered models of a use case.

    Returns:
        Group to its entries, the newest first.
    """
    settings, task = environment.deployment(use_case.name), cast("ServedTask", use_case.task)
    groups = [settings.group(use_case.name, task, role) for role in settings.list_roles(task)]
    return {group: environment.registry.models(group) for group in groups}


def _convert_to_json(value: PublishedModel | RegisteredModel) -> dict[str, Any]:
    return value.model_dump(mode="json") if isinstance(value, PublishedModel) else value.record()


def _build_status_rows(found: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for use_case, about in found.items():
        served = about["served"]
        live = None if served is None else (served.group, served.number)
        for group, entries in about["groups"].items():
            for entry in entries:
                mark = "●" if (entry.group, entry.number) == live else ""
                number, version = str(entry.number), entry.version
                rows.append((use_case, group, number, version, entry.status, mark))
    return rows


def make_full_text_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], folding: Iterable[str]
) -> Table:
    """A table whose every character is shown.

    Args:
        folding: Columns that may be folded where the terminal is narrow; the others keep the width
            of their content.
    """
    rows, folding = list(rows), set(folding)
    table = Table(show_edge=False, pad_edge=False)
    for name, *cells in zip(columns, *rows, strict=True):
        whole = None if name in folding else max(map(len, (name, *cells)))
        table.add_column(name, overflow="fold", min_width=whole)
    for row in rows:
        table.add_row(*row)
    return table
