"""What was asked and answered, for monitoring: sampled, ids hashed, never in the way of a request.

One JSON object per case in `<folder>/<use case>/<day>/<process>.jsonl`: the fields as they came,
class, score, version, moment. The files hold what applicants told, so only their owner may read
them.
"""

import hashlib
import hmac
import logging
import os
import random
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

import orjson

from clientela.registry.manifest import ServedManifest
from clientela.registry.scorers import PredictionBatch
from clientela.serving.case_reader import Case, CaseBatch
from clientela.serving.schemas import ID

logger = logging.getLogger(__name__)

HASHED: Final = 32
"""Hexadecimal digits of a hashed id: 128 bits."""


@dataclass(frozen=True)
class _LogEntry:
    """The sampled cases of one request, with their answers."""

    manifest: ServedManifest
    moment: datetime
    cases: list[Case]
    named: list[str]
    codes: list[int]
    scores: list[float]


class PredictionLog:
    """Writes in a thread of its own what requests leave in a bounded queue.

    Args:
        share: Of the cases, that are logged.
        salt: Key that ids are hashed with; the same one gives the same hash.
        waiting: Most cases that wait; more are dropped.
        dropped: Called with the number of cases that are lost.
    """

    def __init__(  # noqa: PLR0913 - each is a setting
        self,
        folder: Path,
        *,
        share: float,
        salt: str,
        waiting: int,
        dropped: Callable[[int], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder, self._share, self._salt = folder, share, salt.encode()
        self._most, self._dropped, self._now = waiting, dropped, now
        self._queue: SimpleQueue[_LogEntry | None] = SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._draw = random.Random()  # noqa: S311 - a sample, not a secret
        self._words = ""
        self._thread = threading.Thread(target=self._run, name="prediction log", daemon=True)
        self._thread.start()

    def add(
        self, manifest: ServedManifest, batch: CaseBatch, answers: PredictionBatch, request_id: str
    ) -> None:
        """Leave a sample of a request for the log; never waits, never fails."""
        draw, share = self._draw.random, self._share
        rows = [row for row in range(len(batch.cases)) if share >= 1 or draw() < share]
        if not rows:
            return
        with self._lock:
            full = self._waiting + len(rows) > self._most
            self._waiting += 0 if full else len(rows)
        if full:
            self._dropped(len(rows))
            return
        logged = _LogEntry(
            manifest=manifest,
            moment=self._now(),
            cases=[batch.cases[row] for row in rows],
            named=[_get_case_name(batch.cases[row], f"{request_id}:{row}") for row in rows],
            codes=answers.codes[rows].tolist(),
            scores=answers.expected[rows].tolist(),
        )
        self._queue.put(logged)

    def close(self, seconds: float) -> None:
        """Write what is waiting, and stop."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            gathered, last = self._collect_waiting()
            lines: dict[Path, list[bytes]] = defaultdict(list)
            for logged in gathered:
                lines[self._place(logged)] += self._lines(logged)
            for place, content in lines.items():
                self._write(place, content)
            with self._lock:
                self._waiting -= sum(len(logged.cases) for logged in gathered)
            if last:
                return

    def _collect_waiting(self) -> tuple[list[_LogEntry], bool]:
        """Whatever is waiting, after something is."""
        gathered, item = [], self._queue.get()
        while item is not None:
            gathered.append(item)
            try:
                item = self._queue.get_nowait()
            except Empty:
                return gathered, False
        return gathered, True

    def _place(self, logged: _LogEntry) -> Path:
        day = logged.moment.date().isoformat()
        return self._folder / logged.manifest.use_case / day / f"{os.getpid()}.jsonl"

    def _lines(self, logged: _LogEntry) -> list[bytes]:
        return [
            orjson.dumps(self._build_log_record(logged, at), option=orjson.OPT_APPEND_NEWLINE)
            for at in range(len(logged.cases))
        ]

    def _build_log_record(self, logged: _LogEntry, at: int) -> dict[str, Any]:
        manifest, case = logged.manifest, logged.cases[at]
        named = logged.named[at].encode()
        return {
            "prediccion_id": hmac.new(self._salt, named, hashlib.sha256).hexdigest()[:HASHED],
            "prediccion_momento": logged.moment.isoformat(timespec="seconds"),
            "prediccion_version": manifest.version,
            "prediccion_rol": manifest.role,
            "clase": manifest.classes[logged.codes[at]],
            manifest.score_name: logged.scores[at],
            **{field.name: case.get(field.name) for field in manifest.fields},
        }

    def _write(self, place: Path, lines: list[bytes]) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (place.parent.parent, place.parent):
                folder.mkdir(exist_ok=True, mode=0o700)
            with os.fdopen(
                os.open(place, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600), "ab"
            ) as f:
                f.write(b"".join(lines))
        except OSError as err:
            self._dropped(len(lines))
            words = f"{type(err).__name__}: {err.strerror}"
            if words != self._words:
                logger.error("Predictions can't be logged in %s: %s", self._folder, words)  # noqa: TRY400
            self._words = words


def _get_case_name(case: Case, otherwise: str) -> str:
    return f"id:{case[ID]}" if ID in case else otherwise
