"""What is said of a model when it is entered in SageMaker Model Registry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from clientela.aws.images import prebuilt_image, prebuilt_images
from clientela.aws.names import tags
from clientela.aws.settings import AwsSettings
from clientela.registry.base import Submission

DETAILS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "use_case": "clientela-use-case",
        "role": "clientela-role",
        "version": "clientela-version",
        "package": "clientela-package",
        "package_sha256": "clientela-package-sha256",
    }
)
"""What an entry must remember of itself, and the key that it is kept under."""


LONGEST_VALUE: Final = 256
LONGEST_DESCRIPTION: Final = 1024


def group_request(group: str, settings: AwsSettings) -> dict[str, Any]:
    """The request that makes a model package group.

    Args:
        group: Its name.
        settings: Tags; those of a group are those of every package in it.

    Returns:
        A request of `CreateModelPackageGroup`.
    """
    return {
        "ModelPackageGroupName": group,
        "ModelPackageGroupDescription": "Made by Clientela. Approve a version with "
        "clientela approve.",
        "Tags": tags(settings),
    }


def package_request(submission: Submission, settings: AwsSettings, region: str) -> dict[str, Any]:
    """The request that enters a model, approval pending.

    A model in the form of the prebuilt XGBoost container goes in with that container, any other
    one with our own image. Tags are those of the group: AWS takes none for a versioned package.

    Args:
        submission: The model.
        settings: Images and instance type.
        region: Where it will run.

    Returns:
        A request of `CreateModelPackage`.

    Raises:
        ConfigurationError: The image is not known.
    """
    metrics = (
        {}
        if submission.metrics is None
        else {"ModelMetrics": {"ModelQuality": {"Statistics": _json_at(submission.metrics)}}}
    )
    return {
        "ModelPackageGroupName": submission.group,
        "ModelPackageDescription": submission.description[:LONGEST_DESCRIPTION],
        "ModelApprovalStatus": "PendingManualApproval",
        # the same token for the same content: an answer that was lost makes no second entry
        "ClientToken": f"clientela-{submission.role}-{submission.version}",
        "Domain": "MACHINE_LEARNING",
        "Task": _task(submission.problem_type),
        "InferenceSpecification": _inference(submission, settings, region),
        "CustomerMetadataProperties": _metadata(submission),
        **metrics,
    }


def _inference(submission: Submission, settings: AwsSettings, region: str) -> dict[str, Any]:
    prebuilt = submission.prebuilt
    if prebuilt is None:
        container = {"Image": settings.needed_image, "ModelDataUrl": submission.package}
        forms = ["application/json", "text/csv"]
    else:
        container = {
            "Image": prebuilt_image(region, settings.prebuilt_image),
            "ModelDataUrl": prebuilt,
            "Framework": "XGBOOST",
            "FrameworkVersion": prebuilt_images().framework_version,
        }
        forms = ["text/csv"]
    return {
        "Containers": [container],
        "SupportedContentTypes": forms,
        "SupportedResponseMIMETypes": forms,
        "SupportedRealtimeInferenceInstanceTypes": [settings.endpoints.instance_type],
        "SupportedTransformInstanceTypes": [settings.training.instance_type],
    }


def _metadata(submission: Submission) -> dict[str, str]:
    own = {key: str(getattr(submission, name)) for name, key in DETAILS.items()}
    more = {
        "problem-type": submission.problem_type,
        "training-data-sha256": submission.training_data_sha256,
        **{f"test-{name}": f"{value:.6g}" for name, value in sorted(submission.grades.items())},
    }
    return {key: value[:LONGEST_VALUE] for key, value in (own | more).items()}


def _task(problem_type: str) -> str:
    """SageMaker's word for a kind of problem, which registries call e.g. `Regresión ordinal`."""
    folded = problem_type.casefold()
    known = (("clasif", "classif"), "CLASSIFICATION"), (("regres",), "REGRESSION")
    return next((word for parts, word in known if any(p in folded for p in parts)), "OTHER")


def _json_at(address: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": address}
