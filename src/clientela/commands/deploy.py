"""`clientela deploy` brings an approved model up as an endpoint, `undeploy` takes it down."""

from typing import cast

import click

from clientela.aws.deployment import deployed, planned
from clientela.aws.endpoint import delete_endpoint, deployment_plan
from clientela.aws.names import endpoint_name
from clientela.aws.plan import Plan
from clientela.aws.undeployment import undeployed, undeployment_plan
from clientela.commands.account import NOT_ASKED, Account, planning, progress, show
from clientela.commands.environment import Environment
from clientela.commands.main import with_environment
from clientela.exceptions import ConfigurationError, NothingApproved
from clientela.inference.manifest import ServedTask
from clientela.inference.package import opened
from clientela.registry.base import RegisteredModel
from clientela.registry.served import Served

SAGEMAKER = "sagemaker"
NO_VERSION = "0" * 12


@click.command()
@click.argument("use_case")
@planning
@with_environment
def deploy(environment: Environment, use_case: str, *, dry_run: bool, as_json: bool) -> None:
    """Bring the approved model of USE_CASE up as a SageMaker endpoint.

    The endpoint is made or changed, waited for, and asked about the example of the package. When
    it answers otherwise it goes back to what it ran before. Interrupted, the same command goes on.
    """
    _require_sagemaker(environment)
    environment.use_case(use_case)
    account = Account.of(environment)
    if dry_run and not account.clients.has_credentials:
        show(_plan_on_paper(environment, use_case, account), as_json=as_json)
        return
    pointer = _approved(environment, use_case)
    entry = _entry(environment, pointer)
    if dry_run:
        show(planned(entry, account.settings, account.clients), as_json=as_json)
        return
    content = environment.served.package(pointer)
    manifest = opened(content, pointer.package, pointer.package_sha256).manifest
    with progress():
        done = deployed(entry, manifest, account.settings, account.clients)
    changed = "is up" if done.changed else "was up already"
    click.echo(
        f"The endpoint {done.endpoint} {changed} with number {entry.number} of {entry.group}; it "
        f"answers the example of its package with {done.answer:.6f}, as it should."
    )


@click.command()
@click.argument("use_case")
@click.option("--yes", is_flag=True, help="Do not ask.")
@planning
@with_environment
def undeploy(
    environment: Environment, use_case: str, *, yes: bool, dry_run: bool, as_json: bool
) -> None:
    """Take the SageMaker endpoint of USE_CASE down: only what carries our tags.

    Registered models and their packages stay.
    """
    environment.use_case(use_case)
    account = Account.of(environment)
    if dry_run and not account.clients.has_credentials:
        name = endpoint_name(account.settings, use_case)
        first = delete_endpoint(name, f"endpoint {name}, if it carries our tags")
        more = "Then its configurations and models that carry our tags are deleted."
        notes = (NOT_ASKED, more)
        show(Plan(f"Taking down the endpoint of {use_case}", (first,), notes), as_json=as_json)
        return
    plan = undeployment_plan(use_case, account.settings, account.clients)
    if dry_run:
        show(plan, as_json=as_json)
        return
    for line in (*plan.notes, *(f"delete {action.purpose}" for action in plan.actions)):
        click.echo(line)
    if not plan.actions:
        click.echo(f"Nothing of {use_case} is deployed.")
        return
    if not yes:
        click.confirm("Delete all this?", abort=True)
    with progress():
        undeployed(plan, use_case, account.settings, account.clients)
    click.echo(f"The endpoint of {use_case} is gone.")


def _require_sagemaker(environment: Environment) -> None:
    kind = environment.globals["registry"].get("kind")
    if kind != SAGEMAKER:
        raise ConfigurationError(
            f"The registry of this environment is {kind!r}, and an endpoint is made of a model in "
            "SageMaker's. Add --env=aws. To serve models here: clientela api"
        )


def _approved(environment: Environment, use_case: str) -> Served:
    pointer = environment.served.served().get(use_case)
    if pointer is None:
        raise NothingApproved(
            f"No model of {use_case} is approved in {environment.served.folder}. Run first: "
            f"clientela approve {use_case} --env=aws"
        )
    return pointer


def _entry(environment: Environment, pointer: Served) -> RegisteredModel:
    for entry in environment.registry.models(pointer.group):
        if (entry.number, entry.version) == (pointer.number, pointer.version):
            return entry
    raise NothingApproved(
        f"The approved model of {pointer.use_case} is number {pointer.number} of {pointer.group}, "
        "which is no longer registered. Approve another one: "
        f"clientela approve {pointer.use_case} --env=aws"
    )


def _plan_on_paper(environment: Environment, use_case: str, account: Account) -> Plan:
    """The plan for a first model of the group, without asking AWS."""
    task = cast("ServedTask", environment.use_case(use_case).task)
    group = environment.deployment(use_case).group(use_case, task, "champion")
    place = account.place
    entry = RegisteredModel(
        group=group,
        number=1,
        status="approved",
        use_case=use_case,
        role="champion",
        version=NO_VERSION,
        package="",
        package_sha256="",
        address=place.arn(SAGEMAKER, f"model-package/{group.lower()}/1"),
    )
    plan = deployment_plan(entry, account.settings, None)
    return Plan(plan.purpose, plan.actions, (*plan.notes, NOT_ASKED))
