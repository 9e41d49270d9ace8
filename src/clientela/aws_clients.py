"""What is true of one AWS account: the typed form of `conf/<env>/aws.yml`."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from threading import Lock
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from clientela.exceptions import ClientelaError, ConfigurationError, did_you_mean

# What is true of one AWS account: the typed form of `conf/<env>/aws.yml`.


ROLE: Final = r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$"
KEY: Final = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[\w/-]+$"
IMAGE: Final = r"^\S{1,255}$"

RoleArn = Annotated[str, Field(pattern=ROLE)]


class Connection(BaseModel):
    """How long AWS is waited for.

    Attributes:
        connect_seconds: To connect, each time.
        read_seconds: For an answer, each time.
        attempts: Of one call, the first included; only what may pass is tried again.
        pool: Connections of one service that are kept open: as many as there are callers at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    connect_seconds: PositiveFloat = 5.0
    read_seconds: PositiveFloat = 60.0
    attempts: int = Field(default=5, ge=1, le=10)
    pool: PositiveInt = 10


class Network(BaseModel):
    """Where containers run inside a VPC of your own.

    Attributes:
        subnets: Private ones, of two zones at least for an endpoint of two instances.
        security_groups: That let the containers reach S3 (a gateway endpoint will do).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subnets: tuple[str, ...] = Field(min_length=1, max_length=16)
    security_groups: tuple[str, ...] = Field(min_length=1, max_length=5)


class EndpointSettings(BaseModel):
    """Endpoints that answer single requests.

    Attributes:
        name: Of each endpoint; `<use_case>` becomes the use case. (Kedro fills in braces itself.)
        instance_type: What it runs on.
        capture_percent: Share of requests and answers kept in the bucket; 0 for none. They hold
            personal data.
        poll_seconds: Between two looks at an endpoint that comes up.
        wait_minutes: Before a deployment is given up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="clientela-<use_case>", pattern=r"^[a-zA-Z0-9-]*<use_case>[-\w]*$")
    instance_type: str = "ml.m5.large"
    instances: PositiveInt = 1
    capture_percent: int = Field(default=0, ge=0, le=100)
    poll_seconds: PositiveFloat = 15.0
    wait_minutes: PositiveFloat = 30.0


class JobSettings(BaseModel):
    """Machines that a training job or a step of the workflow runs on.

    Attributes:
        instance_type: What it runs on.
        max_minutes: It is stopped after so many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_type: str = "ml.m5.xlarge"
    volume_gb: int = Field(default=30, ge=1, le=16384)
    max_minutes: int = Field(default=120, ge=1, le=40320)


class WorkflowSettings(JobSettings):
    """The whole project as a SageMaker pipeline.

    Attributes:
        name: Of the pipeline and of its schedule.
        image: The image that runs stages, in ECR: `…/clientela-pipeline:<tag>`.
        parallel_steps: Steps that may run at the same time.
        attempts: Of a step whose machine failed or could not be had.
        cache_days: For how long a finished step of the same run key is not run again; 0: never.
        schedule: When it starts by itself, e.g. `cron(30 4 ? * MON *)`; None: by hand.
        scheduler_role: What starts it; needed with a schedule.
        variables: Further environment variables of every step. No secrets: they are shown.
    """

    name: str = Field(default="clientela", pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")
    image: str | None = Field(default=None, pattern=IMAGE)
    parallel_steps: PositiveInt = 2
    attempts: int = Field(default=3, ge=1, le=20)
    cache_days: int = Field(default=7, ge=0, le=365)
    schedule: str | None = Field(default=None, pattern=r"^(cron|rate)\(.+\)$")
    timezone: str = "America/Bogota"
    scheduler_role: RoleArn | None = None
    variables: dict[str, str] = {}


class AwsSettings(BaseModel):
    """What is true of one AWS account.

    Attributes:
        region: Where everything is; None: the region of the standard AWS chain.
        bucket: Without `s3://`; the variable BUCKET.
        execution_role: Role that SageMaker takes on to run containers.
        image: Our own image, which answers requests, in ECR:
            `<account>.dkr.ecr.<region>.amazonaws.com/clientela:<tag>`.
        prebuilt_image: The prebuilt XGBoost container; None: the one of the region's table.
        kms_key: Encrypts what jobs and endpoints write; None: the bucket's own encryption, and
            volumes encrypted by the service.
        network: Where containers run; None: outside any VPC.
        tags: Further tags of everything that is made.
        connection: How long AWS is waited for.
        endpoints: Endpoints that answer single requests.
        training: Machines of a training job.
        workflow: The whole project as a SageMaker pipeline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    execution_role: RoleArn | None = None
    image: str | None = Field(default=None, pattern=IMAGE)
    prebuilt_image: str | None = Field(default=None, pattern=IMAGE)
    kms_key: str | None = Field(default=None, pattern=KEY)
    network: Network | None = None
    tags: dict[str, str] = {"project": "clientela"}
    connection: Connection = Connection()
    endpoints: EndpointSettings = EndpointSettings()
    training: JobSettings = JobSettings()
    workflow: WorkflowSettings = WorkflowSettings()

    @property
    def needed_bucket(self) -> str:
        """The bucket."""
        return _require_setting(self.bucket, "bucket", "set the variable BUCKET")

    @property
    def needed_execution_role(self) -> str:
        """The role that SageMaker takes on."""
        return _require_setting(
            self.execution_role, "execution_role", "set the variable CLIENTELA_EXECUTION_ROLE"
        )

    @property
    def needed_image(self) -> str:
        """The image that answers requests."""
        return _require_setting(self.image, "image", "set the variable CLIENTELA_IMAGE")

    @property
    def needed_workflow_image(self) -> str:
        """The image that runs stages."""
        return _require_setting(
            self.workflow.image, "workflow.image", "set the variable CLIENTELA_PIPELINE_IMAGE"
        )


