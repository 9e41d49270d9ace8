"""Asks again what failed in passing, later each time, and begins no more calls than are allowed."""

import random
import time
from collections.abc import Callable
from threading import Lock

from clientela.labelling.chat import Chat, Completion, Question
from clientela.labelling.failures import Passing
from clientela.labelling.settings import Patience

SECONDS_PER_MINUTE = 60.0


class Patient:
    """A language model that is asked again when it is busy.

    Args:
        chat: The model.
        patience: How often, and after which pauses.
        sleep: Waits some seconds.
    """

    def __init__(
        self, chat: Chat, patience: Patience, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._chat = chat
        self._patience = patience
        self._sleep = sleep

    def __call__(self, question: Question) -> Completion:
        """See `Chat`; raises the last failure when patience ends."""
        for attempt in range(1, self._patience.attempts):
            try:
                return self._chat(question)
            except Passing:
                self._sleep(self._pause(attempt))
        return self._chat(question)

    def _pause(self, attempt: int) -> float:
        longest = self._patience.longest_pause_seconds
        pause: float = min(self._patience.pause_seconds * 2.0 ** (attempt - 1), longest)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, guards nothing


class Paced:
    """A language model of which no more than so many calls are begun in a minute.

    Args:
        chat: The model.
        per_minute: How many; None: as fast as they are answered.
        sleep: Waits some seconds.
        clock: Seconds that never run backwards.
    """

    def __init__(
        self,
        chat: Chat,
        per_minute: float | None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat = chat
        self._interval = 0.0 if per_minute is None else SECONDS_PER_MINUTE / per_minute
        self._sleep = sleep
        self._clock = clock
        self._lock = Lock()
        self._next = float("-inf")

    def __call__(self, question: Question) -> Completion:
        """See `Chat`."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
        return self._chat(question)
