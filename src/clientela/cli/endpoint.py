"""`clientela deploy` and `undeploy` an endpoint of SageMaker; `clientela api` serves here."""

import os
from collections.abc import Mapping
from typing import cast

import click

from clientela.aws.deployment import (
    apply_undeployment,
    build_undeployment_plan,
    compute_deployment_plan,
    deploy_model,
)
from clientela.aws.endpoint import build_delete_action, build_deployment_plan
from clientela.aws.plan import Plan
from clientela.aws_settings import endpoint_name
from clientela.cli.environment import (
    NOT_ASKED,
    SERVED,
    Account,
    Environment,
    print_aws_progress,
    print_plan,
    with_plan_options,
)
from clientela.cli.main import with_environment
from clientela.exceptions import ConfigurationError, NoApprovedModelError
from clientela.registry.manifest import ServedTask
from clientela.registry.model_registry import RegisteredModel
from clientela.registry.package import PublishedModel, open_package
from clientela.serving.app import serve
from clientela.serving.settings import ServingSettings, get_variable_name, load_serving_settings

SAGEMAKER = "sagemaker"
NO_VERSION = "0" * 12
# Where segmentation loads segments unless a database is named, below the root of model output.
SEGMENTS = "clientes_segmentados.sqlite"


@click.command()
@click.argument("use_case")
@with_plan_options
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
        print_plan(_build_offline_plan(environment, use_case, account), as_json=as_json)
        return
    pointer = _get_approved_pointer(environment, use_case)
    entry = _find_entry(environment, pointer)
    if dry_run:
        print_plan(
            compute_deployment_plan(entry, account.settings, account.clients), as_json=as_json
        )
        return
    content = environment.served.package(pointer)
    manifest = open_package(content, pointer.package, pointer.package_sha256).manifest
    with print_aws_progress():
        done = deploy_model(entry, manifest, account.settings, account.clients)
    changed = "is up" if done.changed else "was up already"
    click.echo(
        f"The endpoint {done.endpoint} {changed} with number {entry.number} of {entry.group}; it "
        f"answers the example of its package with {done.answer:.6f}, as it should."
    )


@click.command()
@click.argument("use_case")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_plan_options
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
        first = build_delete_action(name, f"endpoint {name}, if it carries our tags")
        more = "Then its configurations and models that carry our tags are deleted."
        notes = (NOT_ASKED, more)
        print_plan(
            Plan(f"Taking down the endpoint of {use_case}", (first,), notes), as_json=as_json
        )
        return
    plan = build_undeployment_plan(use_case, account.settings, account.clients)
    if dry_run:
        print_plan(plan, as_json=as_json)
        return
    for line in (*plan.notes, *(f"delete {action.purpose}" for action in plan.actions)):
        click.echo(line)
    if not plan.actions:
        click.echo(f"Nothing of {use_case} is deployed.")
        return
    if not yes:
        click.confirm("Delete all this?", abort=True)
    with print_aws_progress():
        apply_undeployment(plan, use_case, account.settings, account.clients)
    click.echo(f"The endpoint of {use_case} is gone.")


def _require_sagemaker(environment: Environment) -> None:
    kind = environment.globals["registry"].get("kind")
    if kind != SAGEMAKER:
        raise ConfigurationError(
            f"The registry of this environment is {kind!r}, and an endpoint is made of a model in "
            "SageMaker's. Add --env=aws. To serve models here: clientela api"
        )


def _get_approved_pointer(environment: Environment, use_case: str) -> PublishedModel:
    pointer = environment.served.served().get(use_case)
    if pointer is None:
        raise NoApprovedModelError(
            f"No model of {use_case} is approved in {environment.served.folder}. Run first: "
            f"clientela approve {use_case} --env=aws"
        )
    return pointer


def _find_entry(environment: Environment, pointer: PublishedModel) -> RegisteredModel:
    for entry in environment.registry.models(pointer.group):
        if (entry.number, entry.version) == (pointer.number, pointer.version):
            return entry
    raise NoApprovedModelError(
        f"The approved model of {pointer.use_case} is number {pointer.number} of {pointer.group}, "
        "which is no longer registered. Approve another one: "
        f"clientela approve {pointer.use_case} --env=aws"
    )


def _build_offline_plan(environment: Environment, use_case: str, account: Account) -> Plan:
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
    plan = build_deployment_plan(entry, account.settings, None)
    return Plan(plan.purpose, plan.actions, (*plan.notes, NOT_ASKED))


@click.command()
@click.option("--host", default=None, help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", default=None, type=int, help="Port to listen on.  [default: 8000]")
@click.option("--workers", default=None, type=int, help="Processes.  [default: 1]")
@with_environment
def api(
    environment: Environment, *, host: str | None, port: int | None, workers: int | None
) -> None:
    """Answer over HTTP with the approved models, those approved later too."""
    options = {"host": host, "port": port, "workers": workers}
    given = {
        get_variable_name(name): str(value) for name, value in options.items() if value is not None
    }
    serve(build_serving_settings(environment, os.environ | given))


def build_serving_settings(
    environment: Environment, variables: Mapping[str, str]
) -> ServingSettings:
    """The settings of the API: what variables say, else where the environment keeps things.

    Raises:
        ConfigurationError: A variable is unknown, or its value can't be.
    """
    places = {"served": f"{environment.models}/{SERVED}"}
    if get_variable_name("model") in variables:
        places = {}
    database = environment.globals.get("database")
    if database:
        places["database"] = str(database)
    elif "://" not in str(environment.globals["model_output"]):
        output = environment.place(str(environment.globals["model_output"]))
        places["segments_file"] = f"{output}/{SEGMENTS}"
    return load_serving_settings(
        {get_variable_name(name): value for name, value in places.items()} | dict(variables)
    )
