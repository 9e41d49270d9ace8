"""Logs as one JSON object per line, without bodies, queries, keys or the words of errors."""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

import orjson

from clientela.serving.observed import Seen

FRAMES: Final = 12
"""Of a failure, the innermost; beyond them it is the machinery of the server."""


class JsonLines(logging.Formatter):
    """A record of logging as a line.

    Of an exception only its type and place: its words may repeat what a request held.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line.

        Args:
            record: What was logged.

        Returns:
            JSON.
        """
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = failure(record.exc_info[1])
        return orjson.dumps(line).decode()


class AccessLog:
    """One line per request.

    Args:
        out: Where lines go.
    """

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = out or sys.stdout.buffer

    def write(self, seen: Seen, method: str, status: int, seconds: float) -> None:
        """A request that has ended.

        Args:
            seen: What is known of it.
            method: Of HTTP.
            status: Of the reply; 0 where the caller went away.
            seconds: That it took.
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


def failure(err: BaseException) -> dict[str, Any]:
    """What may be logged of an unexpected error.

    Args:
        err: What was raised.

    Returns:
        Its type and where it was raised; not its words.
    """
    frames = traceback.extract_tb(err.__traceback__)[-FRAMES:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"type": type(err).__name__, "at": places}


CONFIG: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
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
