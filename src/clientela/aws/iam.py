"""Parts of IAM policies: what is allowed, to what, and why where it can't be narrowed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from clientela.aws_clients import (
    OURS,
    OWNER,
    AccountRegion,
    AwsSettings,
    Network,
    content_prefix,
    endpoint_name,
)

# Parts of IAM policies: what is allowed, to what, and why where it can't be narrowed.


VERSION: Final = "2012-10-17"
"""Of the policy language."""


@dataclass(frozen=True)
class PolicyScope:
    """What the policies are about.

    Attributes:
        groups: Model package groups of the project.
        use_cases: Whose endpoints there may be.
    """

    settings: AwsSettings
    place: AccountRegion
    groups: Sequence[str]
    use_cases: Sequence[str]

    def sagemaker(self, *tails: str) -> tuple[str, ...]:
        """Addresses in SageMaker, in the lower case that it gives them."""
        return tuple(self.place.arn("sagemaker", tail.lower()) for tail in tails)

    def objects(self, *keys: str) -> tuple[str, ...]:
        """Objects in the bucket."""
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


def policy_document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy."""
    return {"Version": VERSION, "Statement": [each.record() for each in statements]}


def trust_policy(service: str, place: AccountRegion) -> dict[str, Any]:
    """Who may take a role on: a service, on behalf of this account alone."""
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


def pass_role_statement(sid: str, role: str, service: str) -> Statement:
    """Handing a role to a service, and to no other."""
    condition = {"StringEquals": {"iam:PassedToService": service}}
    return Statement(sid, ("iam:PassRole",), (role,), condition)


def registration_statements(scope: PolicyScope) -> list[Statement]:
    """Entering models in the registry; approving them is another thing."""
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
        volumes: Whether SageMaker encrypts disks with it for this role, which takes grants.
    """
    if settings.kms_key is None:
        return []
    key = (settings.kms_key,)
    use = Statement("UseTheKey", ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"), key)
    condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    grant = Statement("EncryptVolumes", ("kms:CreateGrant",), key, condition)
    return [use, grant] if volumes else [use]


# What the bucket itself refuses, whoever asks.


OLDEST_TLS: Final = 1.2


def bucket_policy(scope: PolicyScope) -> dict[str, Any]:
    """Nothing but encrypted connections; and, where a key is set, no file under another key.

    Raises:
        ConfigurationError: No bucket is set.
    """
    everything = [*scope.objects("", "*")]
    refused: dict[str, dict[str, Any]] = {
        "RefuseConnectionsWithoutTls": {"Bool": {"aws:SecureTransport": "false"}},
        "RefuseOldTls": {"NumericLessThan": {"s3:TlsVersion": OLDEST_TLS}},
    }
    statements = [
        {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": everything,
            "Condition": condition,
        }
        for sid, condition in refused.items()
    ]
    if scope.settings.kms_key is not None:
        name = "s3:x-amz-server-side-encryption-aws-kms-key-id"
        statements.append(
            {
                "Sid": "RefuseAnotherKey",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": [*scope.objects("*")],
                # a write that names no key is encrypted by the bucket's own setting
                "Condition": {"StringNotEqualsIfExists": {name: scope.settings.kms_key}},
            }
        )
    return {"Version": VERSION, "Statement": statements}


# What somebody needs who registers, approves, deploys, trains and makes the pipeline.


TAGGED: Final = {"StringEquals": {f"aws:RequestTag/{OWNER}": OURS}}
ONLY_OURS: Final = {"StringEquals": {f"aws:ResourceTag/{OWNER}": OURS}}


def deployer_statements(scope: PolicyScope) -> list[Statement]:
    """What a person, or CI, may do.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    return [
        *registration_statements(scope),
        Statement(
            "Approve",
            ("sagemaker:UpdateModelPackage",),
            scope.sagemaker(*(f"model-package/{group}/*" for group in scope.groups)),
        ),
        *_endpoint_statements(scope),
        *_job_statements(scope),
        *_role_statements(scope),
        *_deployer_file_statements(scope),
        *key_statements(scope.settings, volumes=True),
    ]


