"""What is lent: product, day, amount, term and instalment of each simulated loan."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from clientela.simulation.chunks import RowBlock
from clientela.simulation.credit.borrowers import Borrowers
from clientela.simulation.credit.parameters import CreditSimulation
from clientela.simulation.seasonality import SECONDS_PER_HOUR, Floats, Ints

PRODUCTS: Final = (4, 9, 10, 6)
PRODUCT_SHARES: Final = (0.72, 0.267, 0.011, 0.002)
MONTHS: Final = (6, 12, 10, 9, 8, 24, 36, 11, 18, 5, 3, 2)
MONTHS_SHARES: Final = (
    0.31,
    0.25,
    0.14,
    0.06,
    0.05,
    0.045,
    0.035,
    0.03,
    0.025,
    0.025,
    0.015,
    0.015,
)

MEDIAN_CAPITAL: Final = 1_900_000
SMALLEST_CAPITAL: Final = 360_000
OPENING_HOUR, CLOSING_HOUR = 7, 21
SECONDS_PER_DAY: Final = 24 * SECONDS_PER_HOUR


@dataclass(frozen=True)
class Terms:
    """One entry per loan of a block.

    Attributes:
        product: Code of the product.
        elapsed: When within the window it was lent, 0 at its start, 1 at its end.
        second: Second since 1970 of the loan, local time.
        months: Term.
        capital: Amount lent, one decimal.
        instalment: Monthly instalment.
    """

    product: Ints
    elapsed: Floats
    second: Ints
    months: Ints
    capital: Floats
    instalment: Ints


def _second(rng: np.random.Generator, simulation: CreditSimulation, elapsed: Floats) -> Ints:
    """Moments in opening hours; the early months of the window hold most of the loans."""
    first = (simulation.start - date(1970, 1, 1)).days
    days = (simulation.end - simulation.start).days + 1
    day = first + np.minimum(elapsed * days, days - 1).astype(np.int64)
    hour = OPENING_HOUR + (CLOSING_HOUR - OPENING_HOUR) * rng.beta(2.4, 2.2, len(elapsed))
    return day * SECONDS_PER_DAY + (hour * SECONDS_PER_HOUR).astype(np.int64)


def terms_of(simulation: CreditSimulation, block: RowBlock, borrowers: Borrowers) -> Terms:
    """Draw the terms of a block's loans.

    Args:
        simulation: The window.
        block: Which loans.
        borrowers: To whom; the wealthy borrow more.
    """
    rng, count = block.stream("transactions"), block.rows
    elapsed = rng.beta(1.3, 3.2, count)
    months = rng.choice(MONTHS, count, p=MONTHS_SHARES)
    trait = 0.25 * np.log(months / 9) + 0.2 * borrowers.wealth + 0.55 * rng.standard_normal(count)
    capital = np.maximum(MEDIAN_CAPITAL * np.exp(trait), SMALLEST_CAPITAL).round(1)
    # instalments of the declining-balance kind come out below capital / months for short terms
    divisor = np.clip(1.1 + 0.09 * rng.standard_normal(count), 0.7, 1.3)
    return Terms(
        product=rng.choice(PRODUCTS, count, p=PRODUCT_SHARES),
        elapsed=elapsed,
        second=_second(rng, simulation, elapsed),
        months=months,
        capital=capital,
        instalment=(capital / months / divisor).astype(np.int64),
    )
