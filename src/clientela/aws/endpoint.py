"""What is asked of AWS to bring an approved model up as an endpoint, and to take it down."""

from typing import Any, Final

from clientela.aws.endpoint_state import EndpointState
from clientela.aws.names import TESTED, content_name, endpoint_name, is_ours, tags
from clientela.aws.plan import Action, Plan
from clientela.aws.settings import AwsSettings
from clientela.exceptions import DeploymentFailed
from clientela.registry.base import RegisteredModel

VARIANT: Final = "all"
CAPTURED: Final = "outputs/captured"


def model_request(entry: RegisteredModel, settings: AwsSettings) -> dict[str, Any]:
    """The request that makes a model of a registered package.

    Image and model file are those of the registry: AWS itself refuses a package that nobody
    approved.

    Args:
        entry: Approved.
        settings: Role and network.

    Returns:
        A request of `CreateModel`; its name holds its content.

    Raises:
        ConfigurationError: No role is set.
    """
    network = settings.network
    content = {
        "PrimaryContainer": {"ModelPackageName": entry.address},
        "ExecutionRoleArn": settings.needed_execution_role,
        # what is served needs no network: the package is all there is
        "EnableNetworkIsolation": True,
        **(
            {}
            if network is None
            else {
                "VpcConfig": {
                    "Subnets": list(network.subnets),
                    "SecurityGroupIds": list(network.security_groups),
                }
            }
        ),
    }
    # the entry's version beside its number: a group may be made anew
    unique = content | {"version": entry.version}
    name = content_name(endpoint_name(settings, entry.use_case), unique)
    return {"ModelName": name, **content, "Tags": _tags(entry, settings)}


def config_request(
    entry: RegisteredModel, settings: AwsSettings, model_name: str
) -> dict[str, Any]:
    """The request that makes the configuration of an endpoint.

    Args:
        entry: Approved.
        settings: Machines, encryption, data capture.
        model_name: Of the model.

    Returns:
        A request of `CreateEndpointConfig`; its name holds its content.

    Raises:
        ConfigurationError: Requests are to be kept, and no bucket is set.
    """
    machines = settings.endpoints
    key = {} if settings.kms_key is None else {"KmsKeyId": settings.kms_key}
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
            "DestinationS3Uri": f"s3://{settings.needed_bucket}/{CAPTURED}/{entry.use_case}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
            **key,
        }
    name = content_name(endpoint_name(settings, entry.use_case), content)
    return {"EndpointConfigName": name, **content, "Tags": _tags(entry, settings)}


def deployment_plan(
    entry: RegisteredModel, settings: AwsSettings, state: EndpointState | None
) -> Plan:
    """What brings an endpoint to an approved model, whatever it runs now.

    Args:
        entry: Approved.
        settings: Of the account.
        state: The endpoint now, standing still; None where there is none.

    Returns:
        Calls in their order; what is there already is kept when they are made.

    Raises:
        DeploymentFailed: The endpoint is not ours.
        ConfigurationError: A needed setting is missing.
    """
    name = endpoint_name(settings, entry.use_case)
    require_ours(name, state, entry.use_case)
    model = model_request(entry, settings)
    config = config_request(entry, settings, model["ModelName"])
    made = (
        Action("sagemaker", "CreateModel", model, f"model of {entry.group} {entry.number}"),
        Action("sagemaker", "CreateEndpointConfig", config, "configuration of the endpoint"),
    )
    changes = _changes(name, config["EndpointConfigName"], entry, settings, state)
    fallback = _fallback(back_to(state, config["EndpointConfigName"]))
    note = f"Then the endpoint is asked about the example of the package; if it errs, {fallback}."
    return Plan(
        f"Deploying number {entry.number} of {entry.group} to the endpoint {name}",
        made + changes,
        (note,),
    )


def back_to(state: EndpointState | None, config: str) -> str | None:
    """The configuration to go back to when a new one fails.

    Args:
        state: The endpoint before the deployment.
        config: The new configuration.

    Returns:
        The last one that passed its test, else the one that runs; None for an endpoint that runs
        nothing else: it is deleted.
    """
    if state is None or not state.is_serving:
        return None
    return state.tested or (state.config if state.config != config else None)


def _changes(
    name: str,
    config: str,
    entry: RegisteredModel,
    settings: AwsSettings,
    state: EndpointState | None,
) -> tuple[Action, ...]:
    create = Action(
        "sagemaker",
        "CreateEndpoint",
        {"EndpointName": name, "EndpointConfigName": config, "Tags": _tags(entry, settings)},
        f"endpoint {name}",
    )
    if state is None:
        return (create,)
    if not state.is_serving:
        # one that never came up can't be updated
        return (delete_endpoint(name, f"the endpoint that is {state.status}"), create)
    if state.config == config:
        return ()
    return (change_config(name, config),)


def change_config(name: str, config: str) -> Action:
    """The call that changes what an endpoint runs, without a pause in its answers.

    Args:
        name: Of the endpoint.
        config: Of its next configuration.

    Returns:
        An `UpdateEndpoint`.
    """
    return Action(
        "sagemaker",
        "UpdateEndpoint",
        {"EndpointName": name, "EndpointConfigName": config},
        f"endpoint {name} to {config}",
    )


def note_tested(state: EndpointState) -> Action:
    """The call that notes on an endpoint that what it runs passed its test.

    Args:
        state: Of the endpoint.

    Returns:
        An `AddTags`.
    """
    return Action(
        "sagemaker",
        "AddTags",
        {"ResourceArn": state.arn, "Tags": [{"Key": TESTED, "Value": state.config}]},
        "note that the test was passed",
    )


def delete_endpoint(name: str, purpose: str) -> Action:
    """The call that takes an endpoint down.

    Args:
        name: Of the endpoint.
        purpose: Which one, in words.

    Returns:
        A `DeleteEndpoint`.
    """
    return Action("sagemaker", "DeleteEndpoint", {"EndpointName": name}, purpose)


def require_ours(name: str, state: EndpointState | None, use_case: str) -> None:
    """Stop before an endpoint that somebody else made.

    Args:
        name: Of the endpoint.
        state: As it stands; None where there is none.
        use_case: Whose it should be.

    Raises:
        DeploymentFailed: Its tags do not say that we made it for this use case.
    """
    if state is not None and not is_ours(state.tag_list, use_case):
        raise DeploymentFailed(
            f"The endpoint {name} was not made by Clientela for {use_case} (its tags managed-by "
            "and use-case say otherwise), so it is left alone. Choose another endpoints.name in "
            "aws.yml."
        )


def _fallback(former: str | None) -> str:
    return "it is deleted" if former is None else f"it goes back to {former}"


def _tags(entry: RegisteredModel, settings: AwsSettings) -> list[dict[str, str]]:
    return tags(settings, use_case=entry.use_case)
