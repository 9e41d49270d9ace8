"""A person decides: `clientela approve` has a registered model served, `reject` says no."""

from collections.abc import Sequence
from typing import cast

import click
from rich.console import Console
from rich.table import Table

from clientela.commands.environment import Environment
from clientela.commands.main import with_environment
from clientela.commands.tables import whole_table
from clientela.contracts.use_cases import UseCase
from clientela.exceptions import ModelFileError, NothingApproved, did_you_mean
from clientela.inference.manifest import Role, ServedManifest, ServedTask
from clientela.inference.package import opened
from clientela.registry.base import RegisteredModel
from clientela.registry.served import Served, package_name
from clientela.registry.whole_files import read_verified
from clientela.registry.wording import compared, entry_words, interval

ROLES = click.Choice(["champion", "required"])
NO_REASON = "none given"
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
    entry = chosen_entry(environment, environment.use_case(use_case), role, number)
    content = read_verified(entry.package, entry.package_sha256)
    manifest = checked_manifest(entry, content)
    console.print(f"{use_case}: {entry_words(entry)}", markup=False, highlight=False)
    console.print(_about(manifest), markup=False, highlight=False)
    if manifest.grades:
        console.print(_grades(manifest))
    if not yes:
        click.confirm("Approve it, and have it served?", abort=True)
    if entry.status != "approved" or reason != NO_REASON:
        entry = environment.registry.decide(entry, "approved", reason)
    environment.served.publish(content, pointer_to(entry))
    console.print(
        f"Approved and served: {entry_words(entry)}, from {environment.served.folder}",
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
    entry = chosen_entry(environment, environment.use_case(use_case), role, number)
    entry = environment.registry.decide(entry, "rejected", reason)
    click.echo(f"Rejected: {entry_words(entry)}")
    pointer = environment.served.served().get(use_case)
    if pointer is not None and pointer.version == entry.version:
        click.echo(
            "It is still served. Have another one served: clientela approve "
            f"{use_case} --number <number>"
        )


def chosen_entry(
    environment: Environment, use_case: UseCase, role: str, number: int | None
) -> RegisteredModel:
    """The entry that a person means.

    Args:
        environment: Where to look.
        use_case: Whose model.
        role: `champion` or `required`.
        number: Of the entry; None: the newest.

    Returns:
        The entry.

    Raises:
        NothingApproved: The group has no entry, or none of that number.
    """
    settings = environment.deployment(use_case.name)
    task = cast("ServedTask", use_case.task)
    group = settings.group(use_case.name, task, cast("Role", role))
    entries = environment.registry.models(group)
    if not entries:
        raise NothingApproved(
            f"No model is registered in the group {group}. Run first: "
            f"kedro run --pipelines=deployment --tags={use_case.name}"
        )
    found = [entry for entry in entries if number in (None, entry.number)]
    if not found:
        raise NothingApproved(_no_number(group, number, entries))
    return found[0]


def checked_manifest(entry: RegisteredModel, content: bytes) -> ServedManifest:
    """What a package says of its model, once everything in it is verified and can be loaded.

    Args:
        entry: Of the registry.
        content: Bytes of its package.

    Returns:
        The manifest.

    Raises:
        ModelFileError: It is damaged, or that of another model.
    """
    manifest = opened(content, entry.package, entry.package_sha256).manifest
    said = (manifest.use_case, manifest.role, manifest.version)
    if said != (entry.use_case, entry.role, entry.version):
        raise ModelFileError(
            f"The entry {entry_words(entry)} names the package {entry.package}, which holds "
            f"{' '.join(said)}. Run the deployment stage again."
        )
    return manifest


def pointer_to(entry: RegisteredModel) -> Served:
    """The pointer by which servers find the model of an entry.

    Args:
        entry: Approved.

    Returns:
        The pointer.
    """
    return Served(
        use_case=entry.use_case,
        role=entry.role,
        group=entry.group,
        number=entry.number,
        version=entry.version,
        package=package_name(entry.use_case, entry.role, entry.version),
        package_sha256=entry.package_sha256,
    )


def _no_number(group: str, number: int | None, entries: Sequence[RegisteredModel]) -> str:
    numbers = [str(entry.number) for entry in entries]
    return f"The group {group} has no entry {number}. {did_you_mean(str(number), numbers)}"


def _about(manifest: ServedManifest) -> str:
    kind = manifest.model.get("candidate") or manifest.task
    rows = manifest.model["training_rows"]
    graded = f"{kind}, learned from {rows} rows"
    if not manifest.grades:
        return f"{graded}; never graded."
    chose = " (* chose the champion)" if manifest.primary_metric in manifest.grades else ""
    where = "" if manifest.task == "segments" else "on the test part, "
    return f"{graded}; {where}what flatters least first{chose}:"


def _grades(manifest: ServedManifest) -> Table:
    rows = [
        (
            f"{row.measure} *" if row.measure == manifest.primary_metric else row.measure,
            interval(row.grade),
            "" if row.grade.rule is None else f"{row.grade.rule:.3f}",
            row.verdict,
        )
        for row in compared(manifest)
    ]
    return whole_table(GRADES, rows, folding=GRADES)
