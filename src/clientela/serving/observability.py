"""What is known of each request: its id, its line in the log, its place in the measures.

Labels and lines hold routes, use cases and codes, never bodies, queries, keys or the words of
errors. With several workers each counts for itself in files of a folder
(`PROMETHEUS_MULTIPROC_DIR`), and whichever is asked adds them up.
"""

import asyncio
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

import orjson
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clientela.registry.manifest import ServedManifest
from clientela.serving.auth import ApiError

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass
class RequestInfo:
    """What is known of one request, gathered while it is answered.

    Attributes:
        route: As it is documented, without what stands in the place of `{…}`.
        code: Of the refusal; empty where it was answered.
        status: Of the reply; 0 until it begins.
    """

    request_id: str
    status: int = 0
    route: str = ""
    use_case: str = ""
    rows: int = 0
    code: str = ""


@dataclass
class ApiMetrics:
    """The measures of one process."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        registry = self.registry
        self._requests = Counter(
            "clientela_requests", "Requests.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "clientela_request_seconds",
            "From the head of a request to the end of its reply.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._rows = Counter("clientela_rows", "Cases answered.", ["use_case"], registry=registry)
        self._refusals = Counter(
            "clientela_refusals", "Requests refused, by code.", ["code"], registry=registry
        )
        self._reload_failures = Counter(
            "clientela_reload_failures",
            "Looks at the served models that failed; an empty use case is the store itself.",
            ["use_case"],
            registry=registry,
        )
        self._models = Gauge(
            "clientela_model_info",
            "1 for each model that is served, 0 for those that were.",
            ["use_case", "role", "version"],
            multiprocess_mode="livemostrecent",
            registry=registry,
        )
        self._dropped = Counter(
            "clientela_predictions_dropped",
            "Cases that were not logged since too many were waiting, or could not be written.",
            registry=registry,
        )
        self._shown: set[tuple[str, str, str]] = set()

    def count_request(self, info: RequestInfo, seconds: float) -> None:
        """Count a request that has ended."""
        self._requests.labels(info.route, str(info.status)).inc()
        self._seconds.labels(info.route).observe(seconds)
        if info.rows:
            self._rows.labels(info.use_case).inc(info.rows)
        if info.code:
            self._refusals.labels(info.code).inc()

    def count_reload_failure(self, use_case: str) -> None:
        """Count a look at the served models that failed; the store itself has no use case."""
        self._reload_failures.labels(use_case).inc()

    def count_lost_cases(self, cases: int) -> None:
        """Count cases that were not logged."""
        self._dropped.inc(cases)

    def render_metrics(self, manifests: Iterable[ServedManifest]) -> bytes:
        """The measures of this process, or of all workers, as Prometheus reads them."""
        now = {(model.use_case, model.role, model.version) for model in manifests}
        for labels in now | self._shown:
            self._models.labels(*labels).set(float(labels in now))
        self._shown |= now
        if FOLDER not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


# Of a failure, the innermost; beyond them it is the machinery of the server.
FRAMES: Final = 12


class JsonFormatter(logging.Formatter):
    """A record of logging as one JSON object.

    Of an exception only its type and place: its words may repeat what a request held.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            err = record.exc_info[1]
            frames = traceback.extract_tb(err.__traceback__)[-FRAMES:]
            places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
            line["error"] = {"type": type(err).__name__, "at": places}
        return orjson.dumps(line).decode()


class AccessLog:
    """One line per request."""

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = out or sys.stdout.buffer

    def write(self, info: RequestInfo, method: str, seconds: float) -> None:
        """Write a request that has ended; its status is 0 where the caller went away."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": "info",
            "event": "request",
            "request_id": info.request_id,
            "method": method,
            "route": info.route,
            "status": info.status,
            "ms": round(seconds * 1000, 3),
            "use_case": info.use_case,
            "rows": info.rows,
            "code": info.code,
        }
        self._out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._out.flush()


# For `logging.config`.
CONFIG: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter}},
    "handlers": {
        "err": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
    },
    "root": {"handlers": ["err"], "level": "INFO"},
    "loggers": {
        "uvicorn": {"level": "INFO"},
        # it would log addresses with their queries
        "uvicorn.access": {"handlers": [], "propagate": False, "level": "CRITICAL"},
    },
}


WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STOPPING: Final = "The server is stopping and could not wait for the answer. Ask again."
FAILED: Final = "Something went wrong here, not in the request. The log has it under this id."

# What every reply carries, unless its route says otherwise.
HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class RequestMiddleware:
    """Gives every request its id, its headers, its line in the log and its place in the measures.

    Plain ASGI: Starlette's `BaseHTTPMiddleware` costs more than a model's answer.
    """

    def __init__(self, app: ASGIApp, metrics: ApiMetrics, log: AccessLog) -> None:
        self._app, self._metrics, self._log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        info = RequestInfo(_get_request_id(scope))
        scope.setdefault("state", {})["info"] = info
        await self._answer(info, scope, receive, send)
        seconds = time.perf_counter() - began
        info.route = getattr(scope.get("route"), "path", "")
        self._metrics.count_request(info, seconds)
        self._log.write(info, scope["method"], seconds)

    async def _answer(self, info: RequestInfo, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                info.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = info.request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        async def refuse(status: int, code: str, words: str) -> None:
            info.code = code
            response = ApiError(status, code, words).to_response(info.request_id)
            await response(scope, receive, send_with_headers)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass
        except asyncio.CancelledError:
            # the server stops, and its patience is at an end
            if not info.status:
                await refuse(503, "stopping", STOPPING)
            raise
        except Exception as err:
            logger.error("Request %s failed", info.request_id, exc_info=err)  # noqa: TRY400
            if info.status:
                # cut short: the server closes the connection, so that nobody takes it for whole
                raise
            # the words of the error stay inside
            await refuse(500, "internal", FAILED)


def _get_request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if WELL_FORMED.fullmatch(given) else os.urandom(12).hex()
