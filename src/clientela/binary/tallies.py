"""Rows counted by predicted probability and true class: all that a probability measure needs.

Ranking, calibration and loss depend on which rows share a probability, never on their order. So
rows are sorted once, and the bootstrap only counts: a thousand samples cost a few passes over one
table instead of a thousand sorts.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clientela.classification.codes import Codes, Floats


@dataclass(frozen=True)
class Tallies:
    """Numbers of rows at each distinct predicted probability.

    Attributes:
        levels: The distinct probabilities of class 1, increasing; m of them.
        rows: Rows of class 0 and class 1 at each level, shape (..., m, 2).
    """

    levels: Floats
    rows: Floats

    @cached_property
    def totals(self) -> Floats:
        """Rows of class 0 and class 1, shape (..., 2)."""
        totals: Floats = self.rows.sum(axis=-2)
        return totals


def tallies(y_true: Codes, probability: Floats) -> Tallies:
    """The rows of one set of predictions, counted.

    Args:
        y_true: True codes, 0 or 1.
        probability: Predicted probability of code 1.

    Returns:
        One table of counts.
    """
    levels, cells = tally_cells(y_true, probability)
    counts = np.bincount(cells, minlength=2 * len(levels)).astype(np.float64)
    return Tallies(levels, counts.reshape(-1, 2))


def tally_cells(y_true: Codes, probability: Floats) -> tuple[Floats, Codes]:
    """The distinct probabilities, and for each row its cell in the flattened table of counts.

    Args:
        y_true: True codes, 0 or 1.
        probability: Predicted probability of code 1.

    Returns:
        Levels, increasing; and `2 * level + code` for each row.
    """
    levels, positions = np.unique(np.asarray(probability, dtype=np.float64), return_inverse=True)
    cells: Codes = 2 * positions + np.asarray(y_true, dtype=np.int64)
    return levels, cells


def ratio(numerator: Floats, denominator: Floats, *, empty: float) -> Floats:
    """Element by element quotient, with a given value where nothing is divided.

    Args:
        numerator: Dividends.
        denominator: Divisors, never negative.
        empty: The quotient where the divisor is zero.

    Returns:
        Quotients in the shape of both.
    """
    top, bottom = np.broadcast_arrays(numerator, denominator)
    filled = np.full(top.shape, empty)
    quotient: Floats = np.divide(top, bottom, out=filled, where=bottom > 0)
    return quotient
