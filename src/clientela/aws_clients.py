"""boto3 clients that give up in time, and what AWS refused in words for a person to act on.

boto3 is imported when the first client is made.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from clientela.aws_settings import AwsSettings
from clientela.exceptions import ClientelaError, ConfigurationError

INSTALL = 'AWS needs boto3, which is not installed. Run: pip install "clientela[aws]"'


class Clients:
    """Clients of AWS services, one per service; safe to share between threads.

    Credentials, region and endpoint come from the standard AWS chain (`AWS_PROFILE`, `AWS_REGION`,
    `AWS_ENDPOINT_URL` and its forms per service); a region in the settings wins.
    """

    def __init__(self, settings: AwsSettings) -> None:
        self._settings = settings
        self._made: dict[str, Any] = {}
        self._lock = Lock()

    def __call__(self, service: str) -> Any:
        """The client of one service."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._client(service)
            return self._made[service]

    def close(self) -> None:
        """Closes the connections of every client that was made."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    @property
    def region(self) -> str:
        """Where everything happens.

        Raises:
            ConfigurationError: Neither the settings nor the AWS chain say it.
        """
        region = self._settings.region or self._session.region_name
        if region is None:
            raise ConfigurationError(
                "No AWS region is set. Set the variable AWS_DEFAULT_REGION, or region in "
                "conf/aws/aws.yml."
            )
        return str(region)

    @property
    def has_credentials(self) -> bool:
        """Whether the AWS chain holds any; whether AWS accepts them is another question."""
        return self._session.get_credentials() is not None

    @cached_property
    def _session(self) -> Any:
        try:
            import boto3  # noqa: PLC0415 - heavy, and rarely used
        except ImportError as err:
            raise ConfigurationError(INSTALL) from err
        return boto3.session.Session()

    def _client(self, service: str) -> Any:
        session, region = self._session, self.region
        from botocore.config import Config  # noqa: PLC0415

        patience = self._settings.connection
        config = Config(
            connect_timeout=patience.connect_seconds,
            read_timeout=patience.read_seconds,
            max_pool_connections=patience.pool,
            # standard: exponential pauses with jitter, and a budget of retries per client
            retries={"total_max_attempts": patience.attempts, "mode": "standard"},
            user_agent_extra="clientela",
        )
        return session.client(service, region_name=region, config=config)


DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "AllAccessDisabled"}
)
BAD_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
BUSY: Final = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown", "503"}
)
ABSENT: Final = frozenset(
    {"ResourceNotFound", "ResourceNotFoundException", "404", "NoSuchKey", "NotFound"}
)

# Calls whose permission has another name; all others are `<service>:<call>`.
PERMISSIONS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("s3", "HeadObject"): "s3:GetObject",
        ("s3", "ListObjectsV2"): "s3:ListBucket",
        ("sagemaker-runtime", "InvokeEndpoint"): "sagemaker:InvokeEndpoint",
    }
)

# boto3's name of a service to IAM's, where they differ.
SERVICES: Final[Mapping[str, str]] = MappingProxyType({"sagemaker-runtime": "sagemaker"})


def get_iam_action(service: str, operation: str) -> str:
    """The IAM action that lets somebody make a call, e.g. `sagemaker:CreateModel`."""
    own = f"{SERVICES.get(service, service)}:{operation}"
    return PERMISSIONS.get((service, operation), own)


def is_absent(error: Any) -> bool:
    """Whether AWS says, in any of its ways, that the thing asked for does not exist."""
    code = str(error.response["Error"]["Code"])
    message = str(error.response["Error"].get("Message", ""))
    if code in ABSENT:
        return True
    # SageMaker has no code of its own for it
    return code.startswith("Validation") and bool(
        re.search(r"does not exist|Could not find|not found", message, re.IGNORECASE)
    )


def is_name_conflict(error: Any) -> bool:
    """Whether AWS says, in any of its ways, that something of that name exists."""
    answer = error.response["Error"]
    code, message = str(answer["Code"]), str(answer.get("Message", ""))
    if code in ("ConflictException", "ResourceInUse", "ResourceInUseException"):
        return True
    return code.startswith("Validation") and bool(
        re.search(r"already exist|must be unique|Cannot create already", message, re.IGNORECASE)
    )


@contextmanager
def convert_aws_errors(doing: str, service: str, error: type[ClientelaError]) -> Iterator[None]:
    """Turns what boto3 raises within into one of our errors, for a person to act on."""
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
    )

    try:
        yield
    except ClientError as err:
        raise error(f"{doing}: {explain_client_error(err, service)}") from err
    except BotoCoreError as err:
        raise error(f"{doing}: {_explain_connection_error(err)}") from err


def explain_client_error(error: Any, service: str) -> str:
    """Why AWS refused a call, and what to do.

    Returns:
        One or two sentences; neither keys nor request bodies are among the words.
    """
    answer, operation = error.response["Error"], error.operation_name
    code, message = str(answer["Code"]), str(answer.get("Message", "")).strip()
    if code in DENIED:
        named = re.search(r"not authorized to perform: ([\w-]+:\w+)", message)
        action = named[1] if named else get_iam_action(service, operation)
        return (
            f"AWS denied {operation}. The role or user lacks {action} on this resource: add it to "
            "its policy (`clientela sagemaker policies deployer` prints one that suffices)."
        )
    if code in BAD_CREDENTIALS:
        return (
            f"AWS does not accept the credentials ({code}). Log in again, or check AWS_PROFILE and "
            "the AWS_* variables."
        )
    attempts = 1 + int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))
    if code in BUSY:
        return (
            f"AWS was too busy for {operation} after {attempts} attempts ({code}). Nothing is half "
            "done: run the same command again in a minute."
        )
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500:  # noqa: PLR2004 - HTTP's line between their fault and ours
        return (
            f"AWS failed at {operation} after {attempts} attempts (HTTP {status}). Run the same "
            "command again; what is done already is kept."
        )
    return f"AWS refused {operation} ({code}): {message or 'without a reason'}"


def _explain_connection_error(error: Any) -> str:
    from botocore.exceptions import (  # noqa: PLC0415 - heavy, and rarely used
        ConnectionError as NoConnection,
    )
    from botocore.exceptions import (  # noqa: PLC0415 - heavy, and rarely used
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
    )

    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound):
        return (
            f"no AWS credentials were found ({type(error).__name__}). Set AWS_PROFILE, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if isinstance(error, HTTPClientError | NoConnection):
        return (
            f"AWS gave no answer in time ({type(error).__name__}). Check the network, the region "
            "and AWS_ENDPOINT_URL, then run the same command again; what is done already is kept."
        )
    return f"{type(error).__name__}: {error}"
