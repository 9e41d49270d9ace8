"""How an endpoint stands, waiting until it stands still, and the calls that change it."""

import logging
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Final

from clientela.aws.plan import Action, Plan
from clientela.aws_clients import Clients, convert_aws_errors, is_absent
from clientela.aws_settings import (
    TESTED,
    AwsSettings,
    EndpointSettings,
    build_tags,
    content_name,
    endpoint_name,
    has_own_tags,
)
from clientela.exceptions import DeploymentError
from clientela.registry.model_registry import RegisteredModel

logger = logging.getLogger(__name__)

SERVICE: Final = "sagemaker"
MOVING: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
SERVING: Final = "InService"
VARIANT: Final = "all"


@dataclass(frozen=True)
class EndpointState:
    """An endpoint as AWS describes it.

    Attributes:
        config: Name of the configuration that it runs, or is changing to.
        reason: Why it failed; empty where it did not.
    """

    name: str
    arn: str
    config: str
    status: str
    reason: str
    tags: tuple[tuple[str, str], ...]

    @property
    def is_moving(self) -> bool:
        """Whether AWS is still at it, and refuses changes."""
        return self.status in MOVING

    @property
    def is_serving(self) -> bool:
        """Whether it answers."""
        return self.status == SERVING

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """Its tags as AWS lists them."""
        return [{"Key": key, "Value": value} for key, value in self.tags]

    @property
    def last_tested_config(self) -> str | None:
        """The last configuration that passed its test; None where none ever did."""
        return dict(self.tags).get(TESTED)


