"""What a run may spend, checked against the worst before each call, so that no cap is passed."""

from threading import Lock

from clientela.labelling.chat import Chat, Completion, Question, Usage
from clientela.labelling.failures import CallFailed, Hopeless, Passing
from clientela.labelling.settings import BudgetSettings, Prices

TOKENS_PER_PRICE = 1e6


def money(usage: Usage, prices: Prices) -> float:
    """What tokens cost, in the currency of the prices."""
    return (
        usage.input_tokens * prices.input_per_million
        + usage.output_tokens * prices.output_per_million
    ) / TOKENS_PER_PRICE


class Budget:
    """The account of one run, shared by its workers.

    Before a call its worst is set aside; afterwards what it really cost takes its place.

    Args:
        limits: What may be spent.
        prices: What tokens cost.
    """

    def __init__(self, limits: BudgetSettings, prices: Prices) -> None:
        self._limits = limits
        self._prices = prices
        self._lock = Lock()
        self._set_aside = Usage()
        self.spent = Usage()

    def set_aside(self, worst: Usage) -> None:
        """Keeps tokens for a call.

        Args:
            worst: What it can't exceed.

        Raises:
            Hopeless: They are more than what is left.
        """
        with self._lock:
            planned = self.spent + self._set_aside + worst
            self.require_within(planned)
            self._set_aside += worst

    def settle(self, worst: Usage, real: Usage) -> None:
        """Replaces what was set aside for a call by what it cost.

        Args:
            worst: What was set aside.
            real: What it cost.
        """
        with self._lock:
            self._set_aside += Usage(-worst.input_tokens, -worst.output_tokens)
            self.spent += real

    def require_within(self, planned: Usage) -> None:
        """Refuses what the limits do not allow.

        Args:
            planned: All that would be spent.

        Raises:
            Hopeless: It is more than a limit; says which, and what was planned.
        """
        limits, cost = self._limits, money(planned, self._prices)
        currency = self._prices.currency
        if limits.tokens is not None and planned.tokens > limits.tokens:
            raise Hopeless(
                f"The next call could take this run to {planned.tokens:,} tokens, and "
                f"labelling.budget.tokens allows {limits.tokens:,}; {self.spent.tokens:,} are "
                "spent. Raise the limit and run again: stored answers cost nothing."
            )
        if limits.money is not None and cost > limits.money:
            raise Hopeless(
                f"The next call could take this run to {cost:.4f} {currency}, and "
                f"labelling.budget.money allows {limits.money:.4f}; "
                f"{money(self.spent, self._prices):.4f} are spent. Raise the limit and run again: "
                "stored answers cost nothing."
            )


class Budgeted:
    """A language model that is asked only while the budget lasts.

    Args:
        chat: The model.
        budget: The account of the run.
    """

    def __init__(self, chat: Chat, budget: Budget) -> None:
        self._chat = chat
        self._budget = budget

    def __call__(self, question: Question) -> Completion:
        """See `Chat`."""
        worst = question.worst
        self._budget.set_aside(worst)
        real = worst  # whoever is cut off in the middle may be billed
        try:
            completion = self._chat(question)
            real = completion.usage
        except CallFailed as failure:
            # a call that was turned away is not billed; one that timed out may be
            unknown = isinstance(failure, Passing) and failure.reason == "timeout"
            real = worst if unknown else failure.usage
            raise
        finally:
            self._budget.settle(worst, real)
        return completion
