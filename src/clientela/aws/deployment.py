"""Brings an approved model up as an endpoint, tests it, and goes back when the test fails."""

import logging
from dataclasses import dataclass

from clientela.aws.clients import Clients
from clientela.aws.endpoint import (
    back_to,
    change_config,
    delete_endpoint,
    deployment_plan,
    note_tested,
)
from clientela.aws.endpoint_state import EndpointState, settled
from clientela.aws.model_registry import model_file
from clientela.aws.names import endpoint_name
from clientela.aws.plan import Action, Plan, applied
from clientela.aws.questions import Question, question_for_native, question_for_ours
from clientela.aws.settings import AwsSettings
from clientela.aws.smoke_test import require_right_answer
from clientela.aws.storage import content_of
from clientela.exceptions import DeploymentFailed, NothingApproved
from clientela.inference.manifest import ServedManifest
from clientela.registry.base import RegisteredModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deployed:
    """An endpoint that passed its test.

    Attributes:
        endpoint: Its name.
        config: What it runs.
        changed: Whether anything had to be done.
        answer: To the example of the package.
    """

    endpoint: str
    config: str
    changed: bool
    answer: float


def planned(entry: RegisteredModel, settings: AwsSettings, clients: Clients) -> Plan:
    """What a deployment would ask of AWS, as things stand now.

    Args:
        entry: To deploy.
        settings: Of the account.
        clients: Of AWS; only asked, nothing is changed.

    Returns:
        The plan, checked.

    Raises:
        NothingApproved: Nobody approved the entry.
        DeploymentFailed: The endpoint is not ours, or AWS can't be reached, or refuses.
    """
    name = endpoint_name(settings, entry.use_case)
    return _plan(entry, settings, settled(name, clients, settings.endpoints))


def deployed(
    entry: RegisteredModel, manifest: ServedManifest, settings: AwsSettings, clients: Clients
) -> Deployed:
    """Bring an endpoint to an approved model; an interrupted deployment is completed.

    Args:
        entry: Approved.
        manifest: Of its package.
        settings: Of the account.
        clients: Of AWS.

    Returns:
        The endpoint, after it answered the example of the package as it should.

    Raises:
        NothingApproved: Nobody approved the entry.
        DeploymentFailed: It did not come up or failed its test; the endpoint runs what passed its
            test before, or, where nothing did, is gone.
    """
    name = endpoint_name(settings, entry.use_case)
    before = settled(name, clients, settings.endpoints)
    plan = _plan(entry, settings, before)
    config = _wanted_config(plan)
    question = _question(entry, manifest, clients)
    changed = False
    for done in applied(plan, clients):
        changed |= not done.kept
        if done.action.operation == "DeleteEndpoint":
            settled(name, clients, settings.endpoints)
    after = settled(name, clients, settings.endpoints)
    try:
        running = _required_running(name, config, after)
        answer = require_right_answer(name, question, clients)
    except DeploymentFailed as err:
        went_back = _gone_back(after, back_to(before, config), config, settings, clients)
        raise DeploymentFailed(f"{err}\n{went_back}") from err
    if running.tested != config:
        _apply_one(note_tested(running), clients)
    return Deployed(name, config, changed, answer)


def _plan(entry: RegisteredModel, settings: AwsSettings, state: EndpointState | None) -> Plan:
    if entry.status != "approved":
        raise NothingApproved(
            f"Number {entry.number} of {entry.group} is {entry.status}, and only an approved model "
            f"is deployed. Run: clientela approve {entry.use_case}"
        )
    return deployment_plan(entry, settings, state).checked()


def _question(entry: RegisteredModel, manifest: ServedManifest, clients: Clients) -> Question:
    file = model_file(entry, clients)
    if file == entry.package:
        return question_for_ours(manifest)
    return question_for_native(manifest, content_of(file, clients, DeploymentFailed), file)


def _wanted_config(plan: Plan) -> str:
    made = next(each for each in plan.actions if each.operation == "CreateEndpointConfig")
    return str(made.request["EndpointConfigName"])


def _required_running(name: str, config: str, state: EndpointState | None) -> EndpointState:
    if state is None:
        raise DeploymentFailed(f"The endpoint {name} was deleted while it came up.")
    if not state.is_serving or state.config != config:
        raise DeploymentFailed(
            f"The endpoint {name} did not come up with {config}: it is {state.status}"
            f"{f' ({state.reason})' if state.reason else ''}, running {state.config}. The "
            f"container's own words are in CloudWatch, log group /aws/sagemaker/Endpoints/{name}."
        )
    return state


def _gone_back(
    now: EndpointState | None,
    former: str | None,
    config: str,
    settings: AwsSettings,
    clients: Clients,
) -> str:
    """Undo, and say what stands now."""
    if now is None:
        return "There is no endpoint now."
    if former is None:
        _apply_one(delete_endpoint(now.name, "the endpoint that failed"), clients)
        return f"The endpoint {now.name} was deleted: nothing that it ran ever passed its test."
    if former == config:
        return f"The endpoint {now.name} was left as it is: {config} passed this test before."
    stands = _back_at(former, now, settings, clients)
    if stands is not None and stands.is_serving and stands.config == former:
        return f"The endpoint {now.name} runs {former} again, as before."
    return (
        f"Going back to {former} failed too: the endpoint is "
        f"{'gone' if stands is None else stands.status}. Look at it in the SageMaker console "
        "before you try again."
    )


def _back_at(
    former: str, now: EndpointState, settings: AwsSettings, clients: Clients
) -> EndpointState | None:
    if now.is_serving and now.config == former:  # AWS went back by itself
        return now
    _apply_one(change_config(now.name, former), clients)
    return settled(now.name, clients, settings.endpoints)


def _apply_one(action: Action, clients: Clients) -> None:
    for _ in applied(Plan(f"Going back ({action.purpose})", (action,)), clients):
        pass
