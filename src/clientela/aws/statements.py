"""Parts of IAM policies: what is allowed, to what, and why where it can't be narrowed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from clientela.aws.arns import Place
from clientela.aws.names import content_prefix, endpoint_name
from clientela.aws.settings import AwsSettings

VERSION: Final = "2012-10-17"
"""Of the policy language."""


@dataclass(frozen=True)
class Scope:
    """What the policies are about.

    Attributes:
        settings: Of the account.
        place: Account and region.
        groups: Model package groups of the project.
        use_cases: Whose endpoints there may be.
    """

    settings: AwsSettings
    place: Place
    groups: Sequence[str]
    use_cases: Sequence[str]

    def sagemaker(self, *tails: str) -> tuple[str, ...]:
        """Addresses in SageMaker, in the lower case that it gives them.

        Args:
            *tails: Kinds and names.

        Returns:
            ARNs.
        """
        return tuple(self.place.arn("sagemaker", tail.lower()) for tail in tails)

    def objects(self, *keys: str) -> tuple[str, ...]:
        """Objects in the bucket.

        Args:
            *keys: Patterns.

        Returns:
            ARNs.
        """
        return tuple(self.place.bucket_arn(self.settings.needed_bucket, key) for key in keys)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints, by name."""
        names = (endpoint_name(self.settings, use_case) for use_case in self.use_cases)
        return self.sagemaker(*(f"endpoint/{name}" for name in names))

    @property
    def endpoint_parts(self) -> tuple[str, ...]:
        """Configurations and models of endpoints, by what their names begin with."""
        names = [endpoint_name(self.settings, use_case) for use_case in self.use_cases]
        kinds = ("endpoint-config", "model")
        return self.sagemaker(
            *(f"{kind}/{content_prefix(name)}*" for kind in kinds for name in names)
        )


@dataclass(frozen=True)
class Statement:
    """Something that is allowed.

    Attributes:
        sid: What it is for.
        actions: IAM actions.
        resources: ARNs.
        condition: Under which it holds; empty for always.
        reason: Why the resources can't be narrowed; empty where they are.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    def record(self) -> dict[str, Any]:
        """The statement as IAM reads it."""
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": sorted(self.actions),
            "Resource": list(self.resources),
            **({"Condition": self.condition} if self.condition else {}),
        }


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy.

    Args:
        statements: What it allows.

    Returns:
        A policy document.
    """
    return {"Version": VERSION, "Statement": [each.record() for each in statements]}


def trust(service: str, place: Place) -> dict[str, Any]:
    """Who may take a role on: a service, on behalf of this account alone.

    Args:
        service: E.g. `sagemaker.amazonaws.com`.
        place: Whose account.

    Returns:
        A trust policy.
    """
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "TakenOnByTheServiceForThisAccountAlone",
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": place.account}},
            }
        ],
    }


def handed_over(sid: str, role: str, service: str) -> Statement:
    """Handing a role to a service, and to no other.

    Args:
        sid: What it is for.
        role: ARN.
        service: E.g. `sagemaker.amazonaws.com`.

    Returns:
        A statement.
    """
    condition = {"StringEquals": {"iam:PassedToService": service}}
    return Statement(sid, ("iam:PassRole",), (role,), condition)


def registering(scope: Scope) -> list[Statement]:
    """Entering models in the registry; approving them is another thing.

    Args:
        scope: Which groups.

    Returns:
        Two statements.
    """
    groups = scope.sagemaker(*(f"model-package-group/{group}" for group in scope.groups))
    packages = scope.sagemaker(*(f"model-package/{group}/*" for group in scope.groups))
    return [
        Statement(
            "MakeGroups",
            (
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackageGroup",
                "sagemaker:DescribeModelPackageGroup",
            ),
            groups,
        ),
        Statement(
            "EnterModels",
            (
                "sagemaker:CreateModelPackage",
                "sagemaker:DescribeModelPackage",
                "sagemaker:ListModelPackages",
            ),
            groups + packages,
        ),
    ]


def key_statements(settings: AwsSettings, *, volumes: bool) -> list[Statement]:
    """Using the key that encrypts; none where no key is set.

    Args:
        settings: The key.
        volumes: Whether SageMaker encrypts disks with it for this role, which takes grants.

    Returns:
        Up to two statements.
    """
    if settings.kms_key is None:
        return []
    key = (settings.kms_key,)
    use = Statement("UseTheKey", ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"), key)
    condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    grant = Statement("EncryptVolumes", ("kms:CreateGrant",), key, condition)
    return [use, grant] if volumes else [use]
