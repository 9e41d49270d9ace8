"""`clientela sagemaker`: training jobs, the whole project as a pipeline, and who may do what."""

import json
from collections.abc import Mapping
from typing import Any, Final

import click
from kedro.pipeline import Pipeline

from clientela.aws.iam import POLICIES, PolicyScope, build_policy
from clientela.aws.plan import Plan, apply_plan
from clientela.aws.training import (
    Channel,
    TrainingSpec,
    build_channels,
    build_training_plan,
    build_tuning_plan,
)
from clientela.aws.workflow import WorkflowStep, build_workflow_plan, step_name
from clientela.aws_clients import convert_aws_errors, is_absent
from clientela.cli.environment import (
    NOT_ASKED,
    Account,
    Environment,
    print_aws_progress,
    print_plan,
    with_plan_options,
)
from clientela.cli.main import with_environment
from clientela.exceptions import ConfigurationError, DeploymentError
from clientela.models.training_data import FeatureSchema
from clientela.pipeline_registry import create_stage_pipelines
from clientela.storage import compute_sha256, write_object
from clientela.use_cases import UseCase

UNKNOWN = "of-the-training-part"
DIGITS = 12
FILE = "data.csv"

# Stages that never run on a schedule: they write where people keep their own data.
LEFT_OUT: Final = frozenset({"data_generation"})


def build_offline_spec(environment: Environment, use_case: str, account: Account) -> TrainingSpec:
    """What would be learned, without reading or writing any data.

    Returns:
        What a job is asked for; the folder of its data has another name.

    Raises:
        ConfigurationError: The use case has no required XGBoost.
    """
    names: tuple[Channel, ...] = ("train", "validation")
    return _build_training_spec(
        environment,
        use_case,
        {name: _build_data_address(account, use_case, UNKNOWN, name) for name in names},
    )


def upload_training_data(environment: Environment, use_case: str, account: Account) -> TrainingSpec:
    """What is learned, once its data lie in the bucket; equal data lie there once.

    Args:
        environment: With the catalog of the training stage.

    Raises:
        MissingStageInputError: The training stage has not run.
        ConfigurationError: The use case has no required XGBoost, or its features are words.
        DeploymentError: The bucket can't be reached, or refuses.
    """
    training = _get_training_params(environment, use_case)
    files = _load_channel_files(environment, use_case, int(training["seed"]))
    digest = compute_sha256(b"".join(files[name] for name in sorted(files)))[:DIGITS]
    places: dict[Channel, str] = {}
    for name, content in files.items():
        places[name] = _build_data_address(account, use_case, digest, name)
        write_object(content, places[name], account.clients, account.settings, DeploymentError)
    return _build_training_spec(environment, use_case, places)


def _build_data_address(account: Account, use_case: str, digest: str, channel: str) -> str:
    folder = f"{account.settings.root('model_input')}/{use_case}/sagemaker"
    return f"{folder}/{digest}/{channel}/{FILE}"


def _build_training_spec(
    environment: Environment, use_case: str, data: Mapping[Channel, str]
) -> TrainingSpec:
    training = _get_training_params(environment, use_case)
    for candidate in filter(None, training.get("candidates", {}).values()):
        if candidate["role"] == "required" and candidate["kind"].startswith("xgboost_"):
            params = candidate.get("params", {})
            return TrainingSpec(use_case, params, int(training["seed"]), data)
    raise ConfigurationError(
        f"No required candidate of {use_case} is an XGBoost model (training.candidates), so the "
        "container of SageMaker can't train it. Train with kedro run --pipelines=training."
    )


def _get_training_params(environment: Environment, use_case: str) -> dict[str, Any]:
    environment.use_case(use_case)
    training: dict[str, Any] = environment.parameters[use_case].get("training", {})
    return training


def _load_channel_files(environment: Environment, use_case: str, seed: int) -> dict[Channel, bytes]:
    part, schema = environment.load_datasets(
        [f"{use_case}.training_part", f"{use_case}.feature_schema"], f"--tags={use_case}"
    )
    return build_channels(part, FeatureSchema.model_validate(schema), seed)


def build_workflow_steps(use_cases: Mapping[str, UseCase]) -> list[WorkflowStep]:
    """One step per stage and entry of the switchboard, each after those whose files it reads.

    Returns:
        Steps, none before one that it follows.
    """
    parts = split_stage_pipelines(use_cases)
    written = {name: part.all_outputs() for name, part in parts.items()}
    steps = {
        name: WorkflowStep(
            *name,
            tuple(
                step_name(*other)
                for other in parts
                if other != name and written[other] & part.inputs()
            ),
        )
        for name, part in parts.items()
    }
    return _sort_steps(list(steps.values()))


