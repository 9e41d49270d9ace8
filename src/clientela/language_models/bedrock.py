"""Language models of Amazon Bedrock, by its Converse call."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from clientela.aws.clients import Clients
from clientela.aws.errors import BAD_CREDENTIALS, BUSY, DENIED, refusal
from clientela.aws.settings import AwsSettings, Connection
from clientela.labelling.chat import Completion, Question, StopReason, Usage
from clientela.labelling.failures import CallFailed, Hopeless, LostReason, Passing, Unanswerable
from clientela.labelling.settings import BedrockSettings

SERVICE: Final = "bedrock-runtime"

STOPS: Final[Mapping[str, StopReason]] = MappingProxyType(
    {
        "end_turn": "end",
        "stop_sequence": "end",
        "max_tokens": "truncated",
        "model_context_window_exceeded": "truncated",
        "guardrail_intervened": "guardrail",
        "content_filtered": "refused",
    }
)
"""`stopReason` of Converse, which comes with HTTP 200 whatever it is, to ours."""

PASSING: Final[Mapping[str, LostReason]] = MappingProxyType(
    {
        **dict.fromkeys(BUSY, "throttled"),
        "ModelNotReadyException": "throttled",
        "ServiceUnavailableException": "unavailable",
        "InternalServerException": "unavailable",
        "ModelErrorException": "unavailable",
        "ModelTimeoutException": "timeout",
    }
)
"""Error codes after which the same call may succeed."""

NO_SUCH_MODEL: Final = ("model identifier", "on-demand throughput", "end of its life")
"""Words of a validation error that concern the model, not the row."""


class BedrockChat:
    """One model of Bedrock; see `clientela.labelling.chat.Chat`.

    Args:
        settings: Model, lengths and patience.
        aws: Region and account.
        connections: Calls at the same time.
    """

    def __init__(self, settings: BedrockSettings, aws: AwsSettings, connections: int) -> None:
        self._settings = settings
        patience = settings.patience
        # asked again by us, so that each call is paced and paid for once
        connection = Connection(
            connect_seconds=patience.connect_seconds,
            read_seconds=patience.read_seconds,
            attempts=1,
            pool=connections,
        )
        region = settings.region or aws.region
        self._clients = Clients(aws.model_copy(update={"region": region, "connection": connection}))

    def __call__(self, question: Question) -> Completion:
        """See `Chat`.

        Raises:
            CallFailed: Bedrock was busy, or refused this row.
            Hopeless: It refuses every row.
        """
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
        )

        client = self._clients(SERVICE)
        try:
            answer = client.converse(**self._request(question))
        except ClientError as err:
            raise _failure(err) from err
        except BotoCoreError as err:
            raise _no_answer(err) from err
        return _completion(answer)

    def close(self) -> None:
        """Closes its connections."""
        self._clients.close()

    def _request(self, question: Question) -> dict[str, Any]:
        turns = [
            {"role": "assistant" if place % 2 else "user", "content": [{"text": turn}]}
            for place, turn in enumerate(question.turns)
        ]
        request: dict[str, Any] = {
            "modelId": self._settings.model,
            "system": [{"text": question.system}],
            "messages": turns,
            "inferenceConfig": {
                "maxTokens": question.most_tokens,
                "temperature": self._settings.temperature,
            },
        }
        if self._settings.guardrail is not None:
            request["guardrailConfig"] = {
                "guardrailIdentifier": self._settings.guardrail,
                "guardrailVersion": self._settings.guardrail_version,
            }
        return request


def _completion(answer: Mapping[str, Any]) -> Completion:
    content = answer.get("output", {}).get("message", {}).get("content", [])
    text = "".join(str(part.get("text", "")) for part in content)
    used = answer.get("usage", {})
    usage = Usage(int(used.get("inputTokens", 0)), int(used.get("outputTokens", 0)))
    return Completion(text, STOPS.get(str(answer.get("stopReason")), "other"), usage)


def _failure(error: Any) -> CallFailed | Hopeless:
    code = str(error.response["Error"]["Code"])
    message = str(error.response["Error"].get("Message", ""))
    if code in PASSING:
        return Passing(PASSING[code], code)
    names_model = any(words in message for words in NO_SUCH_MODEL)
    if code == "ValidationException" and not names_model:
        return Unanswerable("rejected", "Bedrock does not accept the question (too long, maybe)")
    if code in DENIED:
        return Hopeless(
            "AWS denied the question. Either the role or user lacks bedrock:InvokeModel on the "
            "model (`clientela sagemaker policies bedrock` prints a policy), or the account was "
            "not given access to it (Bedrock console, Model access)."
        )
    told = refusal(error, SERVICE)
    if code in BAD_CREDENTIALS:
        return Hopeless(told)
    return Hopeless(
        f"{told} Choose a model that Bedrock offers you (labelling.bedrock.model; some need the id "
        "of an inference profile) in a region that has it (labelling.bedrock.region)."
    )


def _no_answer(error: Any) -> CallFailed | Hopeless:
    from botocore.exceptions import (  # noqa: PLC0415
        ConnectionError as Unreachable,
    )
    from botocore.exceptions import (  # noqa: PLC0415
        HTTPClientError,
        ReadTimeoutError,
    )

    kind = type(error).__name__
    if isinstance(error, ReadTimeoutError):
        return Passing("timeout", kind)
    if isinstance(error, Unreachable | HTTPClientError):
        return Passing("unavailable", kind)
    return Hopeless(
        f"AWS can't be asked ({kind}). Set AWS_PROFILE, or credentials in another way that boto3 "
        "knows, and AWS_DEFAULT_REGION."
    )
