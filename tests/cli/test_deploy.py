import json

import pytest
import yaml
from tests.aws.conftest import predictions
from tests.cli.conftest import EXPECTED, GROUP

from clientela.aws.plan import find_request_problems

NAME = "clientela-credit-payment"


@pytest.fixture
def answering(runtime):
    runtime.answers = lambda *_: (200, predictions("probabilidad", EXPECTED))
    return runtime


def test_the_approved_model_is_deployed_and_told(command, approved, answering, aws_client):
    run = command("deploy", "credit_payment")
    assert run.exit_code == 0, run.output
    assert f"The endpoint {NAME} is up with number {approved.number} of {GROUP}" in run.output
    assert "3 of 3: endpoint clientela-credit-payment" in run.output
    found = aws_client("sagemaker").describe_endpoint(EndpointName=NAME)
    assert found["EndpointStatus"] == "InService"
    again = command("deploy", "credit_payment")
    assert "was up already" in again.output


def test_a_dry_run_changes_nothing(command, approved, answering, gateway):
    gateway.calls.clear()
    run = command("deploy", "credit_payment", "--dry-run")
    assert run.exit_code == 0, run.output
    plan = yaml.safe_load(run.output)
    assert [action["operation"] for action in plan["actions"]] == [
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
    ]
    assert gateway.changes() == []


def test_a_model_that_errs_ends_the_command_with_one_message(command, approved, runtime):
    runtime.answers = lambda *_: (200, predictions("probabilidad", 0.9))
    run = command("deploy", "credit_payment")
    assert run.exit_code == 1
    assert "should answer 0.250000" in run.output
    assert "was deleted" in run.output
    assert "Traceback" not in run.output


def test_taking_it_down_asks_first(command, approved, answering, aws_client):
    command("deploy", "credit_payment")
    asked = command("undeploy", "credit_payment")
    assert asked.exit_code == 1
    assert "delete endpoint clientela-credit-payment" in asked.output
    assert aws_client("sagemaker").list_endpoints()["Endpoints"]
    paper = command("undeploy", "credit_payment", "--dry-run", "--json")
    assert len(json.loads(paper.output)["actions"]) == 3
    done = command("undeploy", "credit_payment", "--yes")
    assert done.exit_code == 0, done.output
    assert "is gone" in done.output
    assert aws_client("sagemaker").list_endpoints()["Endpoints"] == []
    assert "Nothing of credit_payment is deployed" in command("undeploy", "credit_payment").output


def test_without_an_approved_model_the_command_that_approves_is_named(
    command, gateway, bucket, aws_client, s3_afresh
):
    key = "models/served/credit_payment.json"
    aws_client("s3").delete_object(Bucket=bucket, Key=key)
    run = command("deploy", "credit_payment")
    assert run.exit_code == 1
    assert "clientela approve credit_payment --env=aws" in run.output


def test_an_entry_that_is_gone_is_told(command, approved, answering, gateway):
    from tests.aws.conftest import emptied

    emptied()
    run = command("deploy", "credit_payment")
    assert "which is no longer registered" in run.output


def test_another_registry_is_no_place_to_deploy_from(project_root, data_root, monkeypatch):
    from click.testing import CliRunner

    from clientela.cli.main import cli

    monkeypatch.chdir(project_root)
    run = CliRunner().invoke(cli, ["deploy", "credit_payment", "--env=test"])
    assert run.exit_code == 1
    assert "Add --env=aws" in run.output


@pytest.mark.parametrize("name", ["deploy", "undeploy"])
def test_a_mistyped_use_case_is_told(command, no_credentials, name):
    run = command(name, "credit_paymnt")
    assert run.exit_code == 1
    assert "'credit_payment'" in run.output


@pytest.mark.parametrize("name", ["deploy", "undeploy"])
def test_a_dry_run_needs_no_credentials_and_asks_nobody(command, no_credentials, name):
    run = command(name, "purchase_intensity", "--dry-run")
    assert run.exit_code == 0, run.output
    plan = yaml.safe_load(run.output)
    assert "No AWS credentials were found" in " ".join(plan["notes"])
    for action in plan["actions"]:
        assert (
            find_request_problems(action["service"], action["operation"], action["request"]) == []
        )


def test_what_is_missing_for_a_plan_is_told(command, no_credentials, monkeypatch):
    monkeypatch.delenv("CLIENTELA_EXECUTION_ROLE")
    run = command("deploy", "purchase_intensity", "--dry-run")
    assert run.exit_code == 1
    assert "execution_role is not set in aws.yml" in run.output
