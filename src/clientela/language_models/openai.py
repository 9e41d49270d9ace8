"""Language models behind OpenAI's chat completions, which many local servers speak."""

import os
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from clientela.exceptions import ConfigurationError
from clientela.labelling.chat import Completion, Question, StopReason, Usage
from clientela.labelling.failures import CallFailed, Hopeless, Passing, Unanswerable
from clientela.labelling.settings import OpenAISettings

INSTALL = (
    'The provider "openai" needs httpx, which is not installed. Run: pip install "clientela[llm]"'
)

STOPS: Final[Mapping[str, StopReason]] = MappingProxyType(
    {"stop": "end", "length": "truncated", "content_filter": "guardrail"}
)
"""`finish_reason` to ours."""

BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
UNKNOWN: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class OpenAIChat:
    """One model of a server; see `clientela.labelling.chat.Chat`.

    Args:
        settings: Server, model, lengths and patience.
        connections: Calls at the same time.

    Raises:
        ConfigurationError: httpx is not installed.
    """

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
        """See `Chat`.

        Raises:
            CallFailed: The server was busy, or refused this row.
            Hopeless: It refuses every row.
        """
        import httpx  # noqa: PLC0415

        try:
            response = self._client.post(self._url, json=self._request(question))
        except httpx.ReadTimeout as err:
            raise Passing("timeout", type(err).__name__) from err
        except httpx.HTTPError as err:
            raise Passing("unavailable", type(err).__name__) from err
        if response.status_code != HTTPStatus.OK:
            raise self._failure(response.status_code)
        try:
            return _completion(response.json(), question)
        except (ValueError, LookupError, TypeError, AttributeError) as err:
            raise Hopeless(
                f"{self._url} does not answer in the form of OpenAI's chat completions. Check "
                "labelling.openai.url; it ends in /v1 as a rule."
            ) from err

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def _request(self, question: Question) -> dict[str, Any]:
        turns = [
            {"role": "assistant" if place % 2 else "user", "content": turn}
            for place, turn in enumerate(question.turns)
        ]
        asked = {
            "model": self._settings.model,
            "messages": [{"role": "system", "content": question.system}, *turns],
            "temperature": self._settings.temperature,
            "max_tokens": question.most_tokens,
        }
        form = {"response_format": {"type": "json_object"}} if self._settings.json_mode else {}
        return asked | form

    def _failure(self, status: int) -> CallFailed | Hopeless:
        said = f"HTTP {status}"
        if status in BUSY:
            return Passing("throttled", said)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Passing("unavailable", said)
        if status == HTTPStatus.REQUEST_TIMEOUT:
            return Passing("timeout", said)
        if status in UNKNOWN:
            return Unanswerable("rejected", f"the server does not accept the question ({said})")
        return Hopeless(
            f"{self._url} answers {said}. Check labelling.openai.url and model "
            f"({self._settings.model}), and the key in {self._settings.key_variable}."
        )


def _completion(answer: Mapping[str, Any], question: Question) -> Completion:
    choice = answer["choices"][0]
    message = choice["message"]
    used = answer.get("usage") or {}
    worst = question.worst  # for servers that do not count
    usage = Usage(
        int(used.get("prompt_tokens", worst.input_tokens)),
        int(used.get("completion_tokens", worst.output_tokens)),
    )
    stop = "refused" if message.get("refusal") else STOPS.get(choice.get("finish_reason"), "other")
    return Completion(message.get("content") or "", stop, usage)
