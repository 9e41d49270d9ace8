"""Who may do what, the slow and obvious way: what IAM says of a call, as far as we rely on it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote, urlsplit

ACCOUNT = "123456789012"
REGION = "us-east-1"

# which field names the thing, and the kind of thing it is
NAMED = {
    "ModelPackageGroupName": "model-package-group",
    "EndpointConfigName": "endpoint-config",
    "EndpointName": "endpoint",
    "ModelName": "model",
    "PipelineName": "pipeline",
    "TrainingJobName": "training-job",
    "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
}
OF = {
    "CreateModelPackage": "ModelPackageGroupName",
    "ListModelPackages": "ModelPackageGroupName",
    "CreateEndpoint": "EndpointName",
    "UpdateEndpoint": "EndpointName",
}
WITHOUT_RESOURCE = ("ListModels", "ListEndpointConfigs")
S3 = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "POST": "PutObject"}


@dataclass
class Call:
    """One request: what it asks for, in IAM's words."""

    service: str
    operation: str
    body: dict[str, Any]
    resource: str

    @property
    def action(self) -> str:
        return f"{self.service}:{'GetObject' if self.operation == 'HeadObject' else self.operation}"

    @classmethod
    def of(cls, method: str, path: str, headers: Mapping[str, str], content: bytes) -> "Call":
        lower = {key.lower(): value for key, value in headers.items()}
        target = lower.get("x-amz-target")
        if target is not None:
            operation = target.partition(".")[2]
            body = json.loads(content or b"{}")
            return cls("sagemaker", operation, body, sagemaker_resource(operation, body))
        place = unquote(urlsplit(path).path)
        if place.startswith("/schedules/"):
            name = place.removeprefix("/schedules/")
            verb = {"POST": "Create", "PUT": "Update", "GET": "Get", "DELETE": "Delete"}[method]
            arn = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{name}"
            return cls("scheduler", f"{verb}Schedule", json.loads(content or b"{}"), arn)
        return cls("s3", S3.get(method, method), {}, f"arn:aws:s3:::{place.lstrip('/')}")


def sagemaker_resource(operation: str, body: Mapping[str, Any]) -> str:
    if operation in WITHOUT_RESOURCE:
        return "*"
    for given in ("ResourceArn", "ModelPackageArn", "ModelPackageName"):
        if str(body.get(given, "")).startswith("arn:"):
            return str(body[given])
    field = OF.get(operation) or next(name for name in NAMED if name in body)
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{NAMED[field]}/{str(body[field]).lower()}"


def is_allowed(call: Call, policy: Mapping[str, Any]) -> bool:
    tags = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in tags_of(call)}
    needed = [(call.action, call.resource, tags)]
    if tags and call.operation.startswith("Create"):
        # what is made with tags is tagged
        needed.append((f"{call.service}:AddTags", call.resource, tags))
    roles = re.findall(r"arn:aws:iam::\d+:role/[\w-]+", json.dumps(call.body))
    service = f"{call.service}.amazonaws.com"
    if call.operation.startswith(("Create", "Update")):
        # a role in a request is handed over to the service
        passed_to = {"iam:PassedToService": service}
        needed += [("iam:PassRole", role, passed_to) for role in dict.fromkeys(roles)]
    return all(permitted(action, arn, context, policy) for action, arn, context in needed)


def tags_of(call: Call) -> list[dict[str, str]]:
    found = call.body.get("Tags", [])
    return [each for each in found if isinstance(each, dict)]


def permitted(
    action: str, resource: str, context: Mapping[str, str], policy: Mapping[str, Any]
) -> bool:
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action, each) for each in listed(statement["Action"]))
        and any(fnmatchcase(resource, each) for each in listed(statement["Resource"]))
        and conditions_hold(statement.get("Condition", {}), context)
        for statement in policy["Statement"]
    )


def conditions_hold(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(
        context.get(key, value if isinstance(value, str) else value[0]) in listed(value)
        for operator in conditions.values()
        for key, value in operator.items()
    )


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
