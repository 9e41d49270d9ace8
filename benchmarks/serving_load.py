"""Asks a server over connections that stay open, and prints how fast it answered, as JSON.

Called as `serving_load.py <port> <path> <body file> <connections> <seconds>`. A process of its own:
it takes turns with the server for the cores as any caller on the machine would.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from statistics import quantiles

import httptools
import uvloop

MOST_SECONDS = 60.0
OK = 200


class Connection(asyncio.Protocol):
    """Sends the request again whenever it was answered."""

    def __init__(self, request: bytes, end: float) -> None:
        self.request, self.end = request, end
        self.seconds: list[float] = []
        self.bytes = 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Part of a reply came."""
        self.bytes += len(data)
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        """A reply is whole: ask again, or stop."""
        now = time.perf_counter()
        self.seconds.append(now - self.asked)
        status = self.parser.get_status_code()
        if status != OK:
            self._end(RuntimeError(f"answered {status}"))
        elif now >= self.end:
            self._end(None)
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server went away, or all is done."""
        self._end(exc or RuntimeError("the server closed the connection"))

    def _ask(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.asked = time.perf_counter()
        self.transport.write(self.request)

    def _end(self, problem: Exception | None) -> None:
        if not self.ended.done():
            _ = self.ended.set_exception(problem) if problem else self.ended.set_result(None)
            self.transport.close()


async def load(port: int, path: str, body: bytes, connections: int, seconds: float) -> dict:
    """What a server answered.

    Args:
        port: On loopback.
        path: Of the request.
        body: JSON.
        connections: How many ask at the same time.
        seconds: How long.

    Returns:
        `requests`, `requests_per_second`, `p50_ms`, `p99_ms`, `bytes` of one reply.
    """
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    began = time.perf_counter()
    end = began + min(seconds, MOST_SECONDS)
    asking = [Connection(head.encode() + body, end) for _ in range(connections)]
    loop = asyncio.get_running_loop()
    for connection in asking:
        await loop.create_connection(lambda made=connection: made, "127.0.0.1", port)
    async with asyncio.timeout(2 * MOST_SECONDS):
        await asyncio.gather(*(connection.ended for connection in asking))
    taken = time.perf_counter() - began
    times = sorted(second for connection in asking for second in connection.seconds)
    cuts = quantiles(times, n=100) if len(times) > 1 else times * 99
    return {
        "requests": len(times),
        "requests_per_second": len(times) / taken,
        "p50_ms": cuts[49] * 1000,
        "p99_ms": cuts[98] * 1000,
        "bytes": sum(connection.bytes for connection in asking) // len(times),
    }


def main(port: str, path: str, body: str, connections: str, seconds: str) -> None:
    """Ask, and print."""
    asked = load(int(port), path, Path(body).read_bytes(), int(connections), float(seconds))
    print(json.dumps(uvloop.run(asked)))


if __name__ == "__main__":
    main(*sys.argv[1:])
