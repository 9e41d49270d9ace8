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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import orjson

from clientela.registry.manifest import ServedManifest
from clientela.registry.scorers import PredictionBatch
from clientela.serving.case_reader import Case
from clientela.serving.schemas import CLASS, ID

logger = logging.getLogger(__name__)

# Hexadecimal digits of a hashed id: 128 bits.
HASHED: Final = 32


@dataclass(frozen=True)
class _LogEntry:
    """The sampled cases of one request, with their answers."""

    manifest: ServedManifest
    moment: datetime
    cases: list[Case]
    names: list[str]
    codes: list[int]
    scores: list[float]


class PredictionLog:
    """Writes in a thread of its own what requests leave in a bounded queue.

    Args:
        salt: Key that ids are hashed with; the same one gives the same hash.
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
        self,
        manifest: ServedManifest,
        cases: Sequence[Case],
        answers: PredictionBatch,
        request_id: str,
    ) -> None:
        """Leave a sample of a request for the log; never waits, never fails."""
        draw, share = self._draw.random, self._share
        rows = [row for row in range(len(cases)) if share >= 1 or draw() < share]
        if not rows:
            return
        with self._lock:
            full = self._waiting + len(rows) > self._most
            self._waiting += 0 if full else len(rows)
        if full:
            self._dropped(len(rows))
            return
        sampled = [cases[row] for row in rows]
        names = [
            f"id:{case[ID]}" if ID in case else f"{request_id}:{row}"
            for row, case in zip(rows, sampled, strict=True)
        ]
        codes, scores = answers.codes[rows].tolist(), answers.expected[rows].tolist()
        self._queue.put(_LogEntry(manifest, self._now(), sampled, names, codes, scores))

    def close(self, seconds: float) -> None:
        """Write what is waiting, and stop."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        last = False
        while not last:
            entries, last = self._collect_waiting()
            lines: dict[Path, list[bytes]] = defaultdict(list)
            for entry in entries:
                day = entry.moment.date().isoformat()
                folder = self._folder / entry.manifest.use_case / day
                lines[folder / f"{os.getpid()}.jsonl"] += self._format_lines(entry)
            for path, content in lines.items():
                self._write(path, content)
            with self._lock:
                self._waiting -= sum(len(entry.cases) for entry in entries)

    def _collect_waiting(self) -> tuple[list[_LogEntry], bool]:
        """Whatever is waiting, after something is; and whether nothing comes after it."""
        entries, item = [], self._queue.get()
        while item is not None:
            entries.append(item)
            try:
                item = self._queue.get_nowait()
            except Empty:
                return entries, False
        return entries, True

    def _format_lines(self, entry: _LogEntry) -> list[bytes]:
        manifest, lines = entry.manifest, []
        for case, name, code, score in zip(
            entry.cases, entry.names, entry.codes, entry.scores, strict=True
        ):
            digest = hmac.new(self._salt, name.encode(), hashlib.sha256).hexdigest()
            record = {
                "prediccion_id": digest[:HASHED],
                "prediccion_momento": entry.moment.isoformat(timespec="seconds"),
                "prediccion_version": manifest.version,
                "prediccion_rol": manifest.role,
                CLASS: manifest.classes[code],
                manifest.score_name: score,
                **{field.name: case.get(field.name) for field in manifest.fields},
            }
            lines.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        return lines

    def _write(self, path: Path, lines: list[bytes]) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(b"".join(lines))
        except OSError as err:
            self._dropped(len(lines))
            words = f"{type(err).__name__}: {err.strerror}"
            if words != self._words:
                logger.error("Predictions can't be logged in %s: %s", self._folder, words)  # noqa: TRY400
            self._words = words
