"""Who may ask: a bearer token, unless only this machine can reach the port.

Without token on a loopback address, a page in a browser on this machine could still reach the port
under a name of its own (DNS rebinding), so the host must then be this machine's.
"""

import hashlib
import hmac
import secrets
import sys
from pathlib import Path
from typing import Final

from clientela.exceptions import ConfigurationError
from clientela.serving.errors import ApiError
from clientela.serving.http_limits import Scope, get_header
from clientela.serving.settings import SHORTEST_SECRET, ServingSettings

OPEN: Final = frozenset({"/ping", "/health"})
DOCUMENTS: Final = frozenset({"/docs", "/openapi.json"})
METRICS: Final = "/metrics"
LOCAL_NAMES: Final = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
BEARER: Final = b"bearer"
TOKEN_BYTES: Final = 32


def load_token(settings: ServingSettings) -> str | None:
    """The token that callers have to show.

    Returns:
        The token; None where nobody has to show one.

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
    """The settings with a token made up and printed once, where one is needed and none is given.

    Returns:
        The same settings where none is needed.
    """
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


class Authenticator:
    """Lets requests in."""

    def __init__(self, settings: ServingSettings) -> None:
        token = load_token(settings)
        self._digest = None if token is None else _compute_digest(token.encode())
        self._trusted = settings.trusted
        self._open = set(OPEN)
        self._open |= DOCUMENTS if settings.open_docs else set()
        self._open |= {METRICS} if settings.open_metrics else set()

    @property
    def has_token(self) -> bool:
        """Whether callers have to show a token."""
        return self._digest is not None

    def check(self, scope: Scope) -> None:
        """Let a request in.

        Raises:
            Refusal: It shows no token (401), or comes under a foreign name (403).
        """
        if self._trusted:
            return
        if self._digest is None:
            _require_local_host(scope)
        elif scope["path"] not in self._open and not self.has_valid_token(scope):
            raise ApiError(
                401,
                "no_token",
                "Expected the header Authorization: Bearer <token>, with the token of this API.",
                headers={"www-authenticate": "Bearer"},
            )

    def has_valid_token(self, scope: Scope) -> bool:
        """Whether a caller may see everything.

        Returns:
            True where the right token is shown, or none is needed.
        """
        if self._digest is None:
            return True
        scheme, _, given = (get_header(scope, b"authorization") or b"").partition(b" ")
        # of equal length and made of the secret: the time of the comparison tells nothing
        return (
            hmac.compare_digest(_compute_digest(given), self._digest) and scheme.lower() == BEARER
        )


def _compute_digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _require_local_host(scope: Scope) -> None:
    host = (get_header(scope, b"host") or b"").lower()
    name = host if host.endswith(b"]") else host.rpartition(b":")[0] or host
    if name not in LOCAL_NAMES:
        raise ApiError(
            403,
            "foreign_host",
            "Without a token this API answers under localhost and 127.0.0.1 only. Set "
            "CLIENTELA_API_TOKEN to let others ask.",
        )