def _endpoint_statements(scope: PolicyScope) -> list[Statement]:
    everything = scope.endpoints + scope.endpoint_parts
    things = ("Endpoint", "EndpointConfig", "Model")
    return [
        Statement(
            "LookAndTag",
            (
                *(f"sagemaker:Describe{thing}" for thing in things),
                "sagemaker:AddTags",
                "sagemaker:ListTags",
            ),
            everything,
        ),
        Statement(
            "MakeWithOurTag",
            tuple(f"sagemaker:Create{thing}" for thing in things),
            everything,
            TAGGED,
        ),
        Statement("Ask", ("sagemaker:InvokeEndpoint",), scope.endpoints),
        Statement(
            "Change",
            ("sagemaker:UpdateEndpoint",),
            # a change is one of the endpoint and of the configuration that it gets
            scope.endpoints
            + tuple(arn for arn in scope.endpoint_parts if ":endpoint-config/" in arn),
        ),
        Statement(
            "TakeDownWhatIsOurs",
            tuple(f"sagemaker:Delete{thing}" for thing in things),
            everything,
            ONLY_OURS,
        ),
        Statement(
            "FindWhatIsLeft",
            ("sagemaker:ListEndpointConfigs", "sagemaker:ListModels"),
            ("*",),
            reason="AWS knows no resource for these two lists.",
        ),
    ]


def _job_statements(scope: PolicyScope) -> list[Statement]:
    workflow = scope.settings.workflow
    jobs = ("TrainingJob", "HyperParameterTuningJob")
    schedule = scope.place.arn("scheduler", f"schedule/default/{workflow.name}")
    return [
        Statement(
            "Train",
            (
                *(f"sagemaker:{verb}{job}" for verb in ("Create", "Describe") for job in jobs),
                "sagemaker:AddTags",
            ),
            scope.sagemaker("training-job/clientela-*", "hyper-parameter-tuning-job/clientela-*"),
        ),
        Statement(
            "MakeThePipeline",
            (
                *(f"sagemaker:{verb}Pipeline" for verb in ("Create", "Describe", "Update")),
                "sagemaker:AddTags",
            ),
            scope.sagemaker(f"pipeline/{workflow.name}"),
        ),
        Statement(
            "ScheduleIt",
            tuple(f"scheduler:{verb}Schedule" for verb in ("Create", "Get", "Update")),
            (schedule,),
        ),
    ]


def _role_statements(scope: PolicyScope) -> list[Statement]:
    settings = scope.settings
    execution = settings.needed_execution_role
    roles = [pass_role_statement("HandOverTheExecutionRole", execution, "sagemaker.amazonaws.com")]
    scheduler = settings.workflow.scheduler_role
    if scheduler is not None:
        roles.append(
            pass_role_statement("HandOverTheScheduler", scheduler, "scheduler.amazonaws.com")
        )
    return roles


def _deployer_file_statements(scope: PolicyScope) -> list[Statement]:
    return [
        Statement("FindFiles", ("s3:ListBucket",), scope.objects("")),
        Statement(
            "ReadModelsAndWhatTheyLearnFrom",
            ("s3:GetObject",),
            scope.objects("models/*", "processed/*"),
        ),
        Statement(
            "WriteModelsAndTrainingData",
            ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"),
            scope.objects("models/*", "processed/model_input/*", "reporting/*"),
        ),
    ]


# What the containers may do that SageMaker runs for the project.


WRITTEN = ("intermediate", "primary", "processed", "models", "outputs", "reporting")
"""Folders of the bucket that stages write, and read again."""


def execution_statements(scope: PolicyScope) -> list[Statement]:
    """What the execution role may do: run stages, register models, but never approve one.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    network = scope.settings.network
    return [
        *_execution_file_statements(scope),
        *registration_statements(scope),
        *_step_statements(scope),
        *_image_statements(scope),
        *_log_statements(scope),
        *([] if network is None else _network_statements(network, scope.place)),
        *key_statements(scope.settings, volumes=True),
    ]


def _execution_file_statements(scope: PolicyScope) -> list[Statement]:
    change = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
    return [
        Statement("FindFiles", ("s3:ListBucket",), scope.objects("")),
        Statement("ReadRawFiles", ("s3:GetObject",), scope.objects("raw/*")),
        Statement("WriteResults", change, scope.objects(*(f"{name}/*" for name in WRITTEN))),
    ]


def _step_statements(scope: PolicyScope) -> list[Statement]:
    verbs = ("Create", "Describe", "Stop")
    role = scope.settings.needed_execution_role
    return [
        Statement(
            "RunStepsOfThePipeline",
            (*(f"sagemaker:{verb}ProcessingJob" for verb in verbs), "sagemaker:AddTags"),
            # SageMaker calls the jobs of a pipeline so
            scope.sagemaker("processing-job/pipelines-*"),
        ),
        pass_role_statement("HandOverItselfToSteps", role, "sagemaker.amazonaws.com"),
    ]


def _image_statements(scope: PolicyScope) -> list[Statement]:
    images = {scope.settings.needed_workflow_image, scope.settings.needed_image}
    return [
        Statement(
            "LogInToTheImageRegistry",
            ("ecr:GetAuthorizationToken",),
            ("*",),
            reason="AWS knows no resource for the token.",
        ),
        Statement(
            "PullOurImages",
            (
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ),
            tuple(sorted({_get_repository_arn(image, scope) for image in images})),
        ),
    ]


def _get_repository_arn(image: str, scope: PolicyScope) -> str:
    """The repository of an image; another one than ECR's is named like ours."""
    name = image.partition("/")[2].partition("@")[0].partition(":")[0]
    return scope.place.arn("ecr", f"repository/{name or image.partition(':')[0]}")


