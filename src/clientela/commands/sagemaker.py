"""`clientela sagemaker`: training jobs, the whole project as a pipeline, and who may do what."""

import json
from typing import Any

import click

from clientela.aws.errors import explained, is_absent
from clientela.aws.plan import Plan, applied
from clientela.aws.policies import POLICIES, policies
from clientela.aws.statements import Scope
from clientela.aws.training import training_plan, tuning_plan
from clientela.aws.workflow import workflow_plan
from clientela.commands.account import NOT_ASKED, Account, planning, progress, show
from clientela.commands.environment import Environment
from clientela.commands.main import with_environment
from clientela.commands.training_job import learning_on_paper, uploaded_learning
from clientela.commands.workflow_steps import workflow_steps
from clientela.exceptions import DeploymentFailed


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
@planning
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
    make = learning_on_paper if dry_run else uploaded_learning
    learning = make(environment, use_case, account)
    region = account.clients.region
    plan = (
        training_plan(learning, account.settings, region)
        if trials is None
        else tuning_plan(learning, account.settings, region, trials)
    )
    _carry_out(plan, account, dry_run=dry_run, as_json=as_json, on_paper=on_paper)


@sagemaker.command()
@planning
@with_environment
def workflow(environment: Environment, *, dry_run: bool, as_json: bool) -> None:
    """Make or change the SageMaker pipeline that runs every stage, and its schedule.

    One step per stage and use case. A run of it can't be tried without an AWS account.
    """
    account = Account.of(environment)
    on_paper = dry_run and not account.clients.has_credentials
    plan = workflow_plan(
        workflow_steps(environment.entries),
        account.settings,
        environment.loader.env or environment.loader.default_run_env,
        account.clients.region,
        frozenset() if on_paper else _existing(account),
    )
    _carry_out(plan, account, dry_run=dry_run, as_json=as_json, on_paper=on_paper)


@sagemaker.command(name="policies")
@click.argument("name", type=click.Choice(POLICIES))
@with_environment
def print_policy(environment: Environment, name: str) -> None:
    """Print a least-privilege policy, made of your aws.yml; needs no credentials."""
    account = Account.of(environment)
    scope = Scope(account.settings, account.place, environment.groups, [*environment.use_cases])
    click.echo(json.dumps(policies(scope)[name], indent=2))


def _existing(account: Account) -> frozenset[str]:
    """Which of pipeline and schedule are there already."""
    name = account.settings.workflow.name
    looks: dict[str, tuple[str, str, dict[str, Any]]] = {
        "pipeline": ("sagemaker", "describe_pipeline", {"PipelineName": name}),
        "schedule": ("scheduler", "get_schedule", {"Name": name}),
    }
    wanted = ["pipeline"]
    if account.settings.workflow.schedule is not None:
        wanted.append("schedule")
    return frozenset(each for each in wanted if _is_there(account, *looks[each]))


def _is_there(account: Account, service: str, method: str, request: dict[str, Any]) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy, and rarely used

    client = account.clients(service)
    with explained("Looking for the pipeline", service, DeploymentFailed):
        try:
            getattr(client, method)(**request)
        except ClientError as err:
            if is_absent(err):
                return False
            raise
    return True


def _carry_out(
    plan: Plan, account: Account, *, dry_run: bool, as_json: bool, on_paper: bool
) -> None:
    if dry_run:
        notes = (*plan.notes, NOT_ASKED) if on_paper else plan.notes
        show(Plan(plan.purpose, plan.actions, notes), as_json=as_json)
        return
    with progress():
        for _ in applied(plan, account.clients):
            pass
    for line in (f"{plan.purpose}: done.", *plan.notes):
        click.echo(line)
