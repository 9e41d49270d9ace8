"""What right and wrong decisions cost, and the probability at which deciding pays."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from clientela.classification.codes import Floats
from clientela.exceptions import ConfigurationError

CostTable = Sequence[Sequence[float]]
"""Cost of one row by true class (row) and predicted class (column); 2 x 2, as counts are."""

ONE_EACH: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 1.0), (1.0, 0.0))
"""Both mistakes cost one: the cost per row is then the share of mistakes."""


class CostMatrix(BaseModel):
    """The four costs as configuration writes them; any one currency, negative for a gain.

    Attributes:
        false_positive: Cost of a row of class 0 that is taken for class 1.
        false_negative: Cost of a row of class 1 that is taken for class 0.
        true_positive: Cost of a row of class 1 that is recognised.
        true_negative: Cost of a row of class 0 that is recognised.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0
    true_negative: float = 0.0

    @model_validator(mode="after")
    def _mistakes_cost_more(self) -> Self:
        if self.false_positive <= self.true_negative or self.false_negative <= self.true_positive:
            raise ValueError(
                "a mistake must cost more than the right decision on the same row: expected "
                f"false_positive > true_negative and false_negative > true_positive, got {self}"
            )
        return self

    @property
    def table(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Costs by true class (row) and predicted class (column)."""
        return (
            (self.true_negative, self.false_positive),
            (self.false_negative, self.true_positive),
        )


def checked_costs(costs: CostTable) -> Floats:
    """A cost table as an array.

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        2 x 2 numbers.

    Raises:
        ConfigurationError: They are not 2 x 2, or a mistake costs no more than the right decision.
    """
    table = np.asarray(costs, dtype=np.float64)
    if table.shape != (2, 2) or not (table[0, 1] > table[0, 0] and table[1, 0] > table[1, 1]):
        raise ConfigurationError(
            "Costs must be ((true negative, false positive), (false negative, true positive)), "
            f"each mistake dearer than the right decision on the same row; got {costs!r}."
        )
    return table


def cheapest_threshold(costs: Floats) -> float:
    """The probability of class 1 from which predicting 1 is expected to cost less (Elkan 2001).

    `(fp - tn) / (fp - tn + fn - tp)`. Right only for probabilities that are calibrated.

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        A number between 0 and 1.
    """
    needless, missed = costs[0, 1] - costs[0, 0], costs[1, 0] - costs[1, 1]
    return float(needless / (needless + missed))
