"""A model behind our API, over HTTP."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

from clientela.exceptions import ConfigurationError, ServingError
from clientela.serving.asking.answers import Case, Prediction, Refused

PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Replies after which the same request may succeed (RFC 9110, RFC 6585)."""

ATTEMPTS: Final = 4
SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.5
OK: Final = 200


class ApiModel:
    """The model of a use case.

    Args:
        url: Of the API.
        use_case: Whose model; None for the API's default.
        token: Shown as bearer; None without one.
        pause: Seconds before the second attempt; doubled before each further one.
    """

    def __init__(
        self, url: str, use_case: str | None, token: str | None, pause: float = PAUSE_SECONDS
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                f"The address of the API should be like http://127.0.0.1:8000; it is {url!r}."
            )
        self._url, self._parts, self._pause = url.rstrip("/"), parts, pause
        self._use_case, self._token = use_case, token
        self._connection: HTTPConnection | None = None

    def about(self) -> dict[str, Any]:
        """See `clientela.serving.asking.answers.Model`."""
        try:
            if self._use_case is None:
                self._use_case = str(self._asked("GET", "/models")["default"])
            return self._asked("GET", f"/models/{quote(self._use_case, safe='')}")
        except Refused as err:
            raise ServingError(f"{self._url} refuses to be asked: {err.message}") from err

    def predictions(self, cases: Sequence[Case]) -> list[Prediction]:
        """See `clientela.serving.asking.answers.Model`."""
        place = f"/models/{quote(str(self._use_case), safe='')}/predict"
        found: list[Prediction] = self._asked("POST", place, {"data": list(cases)})["predictions"]
        return found

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _asked(self, method: str, place: str, content: Any = None) -> dict[str, Any]:
        body = None if content is None else json.dumps(content, ensure_ascii=False).encode()
        words = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(self._pause * 2 ** (attempt - 1))
            try:
                status, reply = self._reply(method, place, body)
            except (OSError, HTTPException) as err:
                self.close()
                words = type(err).__name__
                continue
            if status == OK:
                return self._understood(reply)
            if status not in PASSING:
                raise refusal(status, reply)
            words = f"HTTP {status}"
        raise ServingError(
            f"{self._url} gave no answer in {ATTEMPTS} attempts ({words}). Does the API run there "
            "(make api), with an approved model?"
        )

    def _reply(self, method: str, place: str, body: bytes | None) -> tuple[int, bytes]:
        if self._connection is None:
            kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
            self._connection = kind(str(self._parts.hostname), self._parts.port, timeout=SECONDS)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        self._connection.request(method, self._parts.path.rstrip("/") + place, body, headers)
        reply = self._connection.getresponse()
        return reply.status, reply.read()

    def _understood(self, reply: bytes) -> dict[str, Any]:
        with suppress(ValueError):
            content = json.loads(reply)
            if isinstance(content, dict):
                return content
        raise ServingError(f"{self._url} answers something else than our API would. Is it one?")


def refusal(status: int, reply: bytes | str) -> Refused:
    """What a server of ours says when it refuses.

    Args:
        status: Of HTTP.
        reply: Its body.

    Returns:
        The refusal, with its problems by case.
    """
    try:
        error: Mapping[str, Any] = json.loads(reply)["error"]
        message, problems = str(error["message"]), error["problems"]
    except (ValueError, KeyError, TypeError):
        return Refused(status, f"HTTP {status}")
    by_row: dict[int, list[str]] = {}
    for each in problems:
        named = each["problem"] if each["field"] is None else f"{each['field']}: {each['problem']}"
        if each["row"] is not None:
            by_row.setdefault(int(each["row"]), []).append(named)
        else:
            message = f"{message} {named}"
    return Refused(status, message, {row: "; ".join(words) for row, words in by_row.items()})
