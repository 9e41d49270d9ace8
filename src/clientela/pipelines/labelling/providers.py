"""Who labels: Amazon Bedrock, any server that speaks OpenAI's form, or rules that ask nobody."""

import json
import os
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from clientela.aws_clients import BAD_CREDENTIALS, BUSY, DENIED, Clients, explain_client_error
from clientela.aws_settings import AwsSettings, Connection
from clientela.exceptions import ConfigurationError
from clientela.models.settings import BedrockSettings, OfflineSettings, OpenAISettings, Rule
from clientela.pipelines.labelling.language_model import (
    Completion,
    FatalError,
    Fields,
    LostReason,
    ModelCallError,
    Question,
    Reply,
    StopReason,
    TransientError,
    UnanswerableError,
    Usage,
)
from clientela.text import normalize_word

SERVICE: Final = "bedrock-runtime"

# `stopReason` of Converse, which comes with HTTP 200 whatever it is, to ours.
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

# Error codes after which the same call may succeed.
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

# Words of a validation error that concern the model, not the row.
NO_SUCH_MODEL: Final = ("model identifier", "on-demand throughput", "end of its life")


class BedrockChat:
    """One model of Bedrock; see `Chat`."""

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
        """Asks one question, once."""
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
        )

        client = self._clients(SERVICE)
        try:
            answer = client.converse(**self._build_request(question))
        except ClientError as err:
            raise _convert_client_error(err) from err
        except BotoCoreError as err:
            raise _convert_connection_error(err) from err
        return _parse_bedrock_completion(answer)

    def close(self) -> None:
        """Closes its connections."""
        self._clients.close()

    def _build_request(self, question: Question) -> dict[str, Any]:
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


def _parse_bedrock_completion(answer: Mapping[str, Any]) -> Completion:
    content = answer.get("output", {}).get("message", {}).get("content", [])
    text = "".join(str(part.get("text", "")) for part in content)
    used = answer.get("usage", {})
    usage = Usage(int(used.get("inputTokens", 0)), int(used.get("outputTokens", 0)))
    return Completion(text, STOPS.get(str(answer.get("stopReason")), "other"), usage)


def _convert_client_error(error: Any) -> ModelCallError | FatalError:
    code = str(error.response["Error"]["Code"])
    message = str(error.response["Error"].get("Message", ""))
    if code in PASSING:
        return TransientError(PASSING[code], code)
    names_model = any(words in message for words in NO_SUCH_MODEL)
    if code == "ValidationException" and not names_model:
        return UnanswerableError(
            "rejected", "Bedrock does not accept the question (too long, maybe)"
        )
    if code in DENIED:
        return FatalError(
            "AWS denied the question. Either the role or user lacks bedrock:InvokeModel on the "
            "model (`clientela sagemaker policies bedrock` prints a policy), or the account was "
            "not given access to it (Bedrock console, Model access)."
        )
    explanation = explain_client_error(error, SERVICE)
    if code in BAD_CREDENTIALS:
        return FatalError(explanation)
    return FatalError(
        f"{explanation} Choose a model that Bedrock offers you (labelling.bedrock.model; some need "
        "the id of an inference profile) in a region that has it (labelling.bedrock.region)."
    )


def _convert_connection_error(error: Any) -> ModelCallError | FatalError:
    from botocore.exceptions import (  # noqa: PLC0415
        ConnectionError as Unreachable,
    )
    from botocore.exceptions import (  # noqa: PLC0415
        HTTPClientError,
        ReadTimeoutError,
    )

    kind = type(error).__name__
    if isinstance(error, ReadTimeoutError):
        return TransientError("timeout", kind)
    if isinstance(error, Unreachable | HTTPClientError):
        return TransientError("unavailable", kind)
    return FatalError(
        f"AWS can't be asked ({kind}). Set AWS_PROFILE, or credentials in another way that boto3 "
        "knows, and AWS_DEFAULT_REGION."
    )


INSTALL = (
    'The provider "openai" needs httpx, which is not installed. Run: pip install "clientela[llm]"'
)

# `finish_reason` to ours.
OPENAI_STOPS: Final[Mapping[str, StopReason]] = MappingProxyType(
    {"stop": "end", "length": "truncated", "content_filter": "guardrail"}
)

