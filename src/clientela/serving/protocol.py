"""HTTP as uvicorn speaks it, with bounds on the head of a request.

httptools reads heads of any size at any pace: each connection could fill the memory, or stay open
for ever, before the application sees anything.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

LARGEST_HEAD: Final = 32 * 1024
"""Bytes of request line and headers, as other servers bound them."""

BAD_REQUEST: Final = 400
HEAD_TOO_LARGE: Final = 431


class HeadTooLarge(Exception):
    """Inside the parser: the request is refused."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    head_seconds: float = 10.0
    """Until a head has to be there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = True
        self._head_goes_on = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there.

        Args:
            transport: The connection.
        """
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone.

        Args:
            exc: Why.
        """
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came.

        Args:
            data: The bytes.
        """
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
        self._await_head()

    def on_url(self, url: bytes) -> None:
        """Part of its address came.

        Args:
            url: The part.
        """
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came.

        Args:
            name: Of the header.
            value: Likewise.
        """
        self._count(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._head_is_there()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there."""
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it has no words for people
        """Refuse what is no HTTP, or has too large a head.

        Args:
            msg: What uvicorn would say.
        """
        status = HEAD_TOO_LARGE if self._head > LARGEST_HEAD else BAD_REQUEST
        head = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head)
        self.transport.close()

    def _count(self, *parts: bytes) -> None:
        self._head += sum(map(len, parts))
        if self._head > LARGEST_HEAD:
            raise HeadTooLarge

    def _await_head(self) -> None:
        self._head_is_there()
        self._head, self._in_head = 0, True
        self._deadline = self.loop.call_later(self.head_seconds, self._too_slow)

    def _head_is_there(self) -> None:
        self._in_head = self._head_goes_on = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
