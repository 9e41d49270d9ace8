import json
from datetime import UTC, datetime

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from clientela.aws.plan import apply_plan, find_request_problems
from clientela.aws.workflow import SCHEDULED, build_workflow_definition, build_workflow_plan
from clientela.aws_settings import parse_aws_settings
from clientela.cli.sagemaker import build_workflow_steps
from clientela.exceptions import ConfigurationError
from clientela.pipeline_registry import create_stage_pipelines
from clientela.use_cases import parse_use_cases

GOLDEN = "goldens/workflow.json"


@pytest.fixture(scope="module")
def use_cases(project_root):
    config = yaml.safe_load((project_root / "conf/base/use_cases.yml").read_text("utf-8"))
    return parse_use_cases(config)


@pytest.fixture(scope="module")
def example(project_root):
    content = yaml.safe_load((project_root / "docs/aws/example.yml").read_text("utf-8"))
    return parse_aws_settings(content["aws"])


@pytest.fixture(scope="module")
def ordered(use_cases):
    return build_workflow_steps(use_cases)


@pytest.fixture
def definition(ordered, example):
    return build_workflow_definition(ordered, example, "aws")


def steps(definition):
    return {step["Name"]: step for step in definition["Steps"]}


def resolved(content, values):
    """What SageMaker makes of references when a run starts."""
    if isinstance(content, dict):
        if set(content) == {"Get"}:
            return values[content["Get"]]
        if set(content) == {"Std:Join"}:
            join = content["Std:Join"]
            return join["On"].join(resolved(each, values) for each in join["Values"])
        return {key: resolved(value, values) for key, value in content.items()}
    return [resolved(each, values) for each in content] if isinstance(content, list) else content


@pytest.fixture
def started(definition):
    """Each step's job, as SageMaker would ask for it when a run starts."""
    given = {p["Name"]: p.get("DefaultValue", "2026-01-05") for p in definition["Parameters"]}
    values = {f"Parameters.{name}": value for name, value in given.items()}
    return {name: resolved(step["Arguments"], values) for name, step in steps(definition).items()}


def test_the_definition_is_the_golden_one(use_cases, request):
    """One with fewer settings, so that the file can be read."""
    settings = parse_aws_settings(
        {
            "bucket": "prueba-ml-dmelendez",
            "execution_role": "arn:aws:iam::123456789012:role/challenge-preauth-role",
            "workflow": {"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/c:1"},
        }
    )
    small = {name: use_cases[name] for name in ("retail", "purchase_intensity")}
    made = build_workflow_definition(build_workflow_steps(small), settings, "aws")
    golden = request.path.parent / GOLDEN
    assert made == json.loads(golden.read_text("utf-8"))


def test_each_stage_of_each_use_case_is_a_step_but_the_samples(definition, use_cases):
    expected = {
        f"{name}-{stage}".replace("_", "-")
        for name, entry in use_cases.items()
        for stage in entry.stages
        if stage != "data_generation"
    }
    assert set(steps(definition)) == expected
    assert len(definition["Steps"]) == len(expected)


@pytest.fixture(scope="module")
def stages(use_cases):
    return create_stage_pipelines(use_cases)


@pytest.fixture
def parts(started, stages):
    """The nodes that the command of each step selects."""

    def selected(job):
        stage, namespace, _ = job["AppSpecification"]["ContainerArguments"]
        chosen = namespace.removeprefix("--namespaces=")
        return stages[stage.removeprefix("--pipelines=")].only_nodes_with_namespaces([chosen])

    return {name: selected(job) for name, job in started.items()}


def test_each_step_is_a_run_of_nodes_that_exist(started, parts):
    for name, job in started.items():
        assert parts[name].nodes, name
        assert job["AppSpecification"]["ContainerEntrypoint"] == ["kedro", "run"]
        assert job["AppSpecification"]["ContainerArguments"][2] == "--env=aws"


def test_all_steps_together_run_every_node(parts, stages):
    run = {node.name for part in parts.values() for node in part.nodes}
    expected = {
        node.name
        for stage, pipeline in stages.items()
        if stage != "data_generation"
        for node in pipeline.nodes
    }
    assert run == expected


def test_no_step_stands_before_one_that_it_follows(ordered):
    for place, step in enumerate(ordered):
        assert set(step.after) <= {before.name for before in ordered[:place]}


