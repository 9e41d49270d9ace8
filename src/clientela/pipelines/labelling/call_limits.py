"""What surrounds each call of a language model: its budget, its pace, and further attempts.

A call is checked against the budget at its worst before it is made, so that no cap is passed.
"""

import random
import time
from collections.abc import Callable
from threading import Lock

from clientela.models.settings import BudgetSettings, Prices, RetrySettings
from clientela.pipelines.labelling.language_model import (
    Chat,
    Completion,
    FatalError,
    ModelCallError,
    Question,
    TransientError,
    Usage,
)


def compute_cost(usage: Usage, prices: Prices) -> float:
    """What tokens cost, in the currency of the prices."""
    return (
        usage.input_tokens * prices.input_per_million
        + usage.output_tokens * prices.output_per_million
    ) / 1e6


def find_exceeded_limit(usage: Usage, limits: BudgetSettings, prices: Prices) -> str | None:
    """Which limit of `labelling.budget` an amount of tokens passes; None: neither."""
    if limits.tokens is not None and usage.tokens > limits.tokens:
        return "tokens"
    if limits.money is not None and compute_cost(usage, prices) > limits.money:
        return "money"
    return None


def has_limit(limits: BudgetSettings, prices: Prices) -> bool:
    """Whether spending ends somewhere: a limit of money counts only where tokens have a price."""
    priced = prices.input_per_million > 0 and prices.output_per_million > 0
    return limits.tokens is not None or (limits.money is not None and priced)


class Budget:
    """The account of one run, shared by its workers.

    Before a call its worst is reserved; afterwards what it really cost takes its place.
    """

    def __init__(self, limits: BudgetSettings, prices: Prices) -> None:
        self._limits = limits
        self._prices = prices
        self._lock = Lock()
        self._reserved = Usage()
        self.spent = Usage()

    def reserve(self, worst: Usage) -> None:
        """Keeps tokens for a call.

        Raises:
            FatalError: They are more than what is left.
        """
        with self._lock:
            planned = self.spent + self._reserved + worst
            exceeded = find_exceeded_limit(planned, self._limits, self._prices)
            if exceeded is not None:
                raise FatalError(
                    f"The next call could take this run to {self._format(planned, exceeded)}, and "
                    f"labelling.budget.{exceeded} allows {getattr(self._limits, exceeded):,}; "
                    f"{self._format(self.spent, exceeded)} are spent. Raise the limit and run "
                    "again: stored answers cost nothing."
                )
            self._reserved += worst

    def record_usage(self, worst: Usage, real: Usage) -> None:
        """Replaces what was reserved for a call by what it cost."""
        with self._lock:
            self._reserved += Usage(-worst.input_tokens, -worst.output_tokens)
            self.spent += real

    def _format(self, usage: Usage, limit: str) -> str:
        if limit == "tokens":
            return f"{usage.tokens:,} tokens"
        return f"{compute_cost(usage, self._prices):.4f} {self._prices.currency}"


class BudgetedChat:
    """A language model that is asked only while the budget lasts; see `Chat`."""

    def __init__(self, chat: Chat, budget: Budget) -> None:
        self._chat = chat
        self._budget = budget

    def __call__(self, question: Question) -> Completion:
        """Reserves, asks, and records what the call cost."""
        worst = question.worst
        self._budget.reserve(worst)
        real = worst  # whoever is cut off in the middle may be billed
        try:
            completion = self._chat(question)
            real = completion.usage
        except ModelCallError as failure:
            # a call that was turned away is not billed; one that timed out may be
            unknown = isinstance(failure, TransientError) and failure.reason == "timeout"
            real = worst if unknown else failure.usage
            raise
        finally:
            self._budget.record_usage(worst, real)
        return completion


class RetryingChat:
    """A language model that is asked again when it is busy; see `Chat`."""

    def __init__(
        self, chat: Chat, patience: RetrySettings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._chat = chat
        self._patience = patience
        self._sleep = sleep

    def __call__(self, question: Question) -> Completion:
        """Asks until there is an answer; raises the last failure when patience ends."""
        for attempt in range(1, self._patience.attempts):
            try:
                return self._chat(question)
            except TransientError:
                doubled = self._patience.pause_seconds * 2.0 ** (attempt - 1)
                pause = min(doubled, self._patience.longest_pause_seconds)
                # spreads callers, so that they do not come back together
                self._sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - guards nothing
        return self._chat(question)


class RateLimitedChat:
    """A language model that is asked no more than `per_minute` times; None: without a limit."""

    def __init__(
        self,
        chat: Chat,
        per_minute: float | None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat = chat
        self._interval = 0.0 if per_minute is None else 60 / per_minute
        self._sleep = sleep
        self._clock = clock
        self._lock = Lock()
        self._next = float("-inf")

    def __call__(self, question: Question) -> Completion:
        """Waits for its turn, then asks."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
        return self._chat(question)
