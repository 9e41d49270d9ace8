"""What the containers may do that SageMaker runs for the project."""

from clientela.aws.arns import Place
from clientela.aws.settings import Network
from clientela.aws.statements import Scope, Statement, handed_over, key_statements, registering

WRITTEN = ("intermediate", "primary", "processed", "models", "outputs", "reporting")
"""Folders of the bucket that stages write, and read again."""


def execution_statements(scope: Scope) -> list[Statement]:
    """What the execution role may do: run stages, register models, but never approve one.

    Args:
        scope: To what.

    Returns:
        Statements.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    network = scope.settings.network
    return [
        *_files(scope),
        *registering(scope),
        *_steps(scope),
        *_images(scope),
        *_words(scope),
        *([] if network is None else _network(network, scope.place)),
        *key_statements(scope.settings, volumes=True),
    ]


def _files(scope: Scope) -> list[Statement]:
    change = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
    return [
        Statement("FindFiles", ("s3:ListBucket",), scope.objects("")),
        Statement("ReadRawFiles", ("s3:GetObject",), scope.objects("raw/*")),
        Statement("WriteResults", change, scope.objects(*(f"{name}/*" for name in WRITTEN))),
    ]


def _steps(scope: Scope) -> list[Statement]:
    verbs = ("Create", "Describe", "Stop")
    role = scope.settings.needed_execution_role
    return [
        Statement(
            "RunStepsOfThePipeline",
            (*(f"sagemaker:{verb}ProcessingJob" for verb in verbs), "sagemaker:AddTags"),
            # SageMaker calls the jobs of a pipeline so
            scope.sagemaker("processing-job/pipelines-*"),
        ),
        handed_over("HandOverItselfToSteps", role, "sagemaker.amazonaws.com"),
    ]


def _images(scope: Scope) -> list[Statement]:
    images = {scope.settings.needed_workflow_image, scope.settings.needed_image}
    return [
        Statement(
            "LogInToTheImageRegistry",
            ("ecr:GetAuthorizationToken",),
            ("*",),
            reason="AWS knows no resource for the token.",
        ),
        Statement(
            "PullOurImages",
            (
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ),
            tuple(sorted({_repository(image, scope) for image in images})),
        ),
    ]


def _repository(image: str, scope: Scope) -> str:
    """The repository of an image; another one than ECR's is named like ours."""
    name = image.partition("/")[2].partition("@")[0].partition(":")[0]
    return scope.place.arn("ecr", f"repository/{name or image.partition(':')[0]}")


def _words(scope: Scope) -> list[Statement]:
    return [
        Statement(
            "WriteLogs",
            (
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ),
            (scope.place.arn("logs", "log-group:/aws/sagemaker/*"),),
        ),
        Statement(
            "ReportHowMachinesDo",
            ("cloudwatch:PutMetricData",),
            ("*",),
            reason="AWS knows no resource for figures of machines.",
        ),
    ]


def _network(network: Network, place: Place) -> list[Statement]:
    parts = [f"subnet/{each}" for each in network.subnets]
    parts += [f"security-group/{each}" for each in network.security_groups]
    look = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
    return [
        Statement(
            "LookAtTheNetwork",
            tuple(f"ec2:Describe{each}" for each in look),
            ("*",),
            reason="AWS knows no resource for lists of a network.",
        ),
        Statement(
            "JoinTheNetwork",
            (
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ),
            tuple(place.arn("ec2", part) for part in [*parts, "network-interface/*"]),
        ),
    ]