def test_two_steps_that_share_a_file_never_run_at_the_same_time(
    definition, parts, data_root, project_root
):
    after = {name: step.get("DependsOn", []) for name, step in steps(definition).items()}

    def before(name):
        return {n for parent in after[name] for n in {parent, *before(parent)}}

    bootstrap_project(project_root)
    with KedroSession.create(project_root, env="test", save_on_close=False) as session:
        catalog = session.load_context().catalog

    def places(names):
        described = (catalog.get(name) for name in names if not name.startswith("param"))
        found = (
            getattr(each, "_filepath", None) or getattr(each, "_path", None) for each in described
        )
        return {str(place) for place in found if place is not None}

    written = {name: places(part.all_outputs()) for name, part in parts.items()}
    touched = {name: places(part.datasets()) for name, part in parts.items()}
    assert sum(map(len, written.values())) > 100
    for name in parts:
        for other in parts:
            if name != other and written[name] & touched[other]:
                assert name in before(other) or other in before(name), (name, other)


def test_each_step_is_a_job_that_aws_takes(started):
    for name, job in started.items():
        request = {"ProcessingJobName": name, **job}
        assert find_request_problems("sagemaker", "CreateProcessingJob", request) == []


def test_a_job_has_bucket_role_key_and_tags(started, example):
    job = started["credit-payment-training"]
    assert job["Environment"]["BUCKET"] == "prueba-ml-dmelendez"
    assert job["RoleArn"] == example.execution_role
    cluster = job["ProcessingResources"]["ClusterConfig"]
    assert cluster["VolumeKmsKeyId"] == example.kms_key
    assert {"Key": "use-case", "Value": "credit_payment"} in job["Tags"]
    assert job["NetworkConfig"]["VpcConfig"]["Subnets"] == list(example.network.subnets)


def test_another_run_key_is_never_taken_from_the_cache(definition):
    for step in definition["Steps"]:
        assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P7D"}
        key = step["Arguments"]["Environment"]["CLIENTELA_RUN_KEY"]
        assert key == {"Get": "Parameters.RunKey"}
    (parameter,) = (p for p in definition["Parameters"] if p["Name"] == "RunKey")
    assert "DefaultValue" not in parameter  # whoever starts a run says which one it is


def test_caching_can_be_switched_off(ordered, example):
    workflow = example.workflow.model_copy(update={"cache_days": 0})
    made = build_workflow_definition(
        ordered, example.model_copy(update={"workflow": workflow}), "aws"
    )
    assert not any("CacheConfig" in step for step in made["Steps"])


def test_only_what_may_pass_is_tried_again(definition):
    kinds = {
        kind
        for step in definition["Steps"]
        for policy in step["RetryPolicies"]
        for kind in policy["ExceptionType"]
    }
    assert kinds == {
        "Step.SERVICE_FAULT",
        "Step.THROTTLING",
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.CAPACITY_ERROR",
    }


def test_the_stand_in_takes_pipeline_and_schedule_and_their_change(
    ordered, example, clients, gateway, aws_client
):
    plan = build_workflow_plan(ordered, example, "aws", "us-east-1")
    assert [done.kept for done in apply_plan(plan, clients)] == [False, False]
    both = frozenset({"pipeline", "schedule"})
    again = build_workflow_plan(ordered, example, "aws", "us-east-1", existing=both)
    assert [action.operation for action in again.actions] == ["UpdatePipeline", "UpdateSchedule"]
    list(apply_plan(again, clients))
    found = aws_client("sagemaker").describe_pipeline(PipelineName="clientela")
    assert json.loads(found["PipelineDefinition"]) == build_workflow_definition(
        ordered, example, "aws"
    )
    schedule = aws_client("scheduler").get_schedule(Name="clientela")
    assert schedule["ScheduleExpression"] == "cron(30 4 ? * MON *)"
    assert schedule["ScheduleExpressionTimezone"] == "America/Bogota"


def test_the_schedule_makes_a_call_that_aws_takes(ordered, example):
    plan = build_workflow_plan(ordered, example, "aws", "us-east-1").validate()
    target = plan.actions[1].request["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    hour = datetime(2026, 1, 5, 9, 30, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    call = json.loads(target["Input"].replace(SCHEDULED, hour))
    assert find_request_problems("sagemaker", "StartPipelineExecution", call) == []
    assert len(call["ClientRequestToken"]) >= 32
    assert call["PipelineParameters"] == [{"Name": "RunKey", "Value": hour}]


def test_without_a_schedule_there_is_none(ordered, settings):
    workflow = settings.workflow.model_copy(update={"image": "c:1"})
    plan = build_workflow_plan(
        ordered, settings.model_copy(update={"workflow": workflow}), "aws", "us-east-1"
    )
    assert [action.operation for action in plan.validate().actions] == ["CreatePipeline"]


def test_a_schedule_without_a_role_is_refused(ordered, example):
    workflow = example.workflow.model_copy(update={"scheduler_role": None})
    with pytest.raises(ConfigurationError, match=r"needs workflow\.scheduler_role"):
        build_workflow_plan(
            ordered, example.model_copy(update={"workflow": workflow}), "aws", "us-east-1"
        )
