"""Least-privilege policies: JSON templates filled with the settings of one account.

Each file of `policies/` is a policy in IAM's own form. A placeholder such as `{endpoints}` stands
for one or several values, and its entry of a list is repeated for each. A statement with a
placeholder without any value is left out: without a key nothing is allowed about keys. `Reason`
says why a statement is about everything (`*`); it is not printed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from clientela.aws_settings import LAYERS, AccountRegion, AwsSettings, content_prefix, endpoint_name

# Their names: `…-trust` says who may take a role on, `bucket` goes to the bucket.
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

# The model that the pre-authorisation requirement names.
LLM: Final = "meta.llama3-70b-instruct-v1:0"

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class PolicyScope:
    """What the policies are about."""

    settings: AwsSettings
    place: AccountRegion
    groups: Sequence[str]
    use_cases: Sequence[str]

    def values(self) -> dict[str, list[str]]:
        """The values of every placeholder.

        Raises:
            ConfigurationError: A needed setting is missing, or a root does not lie in S3.
        """
        return self._account_values() | self._sagemaker_values() | self._bucket_values()

    def _account_values(self) -> dict[str, list[str]]:
        settings, network = self.settings, self.settings.network
        scheduler, kms_key = settings.workflow.scheduler_role, settings.kms_key
        subnets = [] if network is None else network.subnets
        security_groups = [] if network is None else network.security_groups
        images = {settings.needed_workflow_image, settings.needed_image}
        return {
            "account": [self.place.account],
            "execution_role": [settings.needed_execution_role],
            "scheduler_role": [] if scheduler is None else [scheduler],
            "schedule": [self.place.arn("scheduler", f"schedule/default/{settings.workflow.name}")],
            "kms_key": [] if kms_key is None else [kms_key],
            "all_networks": [] if network is None else ["*"],
            "subnets": [self.place.arn("ec2", f"subnet/{each}") for each in subnets],
            "security_groups": [
                self.place.arn("ec2", f"security-group/{each}") for each in security_groups
            ],
            "network_interfaces": [self.place.arn("ec2", "network-interface/*")],
            "log_groups": [self.place.arn("logs", "log-group:/aws/sagemaker/*")],
            "image_repositories": sorted({self._repository_arn(image) for image in images}),
            "language_model": [self.place.aws_managed_arn("bedrock", f"foundation-model/{LLM}")],
        }

    def _repository_arn(self, image: str) -> str:
        """The repository of an image; one outside ECR is taken to be named alike there."""
        name = image.partition("/")[2].partition("@")[0].partition(":")[0]
        return self.place.arn("ecr", f"repository/{name or image.partition(':')[0]}")

    def _sagemaker_values(self) -> dict[str, list[str]]:
        def arns(kind: str, names: Sequence[str], end: str = "") -> list[str]:
            # SageMaker writes addresses in lower case
            return [self.place.arn("sagemaker", f"{kind}/{name}{end}".lower()) for name in names]

        endpoints = [endpoint_name(self.settings, use_case) for use_case in self.use_cases]
        prefixes = [content_prefix(name) for name in endpoints]
        return {
            "groups": arns("model-package-group", self.groups),
            "packages": arns("model-package", self.groups, "/*"),
            "endpoints": arns("endpoint", endpoints),
            "endpoint_configs": arns("endpoint-config", prefixes, "*"),
            "endpoint_models": arns("model", prefixes, "*"),
            "training_jobs": arns("training-job", ["clientela-*"]),
            "tuning_jobs": arns("hyper-parameter-tuning-job", ["clientela-*"]),
            # SageMaker calls the jobs of a pipeline so
            "pipeline_jobs": arns("processing-job", ["pipelines-*"]),
            "pipeline": arns("pipeline", [self.settings.workflow.name]),
        }

    def _bucket_values(self) -> dict[str, list[str]]:
        roots = {layer: self.settings.root(layer).removeprefix("s3://") for layer in LAYERS}
        bucket = self.settings.needed_bucket
        buckets = dict.fromkeys([bucket, *(root.partition("/")[0] for root in roots.values())])
        return {
            "bucket": [self.place.s3_arn(bucket)],
            "buckets": [self.place.s3_arn(name) for name in buckets],
            "models_key": [roots["models"].partition("/")[2]],
            **{layer: [self.place.s3_arn(root)] for layer, root in roots.items()},
        }


def build_policy(name: str, scope: PolicyScope) -> dict[str, Any]:
    """One policy as IAM reads it.

    Raises:
        ConfigurationError: A needed setting is missing, or a root does not lie in S3.
    """
    values = scope.values()
    template = load_template(name)
    statements = [
        {key: _fill(part, values) for key, part in statement.items() if key != "Reason"}
        for statement in template["Statement"]
        if all(values[each] for each in PLACEHOLDER.findall(json.dumps(statement)))
    ]
    return {**template, "Statement": statements}


def load_template(name: str) -> dict[str, Any]:
    """The template of one policy, placeholders and reasons included."""
    text = (files(__package__) / "policies" / f"{name}.json").read_text("utf-8")
    template: dict[str, Any] = json.loads(text)
    return template


def _fill(part: Any, values: Mapping[str, list[str]]) -> Any:
    if isinstance(part, dict):
        return {key: _fill(each, values) for key, each in part.items()}
    if isinstance(part, list):
        return [filled for each in part for filled in _expand(each, values)]
    return _expand(part, values)[0]


def _expand(text: Any, values: Mapping[str, list[str]]) -> list[Any]:
    """A text once for each value of the placeholder that it begins with."""
    found = PLACEHOLDER.match(text) if isinstance(text, str) else None
    if found is None:
        return [text]
    return [value + text[found.end() :] for value in values[found[1]]]