def parse_aws_settings(config: Mapping[str, Any]) -> AwsSettings:
    """The settings of an environment.

    Args:
        config: Content of `aws.yml`, the environments merged.

    Raises:
        ConfigurationError: A key does not exist, or a value is of another form; the value itself
            is not repeated.
    """
    try:
        return AwsSettings.model_validate(config)
    except ValidationError as err:
        problems = "; ".join(
            _describe_setting_error(dict(each)) for each in err.errors(include_url=False)
        )
        raise ConfigurationError(f"aws.yml: {problems}") from err


def _describe_setting_error(error: Mapping[str, Any]) -> str:
    *folders, key = error["loc"] or ("",)
    place = ".".join(map(str, [*folders, key]))
    if error["type"] == "extra_forbidden":
        known = {name: field.annotation for name, field in AwsSettings.model_fields.items()}
        for folder in folders:
            fields = getattr(known.get(str(folder)), "model_fields", {})
            known = {name: field.annotation for name, field in fields.items()}
        return f"{place}: no such key. {did_you_mean(str(key), known)}"
    return f"{place}: {error['msg']}"


def _require_setting(value: str | None, key: str, how: str) -> str:
    if value is None:
        raise ConfigurationError(
            f"{key} is not set in aws.yml of the environment. Write it into conf/aws/aws.yml, or "
            f"{how}. docs/aws/README.md says what it is."
        )
    return value


def extract_account_id(arn: str) -> str:
    """The account number in an ARN."""
    found = re.match(r"^arn:[^:]+:[^:]+:[^:]*:(\d{12}):", arn)
    if found is None:
        raise ConfigurationError(f"An ARN with an account number was expected; found {arn!r}.")
    return found[1]


# boto3 clients with bounded patience; boto3 is imported when the first one is made.


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


# What AWS refused, in words: which call, which permission is missing, and what to do.


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

PERMISSIONS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("s3", "HeadObject"): "s3:GetObject",
        ("s3", "ListObjectsV2"): "s3:ListBucket",
        ("sagemaker-runtime", "InvokeEndpoint"): "sagemaker:InvokeEndpoint",
    }
)
"""Calls whose permission has another name; all others are `<service>:<call>`."""

SERVICES: Final[Mapping[str, str]] = MappingProxyType({"sagemaker-runtime": "sagemaker"})
"""boto3's name of a service to IAM's, where they differ."""


def get_iam_action(service: str, operation: str) -> str:
    """The IAM action that lets somebody make a call.

    Args:
        operation: As AWS calls it, e.g. `CreateModel`.
    """
    own = f"{SERVICES.get(service, service)}:{operation}"
    return PERMISSIONS.get((service, operation), own)


def is_absent(error: Any) -> bool:
    """Whether AWS says that the thing asked for does not exist.

    Returns:
        True for each of the ways in which its services say so.
    """
    answer = error.response["Error"]
    message = str(answer.get("Message", ""))
    if answer["Code"] in ABSENT:
        return True
    # SageMaker has no code of its own for it
    return str(answer["Code"]).startswith("Validation") and bool(
        re.search(r"does not exist|Could not find|not found", message, re.IGNORECASE)
    )


