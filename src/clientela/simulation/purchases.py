"""What is bought: the purchases of a chunk of customers.

Per rubro the number of purchases is fixed and who makes them is multinomial, which is what
independent Poisson customers give when their total is known. Some purchases bring follow-ups within
weeks (a cluster process after Neyman and Scott): they make short bursts, so that one quarter says
something about the next, but not everything.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from clientela.simulation.categories import CATEGORIES
from clientela.simulation.customers import Customers
from clientela.simulation.seasonality import HOURS_PER_DAY, Calendar, Floats, Ints

FOLLOW_UP_MEAN_HOURS: Final = 25.0 * HOURS_PER_DAY
SMALLEST_TICKET_CENTS: Final = 100


@dataclass(frozen=True)
class Purchases:
    """One entry per purchase, in no useful order.

    Attributes:
        customer: Position of the customer in the chunk.
        category: Position of the rubro in `CATEGORIES`.
        second: Local second since 1970.
        cents: Amount in hundredths, positive.
    """

    customer: Ints
    category: Ints
    second: Ints
    cents: Ints


def truncated_exponential(rng: np.random.Generator, mean: float, limit: Floats) -> Floats:
    """Exponential waiting times conditioned to stay below a limit each (inverse of the CDF)."""
    return -mean * np.log1p(rng.random(len(limit)) * np.expm1(-limit / mean))


def _category_purchases(
    rng: np.random.Generator, customers: Customers, calendar: Calendar, category: int, count: int
) -> Purchases:
    """Exactly `count` purchases of one rubro: first ones and their follow-ups."""
    begin = calendar.operational(category, customers.active_from)
    finish = calendar.operational(category, customers.active_until)
    weights = customers.tastes[:, category] * (finish - begin)
    spec = CATEGORIES[category]
    first_count = int(np.ceil(count / (1 + spec.follow_ups)))
    buyer = np.repeat(
        np.arange(len(weights)), rng.multinomial(first_count, weights / weights.sum())
    )
    moment = begin[buyer] + rng.random(first_count) * (finish - begin)[buyer]
    cause = rng.integers(first_count, size=count - first_count) if first_count else buyer
    wait = truncated_exponential(rng, FOLLOW_UP_MEAN_HOURS, finish[buyer[cause]] - moment[cause])
    customer = np.concatenate([buyer, buyer[cause]])
    ticket = spec.median_amount * customers.amount_factor[customer]
    ticket *= np.exp(spec.amount_sigma * rng.standard_normal(count))
    return Purchases(
        customer=customer,
        category=np.full(count, category),
        second=calendar.second(category, np.concatenate([moment, moment[cause] + wait])),
        cents=np.maximum(np.rint(100 * ticket).astype(np.int64), SMALLEST_TICKET_CENTS),
    )


def purchases_of(
    rng: np.random.Generator, customers: Customers, calendar: Calendar, count: int
) -> Purchases:
    """Draw the purchases of a chunk's customers.

    Args:
        rng: The chunk's stream for transactions.
        customers: Customers of the chunk.
        calendar: Window and seasons.
        count: Purchases wanted, met exactly.

    Returns:
        The purchases; every one lies within the active hours of its customer.
    """
    counts = rng.multinomial(count, [category.share for category in CATEGORIES])
    parts = [
        _category_purchases(rng, customers, calendar, category, int(part))
        for category, part in enumerate(counts)
    ]
    return Purchases(
        customer=np.concatenate([part.customer for part in parts]),
        category=np.concatenate([part.category for part in parts]),
        second=np.concatenate([part.second for part in parts]),
        cents=np.concatenate([part.cents for part in parts]),
    )
