"""The whole project as a SageMaker pipeline.

One step per stage and use case, each `kedro run` in our image. Stages hand tables over through the
bucket, which SageMaker does not see, so a step follows the one before it by name, and a finished
step is taken from the cache only within one run key.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from clientela.aws.names import hyphened, tags
from clientela.aws.plan import Action, Plan
from clientela.aws.schedule import RUN_KEY, schedule_request
from clientela.aws.settings import AwsSettings
from clientela.contracts.use_cases import UseCase

VERSION: Final = "2020-12-01"
"""Of the form of pipeline definitions."""

LEFT_OUT: Final = frozenset({"data_generation"})
"""Stages that never run on a schedule: they write where people keep their own data."""

TRANSIENT: Final = ("Step.SERVICE_FAULT", "Step.THROTTLING")
MACHINE: Final = ("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR")
UNTRIED: Final = (
    "A run of the pipeline can't be tried without an AWS account: its form is checked here, and "
    "each step's command is the one that is tested locally."
)


def workflow_definition(
    use_cases: Mapping[str, UseCase], settings: AwsSettings, env: str
) -> dict[str, Any]:
    """The definition of the pipeline.

    Args:
        use_cases: Entries of the switchboard that are on.
        settings: Machines, image, role, encryption.
        env: Kedro environment of the steps, where a run does not say another.

    Returns:
        What `CreatePipeline` takes as JSON.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    return {
        "Version": VERSION,
        "Metadata": {},
        "Parameters": [
            # without a default: the same key again continues a run, another one starts anew
            {"Name": RUN_KEY, "Type": "String"},
            {"Name": "Bucket", "Type": "String", "DefaultValue": settings.needed_bucket},
            {"Name": "Environment", "Type": "String", "DefaultValue": env},
            {"Name": "Image", "Type": "String", "DefaultValue": settings.needed_workflow_image},
        ],
        "Steps": [
            _step(entry, stage, after, settings) for entry, stage, after in _ordered(use_cases)
        ],
    }


def step_name(use_case: str, stage: str) -> str:
    """The name of a step.

    Args:
        use_case: Entry of the switchboard.
        stage: One of its stages.

    Returns:
        At most 64 characters.
    """
    return f"{hyphened(use_case)}-{hyphened(stage)}"[:64]


def workflow_plan(
    use_cases: Mapping[str, UseCase],
    settings: AwsSettings,
    env: str,
    region: str,
    existing: frozenset[str] = frozenset(),
) -> Plan:
    """What makes or changes the pipeline, and its schedule where one is set.

    Args:
        use_cases: Entries of the switchboard that are on.
        settings: Of the account.
        env: Kedro environment of the steps.
        region: Where it is.
        existing: Which of `pipeline` and `schedule` are there already.

    Returns:
        Calls in their order.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    workflow = settings.workflow
    definition = json.dumps(workflow_definition(use_cases, settings, env), sort_keys=True)
    pipeline: dict[str, Any] = {
        "PipelineName": workflow.name,
        "PipelineDescription": "Raw data to registered models, by Clientela.",
        "PipelineDefinition": definition,
        "RoleArn": settings.needed_execution_role,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": workflow.parallel_steps},
    }
    if "pipeline" in existing:
        made = Action("sagemaker", "UpdatePipeline", pipeline, f"pipeline {workflow.name}")
    else:
        tagged = pipeline | {"Tags": tags(settings)}
        made = Action("sagemaker", "CreatePipeline", tagged, f"pipeline {workflow.name}")
    actions = [made]
    if workflow.schedule is not None:
        operation = "UpdateSchedule" if "schedule" in existing else "CreateSchedule"
        request = schedule_request(settings, region)
        actions.append(Action("scheduler", operation, request, f"schedule {workflow.name}"))
    purpose = f"Making the pipeline {workflow.name}"
    return Plan(purpose, tuple(actions), (UNTRIED,))


def _ordered(
    use_cases: Mapping[str, UseCase],
) -> Iterator[tuple[UseCase, str, str | None]]:
    """Every stage of every entry with the step that it follows; shared tables come first."""
    last: dict[str, str] = {}
    for entry in use_cases.values():
        after = last.get(entry.shares) if entry.shares is not None else None
        for stage in entry.stages:
            if stage in LEFT_OUT:
                continue
            yield entry, stage, after
            after = step_name(entry.name, stage)
        if after is not None:
            last[entry.name] = after


def _step(entry: UseCase, stage: str, after: str | None, settings: AwsSettings) -> dict[str, Any]:
    workflow = settings.workflow
    step: dict[str, Any] = {
        "Name": step_name(entry.name, stage),
        "DisplayName": f"{entry.name}: {stage}",
        "Type": "Processing",
        "Arguments": _arguments(entry, stage, settings),
        "RetryPolicies": [
            _retry(TRANSIENT, 10, workflow.attempts),
            _retry(MACHINE, 60, workflow.attempts),
        ],
    }
    if workflow.cache_days:
        step["CacheConfig"] = {"Enabled": True, "ExpireAfter": f"P{workflow.cache_days}D"}
    if after is not None:
        step["DependsOn"] = [after]
    return step


def _retry(exceptions: tuple[str, ...], seconds: int, attempts: int) -> dict[str, Any]:
    return {
        "ExceptionType": list(exceptions),
        "IntervalSeconds": seconds,
        "BackoffRate": 2.0,
        "MaxAttempts": attempts,
    }


def _arguments(entry: UseCase, stage: str, settings: AwsSettings) -> dict[str, Any]:
    """What a processing job is asked for: a `CreateProcessingJob` without its name."""
    workflow, key, network = settings.workflow, settings.kms_key, settings.network
    arguments: dict[str, Any] = {
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": workflow.instance_type,
                "InstanceCount": 1,
                "VolumeSizeInGB": workflow.volume_gb,
                **({} if key is None else {"VolumeKmsKeyId": key}),
            }
        },
        "AppSpecification": {
            "ImageUri": {"Get": "Parameters.Image"},
            "ContainerEntrypoint": ["kedro", "run"],
            "ContainerArguments": [
                f"--pipelines={stage}",
                f"--namespaces={entry.name}",
                {"Std:Join": {"On": "", "Values": ["--env=", {"Get": "Parameters.Environment"}]}},
            ],
        },
        "Environment": {
            **workflow.variables,
            "BUCKET": {"Get": "Parameters.Bucket"},
            # part of what the cache compares: without it, new data would be taken for done
            "CLIENTELA_RUN_KEY": {"Get": f"Parameters.{RUN_KEY}"},
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60 * workflow.max_minutes},
        "RoleArn": settings.needed_execution_role,
        "Tags": tags(settings, use_case=entry.name, stage=stage),
    }
    if network is not None:
        arguments["NetworkConfig"] = {
            "VpcConfig": {
                "Subnets": list(network.subnets),
                "SecurityGroupIds": list(network.security_groups),
            }
        }
    return arguments
