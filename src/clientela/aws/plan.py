"""What will be asked of AWS, before anything is: a list that can be printed, checked and applied.

Every step can be repeated. What a content-addressed name holds is made once, and a run that was
killed is completed by the same command.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import yaml

from clientela.aws_clients import Clients, convert_aws_errors, is_absent, is_name_conflict
from clientela.exceptions import DeploymentError, ServingError

logger = logging.getLogger(__name__)


@cache
def _load_service_model(service: str) -> Any:
    from botocore.session import Session  # noqa: PLC0415 - heavy

    return Session().get_service_model(service)


def find_request_problems(service: str, operation: str, request: Mapping[str, Any]) -> list[str]:
    """Where a request differs from AWS's description of it, which comes with botocore: no network.

    Types, required fields and least lengths are checked; AWS alone checks patterns.
    """
    from botocore.validate import ParamValidator  # noqa: PLC0415

    shape = _load_service_model(service).operation_model(operation).input_shape
    # botocore itself makes the tokens that tell a repeated call
    tokens = {
        name for name, member in shape.members.items() if member.metadata.get("idempotencyToken")
    }
    given = dict.fromkeys(tokens, "0" * 32) | dict(request)
    report = ParamValidator().validate(given, shape)
    return list(report.generate_report().splitlines())


# What makes something to the call that tells whether it is there, and the name that it takes.
LOOKED_UP: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "CreateModel": ("describe_model", "ModelName"),
        "CreateEndpointConfig": ("describe_endpoint_config", "EndpointConfigName"),
        "CreateEndpoint": ("describe_endpoint", "EndpointName"),
        "CreateTrainingJob": ("describe_training_job", "TrainingJobName"),
        "CreateHyperParameterTuningJob": (
            "describe_hyper_parameter_tuning_job",
            "HyperParameterTuningJobName",
        ),
        "CreatePipeline": ("describe_pipeline", "PipelineName"),
    }
)


@dataclass(frozen=True)
class Action:
    """One call of AWS."""

    service: str
    operation: str
    request: Mapping[str, Any]
    purpose: str

    @property
    def method(self) -> str:
        """The method of the boto3 client."""
        from botocore import xform_name  # noqa: PLC0415 - heavy

        return str(xform_name(self.operation))


@dataclass(frozen=True)
class Plan:
    """Calls in their order.

    Attributes:
        purpose: What they come to, in one sentence.
        actions: The calls; none where nothing is to be done.
        notes: What a person should know before they are made.
    """

    purpose: str
    actions: tuple[Action, ...]
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The plan as JSON."""
        # through JSON, so that no mapping of another kind is left
        content: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return content

    def text(self) -> str:
        """The plan as YAML, for a person or a diff."""
        return str(yaml.safe_dump(self.record(), sort_keys=False, allow_unicode=True, width=100))

    def validate(self) -> "Plan":
        """The plan, after each request was held against AWS's own description of it.

        Raises:
            DeploymentError: A request is of another form than AWS takes.
        """
        problems = [
            f"{action.operation}: {problem}"
            for action in self.actions
            for problem in find_request_problems(action.service, action.operation, action.request)
        ]
        if problems:
            raise DeploymentError(
                "AWS would refuse this plan; nothing was done. Mend the settings in aws.yml:\n"
                + "\n".join(problems)
            )
        return self


@dataclass(frozen=True)
class ActionResult:
    """What became of one action.

    Attributes:
        answer: Of AWS; empty where it was there.
    """

    action: Action
    kept: bool
    answer: Mapping[str, Any]


def apply_plan(
    plan: Plan, clients: Clients, error: type[ServingError] = DeploymentError
) -> Iterator[ActionResult]:
    """Carries a plan out, call by call; what is there already is kept.

    Yields:
        What became of each action, as soon as it is known.

    Raises:
        ServingError: An `error`: AWS refuses, or gives no answer. What was done stays, and the same
            plan can be applied again.
    """
    plan.validate()
    for number, action in enumerate(plan.actions, start=1):
        step = f"{plan.purpose}, step {number} of {len(plan.actions)} ({action.purpose})"
        with convert_aws_errors(step, action.service, error):
            done = _run_action(action, clients)
        logger.info(
            "%d of %d: %s%s",
            number,
            len(plan.actions),
            action.purpose,
            " (there already)" if done.kept else "",
        )
        yield done


def _run_action(action: Action, clients: Clients) -> ActionResult:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - see `clients`

    client = clients(action.service)
    if _is_present(action, client):
        return ActionResult(action, kept=True, answer={})
    try:
        answer = getattr(client, action.method)(**action.request)
    except ClientError as err:
        # made by somebody at the same moment, or by an attempt whose answer was lost
        if action.operation.startswith("Create") and is_name_conflict(err):
            return ActionResult(action, kept=True, answer={})
        # gone since the plan was made
        if action.operation.startswith("Delete") and is_absent(err):
            return ActionResult(action, kept=True, answer={})
        raise
    return ActionResult(action, kept=False, answer=answer)


def _is_present(action: Action, client: Any) -> bool:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - see `clients`

    if action.operation not in LOOKED_UP:
        return False
    method, name = LOOKED_UP[action.operation]
    try:
        getattr(client, method)(**{name: action.request[name]})
    except ClientError as err:
        if is_absent(err):
            return False
        raise
    return True
