"""What is true of one AWS account: the typed form of `conf/<env>/aws.yml`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from clientela.exceptions import ConfigurationError, did_you_mean

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
        instances: How many.
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
        volume_gb: Its disk.
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
        timezone: Of the schedule.
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
        """The bucket.

        Raises:
            ConfigurationError: None is set.
        """
        return _needed(self.bucket, "bucket", "set the variable BUCKET")

    @property
    def needed_execution_role(self) -> str:
        """The role that SageMaker takes on.

        Raises:
            ConfigurationError: None is set.
        """
        return _needed(
            self.execution_role, "execution_role", "set the variable CLIENTELA_EXECUTION_ROLE"
        )

    @property
    def needed_image(self) -> str:
        """The image that answers requests.

        Raises:
            ConfigurationError: None is set.
        """
        return _needed(self.image, "image", "set the variable CLIENTELA_IMAGE")

    @property
    def needed_workflow_image(self) -> str:
        """The image that runs stages.

        Raises:
            ConfigurationError: None is set.
        """
        return _needed(
            self.workflow.image, "workflow.image", "set the variable CLIENTELA_PIPELINE_IMAGE"
        )


def aws_settings(config: Mapping[str, Any]) -> AwsSettings:
    """The settings of an environment.

    Args:
        config: Content of `aws.yml`, the environments merged.

    Returns:
        The settings, checked.

    Raises:
        ConfigurationError: A key does not exist, or a value is of another form; the value itself
            is not repeated.
    """
    try:
        return AwsSettings.model_validate(config)
    except ValidationError as err:
        problems = "; ".join(_problem(dict(each)) for each in err.errors(include_url=False))
        raise ConfigurationError(f"aws.yml: {problems}") from err


def _problem(error: Mapping[str, Any]) -> str:
    *folders, key = error["loc"] or ("",)
    place = ".".join(map(str, [*folders, key]))
    if error["type"] == "extra_forbidden":
        known = {name: field.annotation for name, field in AwsSettings.model_fields.items()}
        for folder in folders:
            fields = getattr(known.get(str(folder)), "model_fields", {})
            known = {name: field.annotation for name, field in fields.items()}
        return f"{place}: no such key. {did_you_mean(str(key), known)}"
    return f"{place}: {error['msg']}"


def _needed(value: str | None, key: str, how: str) -> str:
    if value is None:
        raise ConfigurationError(
            f"{key} is not set in aws.yml of the environment. Write it into conf/aws/aws.yml, or "
            f"{how}. docs/aws/README.md says what it is."
        )
    return value


def account_of(arn: str) -> str:
    """The account number in an ARN.

    Args:
        arn: Any ARN with one.

    Returns:
        Twelve digits.

    Raises:
        ConfigurationError: There is none.
    """
    found = re.match(r"^arn:[^:]+:[^:]+:[^:]*:(\d{12}):", arn)
    if found is None:
        raise ConfigurationError(f"An ARN with an account number was expected; found {arn!r}.")
    return found[1]
