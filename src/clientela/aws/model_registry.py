"""The registry of SageMaker: one model package group per model, one package per version."""

import logging
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from clientela.aws.clients import Clients
from clientela.aws.errors import explained, is_absent, is_there_already
from clientela.aws.packages import DETAILS, group_request, package_request
from clientela.aws.settings import AwsSettings
from clientela.aws.storage import require_stored
from clientela.exceptions import RegistryError
from clientela.inference.manifest import Role
from clientela.registry.base import RegisteredModel, Status, Submission

logger = logging.getLogger(__name__)

STATUS: Final[Mapping[str, Status]] = MappingProxyType(
    {"PendingManualApproval": "pending", "Approved": "approved", "Rejected": "rejected"}
)
WORDS: Final = MappingProxyType({ours: theirs for theirs, ours in STATUS.items()})
LONGEST_REASON: Final = 1024
SERVICE: Final = "sagemaker"


class SageMakerRegistry:
    """Registers models in SageMaker Model Registry; a `clientela.registry.base.ModelRegistry`.

    A package is entered by one call, so an entry is never half there. Which version it holds
    stands in its customer metadata, by which a repeated registration finds it.

    Args:
        settings: Images, tags and region.
        clients: Of AWS; None: made from the settings.
    """

    def __init__(self, settings: AwsSettings, clients: Clients | None = None) -> None:
        self._settings = settings
        self._clients = clients or Clients(settings)

    def register(self, submission: Submission) -> RegisteredModel:
        """Enter a model, approval pending; one that is there already is returned as it stands.

        Args:
            submission: What to enter; its files lie in S3.

        Returns:
            The entry: two calls with the same version and group make one.

        Raises:
            RegistryError: A file is not where it should be, or AWS can't be reached, or refuses.
            ConfigurationError: The settings name no image.
        """
        request = package_request(submission, self._settings, self._clients.region)
        doing = f"Registering {submission.role} of {submission.use_case} in {submission.group}"
        for address in (submission.package, submission.prebuilt, submission.metrics):
            if address is not None:
                require_stored(address, self._clients, doing)
        with explained(doing, SERVICE, RegistryError):
            self._make_group(submission.group)
            found = self._entry(submission)
            if found is None:
                answer = self._client.create_model_package(**request)
                found = self._described(answer["ModelPackageArn"])
                logger.info("%s: entered as number %s", doing, found["ModelPackageVersion"])
            return _model(found)

    def models(self, group: str) -> list[RegisteredModel]:
        """The entries of a group, the newest first; empty where there is no such group.

        Args:
            group: Model package group.

        Returns:
            Entries that this project made; others in the group are left alone.

        Raises:
            RegistryError: AWS can't be reached, or refuses.
        """
        with explained(f"Listing the models of {group}", SERVICE, RegistryError):
            return [_model(each) for each in self._packages(group) if _details(each)]

    def decide(self, model: RegisteredModel, status: Status, reason: str) -> RegisteredModel:
        """Approve or reject an entry.

        Args:
            model: Which.
            status: What a person decided.
            reason: Their words, kept with the entry; 1,024 characters of them.

        Returns:
            The entry as it is now.

        Raises:
            RegistryError: AWS can't be reached, or refuses.
        """
        doing = f"Marking number {model.number} of {model.group} as {status}"
        with explained(doing, SERVICE, RegistryError):
            noted = self._described(model.address).get("CustomerMetadataProperties", {})
            self._client.update_model_package(
                ModelPackageArn=model.address,
                ModelApprovalStatus=WORDS[status],
                ApprovalDescription=" ".join(reason.split())[:LONGEST_REASON],
                # AWS keeps what is not sent; a stand-in for it does not
                CustomerMetadataProperties=noted,
            )
            return _model(self._described(model.address))

    @property
    def _client(self) -> Any:
        return self._clients(SERVICE)

    def _make_group(self, group: str) -> None:
        from botocore.exceptions import ClientError  # noqa: PLC0415

        if self._has(group):
            return
        try:
            self._client.create_model_package_group(**group_request(group, self._settings))
        except ClientError as err:
            if not is_there_already(err):  # another run was quicker
                raise

    def _has(self, group: str) -> bool:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - see `clients`

        try:
            self._client.describe_model_package_group(ModelPackageGroupName=group)
        except ClientError as err:
            if is_absent(err):
                return False
            raise
        return True

    def _entry(self, submission: Submission) -> dict[str, Any] | None:
        for package in self._packages(submission.group):
            if _details(package).get("version") == submission.version:
                return package
        return None

    def _packages(self, group: str) -> Iterator[dict[str, Any]]:
        """Every package of a group, the newest first."""
        if not self._has(group):
            return
        pages = self._client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group
        )
        listed = [each for page in pages for each in page["ModelPackageSummaryList"]]
        for each in sorted(listed, key=lambda each: -int(each["ModelPackageVersion"])):
            yield self._described(each["ModelPackageArn"])

    def _described(self, arn: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.describe_model_package(ModelPackageName=arn)
        return answer


def model_file(model: RegisteredModel, clients: Clients) -> str:
    """The file that the container of an entry is given.

    Args:
        model: The entry.
        clients: Of AWS.

    Returns:
        The address of its package, or, where the prebuilt XGBoost container serves it, of another
        file.

    Raises:
        RegistryError: AWS can't be reached, or refuses.
    """
    doing = f"Looking at number {model.number} of {model.group}"
    with explained(doing, SERVICE, RegistryError):
        package = clients(SERVICE).describe_model_package(ModelPackageName=model.address)
    containers = package.get("InferenceSpecification", {}).get("Containers", [{}])
    return str(containers[0].get("ModelDataUrl"))


def _details(package: Mapping[str, Any]) -> dict[str, str]:
    """What we noted of a package; empty where it is nobody's or somebody else's."""
    noted = package.get("CustomerMetadataProperties") or {}
    found = {name: noted.get(key) for name, key in DETAILS.items()}
    return {} if None in found.values() else cast("dict[str, str]", found)


def _model(package: Mapping[str, Any]) -> RegisteredModel:
    details = _details(package)
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
