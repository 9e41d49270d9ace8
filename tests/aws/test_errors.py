import re

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from clientela.aws_clients import convert_aws_errors, get_iam_action, is_absent, is_name_conflict
from clientela.exceptions import RegistryError

SECRET = "una-clave-que-no-debe-verse"  # noqa: S105 - nobody's


def client_error(code, message="", operation="CreateModel", status=400, retries=0):
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": retries},
    }
    return ClientError(answer, operation)


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (
            client_error(
                "AccessDeniedException",
                "User: arn:aws:iam::1:user/x is not authorized to perform: sagemaker:AddTags on …",
            ),
            r"AWS denied CreateModel\. .*lacks sagemaker:AddTags.*policies deployer",
        ),
        (client_error("AccessDenied", "Access Denied"), r"lacks sagemaker:CreateModel "),
        (client_error("ExpiredTokenException"), r"credentials \(ExpiredTokenException\)\. Log in"),
        (client_error("ThrottlingException", retries=4), r"after 5 attempts.*in a minute"),
        (client_error("InternalFailure", status=500), r"AWS failed at CreateModel after 1 attempt"),
        (client_error("ValidationException", "Bad name."), r"refused CreateModel .*: Bad name\."),
        (client_error("Odd"), "without a reason"),
        (NoCredentialsError(), "no AWS credentials were found .*Set AWS_PROFILE"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "no AWS cred"),
        (ProfileNotFound(profile="x"), "no AWS credentials"),
        (EndpointConnectionError(endpoint_url="http://x"), r"no answer in time .*network"),
        (ConnectTimeoutError(endpoint_url="http://x"), "no answer in time"),
        (ReadTimeoutError(endpoint_url="http://x"), "run the same command again"),
    ],
)
def test_each_failure_says_what_to_do(error, match):
    with (
        pytest.raises(RegistryError, match=f"^Registering: .*{match}") as caught,
        convert_aws_errors("Registering", "sagemaker", RegistryError),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_anything_else_passes_as_it_is():
    with pytest.raises(KeyError), convert_aws_errors("Registering", "sagemaker", RegistryError):
        raise KeyError("x")


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("sagemaker", "CreateModel", "sagemaker:CreateModel"),
        ("sagemaker-runtime", "InvokeEndpoint", "sagemaker:InvokeEndpoint"),
        ("s3", "HeadObject", "s3:GetObject"),
        ("s3", "PutObject", "s3:PutObject"),
        ("scheduler", "CreateSchedule", "scheduler:CreateSchedule"),
    ],
)
def test_the_permission_of_a_call_is_named_as_iam_names_it(service, operation, action):
    assert get_iam_action(service, operation) == action


@pytest.mark.parametrize(
    ("code", "message", "absent", "there"),
    [
        ("ValidationException", "ModelPackageGroup arn:x does not exist.", True, False),
        ("ValidationError", 'Could not find endpoint "arn:x".', True, False),
        ("ResourceNotFound", "", True, False),
        ("404", "Not Found", True, False),
        ("ValidationException", 'Cannot create already existing model "arn:x".', False, True),
        ("ConflictException", "Model Package Group already exists.", False, True),
        ("ResourceInUse", "", False, True),
        ("ValidationException", "1 validation error detected", False, False),
        ("ThrottlingException", "does not exist", False, False),
    ],
)
def test_absent_and_there_already_are_told_apart(code, message, absent, there):
    error = client_error(code, message)
    assert (is_absent(error), is_name_conflict(error)) == (absent, there)


def test_keys_are_in_no_message(settings, gateway, monkeypatch):
    from clientela.aws.endpoint import fetch_endpoint_state
    from clientela.aws_clients import Clients
    from clientela.exceptions import DeploymentError

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SECRET[::-1])
    gateway.policy = {"Statement": []}
    with pytest.raises(DeploymentError, match=re.escape("sagemaker:DescribeEndpoint")) as caught:
        fetch_endpoint_state("a", Clients(settings))
    said = str(caught.value)
    assert SECRET not in said
    assert SECRET[::-1] not in said
