"""What a run may spend, checked against the worst before each call, so that no cap is passed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import pandas as pd

from clientela.exceptions import LabellingError
from clientela.models.labels import BudgetSettings, LabellingSettings, Prices
from clientela.pipelines.labelling.language_model import (
    NOTHING,
    Case,
    Chat,
    Completion,
    FatalError,
    Labeller,
    ModelCallError,
    Question,
    TransientError,
    Usage,
)
from clientela.pipelines.labelling.response_cache import AnswerStore, CachedLabeller
from clientela.pipelines.labelling.run import LabellingOptions, Outcome, label_rows

# What a run may spend, checked against the worst before each call, so that no cap is passed.


TOKENS_PER_PRICE = 1e6


def compute_cost(usage: Usage, prices: Prices) -> float:
    """What tokens cost, in the currency of the prices."""
    return (
        usage.input_tokens * prices.input_per_million
        + usage.output_tokens * prices.output_per_million
    ) / TOKENS_PER_PRICE


class Budget:
    """The account of one run, shared by its workers.

    Before a call its worst is set aside; afterwards what it really cost takes its place.
    """

    def __init__(self, limits: BudgetSettings, prices: Prices) -> None:
        self._limits = limits
        self._prices = prices
        self._lock = Lock()
        self._set_aside = Usage()
        self.spent = Usage()

    def reserve(self, worst: Usage) -> None:
        """Keeps tokens for a call.

        Raises:
            Hopeless: They are more than what is left.
        """
        with self._lock:
            planned = self.spent + self._set_aside + worst
            self.require_within_limits(planned)
            self._set_aside += worst

    def record_usage(self, worst: Usage, real: Usage) -> None:
        """Replaces what was set aside for a call by what it cost."""
        with self._lock:
            self._set_aside += Usage(-worst.input_tokens, -worst.output_tokens)
            self.spent += real

    def require_within_limits(self, planned: Usage) -> None:
        """Refuses what the limits do not allow.

        Raises:
            Hopeless: It is more than a limit; says which, and what was planned.
        """
        limits, cost = self._limits, compute_cost(planned, self._prices)
        currency = self._prices.currency
        if limits.tokens is not None and planned.tokens > limits.tokens:
            raise FatalError(
                f"The next call could take this run to {planned.tokens:,} tokens, and "
                f"labelling.budget.tokens allows {limits.tokens:,}; {self.spent.tokens:,} are "
                "spent. Raise the limit and run again: stored answers cost nothing."
            )
        if limits.money is not None and cost > limits.money:
            raise FatalError(
                f"The next call could take this run to {cost:.4f} {currency}, and "
                f"labelling.budget.money allows {limits.money:.4f}; "
                f"{compute_cost(self.spent, self._prices):.4f} are spent. Raise the limit and run again: "
                "stored answers cost nothing."
            )


class BudgetedChat:
    """A language model that is asked only while the budget lasts."""

    def __init__(self, chat: Chat, budget: Budget) -> None:
        self._chat = chat
        self._budget = budget

    def __call__(self, question: Question) -> Completion:
        """See `Chat`."""
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


# What labelling is going to cost, said before the first call.


LIKELY_SHARE = 0.5
"""Of the worst: prose has some 4 bytes per token where 2 are reckoned with, and answers are seldom
longer than half of what they may be."""


@dataclass(frozen=True)
class CostEstimate:
    """Cost of the rows that are still to be asked about.

    Attributes:
        rows: All rows, each as often as it is asked about.
        answered: Those with stored answers, which cost nothing.
        worst: Tokens that the others can't exceed, if no answer needs mending.
    """

    rows: int
    answered: int
    worst: Usage = NOTHING

    def __add__(self, other: "CostEstimate") -> "CostEstimate":
        return CostEstimate(
            self.rows + other.rows, self.answered + other.answered, self.worst + other.worst
        )

    @property
    def likely(self) -> Usage:
        """Tokens that the others will need, about."""
        return Usage(
            round(self.worst.input_tokens * LIKELY_SHARE),
            round(self.worst.output_tokens * LIKELY_SHARE),
        )


def estimate_cost(cases: Sequence[Case], labeller: CachedLabeller) -> CostEstimate:
    """The cost of labelling rows."""
    pending = [case for case in cases if not labeller.has_answered(case.fields)]
    worst = NOTHING
    for case in pending:
        worst += labeller.most(case.fields)
    return CostEstimate(len(cases), len(cases) - len(pending), worst)


def format_cost_estimate(found: CostEstimate, source: str, prices: Prices) -> str:
    """The estimate for people."""
    likely, worst = (compute_cost(usage, prices) for usage in (found.likely, found.worst))
    return (
        f"{found.rows:,} rows by {source}: {found.answered:,} are answered already; the others "
        f"need about {found.likely.tokens:,} tokens ({likely:.2f} {prices.currency}), at most "
        f"{found.worst.tokens:,} ({worst:.2f})."
    )


def require_affordable(found: CostEstimate, limits: BudgetSettings, prices: Prices) -> None:
    """Refuses to begin what the budget will hardly let end.

    Raises:
        LabellingError: The likely cost is more than a limit; nothing was spent.
    """
    cost = compute_cost(found.likely, prices)
    too_long = limits.tokens is not None and found.likely.tokens > limits.tokens
    too_dear = limits.money is not None and cost > limits.money
    if too_long or too_dear:
        raise LabellingError(
            f"Labelling needs about {found.likely.tokens:,} tokens ({cost:.2f} {prices.currency}), "
            f"and labelling.budget allows {_format_limits(limits, prices)}. Nothing was asked yet. Raise "
            "the budget, or label fewer rows."
        )


def _format_limits(limits: BudgetSettings, prices: Prices) -> str:
    tokens = None if limits.tokens is None else f"{limits.tokens:,} tokens"
    cost = None if limits.money is None else f"{limits.money:.2f} {prices.currency}"
    return " and ".join(part for part in (tokens, cost) if part is not None)


# What is asked in one run: every row once, and some again to see if the answer is stable.


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabellingRound:
    """Rows that are asked about once.

    Attributes:
        labeller: Who is asked, and remembers this opinion apart from others.
    """

    cases: Sequence[Case]
    labeller: CachedLabeller


def build_labelling_rounds(
    cases: Sequence[Case], labeller: Labeller, store: AnswerStore, settings: LabellingSettings
) -> list[LabellingRound]:
    """The first opinion on every row, and further ones on rows drawn at random.

    Args:
        settings: How many rows are asked about again, and how often.

    Returns:
        The first opinion, then the further ones, all on the same drawn rows.
    """

    def remembering(repeat: int) -> CachedLabeller:
        return CachedLabeller(labeller, store, repeat=repeat, retry_lost=settings.retry_lost)

    drawn = draw_repeat_positions(len(cases), settings)
    again = [cases[place] for place in drawn]
    repeats = settings.audit.stability_repeats if again else 1
    further = [LabellingRound(again, remembering(repeat)) for repeat in range(1, repeats)]
    return [LabellingRound(cases, remembering(0)), *further]


def draw_repeat_positions(rows: int, settings: LabellingSettings) -> list[int]:
    """Places of the rows that are asked about again."""
    wanted = min(settings.audit.stability_rows, rows)
    places = pd.Series(range(rows)).sample(wanted, random_state=settings.seed)
    return sorted(int(place) for place in places)


def check_and_log_cost(
    asked: Sequence[LabellingRound], labeller: Labeller, settings: LabellingSettings
) -> None:
    """Says what a run is going to cost, and refuses one that the budget will hardly let end.

    Raises:
        LabellingError: The likely cost is more than the budget; nothing was spent.
    """
    model = settings.language_model
    if model is None:
        logger.info("%d rows are labelled by %s, offline", len(asked[0].cases), labeller.source)
        return
    whole = sum(
        (estimate_cost(opinion.cases, opinion.labeller) for opinion in asked),
        start=CostEstimate(0, 0),
    )
    logger.info("%s", format_cost_estimate(whole, labeller.source, model.prices))
    require_affordable(whole, settings.budget, model.prices)


def run_labelling_rounds(
    asked: Sequence[LabellingRound], store: AnswerStore, handling: LabellingOptions
) -> list[list[Outcome]]:
    """What came of each opinion.

    Raises:
        LabellingError: No row can get an answer any more; what was answered is kept.
    """
    try:
        return [label_rows(opinion.cases, opinion.labeller, handling) for opinion in asked]
    finally:
        store.compact()
