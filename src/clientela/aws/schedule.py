"""The schedule that starts the pipeline: EventBridge Scheduler calls SageMaker at the hour."""

import json
from typing import Any, Final

from clientela.aws.arns import Place
from clientela.aws.settings import AwsSettings
from clientela.exceptions import ConfigurationError

RUN_KEY: Final = "RunKey"
"""Parameter of the pipeline that tells one run from another."""

START: Final = "aws-sdk:sagemaker:startPipelineExecution"
"""The call that the schedule makes."""

SCHEDULED: Final = "<aws.scheduler.scheduled-time>"
"""What EventBridge Scheduler puts the hour in place of."""


def schedule_request(settings: AwsSettings, region: str) -> dict[str, Any]:
    """The request that makes or changes the schedule.

    The hour is the key of the run and its token, so that a schedule that fires twice for one hour
    starts one run.

    Args:
        settings: Schedule, time zone, role.
        region: Where the pipeline is.

    Returns:
        A request of `CreateSchedule` and of `UpdateSchedule`.

    Raises:
        ConfigurationError: The schedule has no role.
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
            "Arn": f"arn:{Place.of(settings, region).partition}:scheduler:::{START}",
            "RoleArn": workflow.scheduler_role,
            "Input": json.dumps(started),
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
        },
    }
