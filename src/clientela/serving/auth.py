"""Who may ask the API, and what it says when it does not answer."""

import hashlib
import hmac
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from clientela.exceptions import ConfigurationError, InvalidCaseError
from clientela.serving.settings import SHORTEST_SECRET, ServingSettings

# What the API says when it does not answer: one form for every refusal, without any value.
#
# `{"error": {"code", "message", "problems": [{"row", "field", "problem", "reason"}]},
# "request_id"}`


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request; see `clientela.serving.schemas.ProblemDetail`."""

    row: int | None
    field: str | None
    problem: str
    reason: str | None = None


class ApiError(InvalidCaseError):
    """A request that is not answered, as its sender is told.

    Args:
        message: For people: what was expected, and how to mend it.
        problems: Each thing that is wrong, as far as they are listed.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.problems = tuple(problems)
        self.headers = dict(headers or {})

    def to_response(self, request_id: str) -> Response:
        """The reply that refuses."""
        problems = [vars(problem) for problem in self.problems]
        error = {"code": self.code, "message": self.message, "problems": problems}
        content = orjson.dumps({"error": error, "request_id": request_id})
        return Response(content, self.status, self.headers, "application/json")


# Who may ask: a bearer token, unless only this machine can reach the port.
#
# Without token on a loopback address, a page in a browser on this machine could still reach the
# port under a name of its own (DNS rebinding), so the host must then be this machine's.


LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
TOKEN_BYTES: Final = 32


def load_token(settings: ServingSettings) -> str | None:
    """The token that callers have to show.

    Raises:
        ConfigurationError: Its file can't be read, or holds too short a one.
    """
    if settings.token is not None:
        return settings.token.get_secret_value()
    if settings.token_file is None:
        return None
    try:
        token = Path(settings.token_file).read_text("utf-8").strip()
    except OSError as err:
        raise ConfigurationError(
            f"The file of the token, {settings.token_file}, can't be read: {err.strerror}."
        ) from err
    if len(token) < SHORTEST_SECRET:
        raise ConfigurationError(
            f"The token in {settings.token_file} should have {SHORTEST_SECRET} characters or more."
        )
    return token


def ensure_token(settings: ServingSettings) -> ServingSettings:
    """The settings with a token made up and printed once, where one is needed and none is given."""
    if settings.trusted or settings.is_local or load_token(settings) is not None:
        return settings
    token = secrets.token_urlsafe(TOKEN_BYTES)
    print(  # noqa: T201 - for the person who started the server; it stands in no log
        f"\n  No token is configured (CLIENTELA_API_TOKEN). For this run:\n\n"
        f"      Authorization: Bearer {token}\n",
        file=sys.stderr,
        flush=True,
    )
    return settings.model_validate({**settings.model_dump(), "token": token})


class BearerToken(HTTPBearer):
    """The dependency of a route that asks for the token."""

    def __init__(self, token: str) -> None:
        super().__init__(scheme_name="token")
        self._digest = hashlib.sha256(token.encode()).digest()

    async def __call__(self, request: HTTPConnection) -> Any:
        """Let a request in."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # of equal length and made of the secret: the time of the comparison tells nothing
        digest = hashlib.sha256(given.encode("latin-1")).digest()
        if not hmac.compare_digest(digest, self._digest) or scheme.lower() != "bearer":
            raise ApiError(
                401,
                "no_token",
                "Expected the header Authorization: Bearer <token>, with the token of this API.",
                headers={"www-authenticate": "Bearer"},
            )


async def require_local_host(request: HTTPConnection) -> None:
    """Let a request in that names this machine.

    Raises:
        ApiError: It comes under a foreign name (403).
    """
    host = request.headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in LOCAL_NAMES:
        raise ApiError(
            403,
            "foreign_host",
            "Without a token this API answers under localhost and 127.0.0.1 only. Set "
            "CLIENTELA_API_TOKEN to let others ask.",
        )


async def allow_everybody(request: HTTPConnection) -> None:
    """Let any request in."""


Guard = Callable[[HTTPConnection], Awaitable[Any]]


@dataclass(frozen=True)
class AccessGuards:
    """The dependencies that let requests in.

    Attributes:
        closed: For routes that ask for the token, where there is one.
        open: For health checks and what the settings open.
    """

    closed: Guard
    open: Guard


def create_guards(settings: ServingSettings) -> AccessGuards:
    """The dependencies that follow from the settings.

    Raises:
        ConfigurationError: The file of the token can't be read.
    """
    token = load_token(settings)
    if settings.trusted:
        return AccessGuards(allow_everybody, allow_everybody)
    if token is None:
        return AccessGuards(require_local_host, require_local_host)
    return AccessGuards(BearerToken(token), allow_everybody)
