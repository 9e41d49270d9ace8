"""What every request passes first and last, in plain ASGI: id, access, log, measures, headers."""

import asyncio
import logging
import os
import re
import time
from collections.abc import MutableMapping
from typing import Any, Final

from clientela.serving.auth import Authenticator
from clientela.serving.errors import ApiError
from clientela.serving.http_limits import ClientDisconnectError, Receive, Scope, Send, get_header
from clientela.serving.observability import AccessLog, ApiMetrics, RequestInfo

logger = logging.getLogger(__name__)

SEEN: Final = "clientela.seen"
WELL_FORMED: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STOPPING: Final = "The server is stopping and could not wait for the answer. Ask again."
DOCUMENT: Final = "/openapi.json"
"""A route that FastAPI has without a name."""

JSON: Final = b"application/json"
SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
NO_PAGE: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class RequestMiddleware:
    """Wraps the application."""

    def __init__(
        self, app: Any, access: Authenticator, observed: ApiMetrics, log: AccessLog
    ) -> None:
        self._app, self._access, self._observed, self._log = app, access, observed, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        seen = scope[SEEN] = RequestInfo(_get_request_id(scope))
        reply = _ResponseSender(send, seen.request_id)
        try:
            self._access.check(scope)
            await self._app(scope, receive, reply.send)
        except ApiError as refusal:
            await send_error(refusal, seen, reply.send)
        except ClientDisconnectError:
            pass
        except asyncio.CancelledError:
            # the server stops, and its patience is at an end
            if not reply.status:
                await send_error(ApiError(503, "stopping", STOPPING), seen, reply.send)
            raise
        except Exception as err:  # noqa: BLE001 - whatever it is, its words stay inside
            await self._failed(err, seen, reply)
        seconds = time.perf_counter() - began
        seen.route = seen.route or _get_route_path(scope)
        self._observed.request(seen, reply.status, seconds)
        self._log.write(seen, scope["method"], reply.status, seconds)

    async def _failed(self, err: Exception, seen: RequestInfo, reply: "_ResponseSender") -> None:
        logger.error("Request %s failed", seen.request_id, exc_info=err)
        if reply.status:
            # cut short: the server closes the connection, so that nobody takes it for whole
            raise err
        words = "Something went wrong here, not in the request. The log has it under this id."
        await send_error(ApiError(500, "internal", words), seen, reply.send)


class _ResponseSender:
    """Adds to the head of a reply what each has, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._id, self.status = send, request_id.encode(), 0

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), *SECURITY, (b"x-request-id", self._id)]
            if not any(name == b"content-security-policy" for name, _ in headers):
                headers.append(NO_PAGE)
            message = {**message, "headers": headers}
        await self._send(message)


async def send_reply(
    send: Send, content: bytes, media: bytes = JSON, status: int = 200, headers: Any = ()
) -> None:
    """Send a whole reply."""
    length = str(len(content)).encode()
    head = [(b"content-type", media), (b"content-length", length), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content})


async def send_error(refusal: ApiError, seen: RequestInfo, send: Send) -> None:
    """Send a refusal.

    Args:
        seen: What is known of the request; the code is noted.
    """
    seen.code = refusal.code
    headers = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    await send_reply(send, refusal.body(seen.request_id), status=refusal.status, headers=headers)


def _get_route_path(scope: Scope) -> str:
    """The route as it is documented; empty where there is none."""
    if scope["path"] == DOCUMENT:
        return DOCUMENT
    return getattr(scope.get("route"), "path", "")


def _get_request_id(scope: Scope) -> str:
    given = get_header(scope, b"x-request-id")
    if given is not None and WELL_FORMED.fullmatch(given):
        return given.decode()
    return os.urandom(12).hex()
