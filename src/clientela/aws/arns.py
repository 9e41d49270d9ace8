"""Addresses of things in AWS."""

from dataclasses import dataclass
from typing import Final

from clientela.aws.settings import AwsSettings, account_of

PARTITIONS: Final = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


@dataclass(frozen=True)
class Place:
    """One account in one region.

    Attributes:
        region: E.g. `sa-east-1`.
        account: Twelve digits.
    """

    region: str
    account: str

    @classmethod
    def of(cls, settings: AwsSettings, region: str) -> "Place":
        """The account of the execution role.

        Args:
            settings: With that role.
            region: Where everything is.

        Returns:
            The place.

        Raises:
            ConfigurationError: No role is set.
        """
        return cls(region, account_of(settings.needed_execution_role))

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return next((name for start, name in PARTITIONS if self.region.startswith(start)), "aws")

    def arn(self, service: str, tail: str) -> str:
        """The address of something of a region.

        Args:
            service: As IAM calls it.
            tail: Kind and name, e.g. `model/clientela-*`.

        Returns:
            An ARN.
        """
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{tail}"

    def of_aws(self, service: str, tail: str) -> str:
        """The address of something that AWS itself keeps in a region.

        Args:
            service: As IAM calls it.
            tail: Kind and name.

        Returns:
            An ARN without an account.
        """
        return f"arn:{self.partition}:{service}:{self.region}::{tail}"

    def bucket_arn(self, bucket: str, key: str = "") -> str:
        """The address of a bucket, or of objects in it.

        Args:
            bucket: Its name.
            key: Key or pattern; empty for the bucket itself.

        Returns:
            An ARN.
        """
        return f"arn:{self.partition}:s3:::{bucket}{f'/{key}' if key else ''}"
