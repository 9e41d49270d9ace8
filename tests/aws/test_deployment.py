import json

import pytest
from tests.aws.conftest import predictions
from tests.aws.gateway import Fault
from tests.aws.served import manifest

from clientela.aws.deployment import compute_deployment_plan, deploy_model
from clientela.exceptions import DeploymentError, NoApprovedModelError
from clientela.registry.sagemaker_registry import SageMakerRegistry

NAME = "clientela-purchase-intensity"


@pytest.fixture
def approved(settings, clients, submission):
    """Registers and approves a version: `approved("b" * 12)`."""
    registry = SageMakerRegistry(settings, clients)

    def make(version="0123456789ab", **changes):
        entry = registry.register(submission(version=version, **changes))
        return registry.set_status(entry, "approved", "revisado")

    return make


def endpoint(aws_client):
    return aws_client("sagemaker").describe_endpoint(EndpointName=NAME)


def endpoints(aws_client):
    return aws_client("sagemaker").list_endpoints()["Endpoints"]


def test_an_approved_model_comes_up_and_is_tested(
    approved, settings, clients, gateway, runtime, aws_client, archive
):
    entry = approved()
    done = deploy_model(entry, manifest(), settings, clients)
    assert (done.endpoint, done.changed) == (NAME, True)
    assert done.answer == pytest.approx(archive.for_case, abs=1e-6)
    config = aws_client("sagemaker").describe_endpoint_config(EndpointConfigName=done.config)
    (variant,) = config["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
    model = aws_client("sagemaker").describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"] == {"ModelPackageName": entry.address}
    assert runtime.asked == [(NAME, "text/csv", b"12.0,3.0,")]


def test_our_own_container_is_asked_with_the_case_by_its_fields(
    approved, settings, clients, runtime
):
    runtime.answers = lambda *_: (200, predictions("valor_esperado", 1.25))
    entry = approved(role="champion", prebuilt=None)
    assert deploy_model(entry, manifest(), settings, clients).answer == 1.25
    ((_, kind, body),) = runtime.asked
    assert kind == "application/json"
    assert json.loads(body) == {"data": [manifest().example.case]}


def test_everything_that_is_made_carries_our_tags(approved, settings, clients, runtime, aws_client):
    deploy_model(approved(), manifest(), settings, clients)
    sagemaker = aws_client("sagemaker")
    arns = [
        sagemaker.list_models()["Models"][0]["ModelArn"],
        sagemaker.list_endpoint_configs()["EndpointConfigs"][0]["EndpointConfigArn"],
        endpoint(aws_client)["EndpointArn"],
    ]
    for arn in arns:
        tags = {each["Key"]: each["Value"] for each in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
        assert tags["managed-by"] == "clientela"
        assert tags["use-case"] == "purchase_intensity"
        assert tags["project"] == "clientela"


def test_deploying_twice_changes_nothing(approved, settings, clients, gateway, runtime):
    entry = approved()
    first = deploy_model(entry, manifest(), settings, clients)
    gateway.calls.clear()
    again = deploy_model(entry, manifest(), settings, clients)
    assert (again.config, again.changed) == (first.config, False)
    assert gateway.changes() == []


def test_a_newer_model_takes_its_place_in_the_same_endpoint(
    approved, settings, clients, gateway, runtime, aws_client
):
    first = deploy_model(approved(), manifest(), settings, clients)
    second = deploy_model(approved("b" * 12), manifest(), settings, clients)
    assert second.config != first.config
    assert endpoint(aws_client)["EndpointConfigName"] == second.config
    assert gateway.operations().count("UpdateEndpoint") == 1


@pytest.mark.parametrize(
    ("status", "answer", "match"),
    [
        (200, b"1.26", r"should answer \d\.\d{6} .* and answers 1\.260000"),
        (200, b"nan", r"answers nan"),
        (200, b"<html>", r"there is none"),
        (424, b"{}", r"AWS refused InvokeEndpoint"),
        (500, b"{}", r"AWS failed at InvokeEndpoint after 2 attempts"),
    ],
)
def test_a_new_endpoint_that_fails_its_test_is_deleted(
    approved, settings, clients, runtime, aws_client, status, answer, match
):
    runtime.answers = lambda *_: (status, answer)
    with pytest.raises(DeploymentError, match=f"(?s){match}.*was deleted"):
        deploy_model(approved(), manifest(), settings, clients)
    assert endpoints(aws_client) == []


def test_an_endpoint_that_fails_the_test_of_a_newer_model_goes_back(
    approved, settings, clients, runtime, aws_client
):
    runtime.answers = runtime.right
    first = deploy_model(approved(), manifest(), settings, clients)
    runtime.answers = lambda *_: (200, b"3.0")
    with pytest.raises(DeploymentError, match=f"runs {first.config} again, as before"):
        deploy_model(approved("b" * 12), manifest(), settings, clients)
    found = endpoint(aws_client)
    assert (found["EndpointConfigName"], found["EndpointStatus"]) == (first.config, "InService")


def test_a_newer_model_that_does_not_come_up_leaves_the_former_one(
    approved, settings, clients, gateway, runtime, aws_client
):
    first = deploy_model(approved(), manifest(), settings, clients)
    newer = approved("b" * 12)
    plan = compute_deployment_plan(newer, settings, clients)
    gateway.broken.add(plan.actions[-1].request["EndpointConfigName"])
    with pytest.raises(DeploymentError, match=r"did not come up(?s:.*)as before"):
        deploy_model(newer, manifest(), settings, clients)
    assert endpoint(aws_client)["EndpointConfigName"] == first.config


def test_a_new_endpoint_that_does_not_come_up_is_deleted_with_the_reason(
    approved, settings, clients, gateway, runtime, aws_client
):
    entry = approved()
    config = (
        compute_deployment_plan(entry, settings, clients).actions[1].request["EndpointConfigName"]
    )
    gateway.broken.add(config)
    with pytest.raises(DeploymentError, match=r"is Failed \(The ping failed\.\)"):
        deploy_model(entry, manifest(), settings, clients)
    assert endpoints(aws_client) == []


def test_an_endpoint_that_comes_up_slowly_is_waited_for(
    approved, settings, clients, gateway, runtime, caplog
):
    entry = approved()
    deploy_model(entry, manifest(), settings, clients)
    gateway.statuses = ["Updating", "Updating", "InService"]
    caplog.set_level("INFO")
    assert not deploy_model(entry, manifest(), settings, clients).changed
    assert caplog.text.count(f"endpoint {NAME}: Updating") == 2


def test_an_endpoint_that_never_settles_is_given_up_and_nothing_is_undone(
    approved, settings, clients, gateway, runtime, aws_client
):
    entry = approved()
    deploy_model(entry, manifest(), settings, clients)
    gateway.statuses = ["Updating"] * 10_000
    quick = settings.endpoints.model_copy(update={"wait_minutes": 0.001})
    with pytest.raises(DeploymentError, match=r"still changing after 0\.001 minutes"):
        deploy_model(entry, manifest(), settings.model_copy(update={"endpoints": quick}), clients)
    assert len(endpoints(aws_client)) == 1


@pytest.mark.parametrize(
    "operation", ["CreateModel", "CreateEndpointConfig", "CreateEndpoint", "AddTags"]
)
@pytest.mark.parametrize("kind", ["500", "lost"])
def test_a_deployment_that_was_cut_short_is_completed_by_the_next(
    approved, settings, clients, gateway, runtime, aws_client, operation, kind
):
    entry = approved()
    gateway.faults.append(Fault(operation, kind, times=2))
    with pytest.raises(DeploymentError, match=r"[rR]un the same command"):
        deploy_model(entry, manifest(), settings, clients)
    done = deploy_model(entry, manifest(), settings, clients)
    assert endpoint(aws_client)["EndpointConfigName"] == done.config
    assert len(aws_client("sagemaker").list_models()["Models"]) == 1


def test_after_a_kill_before_the_test_a_bad_model_still_goes_back(
    approved, settings, clients, gateway, runtime, aws_client
):
    runtime.answers = runtime.right
    first = deploy_model(approved(), manifest(), settings, clients)
    newer = approved("b" * 12)

    def killed(*_, **__):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clientela.aws.deployment.run_smoke_test", killed)
        with pytest.raises(KeyboardInterrupt):
            deploy_model(newer, manifest(), settings, clients)
    assert endpoint(aws_client)["EndpointConfigName"] != first.config
    runtime.answers = lambda *_: (200, b"9")
    with pytest.raises(DeploymentError, match=f"runs {first.config} again"):
        deploy_model(newer, manifest(), settings, clients)


def test_an_endpoint_that_passed_before_is_not_taken_down_by_a_network_that_fails_now(
    approved, settings, clients, gateway, runtime, aws_client
):
    runtime.answers = runtime.right
    entry = approved()
    done = deploy_model(entry, manifest(), settings, clients)
    runtime.answers = lambda *_: (500, b"{}")
    with pytest.raises(DeploymentError, match="left as it is"):
        deploy_model(entry, manifest(), settings, clients)
    assert endpoint(aws_client)["EndpointConfigName"] == done.config


def test_an_endpoint_that_failed_earlier_is_made_anew(
    approved, settings, clients, gateway, runtime, aws_client
):
    entry = approved()
    deploy_model(entry, manifest(), settings, clients)
    gateway.statuses = ["Failed"]
    gateway.calls.clear()
    assert deploy_model(entry, manifest(), settings, clients).changed
    assert gateway.changes() == ["DeleteEndpoint", "CreateEndpoint", "AddTags"]


def test_an_endpoint_of_somebody_else_is_left_alone(
    approved, settings, clients, gateway, runtime, aws_client
):
    entry = approved()
    deploy_model(entry, manifest(), settings, clients)
    arn = endpoint(aws_client)["EndpointArn"]
    aws_client("sagemaker").delete_tags(ResourceArn=arn, TagKeys=["managed-by"])
    gateway.calls.clear()
    with pytest.raises(DeploymentError, match="was not made by Clientela"):
        deploy_model(approved("b" * 12), manifest(), settings, clients)
    assert {"UpdateEndpoint", "CreateModel"} & set(gateway.operations()) == set()


def test_what_nobody_approved_is_not_deployed(settings, clients, submission, gateway):
    entry = SageMakerRegistry(settings, clients).register(submission())
    with pytest.raises(NoApprovedModelError, match="clientela approve purchase_intensity"):
        deploy_model(entry, manifest(), settings, clients)
    assert "CreateModel" not in gateway.operations()


def test_requests_are_kept_and_encrypted_where_asked(approved, settings, clients, gateway):
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b"
    kept = settings.endpoints.model_copy(update={"capture_percent": 20})
    plan = compute_deployment_plan(
        approved(), settings.model_copy(update={"endpoints": kept, "kms_key": key}), clients
    )
    config = plan.actions[1].request
    capture = config["DataCaptureConfig"]
    assert (config["KmsKeyId"], capture["KmsKeyId"]) == (key, key)
    assert capture["InitialSamplingPercentage"] == 20
    assert capture["DestinationS3Uri"] == "s3://una-tienda/outputs/captured/purchase_intensity"
