"""The body of a request, read no further than its limit."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, TypeAlias

from clientela.serving.refusals import Refusal, too_large

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LINGERED_BODIES: Final = 4
LINGER_SECONDS: Final = 2.0
"""What more is read of a body that is refused, and thrown away: a sender that is still writing
when the connection is closed never reads the reply (RFC 9112, section 9.6)."""


class Disconnected(Exception):
    """The caller went away before the request was whole."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of a header.

    Args:
        scope: Of the request.
        name: In lower case.

    Returns:
        The first value; None without.
    """
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value for key, value in headers if key == name), None)


async def body(scope: Scope, receive: Receive, largest: int, seconds: float) -> bytes:
    """The whole body.

    Args:
        scope: Of the request.
        receive: Its messages.
        largest: Most bytes.
        seconds: Until it has to be there.

    Returns:
        The body.

    Raises:
        Refusal: It is too large (413), or came too slowly (408).
        Disconnected: The caller went away.
    """
    declared = header(scope, b"content-length") or b"0"
    if declared.isdigit() and int(declared[:20]) > largest:
        if header(scope, b"expect") is None:
            await _lingered(receive, largest)
        raise too_large(largest)
    try:
        async with asyncio.timeout(seconds):
            return await _read(receive, largest)
    except TimeoutError:
        raise Refusal(
            408,
            "too_slow",
            f"The body should be sent within {seconds:g} seconds.",
            headers={"connection": "close"},
        ) from None


async def _read(receive: Receive, largest: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    content: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(content) <= largest:
        return content
    parts, size = [content], len(content)
    while message.get("more_body", False):
        if size > largest:
            await _lingered(receive, largest)
            break
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > largest:
        raise too_large(largest)
    return b"".join(parts)


async def _lingered(receive: Receive, largest: int) -> None:
    left = LINGERED_BODIES * largest
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return
