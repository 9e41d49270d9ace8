"""SageMaker Model Registry: one model package group per model, one package per version.

A model in the form of the prebuilt XGBoost container is entered with that container of the region,
any other one with our own image.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, cast

import yaml

from clientela.aws_clients import Clients, convert_aws_errors, is_absent, is_name_conflict
from clientela.aws_settings import AwsSettings, build_tags
from clientela.exceptions import ConfigurationError, RegistryError, did_you_mean
from clientela.registry.manifest import Role
from clientela.registry.model_registry import RegisteredModel, Status, Submission
from clientela.storage import require_object

logger = logging.getLogger(__name__)

TABLE: Final = "xgboost_images.yml"


@dataclass(frozen=True)
class PrebuiltImages:
    """The prebuilt XGBoost images that are known.

    Attributes:
        accounts: Region to the account that holds it.
    """

    repository: str
    version: str
    accounts: MappingProxyType[str, str]

    @property
    def framework_version(self) -> str:
        """The version of XGBoost itself, e.g. `3.2`."""
        return self.version.partition("-")[0]


@cache
def load_prebuilt_images() -> PrebuiltImages:
    """The table of the prebuilt images, read once."""
    table: dict[str, Any] = yaml.safe_load(
        files("clientela.registry").joinpath(TABLE).read_text("utf-8")
    )
    return PrebuiltImages(
        table["repository"], table["version"], MappingProxyType(table["accounts"])
    )


def get_prebuilt_image(region: str, chosen: str | None) -> str:
    """The address of the prebuilt XGBoost image.

    Raises:
        ConfigurationError: The table does not know the region.
    """
    if chosen is not None:
        return chosen
    images = load_prebuilt_images()
    if region not in images.accounts:
        raise ConfigurationError(
            f"No account is known that holds the prebuilt XGBoost image in {region}. Look it up in "
            "AWS's list of SageMaker images and set prebuilt_image in conf/aws/aws.yml: "
            f"<account>.dkr.ecr.{region}.amazonaws.com/{images.repository}:{images.version}. "
            + did_you_mean(region, images.accounts)
        )
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    account = images.accounts[region]
    return f"{account}.dkr.ecr.{region}.{domain}/{images.repository}:{images.version}"


# What an entry must remember of itself, and the key that it is kept under.
DETAILS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "use_case": "clientela-use-case",
        "role": "clientela-role",
        "version": "clientela-version",
        "package": "clientela-package",
        "package_sha256": "clientela-package-sha256",
    }
)


LONGEST_VALUE: Final = 256
LONGEST_DESCRIPTION: Final = 1024


def build_group_request(group: str, settings: AwsSettings) -> dict[str, Any]:
    """The request that makes a model package group, whose tags are those of every package in it."""
    return {
        "ModelPackageGroupName": group,
        "ModelPackageGroupDescription": "Made by Clientela. Approve a version with "
        "clientela approve.",
        "Tags": build_tags(settings),
    }


def build_package_request(
    submission: Submission, settings: AwsSettings, region: str
) -> dict[str, Any]:
    """The request that enters a model, approval pending."""
    # registries call a kind of problem e.g. `Regresión ordinal`
    problem = submission.problem_type.casefold()
    task = "REGRESSION" if "regres" in problem else "OTHER"
    if "clasif" in problem or "classif" in problem:
        task = "CLASSIFICATION"
    request: dict[str, Any] = {
        "ModelPackageGroupName": submission.group,
        "ModelPackageDescription": submission.description[:LONGEST_DESCRIPTION],
        "ModelApprovalStatus": "PendingManualApproval",
        # the same token for the same content: an answer that was lost makes no second entry
        "ClientToken": f"clientela-{submission.role}-{submission.version}",
        "Domain": "MACHINE_LEARNING",
        "Task": task,
        "InferenceSpecification": _build_inference_specification(submission, settings, region),
        "CustomerMetadataProperties": _build_metadata(submission),
    }
    if submission.metrics is not None:
        source = {"ContentType": "application/json", "S3Uri": submission.metrics}
        request["ModelMetrics"] = {"ModelQuality": {"Statistics": source}}
    return request


def _build_inference_specification(
    submission: Submission, settings: AwsSettings, region: str
) -> dict[str, Any]:
    prebuilt = submission.prebuilt
    if prebuilt is None:
        container = {"Image": settings.needed_image, "ModelDataUrl": submission.package}
        forms = ["application/json", "text/csv"]
    else:
        container = {
            "Image": get_prebuilt_image(region, settings.prebuilt_image),
            "ModelDataUrl": prebuilt,
            "Framework": "XGBOOST",
            "FrameworkVersion": load_prebuilt_images().framework_version,
        }
        forms = ["text/csv"]
    return {
        "Containers": [container],
        "SupportedContentTypes": forms,
        "SupportedResponseMIMETypes": forms,
        "SupportedRealtimeInferenceInstanceTypes": [settings.endpoints.instance_type],
        "SupportedTransformInstanceTypes": [settings.training.instance_type],
    }


def _build_metadata(submission: Submission) -> dict[str, str]:
    metadata = {key: str(getattr(submission, name)) for name, key in DETAILS.items()}
    metadata |= {
        "problem-type": submission.problem_type,
        "training-data-sha256": submission.training_data_sha256,
        **{f"test-{name}": f"{value:.6g}" for name, value in sorted(submission.grades.items())},
    }
    return {key: value[:LONGEST_VALUE] for key, value in metadata.items()}


STATUS: Final[Mapping[str, Status]] = MappingProxyType(
    {"PendingManualApproval": "pending", "Approved": "approved", "Rejected": "rejected"}
)
WORDS: Final = MappingProxyType({ours: theirs for theirs, ours in STATUS.items()})
LONGEST_REASON: Final = 1024
SERVICE: Final = "sagemaker"


class SageMakerRegistry:
    """Registers models in SageMaker Model Registry.

    A package is entered by one call, so an entry is never half there. Which version it holds
    stands in its customer metadata, by which a repeated registration finds it.
    """

    def __init__(self, settings: AwsSettings, clients: Clients | None = None) -> None:
        self._settings = settings
        self._clients = clients or Clients(settings)

    def register(self, submission: Submission) -> RegisteredModel:
        """Enter a model, whose files lie in S3; see `ModelRegistry`.

        Raises:
            RegistryError: A file is not where it should be, or AWS can't be reached, or refuses.
        """
        request = build_package_request(submission, self._settings, self._clients.region)
        doing = f"Registering {submission.role} of {submission.use_case} in {submission.group}"
        for address in (submission.package, submission.prebuilt, submission.metrics):
            if address is not None:
                require_object(address, self._clients, doing)
        with convert_aws_errors(doing, SERVICE, RegistryError):
            self._ensure_group(submission.group)
            for package in self._iter_packages(submission.group):
                if _parse_metadata(package).get("version") == submission.version:
                    return _parse_model_package(package)
            answer = self._client.create_model_package(**request)
            package = self._describe_package(answer["ModelPackageArn"])
            logger.info("%s: entered as number %s", doing, package["ModelPackageVersion"])
            return _parse_model_package(package)

    def models(self, group: str) -> list[RegisteredModel]:
        """The entries of a group that this project made; see `ModelRegistry`."""
        with convert_aws_errors(f"Listing the models of {group}", SERVICE, RegistryError):
            return [
                _parse_model_package(package)
                for package in self._iter_packages(group)
                if _parse_metadata(package)
            ]

    def set_status(self, model: RegisteredModel, status: Status, reason: str) -> RegisteredModel:
        """Approve or reject an entry; see `ModelRegistry`. 1,024 characters of the reason stay."""
        doing = f"Marking number {model.number} of {model.group} as {status}"
        with convert_aws_errors(doing, SERVICE, RegistryError):
            package = self._describe_package(model.address)
            self._client.update_model_package(
                ModelPackageArn=model.address,
                ModelApprovalStatus=WORDS[status],
                ApprovalDescription=" ".join(reason.split())[:LONGEST_REASON],
                # AWS keeps what is not sent; a stand-in for it does not
                CustomerMetadataProperties=package.get("CustomerMetadataProperties", {}),
            )
            return _parse_model_package(self._describe_package(model.address))

    @property
    def _client(self) -> Any:
        return self._clients(SERVICE)

    def _ensure_group(self, group: str) -> None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        if self._has_group(group):
            return
        try:
            self._client.create_model_package_group(**build_group_request(group, self._settings))
        except ClientError as err:
            if not is_name_conflict(err):  # another run was quicker
                raise

    def _has_group(self, group: str) -> bool:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - likewise

        try:
            self._client.describe_model_package_group(ModelPackageGroupName=group)
        except ClientError as err:
            if is_absent(err):
                return False
            raise
        return True

    def _iter_packages(self, group: str) -> Iterator[dict[str, Any]]:
        """Every package of a group, the newest first."""
        if not self._has_group(group):
            return
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group
        )
        listed = [each for page in pages for each in page["ModelPackageSummaryList"]]
        for each in sorted(listed, key=lambda each: -int(each["ModelPackageVersion"])):
            yield self._describe_package(each["ModelPackageArn"])

    def _describe_package(self, arn: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.describe_model_package(ModelPackageName=arn)
        return answer


def get_model_data_url(model: RegisteredModel, clients: Clients) -> str:
    """The file that the container of an entry is given.

    Returns:
        The address of its package, or, where the prebuilt XGBoost container serves it, of another
        file.
    """
    doing = f"Looking at number {model.number} of {model.group}"
    with convert_aws_errors(doing, SERVICE, RegistryError):
        package = clients(SERVICE).describe_model_package(ModelPackageName=model.address)
    containers = package.get("InferenceSpecification", {}).get("Containers", [{}])
    return str(containers[0].get("ModelDataUrl"))


def _parse_metadata(package: Mapping[str, Any]) -> dict[str, str]:
    """What we noted of a package; empty where it is nobody's or somebody else's."""
    metadata = package.get("CustomerMetadataProperties") or {}
    details = {name: metadata.get(key) for name, key in DETAILS.items()}
    return {} if None in details.values() else cast("dict[str, str]", details)


def _parse_model_package(package: Mapping[str, Any]) -> RegisteredModel:
    details = _parse_metadata(package)
    return RegisteredModel(
        group=package["ModelPackageGroupName"],
        number=int(package["ModelPackageVersion"]),
        status=STATUS[package["ModelApprovalStatus"]],
        use_case=details["use_case"],
        role=cast("Role", details["role"]),
        version=details["version"],
        package=details["package"],
        package_sha256=details["package_sha256"],
        address=package["ModelPackageArn"],
    )
