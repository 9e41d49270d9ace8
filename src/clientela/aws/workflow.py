"""The whole project as a SageMaker pipeline, and the schedule that starts it.

One step per stage and use case, each `kedro run` in our image. Stages hand tables over through the
bucket, which SageMaker does not see: a step names those that it follows, and a finished step is
taken from the cache only within one run key. EventBridge Scheduler calls SageMaker at the hour.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from clientela.aws.plan import Action, Plan
from clientela.aws_settings import AccountRegion, AwsSettings, build_tags, replace_underscores
from clientela.exceptions import ConfigurationError

# Parameter of the pipeline that tells one run from another.
RUN_KEY: Final = "RunKey"

# The call that the schedule makes.
START: Final = "aws-sdk:sagemaker:startPipelineExecution"

# What EventBridge Scheduler puts the hour in place of.
SCHEDULED: Final = "<aws.scheduler.scheduled-time>"


def build_schedule_request(settings: AwsSettings, region: str) -> dict[str, Any]:
    """The request that makes or changes the schedule.

    The hour is the key of the run and its token, so that a schedule that fires twice for one hour
    starts one run.
    """
    workflow = settings.workflow
    if workflow.scheduler_role is None or workflow.schedule is None:
        raise ConfigurationError(
            "workflow.schedule needs workflow.scheduler_role in aws.yml: the role that EventBridge "
            "Scheduler takes on (`clientela sagemaker policies scheduler` prints what it may do)."
        )
    started = {
        "PipelineName": workflow.name,
        "ClientRequestToken": f"clientela-scheduled-{SCHEDULED}",
        "PipelineParameters": [{"Name": RUN_KEY, "Value": SCHEDULED}],
    }
    return {
        "Name": workflow.name,
        "Description": f"Starts the SageMaker pipeline {workflow.name}, by Clientela.",
        "ScheduleExpression": workflow.schedule,
        "ScheduleExpressionTimezone": workflow.timezone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED",
        "Target": {
            "Arn": f"arn:{AccountRegion.of(settings, region).partition}:scheduler:::{START}",
            "RoleArn": workflow.scheduler_role,
            "Input": json.dumps(started),
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
        },
    }


# Of the form of pipeline definitions.
VERSION: Final = "2020-12-01"

TRANSIENT: Final = ("Step.SERVICE_FAULT", "Step.THROTTLING")
MACHINE: Final = ("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR")
UNTRIED: Final = (
    "A run of the pipeline can't be tried without an AWS account: its form is checked here, and "
    "each step's command is the one that is tested locally."
)


@dataclass(frozen=True)
class WorkflowStep:
    """One stage of one entry of the switchboard.

    Attributes:
        after: Names of the steps whose files it reads.
    """

    use_case: str
    stage: str
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As SageMaker calls it: at most 64 characters."""
        return step_name(self.use_case, self.stage)


def step_name(use_case: str, stage: str) -> str:
    """The name of a step."""
    return f"{replace_underscores(use_case)}-{replace_underscores(stage)}"[:64]


def build_workflow_definition(
    steps: Sequence[WorkflowStep], settings: AwsSettings, env: str
) -> dict[str, Any]:
    """The definition of the pipeline.

    Args:
        env: Kedro environment of the steps, where a run does not say another.
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
        "Steps": [_build_step(step, settings) for step in steps],
    }


def build_workflow_plan(
    steps: Sequence[WorkflowStep],
    settings: AwsSettings,
    env: str,
    region: str,
    existing: frozenset[str] = frozenset(),
) -> Plan:
    """What makes or changes the pipeline, and its schedule where one is set."""
    workflow = settings.workflow
    definition = json.dumps(build_workflow_definition(steps, settings, env), sort_keys=True)
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
        tagged = pipeline | {"Tags": build_tags(settings)}
        made = Action("sagemaker", "CreatePipeline", tagged, f"pipeline {workflow.name}")
    actions = [made]
    if workflow.schedule is not None:
        operation = "UpdateSchedule" if "schedule" in existing else "CreateSchedule"
        request = build_schedule_request(settings, region)
        actions.append(Action("scheduler", operation, request, f"schedule {workflow.name}"))
    purpose = f"Making the pipeline {workflow.name}"
    return Plan(purpose, tuple(actions), (UNTRIED,))


def _build_step(step: WorkflowStep, settings: AwsSettings) -> dict[str, Any]:
    workflow = settings.workflow
    made: dict[str, Any] = {
        "Name": step.name,
        "DisplayName": f"{step.use_case}: {step.stage}",
        "Type": "Processing",
        "Arguments": _build_job_arguments(step, settings),
        "RetryPolicies": [
            _build_retry_policy(TRANSIENT, 10, workflow.attempts),
            _build_retry_policy(MACHINE, 60, workflow.attempts),
        ],
    }
    if workflow.cache_days:
        made["CacheConfig"] = {"Enabled": True, "ExpireAfter": f"P{workflow.cache_days}D"}
    if step.after:
        made["DependsOn"] = list(step.after)
    return made


def _build_retry_policy(exceptions: tuple[str, ...], seconds: int, attempts: int) -> dict[str, Any]:
    return {
        "ExceptionType": list(exceptions),
        "IntervalSeconds": seconds,
        "BackoffRate": 2.0,
        "MaxAttempts": attempts,
    }


def _build_job_arguments(step: WorkflowStep, settings: AwsSettings) -> dict[str, Any]:
    """What a processing job is asked for: a `CreateProcessingJob` without its name."""
    workflow, network = settings.workflow, settings.network
    arguments: dict[str, Any] = {
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": workflow.instance_type,
                "InstanceCount": 1,
                "VolumeSizeInGB": workflow.volume_gb,
                **settings.key_field("VolumeKmsKeyId"),
            }
        },
        "AppSpecification": {
            "ImageUri": {"Get": "Parameters.Image"},
            "ContainerEntrypoint": ["kedro", "run"],
            "ContainerArguments": [
                f"--pipelines={step.stage}",
                f"--namespaces={step.use_case}",
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
        "Tags": build_tags(settings, use_case=step.use_case, stage=step.stage),
    }
    if network is not None:
        arguments["NetworkConfig"] = {"VpcConfig": network.vpc_config}
    return arguments