def is_name_conflict(error: Any) -> bool:
    """Whether AWS says that something of that name exists.

    Returns:
        True for each of the ways in which its services say so.
    """
    answer = error.response["Error"]
    code, message = str(answer["Code"]), str(answer.get("Message", ""))
    if code in ("ConflictException", "ResourceInUse", "ResourceInUseException"):
        return True
    return code.startswith("Validation") and bool(
        re.search(r"already exist|must be unique|Cannot create already", message, re.IGNORECASE)
    )


@contextmanager
def convert_aws_errors(doing: str, service: str, error: type[ClientelaError]) -> Iterator[None]:
    """Turns what boto3 raises within into one of our errors, for a person to act on.

    Args:
        doing: What was being done, e.g. `Registering xgboost-ordinal-tecnologia`.

    Raises:
        ClientelaError: An `error`, where boto3 raised anything.
    """
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
    from botocore.exceptions import (  # noqa: PLC0415 - see `explained`
        ConnectionError as NoConnection,
    )
    from botocore.exceptions import (  # noqa: PLC0415 - see `explained`
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


# Addresses of things in AWS.


PARTITIONS: Final = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


@dataclass(frozen=True)
class AccountRegion:
    """One account in one region."""

    region: str
    account: str

    @classmethod
    def of(cls, settings: AwsSettings, region: str) -> "AccountRegion":
        """The account of the execution role.

        Raises:
            ConfigurationError: No role is set.
        """
        return cls(region, extract_account_id(settings.needed_execution_role))

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return next((name for start, name in PARTITIONS if self.region.startswith(start)), "aws")

    def arn(self, service: str, tail: str) -> str:
        """The address of something of a region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{tail}"

    def aws_managed_arn(self, service: str, tail: str) -> str:
        """The address of something that AWS itself keeps in a region."""
        return f"arn:{self.partition}:{service}:{self.region}::{tail}"

    def bucket_arn(self, bucket: str, key: str = "") -> str:
        """The address of a bucket, or of objects in it.

        Args:
            key: Key or pattern; empty for the bucket itself.
        """
        return f"arn:{self.partition}:s3:::{bucket}{f'/{key}' if key else ''}"


# Names and tags of what is made in AWS: a name holds the content, so a rerun finds it again.


DIGITS: Final = 12
LONGEST_NAME: Final = 63
"""Characters that SageMaker takes in the name of a model, an endpoint or its configuration."""

OWNER: Final = "managed-by"
OURS: Final = "clientela"
USE_CASE: Final = "use-case"
TESTED: Final = "tested-config"
"""Tag of an endpoint: the last configuration that passed its test, and so the one to go back to."""


def replace_underscores(name: str) -> str:
    """A name as AWS takes it: hyphens instead of underscores.

    Args:
        name: For example of a use case.
    """
    return name.replace("_", "-")


def endpoint_name(settings: AwsSettings, use_case: str) -> str:
    """The name of the endpoint of a use case."""
    return replace_underscores(settings.endpoints.name.replace("<use_case>", use_case))[
        :LONGEST_NAME
    ].strip("-")


def content_name(prefix: str, content: Mapping[str, Any]) -> str:
    """A name that is another one for any other content.

    Returns:
        Prefix, hyphen, twelve digits; 63 characters at most.
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return content_prefix(prefix) + sha256(text.encode()).hexdigest()[:DIGITS]


def content_prefix(prefix: str) -> str:
    """What all names of a prefix begin with, which may be shorter than it."""
    return f"{prefix[: LONGEST_NAME - DIGITS - 1].rstrip('-')}-"


def build_tags(settings: AwsSettings, **more: str) -> list[dict[str, str]]:
    """Tags of something that we make: whose it is, and what the settings add.

    Args:
        **more: Further ones, underscores standing for hyphens.

    Returns:
        In the form of most services, sorted by key.
    """
    own = {OWNER: OURS} | {replace_underscores(key): value for key, value in more.items()}
    return [{"Key": key, "Value": value} for key, value in sorted((settings.tags | own).items())]


def has_own_tags(found: list[dict[str, str]], use_case: str) -> bool:
    """Whether tags say that something was made by us, for this use case.

    Args:
        found: Tags in the form of most services.

    Returns:
        False when either tag differs or is missing.
    """
    values = {tag["Key"]: tag["Value"] for tag in found}
    return values.get(OWNER) == OURS and values.get(USE_CASE) == use_case
