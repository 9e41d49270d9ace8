"""Takes down what a deployment made, and nothing else: only what carries our tags."""

from collections.abc import Iterator
from typing import Any, Final

from clientela.aws.clients import Clients
from clientela.aws.endpoint import delete_endpoint
from clientela.aws.endpoint_state import endpoint_state, settled
from clientela.aws.errors import explained
from clientela.aws.names import content_prefix, endpoint_name, is_ours
from clientela.aws.plan import Action, Done, Plan, applied
from clientela.aws.settings import AwsSettings
from clientela.exceptions import DeploymentFailed

SERVICE: Final = "sagemaker"


def undeployment_plan(use_case: str, settings: AwsSettings, clients: Clients) -> Plan:
    """What would be deleted, as things stand now.

    Args:
        use_case: Whose endpoint.
        settings: Of the account.
        clients: Of AWS; only asked, nothing is changed.

    Returns:
        The endpoint, its configurations and its models, as far as we made them.

    Raises:
        DeploymentFailed: AWS can't be reached, or refuses.
    """
    name = endpoint_name(settings, use_case)
    state = endpoint_state(name, clients)
    notes = []
    actions: list[Action] = []
    if state is not None and is_ours(state.tag_list, use_case):
        actions.append(delete_endpoint(name, f"endpoint {name}"))
    elif state is not None:
        notes.append(f"The endpoint {name} was not made by Clientela for {use_case}: it stays.")
    with explained(f"Looking for what {name} left", SERVICE, DeploymentFailed):
        for kind, word in (("EndpointConfig", "configuration"), ("Model", "model")):
            actions += _parts(kind, word, content_prefix(name), use_case, clients)
    notes.append("Registered models, packages and captured requests stay.")
    return Plan(f"Taking down the endpoint of {use_case}", tuple(actions), tuple(notes))


def undeployed(plan: Plan, use_case: str, settings: AwsSettings, clients: Clients) -> list[Done]:
    """Carry an undeployment out.

    Args:
        plan: Of `undeployment_plan`.
        use_case: Whose endpoint.
        settings: How long to wait.
        clients: Of AWS.

    Returns:
        What became of each action.

    Raises:
        DeploymentFailed: AWS can't be reached, or refuses; the same command again goes on.
    """
    results = []
    for done in applied(plan, clients):
        results.append(done)
        if done.action.operation == "DeleteEndpoint":
            # a configuration that an endpoint still uses can't be made again under its name
            settled(endpoint_name(settings, use_case), clients, settings.endpoints)
    return results


def _parts(kind: str, word: str, prefix: str, use_case: str, clients: Clients) -> Iterator[Action]:
    """Deletions of everything of a kind whose name begins so and whose tags are ours."""
    client = clients(SERVICE)
    pages = client.get_paginator(_list_method(kind)).paginate(NameContains=prefix)
    listed = [each for page in pages for each in page[f"{kind}s"]]
    for each in sorted(listed, key=lambda each: str(each[f"{kind}Name"])):
        name = str(each[f"{kind}Name"])
        if name.startswith(prefix) and _is_ours(each[f"{kind}Arn"], use_case, client):
            yield Action(SERVICE, f"Delete{kind}", {f"{kind}Name": name}, f"{word} {name}")


def _list_method(kind: str) -> str:
    return {"EndpointConfig": "list_endpoint_configs", "Model": "list_models"}[kind]


def _is_ours(arn: str, use_case: str, client: Any) -> bool:
    return is_ours(client.list_tags(ResourceArn=arn)["Tags"], use_case)
