import json

import pytest
import yaml
from tests.aws.gateway import Fault

from clientela.aws.plan import Action, Plan, apply_plan
from clientela.exceptions import DeploymentError, RegistryError

ROLE = "arn:aws:iam::123456789012:role/challenge-preauth-role"


def model(name="a"):
    request = {"ModelName": name, "ExecutionRoleArn": ROLE, "Tags": []}
    return Action("sagemaker", "CreateModel", request, f"model {name}")


def made(*names):
    return Plan("Making models", tuple(map(model, names)), ("A note.",))


def test_a_plan_can_be_printed_and_read_again():
    plan = made("a", "b")
    assert yaml.safe_load(plan.text()) == plan.record()
    assert json.loads(json.dumps(plan.record()))["actions"][1] == {
        "service": "sagemaker",
        "operation": "CreateModel",
        "request": {"ModelName": "b", "ExecutionRoleArn": ROLE, "Tags": []},
        "purpose": "model b",
    }


def test_every_step_is_told_as_soon_as_it_is_done(clients, gateway, caplog):
    caplog.set_level("INFO")
    steps = apply_plan(made("a", "b"), clients)
    next(steps)
    assert "1 of 2: model a" in caplog.text
    assert "2 of 2" not in caplog.text
    assert len(gateway.changes()) == 1
    next(steps)
    assert "2 of 2: model b" in caplog.text


def test_one_that_stopped_half_way_goes_on_where_it_stopped(clients, gateway):
    gateway.faults.append(Fault("CreateModel", "500", times=2))
    with pytest.raises(DeploymentError, match=r"Making models, step 1 of 2 \(model a\): AWS fail"):
        list(apply_plan(made("a", "b"), clients))
    next(apply_plan(made("a", "b"), clients))
    assert [done.kept for done in apply_plan(made("a", "b"), clients)] == [True, False]


def test_a_malformed_step_stops_the_plan_before_its_first(clients, gateway):
    malformed = Action("sagemaker", "CreateModel", {"ModelName": 3}, "model 3")
    plan = Plan("Making models", (model("a"), malformed))
    with pytest.raises(DeploymentError, match=r"nothing was done(?s:.*)parameter ModelName"):
        list(apply_plan(plan, clients))
    assert gateway.calls == []


def test_what_was_made_at_the_same_moment_is_kept(clients, gateway, aws_client, monkeypatch):
    aws_client("sagemaker").create_pipeline(PipelineName="p", PipelineDefinition="{}", RoleArn=ROLE)
    monkeypatch.setattr("clientela.aws.plan._is_present", lambda *_: False)
    request = {"PipelineName": "p", "PipelineDefinition": "{}", "RoleArn": ROLE}
    action = Action("sagemaker", "CreatePipeline", request, "pipeline p")
    assert [done.kept for done in apply_plan(Plan("Making", (action,)), clients)] == [True]


def test_the_error_is_the_one_that_was_asked_for(clients, gateway):
    gateway.faults.append(Fault("DescribeModel", "throttled", times=2))
    with pytest.raises(RegistryError, match="too busy for DescribeModel after 2 attempts"):
        list(apply_plan(made("a"), clients, RegistryError))
