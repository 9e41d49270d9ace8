"""Keeps the shelf as the store has it: newly approved models come in, broken ones stay out."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from clientela.exceptions import ModelFileError
from clientela.inference.package import opened
from clientela.serving.case_reader import Limits
from clientela.serving.loading import shelved
from clientela.serving.shelf import ModelShelf, ShelvedModel

logger = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 300.0
"""Seconds between two tries of the same broken package."""


class Pointer(Protocol):
    """What a store says of one served model; see `clientela.registry.served.Served`."""

    @property
    def use_case(self) -> str:
        """Whose model."""

    @property
    def number(self) -> int:
        """Of the entry in the registry."""

    @property
    def version(self) -> str:
        """Of the manifest."""

    @property
    def package_sha256(self) -> str:
        """Of the package."""


class Store(Protocol):
    """Where approved models lie; see `clientela.registry.served.ServedStore`."""

    def served(self) -> Mapping[str, Any]:
        """Pointers by use case."""

    def package(self, pointer: Any) -> bytes:
        """The package that a pointer names."""


@dataclass
class _Failure:
    """A package that could not be served, and when it is tried again."""

    pointer: Any
    words: str
    pause: float
    again: float


class Watcher:
    """Compares shelf and store, now and then.

    Args:
        store: Where approved models lie.
        shelf: What is served.
        limits: How much a request may hold.
        seconds: Between two looks.
        failed: Called with the use case, or an empty text for the store, whenever one fails.
        now: A clock that never goes back.
    """

    def __init__(  # noqa: PLR0913 - what it needs to watch
        self,
        store: Store,
        shelf: ModelShelf,
        limits: Limits,
        *,
        seconds: float,
        failed: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._shelf, self._limits, self._seconds = store, shelf, limits, seconds
        self._failed, self._now = failed, now
        self._pointers: dict[str, Any] = {}
        self._failures: dict[str, _Failure] = {}
        self._store_words = ""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.seen: float | None = None
        """When the store was last read, on the clock; None before."""

    def start(self) -> None:
        """Look again and again from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Look no more.

        Args:
            seconds: Most to wait for a look that has begun.
        """
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def age(self) -> float | None:
        """Seconds since the store was last read; None where it never was."""
        return None if self.seen is None else self._now() - self.seen

    def look(self) -> None:
        """Compare once; the shelf changes only for models that are proved."""
        try:
            pointers = dict(self._store.served())
        except Exception as err:  # noqa: BLE001 - whatever a store raises, the models stay
            self._store_failed(err)
            return
        self.seen, self._store_words = self._now(), ""
        models = dict(self._shelf.models)
        for gone in sorted(set(models) - set(pointers)):
            logger.info("%s is no longer served: it was withdrawn", gone)
            del models[gone]
            self._pointers.pop(gone, None)
        for use_case, pointer in pointers.items():
            model = self._new_model(use_case, pointer)
            if model is not None:
                models[use_case] = model
                self._pointers[use_case] = pointer
        if models != dict(self._shelf.models):
            self._shelf.replace(models)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.look()

    def _new_model(self, use_case: str, pointer: Any) -> ShelvedModel | None:
        """The model of a pointer that is not served yet; None where there is nothing to do."""
        if self._pointers.get(use_case) == pointer:
            return None
        failure = self._failures.get(use_case)
        if failure and failure.pointer == pointer and self._now() < failure.again:
            return None
        try:
            model = self._loaded(pointer)
        except Exception as err:  # noqa: BLE001 - whatever a package raises, the last one stays
            self._package_failed(use_case, pointer, err)
            return None
        self._failures.pop(use_case, None)
        logger.info("%s: version %s is served now", use_case, pointer.version)
        return model

    def _loaded(self, pointer: Pointer) -> ShelvedModel:
        where = f"{pointer.use_case} {pointer.version}"
        served = opened(self._store.package(pointer), where, pointer.package_sha256)
        found = served.manifest.use_case, served.manifest.version
        if found != (pointer.use_case, pointer.version):
            raise ModelFileError(
                f"The package that is served as {where} is of {' '.join(found)}. Approve it again."
            )
        return shelved(served, self._limits, pointer.number, where)

    def _package_failed(self, use_case: str, pointer: Any, err: Exception) -> None:
        last = self._failures.get(use_case)
        again = last is not None and last.pointer == pointer
        pause = min(last.pause * 2, LONGEST_PAUSE) if last and again else self._seconds
        words = f"{type(err).__name__}: {err}"
        if not (last and again and last.words == words):
            stays = "the last good model stays" if use_case in self._shelf.models else "none serves"
            logger.error("%s: a new package can't be served, %s. %s", use_case, stays, words)
        self._failures[use_case] = _Failure(pointer, words, pause, self._now() + pause)
        self._failed(use_case)

    def _store_failed(self, err: Exception) -> None:
        words = f"{type(err).__name__}: {err}"
        if words != self._store_words:
            logger.error("The folder of served models can't be read; they stay. %s", words)
        self._store_words = words
        self._failed("")
