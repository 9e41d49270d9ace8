"""What is true of one AWS account (`conf/<env>/aws.yml`), and how things in it are called."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import Field, PositiveFloat, PositiveInt, ValidationError

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.settings_base import FrozenSettings

ROLE: Final = r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$"
KEY: Final = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[\w/-]+$"
IMAGE: Final = r"^\S{1,255}$"

RoleArn = Annotated[str, Field(pattern=ROLE)]


class Connection(FrozenSettings):
    """How long AWS is waited for.

    Attributes:
        attempts: Of one call, the first included; only what may pass is tried again.
        pool: Connections of one service that are kept open: as many as there are callers at once.
    """

    connect_seconds: PositiveFloat = 5.0
    read_seconds: PositiveFloat = 60.0
    attempts: int = Field(default=5, ge=1, le=10)
    pool: PositiveInt = 10


class Network(FrozenSettings):
    """Where containers run inside a VPC of your own.

    Attributes:
        subnets: Private ones, of two zones at least for an endpoint of two instances.
        security_groups: That let the containers reach S3 (a gateway endpoint will do).
    """

    subnets: tuple[str, ...] = Field(min_length=1, max_length=16)
    security_groups: tuple[str, ...] = Field(min_length=1, max_length=5)

    @property
    def vpc_config(self) -> dict[str, list[str]]:
        """In the form of requests."""
        return {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_groups)}


class EndpointSettings(FrozenSettings):
    """Endpoints that answer single requests.

    Attributes:
        name: Of each endpoint; `<use_case>` becomes the use case. (Kedro fills in braces itself.)
        capture_percent: Share of requests and answers kept in the bucket; 0 for none. They hold
            personal data.
        poll_seconds: Between two looks at an endpoint that comes up.
    """

    name: str = Field(default="clientela-<use_case>", pattern=r"^[a-zA-Z0-9-]*<use_case>[-\w]*$")
    instance_type: str = "ml.m5.large"
    instances: PositiveInt = 1
    capture_percent: int = Field(default=0, ge=0, le=100)
    poll_seconds: PositiveFloat = 15.0
    wait_minutes: PositiveFloat = 30.0


class JobSettings(FrozenSettings):
    """Machines that a training job or a step of the workflow runs on."""

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


class AwsSettings(FrozenSettings):
    """What is true of one AWS account.

    Attributes:
        region: Where everything is; None: the region of the standard AWS chain.
        execution_role: Role that SageMaker takes on to run containers.
        image: Our own image, which answers requests, in ECR:
            `<account>.dkr.ecr.<region>.amazonaws.com/clientela:<tag>`.
        prebuilt_image: The prebuilt XGBoost container; None: the one of the region's table.
        kms_key: Encrypts what jobs and endpoints write; None: the bucket's own encryption, and
            volumes encrypted by the service.
        network: Where containers run; None: outside any VPC.
        tags: Further tags of everything that is made.
        workflow: The whole project as a SageMaker pipeline.
        roots: Layer to the root of globals.yml below which it lies.
    """

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

    roots: dict[str, str] = {}

    @property
    def needed_bucket(self) -> str:
        """The bucket, or an error that says how to set it; as the other three below."""
        return self._require("bucket", self.bucket, "BUCKET")

    @property
    def needed_execution_role(self) -> str:
        """The role that SageMaker takes on."""
        return self._require("execution_role", self.execution_role, "CLIENTELA_EXECUTION_ROLE")

    @property
    def needed_image(self) -> str:
        """The image that answers requests."""
        return self._require("image", self.image, "CLIENTELA_IMAGE")

    @property
    def needed_workflow_image(self) -> str:
        """The image that runs stages."""
        return self._require("workflow.image", self.workflow.image, "CLIENTELA_PIPELINE_IMAGE")

    def key_field(self, name: str) -> dict[str, str]:
        """A field of a request that names the key; none where no key is set."""
        return {} if self.kms_key is None else {name: self.kms_key}

    def root(self, layer: str) -> str:
        """The address in S3 below which a layer lies."""
        address = self.roots.get(layer, "")
        if not address.startswith("s3://"):
            raise ConfigurationError(
                f"AWS reads and writes S3 only, and the root {layer!r} of globals.yml is "
                f"{address or 'not set'}. Add --env=aws, or name an address in S3."
            )
        return address.rstrip("/")

    @staticmethod
    def _require(key: str, value: str | None, variable: str) -> str:
        if value is None:
            raise ConfigurationError(
                f"{key} is not set in aws.yml of the environment. Write it into conf/aws/aws.yml, "
                f"or set the variable {variable}. docs/aws/README.md says what it is."
            )
        return value


# Roots of globals.yml.
LAYERS: Final = (
    "raw",
    "intermediate",
    "primary",
    "feature",
    "model_input",
    "models",
    "model_output",
    "reporting",
)


def parse_aws_settings(
    config: Mapping[str, Any], roots: Mapping[str, Any] = MappingProxyType({})
) -> AwsSettings:
    """The settings of an environment.

    Args:
        roots: Content of `globals.yml`, where something is written to or allowed on a layer.

    Raises:
        ConfigurationError: A key does not exist, or a value is of another form; the value itself
            is not repeated.
    """
    layers = {layer: str(roots[layer]) for layer in LAYERS if layer in roots}
    try:
        return AwsSettings.model_validate({**config, "roots": layers})
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


def extract_account_id(arn: str) -> str:
    """The account number in an ARN."""
    match = re.match(r"^arn:[^:]+:[^:]+:[^:]*:(\d{12}):", arn)
    if match is None:
        raise ConfigurationError(f"An ARN with an account number was expected; found {arn!r}.")
    return match[1]


PARTITIONS: Final = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


@dataclass(frozen=True)
class AccountRegion:
    """One account in one region."""

    region: str
    account: str

    @classmethod
    def of(cls, settings: AwsSettings, region: str) -> "AccountRegion":
        """The account of the execution role."""
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

    def s3_arn(self, place: str) -> str:
        """The address of a bucket, or of objects in it."""
        return f"arn:{self.partition}:s3:::{place}"


DIGITS: Final = 12
# Characters that SageMaker takes in the name of a model, an endpoint or its configuration.
LONGEST_NAME: Final = 63

OWNER: Final = "managed-by"
OURS: Final = "clientela"
USE_CASE: Final = "use-case"
# Tag of an endpoint: the last configuration that passed its test, and so the one to go back to.
TESTED: Final = "tested-config"


def replace_underscores(name: str) -> str:
    """A name as AWS takes it: hyphens instead of underscores."""
    return name.replace("_", "-")


def endpoint_name(settings: AwsSettings, use_case: str) -> str:
    """The name of the endpoint of a use case."""
    return replace_underscores(settings.endpoints.name.replace("<use_case>", use_case))[
        :LONGEST_NAME
    ].strip("-")


def content_name(prefix: str, content: Mapping[str, Any]) -> str:
    """A name that is another one for any other content."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return content_prefix(prefix) + sha256(text.encode()).hexdigest()[:DIGITS]


def content_prefix(prefix: str) -> str:
    """What all names of a prefix begin with, which may be shorter than it."""
    return f"{prefix[: LONGEST_NAME - DIGITS - 1].rstrip('-')}-"


def build_tags(settings: AwsSettings, **more: str) -> list[dict[str, str]]:
    """Tags of something that we make: whose it is, and what the settings add."""
    own = {OWNER: OURS} | {replace_underscores(key): value for key, value in more.items()}
    return [{"Key": key, "Value": value} for key, value in sorted((settings.tags | own).items())]


def has_own_tags(tags: list[dict[str, str]], use_case: str) -> bool:
    """Whether tags say that something was made by us, for this use case."""
    values = {tag["Key"]: tag["Value"] for tag in tags}
    return values.get(OWNER) == OURS and values.get(USE_CASE) == use_case
