"""Bounds on what the head of a request may cost.

httptools reads heads of any size at any pace: each connection could fill the memory, or stay open
for ever, before the application sees anything.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

# Bytes of request line and headers, as other servers bound them.
LARGEST_HEAD: Final = 32 * 1024

BAD_REQUEST: Final = 400
HEAD_TOO_LARGE: Final = 431


class HeadTooLargeError(Exception):
    """Inside the parser: the request is refused."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection of uvicorn, with bounds on the heads of its requests."""

    head_seconds: float = 10.0
    """Until a head has to be there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = True
        self._head_goes_on = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._head_goes_on = self._in_head
        super().data_received(data)
        if self._head_goes_on:
            # a header that never ends reaches no callback
            self._head += len(data)
            if self._head > LARGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._start_head_timer()

    def on_url(self, url: bytes) -> None:
        """Part of its address came."""
        self._count_head_bytes(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came."""
        self._count_head_bytes(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop_head_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there."""
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it has no words for people
        """Refuse what is no HTTP, or has too large a head."""
        status = HEAD_TOO_LARGE if self._head > LARGEST_HEAD else BAD_REQUEST
        head = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head)
        self.transport.close()

    def _count_head_bytes(self, *parts: bytes) -> None:
        self._head += sum(map(len, parts))
        if self._head > LARGEST_HEAD:
            raise HeadTooLargeError

    def _start_head_timer(self) -> None:
        self._stop_head_timer()
        self._head, self._in_head = 0, True
        self._deadline = self.loop.call_later(self.head_seconds, self._close_slow_connection)

    def _stop_head_timer(self) -> None:
        self._in_head = self._head_goes_on = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_slow_connection(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
