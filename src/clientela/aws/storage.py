"""Files in S3: whether one is there, and one written whole."""

import re
from typing import Final

from clientela.aws.clients import Clients
from clientela.aws.errors import explained, is_absent
from clientela.aws.settings import AwsSettings
from clientela.exceptions import RegistryError, ServingError

ADDRESS: Final = re.compile(r"^s3://(?P<bucket>[^/]+)/(?P<key>.+)$")


def bucket_and_key(address: str) -> tuple[str, str]:
    """The two parts of an address.

    Args:
        address: `s3://<bucket>/<key>`.

    Returns:
        Bucket and key.

    Raises:
        RegistryError: It is no address in S3.
    """
    found = ADDRESS.match(address)
    if found is None:
        raise RegistryError(
            f"SageMaker reads models from S3 only; {address!r} lies elsewhere. Run the deployment "
            "stage with --env=aws."
        )
    return found["bucket"], found["key"]


def require_stored(address: str, clients: Clients, doing: str) -> None:
    """Stop where a file that AWS will be pointed at is not there.

    Args:
        address: `s3://<bucket>/<key>`.
        clients: Of AWS.
        doing: What is being done, for the error.

    Raises:
        RegistryError: Nothing lies there, or AWS can't be reached, or refuses.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415

    bucket, key = bucket_and_key(address)
    with explained(f"{doing}: looking for {address}", "s3", RegistryError):
        try:
            clients("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as err:
            if not is_absent(err):
                raise
            raise RegistryError(
                f"{doing}: nothing lies at {address}. Run the deployment stage again; what is "
                "there already is kept."
            ) from err


def content_of(address: str, clients: Clients, error: type[ServingError]) -> bytes:
    """The bytes of a file.

    Args:
        address: `s3://<bucket>/<key>`.
        clients: Of AWS.
        error: What to raise.

    Returns:
        Its content.

    Raises:
        ServingError: An `error`: it is not there, or AWS can't be reached, or refuses.
    """
    bucket, key = bucket_and_key(address)
    with explained(f"Reading {address}", "s3", error):
        content: bytes = clients("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def stored(
    content: bytes,
    address: str,
    clients: Clients,
    settings: AwsSettings,
    error: type[ServingError],
) -> None:
    """Write a file: S3 shows it whole, or not at all.

    Args:
        content: Bytes.
        address: `s3://<bucket>/<key>`.
        clients: Of AWS.
        settings: The key that encrypts it.
        error: What to raise.

    Raises:
        ServingError: An `error`: AWS can't be reached, or refuses.
    """
    bucket, key = bucket_and_key(address)
    encryption = (
        {}
        if settings.kms_key is None
        else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key}
    )
    with explained(f"Writing {address}", "s3", error):
        clients("s3").put_object(Bucket=bucket, Key=key, Body=content, **encryption)
