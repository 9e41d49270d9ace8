"""What the lender's file gets wrong by itself: gaps where the bureau knows little, absurd entries.

Every sample has it, in fixed shares; the dirt that parameters add comes on top.
"""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clientela.simulation.chunks import RowBlock
from clientela.simulation.credit.borrowers import TRENDS
from clientela.simulation.seasonality import Ints

Flags = NDArray[np.bool_]

# Who lacks one lacks those that follow: the thinner the bureau's file, the more is missing.
MISSING_SHARES: Final = {
    "puntaje_datacredito": 0.00056,
    "saldo_mora": 0.0145,
    "saldo_total": 0.0145,
    "saldo_principal": 0.0376,
    "saldo_mora_codeudor": 0.0548,
    "promedio_ingresos_datacredito": 0.2722,
    "tendencia_ingresos": 0.2724,
}

NUMBER_AS_TREND_SHARE: Final = 0.0054
MEDIAN_CHANGE: Final = 60_000
FALLING_SHARE: Final = 0.25
ABSURD_AGE_SHARE: Final = 0.014
ABSURD_AGES: Final = (122, 122, 122, 122, 122, 122, 121, 122, 122, 123)
NO_SALARY_SHARE: Final = 0.002
ABSURD_SALARY_SHARE: Final = 0.008
HIGHEST_SALARY: Final = 22_000_000_000
ABSURD_LOANS_SHARE: Final = 0.004
MOST_ABSURD_EXPONENT: Final = 3.6  # of ten: a salary with up to four digits too many


def gaps(block: RowBlock, rng: np.random.Generator) -> dict[str, Flags]:
    """Which rows lack which column, in exact numbers.

    Args:
        block: Which loans.
        rng: Stream of the gaps.

    Returns:
        A mask per column of `MISSING_SHARES`; True where the value is missing.
    """
    thinness = rng.permutation(block.rows)
    return {column: thinness < block.count(share) for column, share in MISSING_SHARES.items()}


def _chosen(block: RowBlock, rng: np.random.Generator, share: float) -> Ints:
    return rng.choice(block.rows, block.count(share), replace=False)


def with_absurd_ages(block: RowBlock, rng: np.random.Generator, age: Ints) -> Ints:
    """The ages, some of them those of nobody alive.

    Args:
        block: Which loans.
        rng: Stream of the gaps.
        age: True ages.
    """
    entered = age.copy()
    victims = _chosen(block, rng, ABSURD_AGE_SHARE)
    entered[victims] = np.resize(ABSURD_AGES, len(victims))
    return entered


def _inflated(rng: np.random.Generator, amounts: Ints) -> Ints:
    """Amounts times up to ten to the power of `MOST_ABSURD_EXPONENT`."""
    factor = 10 ** rng.uniform(0.5, MOST_ABSURD_EXPONENT, len(amounts))
    return np.minimum(amounts * factor, HIGHEST_SALARY / 2).astype(np.int64)


def with_absurd_salaries(block: RowBlock, rng: np.random.Generator, salary: Ints) -> Ints:
    """The salaries, some zero, some with digits too many, the first of those 22,000,000,000.

    Args:
        block: Which loans.
        rng: Stream of the gaps.
        salary: Declared salaries.
    """
    entered = salary.copy()
    entered[_chosen(block, rng, NO_SALARY_SHARE)] = 0
    victims = _chosen(block, rng, ABSURD_SALARY_SHARE)
    entered[victims] = _inflated(rng, salary[victims])
    if block.position == 0:
        entered[victims[:1]] = HIGHEST_SALARY
    return entered


def with_absurd_loans(block: RowBlock, rng: np.random.Generator, loans: Ints) -> Ints:
    """The totals of other loans, some with digits too many.

    Args:
        block: Which loans.
        rng: Stream of the gaps.
        loans: Declared totals.
    """
    entered = loans.copy()
    victims = _chosen(block, rng, ABSURD_LOANS_SHARE)
    entered[victims] = _inflated(rng, loans[victims])
    return entered


def trends_as_entered(
    block: RowBlock, rng: np.random.Generator, trend: Ints, missing: Flags
) -> pa.Array:
    """`tendencia_ingresos` as text: three words, and now and then the number behind them.

    Args:
        block: Which loans.
        rng: Stream of the gaps.
        trend: Position in `TRENDS`.
        missing: True where the value is missing.
    """
    words = np.array(TRENDS, dtype=object)[trend]
    known = np.flatnonzero(~missing)
    victims = rng.choice(known, min(block.count(NUMBER_AS_TREND_SHARE), len(known)), replace=False)
    change = MEDIAN_CHANGE * np.exp(1.5 * rng.standard_normal(len(victims)))
    falls = rng.random(len(victims)) < FALLING_SHARE
    signed = np.where(falls, -change, change).astype(np.int64)
    words[victims] = signed.astype(str)
    return pa.array(words, pa.string(), mask=missing)
