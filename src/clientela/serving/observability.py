"""What is counted of the API, for Prometheus; labels are routes, use cases and codes, never values."""

import logging
import os
import sys
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

from clientela.serving.model_store import LoadedModel

# What is counted of the API, for Prometheus; labels are routes, use cases and codes, never values.
#
# With several workers each counts for itself in files of a folder (`PROMETHEUS_MULTIPROC_DIR`), and
# whichever is asked adds them up.


CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass
class RequestInfo:
    """What is known of one request, gathered while it is answered.

    Attributes:
        route: As it is documented, without what stands in the place of `{…}`.
        use_case: Whose model answered; empty without one.
        rows: How many cases it had.
        code: Of the refusal; empty where it was answered.
    """

    request_id: str
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
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def request(self, seen: RequestInfo, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        key = (seen.route, status)
        children = self._known.get(key)
        if children is None:
            children = self._known[key] = (
                self._requests.labels(seen.route, str(status)),
                self._seconds.labels(seen.route),
            )
        children[0].inc()
        children[1].observe(seconds)
        if seen.rows:
            self._rows.labels(seen.use_case).inc(seen.rows)
        if seen.code:
            self._refusals.labels(seen.code).inc()

    def count_reload_failure(self, use_case: str) -> None:
        """Count a look at the served models that failed.

        Args:
            use_case: Whose package; empty for the store.
        """
        self._reload_failures.labels(use_case).inc()

    def count_lost_cases(self, cases: int) -> None:
        """Count cases that were not logged."""
        self._dropped.inc(cases)

    def render_metrics(self, models: Iterable[LoadedModel]) -> bytes:
        """Everything, as Prometheus reads it.

        Returns:
            Text, of this process or of all workers.
        """
        now = {(m.use_case, m.role, m.version) for m in (model.manifest for model in models)}
        for labels in now | self._shown:
            self._models.labels(*labels).set(float(labels in now))
        self._shown |= now
        if FOLDER not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


# Logs as one JSON object per line, without bodies, queries, keys or the words of errors.


FRAMES: Final = 12
"""Of a failure, the innermost; beyond them it is the machinery of the server."""


class JsonFormatter(logging.Formatter):
    """A record of logging as a line.

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
            line["error"] = describe_failure(record.exc_info[1])
        return orjson.dumps(line).decode()


class AccessLog:
    """One line per request."""

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = out or sys.stdout.buffer

    def write(self, seen: RequestInfo, method: str, status: int, seconds: float) -> None:
        """A request that has ended.

        Args:
            status: Of the reply; 0 where the caller went away.
        """
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": "info",
            "event": "request",
            "request_id": seen.request_id,
            "method": method,
            "route": seen.route,
            "status": status,
            "ms": round(seconds * 1000, 3),
            "use_case": seen.use_case,
            "rows": seen.rows,
            "code": seen.code,
        }
        self._out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._out.flush()


def describe_failure(err: BaseException) -> dict[str, Any]:
    """What may be logged of an unexpected error.

    Returns:
        Its type and where it was raised; not its words.
    """
    frames = traceback.extract_tb(err.__traceback__)[-FRAMES:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"type": type(err).__name__, "at": places}


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
"""For `logging.config`."""
