"""What labelling is going to cost, said before the first call."""

from collections.abc import Sequence
from dataclasses import dataclass

from clientela.exceptions import LabellingError
from clientela.labelling.answers import Remembering
from clientela.labelling.budget import money
from clientela.labelling.cases import Case
from clientela.labelling.chat import NOTHING, Usage
from clientela.labelling.settings import BudgetSettings, Prices

LIKELY_SHARE = 0.5
"""Of the worst: prose has some 4 bytes per token where 2 are reckoned with, and answers are seldom
longer than half of what they may be."""


@dataclass(frozen=True)
class Estimate:
    """Cost of the rows that are still to be asked about.

    Attributes:
        rows: All rows, each as often as it is asked about.
        answered: Those with stored answers, which cost nothing.
        worst: Tokens that the others can't exceed, if no answer needs mending.
    """

    rows: int
    answered: int
    worst: Usage = NOTHING

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(
            self.rows + other.rows, self.answered + other.answered, self.worst + other.worst
        )

    @property
    def likely(self) -> Usage:
        """Tokens that the others will need, about."""
        return Usage(
            round(self.worst.input_tokens * LIKELY_SHARE),
            round(self.worst.output_tokens * LIKELY_SHARE),
        )


def estimate(cases: Sequence[Case], labeller: Remembering) -> Estimate:
    """The cost of labelling rows.

    Args:
        cases: The rows.
        labeller: Who would label them.

    Returns:
        The estimate.
    """
    pending = [case for case in cases if not labeller.has_answered(case.fields)]
    worst = NOTHING
    for case in pending:
        worst += labeller.most(case.fields)
    return Estimate(len(cases), len(cases) - len(pending), worst)


def sentence(found: Estimate, source: str, prices: Prices) -> str:
    """The estimate for people.

    Args:
        found: The estimate.
        source: Who labels.
        prices: What tokens cost.

    Returns:
        One sentence.
    """
    likely, worst = (money(usage, prices) for usage in (found.likely, found.worst))
    return (
        f"{found.rows:,} rows by {source}: {found.answered:,} are answered already; the others "
        f"need about {found.likely.tokens:,} tokens ({likely:.2f} {prices.currency}), at most "
        f"{found.worst.tokens:,} ({worst:.2f})."
    )


def require_affordable(found: Estimate, limits: BudgetSettings, prices: Prices) -> None:
    """Refuses to begin what the budget will hardly let end.

    Args:
        found: The estimate.
        limits: What may be spent.
        prices: What tokens cost.

    Raises:
        LabellingError: The likely cost is more than a limit; nothing was spent.
    """
    cost = money(found.likely, prices)
    too_long = limits.tokens is not None and found.likely.tokens > limits.tokens
    too_dear = limits.money is not None and cost > limits.money
    if too_long or too_dear:
        raise LabellingError(
            f"Labelling needs about {found.likely.tokens:,} tokens ({cost:.2f} {prices.currency}), "
            f"and labelling.budget allows {_limits(limits, prices)}. Nothing was asked yet. Raise "
            "the budget, or label fewer rows."
        )


def _limits(limits: BudgetSettings, prices: Prices) -> str:
    tokens = None if limits.tokens is None else f"{limits.tokens:,} tokens"
    cost = None if limits.money is None else f"{limits.money:.2f} {prices.currency}"
    return " and ".join(part for part in (tokens, cost) if part is not None)
