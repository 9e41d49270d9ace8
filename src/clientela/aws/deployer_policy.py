"""What somebody needs who registers, approves, deploys, trains and makes the pipeline."""

from typing import Final

from clientela.aws.names import OURS, OWNER
from clientela.aws.statements import Scope, Statement, handed_over, key_statements, registering

TAGGED: Final = {"StringEquals": {f"aws:RequestTag/{OWNER}": OURS}}
ONLY_OURS: Final = {"StringEquals": {f"aws:ResourceTag/{OWNER}": OURS}}


def deployer_statements(scope: Scope) -> list[Statement]:
    """What a person, or CI, may do.

    Args:
        scope: To what.

    Returns:
        Statements.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    return [
        *registering(scope),
        Statement(
            "Approve",
            ("sagemaker:UpdateModelPackage",),
            scope.sagemaker(*(f"model-package/{group}/*" for group in scope.groups)),
        ),
        *_endpoints(scope),
        *_jobs(scope),
        *_roles(scope),
        *_files(scope),
        *key_statements(scope.settings, volumes=True),
    ]


def _endpoints(scope: Scope) -> list[Statement]:
    everything = scope.endpoints + scope.endpoint_parts
    things = ("Endpoint", "EndpointConfig", "Model")
    return [
        Statement(
            "LookAndTag",
            (
                *(f"sagemaker:Describe{thing}" for thing in things),
                "sagemaker:AddTags",
                "sagemaker:ListTags",
            ),
            everything,
        ),
        Statement(
            "MakeWithOurTag",
            tuple(f"sagemaker:Create{thing}" for thing in things),
            everything,
            TAGGED,
        ),
        Statement("Ask", ("sagemaker:InvokeEndpoint",), scope.endpoints),
        Statement(
            "Change",
            ("sagemaker:UpdateEndpoint",),
            # a change is one of the endpoint and of the configuration that it gets
            scope.endpoints
            + tuple(arn for arn in scope.endpoint_parts if ":endpoint-config/" in arn),
        ),
        Statement(
            "TakeDownWhatIsOurs",
            tuple(f"sagemaker:Delete{thing}" for thing in things),
            everything,
            ONLY_OURS,
        ),
        Statement(
            "FindWhatIsLeft",
            ("sagemaker:ListEndpointConfigs", "sagemaker:ListModels"),
            ("*",),
            reason="AWS knows no resource for these two lists.",
        ),
    ]


def _jobs(scope: Scope) -> list[Statement]:
    workflow = scope.settings.workflow
    jobs = ("TrainingJob", "HyperParameterTuningJob")
    schedule = scope.place.arn("scheduler", f"schedule/default/{workflow.name}")
    return [
        Statement(
            "Train",
            (
                *(f"sagemaker:{verb}{job}" for verb in ("Create", "Describe") for job in jobs),
                "sagemaker:AddTags",
            ),
            scope.sagemaker("training-job/clientela-*", "hyper-parameter-tuning-job/clientela-*"),
        ),
        Statement(
            "MakeThePipeline",
            (
                *(f"sagemaker:{verb}Pipeline" for verb in ("Create", "Describe", "Update")),
                "sagemaker:AddTags",
            ),
            scope.sagemaker(f"pipeline/{workflow.name}"),
        ),
        Statement(
            "ScheduleIt",
            tuple(f"scheduler:{verb}Schedule" for verb in ("Create", "Get", "Update")),
            (schedule,),
        ),
    ]


def _roles(scope: Scope) -> list[Statement]:
    settings = scope.settings
    execution = settings.needed_execution_role
    roles = [handed_over("HandOverTheExecutionRole", execution, "sagemaker.amazonaws.com")]
    scheduler = settings.workflow.scheduler_role
    if scheduler is not None:
        roles.append(handed_over("HandOverTheScheduler", scheduler, "scheduler.amazonaws.com"))
    return roles


def _files(scope: Scope) -> list[Statement]:
    return [
        Statement("FindFiles", ("s3:ListBucket",), scope.objects("")),
        Statement(
            "ReadModelsAndWhatTheyLearnFrom",
            ("s3:GetObject",),
            scope.objects("models/*", "processed/*"),
        ),
        Statement(
            "WriteModelsAndTrainingData",
            ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"),
            scope.objects("models/*", "processed/model_input/*", "reporting/*"),
        ),
    ]