BUSY_STATUSES: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
UNKNOWN: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class OpenAIChat:
    """One model of a server; see `Chat`."""

    def __init__(self, settings: OpenAISettings, connections: int) -> None:
        try:
            import httpx  # noqa: PLC0415 - only where a server is asked
        except ImportError as err:
            raise ConfigurationError(INSTALL) from err
        self._settings = settings
        patience = settings.patience
        key = os.environ.get(settings.key_variable)
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(patience.read_seconds, connect=patience.connect_seconds),
            limits=httpx.Limits(max_connections=connections),
        )
        self._url = f"{str(settings.url).rstrip('/')}/chat/completions"

    def __call__(self, question: Question) -> Completion:
        """Asks one question, once."""
        import httpx  # noqa: PLC0415

        try:
            response = self._client.post(self._url, json=self._build_request(question))
        except httpx.ReadTimeout as err:
            raise TransientError("timeout", type(err).__name__) from err
        except httpx.HTTPError as err:
            raise TransientError("unavailable", type(err).__name__) from err
        if response.status_code != HTTPStatus.OK:
            raise self._convert_http_status(response.status_code)
        try:
            return _parse_openai_completion(response.json(), question)
        except (ValueError, LookupError, TypeError, AttributeError) as err:
            raise FatalError(
                f"{self._url} does not answer in the form of OpenAI's chat completions. Check "
                "labelling.openai.url; it ends in /v1 as a rule."
            ) from err

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def _build_request(self, question: Question) -> dict[str, Any]:
        turns = [
            {"role": "assistant" if place % 2 else "user", "content": turn}
            for place, turn in enumerate(question.turns)
        ]
        request = {
            "model": self._settings.model,
            "messages": [{"role": "system", "content": question.system}, *turns],
            "temperature": self._settings.temperature,
            "max_tokens": question.most_tokens,
        }
        form = {"response_format": {"type": "json_object"}} if self._settings.json_mode else {}
        return request | form

    def _convert_http_status(self, status: int) -> ModelCallError | FatalError:
        words = f"HTTP {status}"
        if status in BUSY_STATUSES:
            return TransientError("throttled", words)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientError("unavailable", words)
        if status == HTTPStatus.REQUEST_TIMEOUT:
            return TransientError("timeout", words)
        if status in UNKNOWN:
            return UnanswerableError(
                "rejected", f"the server does not accept the question ({words})"
            )
        return FatalError(
            f"{self._url} answers {words}. Check labelling.openai.url and model "
            f"({self._settings.model}), and the key in {self._settings.key_variable}."
        )


def _parse_openai_completion(answer: Mapping[str, Any], question: Question) -> Completion:
    choice = answer["choices"][0]
    message = choice["message"]
    used = answer.get("usage") or {}
    worst = question.worst  # for servers that do not count
    usage = Usage(
        int(used.get("prompt_tokens", worst.input_tokens)),
        int(used.get("completion_tokens", worst.output_tokens)),
    )
    stop = (
        "refused"
        if message.get("refusal")
        else OPENAI_STOPS.get(choice.get("finish_reason"), "other")
    )
    return Completion(message.get("content") or "", stop, usage)


OPENING = {"es": "Solicitud con estos datos: ", "en": "An application with these data: "}


class OfflineLabeller:
    """A scorecard of rules, which abstains in the middle; see `Labeller`.

    It reads the columns, not the description, and its `label_source` says so: `rules-<version>`.
    """

    paid: bool = False

    def __init__(self, settings: OfflineSettings, labels: Sequence[str]) -> None:
        self._settings = settings
        self._negative, self._positive = labels
        self.source: str = f"rules-{settings.version}"
        self.identity: str = json.dumps(settings.model_dump(mode="json"), sort_keys=True)

    def describe(self, fields: Fields) -> Reply:
        """Every column with its value, in one sentence."""
        values = "; ".join(f"{name}: {value}" for name, value in fields.items())
        return Reply(f"{OPENING[self._settings.language]}{values}.")

    def label(self, fields: Fields, description: str) -> Reply:
        """The label by the points of the rules that apply; the description is not looked at."""
        del description
        points = sum(rule.points for rule in self._settings.rules if _is_rule_met(rule, fields))
        if points >= self._settings.positive_from:
            return Reply(self._positive)
        return Reply(self._negative if points <= self._settings.negative_to else None)

    def compute_worst_usage(self, fields: Fields) -> Usage:
        """Nothing."""
        del fields
        return Usage()


def _is_rule_met(rule: Rule, fields: Fields) -> bool:
    """Whether a rule applies to a row; to a missing number none does."""
    value = fields[rule.column]
    if rule.words:
        return normalize_word(str(value)) in {normalize_word(word) for word in rule.words}
    try:
        number = float(value)
    except ValueError:
        return False
    above = rule.at_least is None or number >= rule.at_least
    return above and (rule.below is None or number < rule.below)