def fetch_endpoint_state(name: str, clients: Clients) -> EndpointState | None:
    """How an endpoint stands now."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    client = clients(SERVICE)
    with convert_aws_errors(f"Looking at the endpoint {name}", SERVICE, DeploymentError):
        try:
            described = client.describe_endpoint(EndpointName=name)
            tags = client.list_tags(ResourceArn=described["EndpointArn"])["Tags"]
        except ClientError as err:
            if is_absent(err):
                return None
            raise
    return EndpointState(
        name=described["EndpointName"],
        arn=described["EndpointArn"],
        config=described["EndpointConfigName"],
        status=described["EndpointStatus"],
        reason=str(described.get("FailureReason", "")),
        # the last one of a key counts, as where a tag is overwritten
        tags=tuple({each["Key"]: each["Value"] for each in tags}.items()),
    )


def wait_until_stable(
    name: str, clients: Clients, settings: EndpointSettings
) -> EndpointState | None:
    """An endpoint once AWS no longer changes it; how long it takes is logged.

    Returns:
        Its state; None where there is none, or no longer one.

    Raises:
        DeploymentError: It still changes after the longest wait.
    """
    deadline = monotonic() + 60 * settings.wait_minutes
    while True:
        state = fetch_endpoint_state(name, clients)
        if state is None or not state.is_moving:
            return state
        logger.info("endpoint %s: %s", name, state.status)
        if monotonic() >= deadline:
            break
        sleep(settings.poll_seconds)
    raise DeploymentError(
        f"The endpoint {name} is still changing after {settings.wait_minutes:g} minutes. Nothing "
        "is lost: run the same command again, which goes on waiting, or raise "
        "endpoints.wait_minutes in aws.yml. The container's own words are in CloudWatch, log group "
        f"/aws/sagemaker/Endpoints/{name}."
    )


def build_model_request(entry: RegisteredModel, settings: AwsSettings) -> dict[str, Any]:
    """The request that makes a model of a registered package.

    Image and model file are those of the registry: AWS itself refuses a package that nobody
    approved.
    """
    network = settings.network
    content = {
        "PrimaryContainer": {"ModelPackageName": entry.address},
        "ExecutionRoleArn": settings.needed_execution_role,
        # what is served needs no network: the package is all there is
        "EnableNetworkIsolation": True,
        **({} if network is None else {"VpcConfig": network.vpc_config}),
    }
    # the entry's version beside its number: a group may be made anew
    unique = content | {"version": entry.version}
    name = content_name(endpoint_name(settings, entry.use_case), unique)
    return {"ModelName": name, **content, "Tags": build_tags(settings, use_case=entry.use_case)}


def build_config_request(
    entry: RegisteredModel, settings: AwsSettings, model_name: str
) -> dict[str, Any]:
    """The request that makes the configuration of an endpoint.

    Raises:
        ConfigurationError: Requests are to be kept, and model output does not lie in S3.
    """
    machines = settings.endpoints
    key = settings.key_field("KmsKeyId")
    content: dict[str, Any] = {
        "ProductionVariants": [
            {
                "VariantName": VARIANT,
                "ModelName": model_name,
                "InitialInstanceCount": machines.instances,
                "InstanceType": machines.instance_type,
                "InitialVariantWeight": 1.0,
            }
        ],
        **key,
    }
    if machines.capture_percent:
        content["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": machines.capture_percent,
            "DestinationS3Uri": f"{settings.root('model_output')}/captured/{entry.use_case}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
            **key,
        }
    name = content_name(endpoint_name(settings, entry.use_case), content)
    return {
        "EndpointConfigName": name,
        **content,
        "Tags": build_tags(settings, use_case=entry.use_case),
    }


def build_deployment_plan(
    entry: RegisteredModel, settings: AwsSettings, state: EndpointState | None
) -> Plan:
    """What brings an endpoint to an approved model, whatever it runs now.

    Args:
        state: The endpoint now, standing still; None where there is none.

    Returns:
        Calls in their order; what is there already is kept when they are made.
    """
    name = endpoint_name(settings, entry.use_case)
    require_own_endpoint(name, state, entry.use_case)
    model = build_model_request(entry, settings)
    config = build_config_request(entry, settings, model["ModelName"])
    made = (
        Action("sagemaker", "CreateModel", model, f"model of {entry.group} {entry.number}"),
        Action("sagemaker", "CreateEndpointConfig", config, "configuration of the endpoint"),
    )
    changes = _build_endpoint_actions(name, config["EndpointConfigName"], entry, settings, state)
    former = get_fallback_config(state, config["EndpointConfigName"])
    fallback = "it is deleted" if former is None else f"it goes back to {former}"
    note = f"Then the endpoint is asked about the example of the package; if it errs, {fallback}."
    return Plan(
        f"Deploying number {entry.number} of {entry.group} to the endpoint {name}",
        made + changes,
        (note,),
    )


def get_fallback_config(state: EndpointState | None, config: str) -> str | None:
    """The configuration to go back to when a new one fails.

    Returns:
        The last one that passed its test, else the one that runs; None for an endpoint that runs
        nothing else: it is deleted.
    """
    if state is None or not state.is_serving:
        return None
    return state.last_tested_config or (state.config if state.config != config else None)


def _build_endpoint_actions(
    name: str,
    config: str,
    entry: RegisteredModel,
    settings: AwsSettings,
    state: EndpointState | None,
) -> tuple[Action, ...]:
    create = Action(
        "sagemaker",
        "CreateEndpoint",
        {
            "EndpointName": name,
            "EndpointConfigName": config,
            "Tags": build_tags(settings, use_case=entry.use_case),
        },
        f"endpoint {name}",
    )
    if state is None:
        return (create,)
    if not state.is_serving:
        # one that never came up can't be updated
        return (build_delete_action(name, f"the endpoint that is {state.status}"), create)
    if state.config == config:
        return ()
    return (build_update_action(name, config),)


def build_update_action(name: str, config: str) -> Action:
    """The call that changes what an endpoint runs, without a pause in its answers."""
    return Action(
        "sagemaker",
        "UpdateEndpoint",
        {"EndpointName": name, "EndpointConfigName": config},
        f"endpoint {name} to {config}",
    )


def build_tag_action(state: EndpointState) -> Action:
    """The call that notes on an endpoint that what it runs passed its test."""
    return Action(
        "sagemaker",
        "AddTags",
        {"ResourceArn": state.arn, "Tags": [{"Key": TESTED, "Value": state.config}]},
        "note that the test was passed",
    )


def build_delete_action(name: str, purpose: str) -> Action:
    """The call that takes an endpoint down."""
    return Action("sagemaker", "DeleteEndpoint", {"EndpointName": name}, purpose)


def require_own_endpoint(name: str, state: EndpointState | None, use_case: str) -> None:
    """Stop before an endpoint that somebody else made.

    Raises:
        DeploymentError: Its tags do not say that we made it for this use case.
    """
    if state is not None and not has_own_tags(state.tag_list, use_case):
        raise DeploymentError(
            f"The endpoint {name} was not made by Clientela for {use_case} (its tags managed-by "
            "and use-case say otherwise), so it is left alone. Choose another endpoints.name in "
            "aws.yml."
        )
