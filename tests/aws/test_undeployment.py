import pytest
from tests.aws.gateway import Fault
from tests.aws.served import manifest

from clientela.aws.deployment import apply_undeployment, build_undeployment_plan, deploy_model
from clientela.exceptions import DeploymentError
from clientela.registry.sagemaker_registry import SageMakerRegistry

USE_CASE = "purchase_intensity"


@pytest.fixture
def up(settings, clients, submission, runtime):
    """Two versions were deployed, one after the other."""
    registry = SageMakerRegistry(settings, clients)
    for version in ("a" * 12, "b" * 12):
        entry = registry.set_status(
            registry.register(submission(version=version)), "approved", "sí"
        )
        deploy_model(entry, manifest(), settings, clients)


def left(aws_client):
    client = aws_client("sagemaker")
    return [
        len(client.list_endpoints()["Endpoints"]),
        len(client.list_endpoint_configs()["EndpointConfigs"]),
        len(client.list_models()["Models"]),
    ]


def taken_down(settings, clients):
    plan = build_undeployment_plan(USE_CASE, settings, clients)
    return apply_undeployment(plan, USE_CASE, settings, clients)


def test_the_endpoint_and_all_that_it_ever_ran_is_taken_down(up, settings, clients, aws_client):
    assert left(aws_client) == [1, 2, 2]
    done = taken_down(settings, clients)
    assert [each.action.operation for each in done] == [
        "DeleteEndpoint",
        *["DeleteEndpointConfig"] * 2,
        *["DeleteModel"] * 2,
    ]
    assert left(aws_client) == [0, 0, 0]


def test_what_does_not_carry_our_tags_stays(up, settings, clients, aws_client):
    sagemaker = aws_client("sagemaker")
    model = sagemaker.list_models()["Models"][0]
    sagemaker.delete_tags(ResourceArn=model["ModelArn"], TagKeys=["use-case"])
    sagemaker.create_model(ModelName="clientela-purchase-intensity-mine", Containers=[])
    endpoint = sagemaker.list_endpoints()["Endpoints"][0]
    sagemaker.delete_tags(ResourceArn=endpoint["EndpointArn"], TagKeys=["managed-by"])
    plan = build_undeployment_plan(USE_CASE, settings, clients)
    apply_undeployment(plan, USE_CASE, settings, clients)
    assert left(aws_client) == [1, 0, 2]
    assert "was not made by Clientela" in plan.notes[0]


def test_another_use_case_whose_name_begins_the_same_stays(
    up, settings, clients, submission, aws_client
):
    registry = SageMakerRegistry(settings, clients)
    other = submission(use_case="purchase_intensity_home", version="c" * 12)
    entry = registry.set_status(registry.register(other), "approved", "sí")
    deploy_model(entry, manifest(), settings, clients)
    taken_down(settings, clients)
    assert left(aws_client) == [1, 1, 1]


def test_taking_down_what_is_not_there_does_nothing(settings, clients, gateway):
    assert taken_down(settings, clients) == []
    assert gateway.changes() == []


def test_the_plan_alone_changes_nothing(up, settings, clients, gateway, aws_client):
    gateway.calls.clear()
    plan = build_undeployment_plan(USE_CASE, settings, clients)
    assert len(plan.actions) == 5
    assert gateway.changes() == []
    assert left(aws_client) == [1, 2, 2]


@pytest.mark.parametrize("kind", ["500", "lost"])
@pytest.mark.parametrize("operation", ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"])
def test_one_that_was_cut_short_is_completed_by_the_next(
    up, settings, clients, gateway, aws_client, operation, kind
):
    gateway.faults.append(Fault(operation, kind, times=2))
    with pytest.raises(DeploymentError, match="what is done already is kept"):
        taken_down(settings, clients)
    taken_down(settings, clients)
    assert left(aws_client) == [0, 0, 0]


def test_a_deletion_whose_answer_was_lost_is_no_error(up, settings, clients, gateway, aws_client):
    gateway.faults.append(Fault("DeleteModel", "lost"))
    assert [each.kept for each in taken_down(settings, clients)].count(True) == 1
    assert left(aws_client) == [0, 0, 0]