def split_stage_pipelines(use_cases: Mapping[str, UseCase]) -> dict[tuple[str, str], Pipeline]:
    """What `kedro run --pipelines=<stage> --namespaces=<entry>` runs."""
    stages = create_stage_pipelines(use_cases)
    return {
        (name, stage): stages[stage].only_nodes_with_namespaces([name])
        for name, entry in use_cases.items()
        for stage in entry.stages
        if stage not in LEFT_OUT
    }


def _sort_steps(steps: list[WorkflowStep]) -> list[WorkflowStep]:
    """The same steps, none before one that it follows; otherwise as they stand."""
    left, ordered = list(steps), list[WorkflowStep]()
    while left:
        done = {step.name for step in ordered}
        ordered.append(next(step for step in left if done.issuperset(step.after)))
        left.remove(ordered[-1])
    return ordered


@click.group()
def sagemaker() -> None:
    """Train on SageMaker, run the whole project there, print least-privilege policies."""


@sagemaker.command()
@click.argument("use_case")
@click.option(
    "--trials",
    type=click.IntRange(min=2, max=500),
    help="Search the parameters by a Bayesian tuning job of so many training jobs.",
)
@with_plan_options
@with_environment
def train(
    environment: Environment, use_case: str, *, trials: int | None, dry_run: bool, as_json: bool
) -> None:
    """Train the required XGBoost of USE_CASE as a SageMaker job.

    The training part goes to the bucket, and the job is started, not waited for. What it answers
    can't be tried without an AWS account; the training stage trains the same model.
    """
    account = Account.of(environment)
    on_paper = dry_run and not account.clients.has_credentials
    make = build_offline_spec if dry_run else upload_training_data
    learning = make(environment, use_case, account)
    region = account.clients.region
    plan = (
        build_training_plan(learning, account.settings, region)
        if trials is None
        else build_tuning_plan(learning, account.settings, region, trials)
    )
    _run_plan(plan, account, dry_run=dry_run, as_json=as_json, on_paper=on_paper)


@sagemaker.command()
@with_plan_options
@with_environment
def workflow(environment: Environment, *, dry_run: bool, as_json: bool) -> None:
    """Make or change the SageMaker pipeline that runs every stage, and its schedule.

    One step per stage and use case. A run of it can't be tried without an AWS account.
    """
    account = Account.of(environment)
    on_paper = dry_run and not account.clients.has_credentials
    plan = build_workflow_plan(
        build_workflow_steps(environment.entries),
        account.settings,
        environment.loader.env or environment.loader.default_run_env,
        account.clients.region,
        frozenset() if on_paper else _find_existing_resources(account),
    )
    _run_plan(plan, account, dry_run=dry_run, as_json=as_json, on_paper=on_paper)


@sagemaker.command(name="policies")
@click.argument("name", type=click.Choice(POLICIES))
@with_environment
def print_policy(environment: Environment, name: str) -> None:
    """Print a least-privilege policy, made of your aws.yml; needs no credentials."""
    account = Account.of(environment)
    scope = PolicyScope(
        account.settings, account.place, environment.groups, [*environment.use_cases]
    )
    click.echo(json.dumps(build_policy(name, scope), indent=2))


def _find_existing_resources(account: Account) -> frozenset[str]:
    """Which of pipeline and schedule are there already."""
    name = account.settings.workflow.name
    looks: dict[str, tuple[str, str, dict[str, Any]]] = {
        "pipeline": ("sagemaker", "describe_pipeline", {"PipelineName": name}),
        "schedule": ("scheduler", "get_schedule", {"Name": name}),
    }
    wanted = ["pipeline"]
    if account.settings.workflow.schedule is not None:
        wanted.append("schedule")
    return frozenset(each for each in wanted if _has_aws_resource(account, *looks[each]))


def _has_aws_resource(account: Account, service: str, method: str, request: dict[str, Any]) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy, and rarely used

    client = account.clients(service)
    with convert_aws_errors("Looking for the pipeline", service, DeploymentError):
        try:
            getattr(client, method)(**request)
        except ClientError as err:
            if is_absent(err):
                return False
            raise
    return True


def _run_plan(
    plan: Plan, account: Account, *, dry_run: bool, as_json: bool, on_paper: bool
) -> None:
    if dry_run:
        notes = (*plan.notes, NOT_ASKED) if on_paper else plan.notes
        print_plan(Plan(plan.purpose, plan.actions, notes), as_json=as_json)
        return
    with print_aws_progress():
        for _ in apply_plan(plan, account.clients):
            pass
    for line in (f"{plan.purpose}: done.", *plan.notes):
        click.echo(line)
