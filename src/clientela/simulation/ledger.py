"""What is booked: purchases that earn or redeem points, and refunds that take them back."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clientela.simulation.purchases import Purchases, truncated_exponential
from clientela.simulation.seasonality import HOURS_PER_DAY, SECONDS_PER_HOUR, Calendar, Ints

KINDS: Final = ("ACUMULACION", "REDENCION", "DEVOLUCION")
EARNING, REDEEMING, REFUNDING = range(3)

REFUND_SHARE: Final = 0.015
REDEMPTION_SHARE: Final = 0.05
CENTS_PER_POINT: Final = 200  # spent to earn one point
POINT_VALUE_CENTS: Final = 4  # paid by one redeemed point, 2 % of what earned it
REFUND_MEAN_DAYS: Final = 9.0


@dataclass(frozen=True)
class Ledger:
    """One entry per transaction of a chunk, in order of time.

    Attributes:
        customer: Position of the customer in the chunk.
        category: Position of the rubro in `CATEGORIES`.
        second: Local second since 1970.
        cents: Amount in hundredths, negative for refunds.
        points: Points earned (positive), redeemed or taken back (negative).
        kind: Position in `KINDS`.
    """

    customer: Ints
    category: Ints
    second: Ints
    cents: Ints
    points: Ints
    kind: Ints

    def at(self, order: Ints) -> "Ledger":
        """The entries at these positions, in this order."""
        return Ledger(**{name: column[order] for name, column in vars(self).items()})

    def followed_by(self, other: "Ledger") -> "Ledger":
        """These entries, then the other's."""
        columns = vars(other)
        return Ledger(
            **{name: np.concatenate([column, columns[name]]) for name, column in vars(self).items()}
        )

    def balance(self, customers: int) -> Ints:
        """Points held by each customer after the last entry."""
        held = np.bincount(self.customer, weights=self.points, minlength=customers)
        return held.astype(np.int64)


def _redeemable(customer: Ints, redeeming: NDArray[np.bool_], earned: Ints) -> Ints:
    """Points earned since the customer's last redemption, for each redeeming entry.

    Entries are ordered by customer and time. Only points of that stretch may be spent, and the
    stretches do not overlap: no balance ever falls below zero, without a loop over entries.
    """
    starts = np.flatnonzero(redeeming | np.diff(customer, prepend=-1).astype(bool))
    stretch = np.add.reduceat(earned, starts)
    is_redeeming = redeeming[starts]
    same_customer = np.diff(customer[starts], prepend=-1) == 0
    before = np.concatenate([[0], stretch[:-1]])
    return np.where(same_customer, before, 0)[is_redeeming]


def _points(rng: np.random.Generator, purchases: Ledger, refunded: NDArray[np.bool_]) -> Ints:
    """Points of each purchase; points of a refunded one are never spent before they are taken."""
    redeeming = (rng.random(len(refunded)) < REDEMPTION_SHARE) & ~refunded
    earned = purchases.cents // CENTS_PER_POINT
    available = _redeemable(
        purchases.customer, redeeming, np.where(refunded | redeeming, 0, earned)
    )
    affordable = purchases.cents[redeeming] // POINT_VALUE_CENTS
    wanted = (available * rng.uniform(0.3, 1.0, len(available))).astype(np.int64)
    redeemed = np.zeros_like(earned)
    redeemed[redeeming] = np.minimum(wanted, affordable)
    return np.where(redeemed > 0, -redeemed, earned)


def _refunds(rng: np.random.Generator, refunded: Ledger, calendar: Calendar) -> Ledger:
    """One entry per refunded purchase, later than it, with its amount and points reversed."""
    last = calendar.first_second + calendar.hours * SECONDS_PER_HOUR - 1
    mean = REFUND_MEAN_DAYS * HOURS_PER_DAY * SECONDS_PER_HOUR
    wait = truncated_exponential(rng, mean, (last - refunded.second).astype(np.float64))
    return Ledger(
        customer=refunded.customer,
        category=refunded.category,
        second=refunded.second + wait.astype(np.int64),
        cents=-refunded.cents,
        points=-refunded.points,
        kind=np.full(len(wait), REFUNDING),
    )


def refund_count(rows: int) -> int:
    """Refunds among this many transactions."""
    return int(rows * REFUND_SHARE)


def ledger_of(
    rng: np.random.Generator, purchases: Purchases, refunds: int, calendar: Calendar
) -> Ledger:
    """Book the purchases of a chunk, and as many refunds as asked for.

    Args:
        rng: The chunk's stream for transactions.
        purchases: What is bought.
        refunds: Purchases that are given back later.
        calendar: Window of the simulation.

    Returns:
        The entries in order of time; the running balance of every customer stays at or above zero.
    """
    order = np.lexsort((purchases.second, purchases.customer))
    blank = np.zeros_like(purchases.cents)
    bought = Ledger(**vars(purchases), points=blank, kind=blank).at(order)
    refunded = np.zeros(len(order), bool)
    refunded[rng.choice(len(order), refunds, replace=False)] = True
    points = _points(rng, bought, refunded)
    kind = np.where(points < 0, REDEEMING, EARNING)
    booked = Ledger(**(vars(bought) | {"points": points, "kind": kind}))
    back = _refunds(rng, booked.at(np.flatnonzero(refunded)), calendar)
    entries = booked.followed_by(back)
    return entries.at(np.argsort(entries.second, kind="stable"))