def _log_statements(scope: PolicyScope) -> list[Statement]:
    return [
        Statement(
            "WriteLogs",
            (
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ),
            (scope.place.arn("logs", "log-group:/aws/sagemaker/*"),),
        ),
        Statement(
            "ReportHowMachinesDo",
            ("cloudwatch:PutMetricData",),
            ("*",),
            reason="AWS knows no resource for figures of machines.",
        ),
    ]


def _network_statements(network: Network, place: AccountRegion) -> list[Statement]:
    parts = [f"subnet/{each}" for each in network.subnets]
    parts += [f"security-group/{each}" for each in network.security_groups]
    look = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
    return [
        Statement(
            "LookAtTheNetwork",
            tuple(f"ec2:Describe{each}" for each in look),
            ("*",),
            reason="AWS knows no resource for lists of a network.",
        ),
        Statement(
            "JoinTheNetwork",
            (
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ),
            tuple(place.arn("ec2", part) for part in [*parts, "network-interface/*"]),
        ),
    ]


# Who may do what: every policy of the project, made of the settings and of the calls it makes.


LLM: Final = "meta.llama3-70b-instruct-v1:0"
"""The model that the pre-authorisation requirement names."""

POLICIES: Final = (
    "deployer",
    "execution",
    "api",
    "caller",
    "scheduler",
    "bedrock",
    "bucket",
    "execution-trust",
    "scheduler-trust",
)
"""Their names: `…-trust` says who may take a role on, `bucket` goes to the bucket."""


def build_policies(scope: PolicyScope) -> dict[str, dict[str, Any]]:
    """Every policy by its name.

    Returns:
        Name to a policy document, in the order of `POLICIES`.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    made = {
        name: policy_document(statements) for name, statements in collect_statements(scope).items()
    } | {
        "bucket": bucket_policy(scope),
        "execution-trust": trust_policy("sagemaker.amazonaws.com", scope.place),
        "scheduler-trust": trust_policy("scheduler.amazonaws.com", scope.place),
    }
    return {name: made[name] for name in POLICIES}


def collect_statements(scope: PolicyScope) -> dict[str, list[Statement]]:
    """What each role or user may do.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    return {
        "deployer": deployer_statements(scope),
        "execution": execution_statements(scope),
        "api": _api_statements(scope),
        "caller": [Statement("Ask", ("sagemaker:InvokeEndpoint",), scope.endpoints)],
        "scheduler": [
            Statement(
                "StartThePipeline",
                ("sagemaker:StartPipelineExecution",),
                scope.sagemaker(f"pipeline/{scope.settings.workflow.name}"),
            )
        ],
        "bedrock": [
            Statement(
                "AskTheModelThatWritesAndReads",
                ("bedrock:InvokeModel",),
                (scope.place.aws_managed_arn("bedrock", f"foundation-model/{LLM}"),),
            )
        ],
    }


def _api_statements(scope: PolicyScope) -> list[Statement]:
    """An API outside SageMaker, which reads what is approved, and nothing else."""
    return [
        Statement(
            "FindApprovedModels",
            ("s3:ListBucket",),
            scope.objects(""),
            {"StringLike": {"s3:prefix": ["models/served", "models/served/*"]}},
        ),
        Statement("ReadApprovedModels", ("s3:GetObject",), scope.objects("models/served/*")),
        *key_statements(scope.settings, volumes=False),
    ]
