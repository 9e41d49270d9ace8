"""Who buys: simulated people with lasting tastes, a date of joining, and sometimes of leaving."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clientela.pipelines.data_generation.simulation import (
    CATEGORIES,
    HOURS_PER_DAY,
    SECONDS_PER_HOUR,
    Calendar,
    Chunk,
    Floats,
    Ints,
    pad_numbers,
)

# Who buys: simulated people with lasting tastes, a date of joining, and sometimes of leaving.


COLUMNS: Final = ("id_cliente", "fecha_nacimiento", "genero", "estrato_social", "saldo_puntos")

ID_DIGITS: Final = 8
# Odd and no multiple of 5, hence a bijection modulo 10**8: ids look arbitrary and never repeat.
_ID_MULTIPLIER: Final = 38_196_601
_ID_OFFSET: Final = 7_306_411

CITIES: Final = ("Bogotá", "Lima", "Santiago", "Medellín", "Arequipa", "Cali", "Valparaíso")
CITY_SHARES: Final = (0.24, 0.26, 0.17, 0.13, 0.07, 0.08, 0.05)
GENDERS: Final = ("F", "M")
ESTRATO_SHARES: Final = (0.10, 0.22, 0.30, 0.20, 0.11, 0.07)

MISSING_BIRTH_DATE: Final = 0.15
MISSING_ESTRATO: Final = 0.10
MISSING_GENDER: Final = 0.04

ACTIVITY_SHAPE: Final = 4.0
MEMBERS_AT_START: Final = 0.7
LAST_JOINING: Final = 0.75  # of the window, so that everyone leaves some history
LAPSING_SHARE: Final = 0.25
LAPSING_MEAN_DAYS: Final = 300.0
AMOUNT_PER_ESTRATO: Final = 0.12


@dataclass(frozen=True)
class Customers:
    """One entry per customer of a chunk, in the order of their numbers.

    Attributes:
        number: Position in the whole simulation.
        active_from: Hour of the window at which buying may begin.
        active_until: Hour of the window at which the customer lapses, or the window ends.
        tastes: Pace of buying per customer and rubro, relative to the average customer.
        amount_factor: Factor on every ticket.
        online: Probability that a purchase is made online.
        city: Position of the home city in `CITIES`.
        birth_day: Birth date in days since 1970.
        estrato: Social stratum, 1 to 6.
    """

    number: Ints
    active_from: Floats
    active_until: Floats
    tastes: Floats
    amount_factor: Floats
    online: Floats
    city: Ints
    birth_day: Ints
    gender: Ints
    estrato: Ints


def _draw_active_hours(rng: np.random.Generator, count: int, hours: int) -> tuple[Floats, Floats]:
    """Hours of joining and of lapsing within the window, `joined < lapsed <= hours`."""
    late = rng.random(count) >= MEMBERS_AT_START
    joined = np.where(late, rng.random(count) * hours * LAST_JOINING, 0.0)
    lapses = rng.random(count) < LAPSING_SHARE
    stay = rng.exponential(LAPSING_MEAN_DAYS * HOURS_PER_DAY, count) + HOURS_PER_DAY
    return joined, np.where(lapses, np.minimum(joined + stay, hours), hours)


def _draw_tastes(rng: np.random.Generator, age: Floats, estrato: Ints) -> Floats:
    """Pace per customer and rubro: gamma activity times gamma taste times demographics."""
    activity = rng.gamma(ACTIVITY_SHAPE, 1 / ACTIVITY_SHAPE, len(age))
    columns = [
        rng.gamma(category.taste_shape, 1 / category.taste_shape, len(age))
        * np.exp(category.age_slope * (age - 40) + category.estrato_slope * (estrato - 3))
        for category in CATEGORIES
    ]
    return np.column_stack(columns) * activity[:, None]


def draw_customers(chunk: Chunk, calendar: Calendar) -> Customers:
    """Draw the customers of a chunk.

    Args:
        calendar: Window of the simulation; ages are drawn at its end.

    Returns:
        The customers with everything that their purchases depend on.
    """
    rng, count = chunk.create_rng("customers"), chunk.customers
    age = 18 + 67 * rng.beta(1.7, 2.9, count)
    estrato = rng.choice(6, count, p=ESTRATO_SHARES) + 1
    active_from, active_until = _draw_active_hours(rng, count, calendar.hours)
    last_day = (calendar.end - date(1970, 1, 1)).days
    return Customers(
        number=chunk.first_customer + np.arange(count, dtype=np.int64),
        active_from=active_from,
        active_until=active_until,
        tastes=_draw_tastes(rng, age, estrato),
        amount_factor=np.exp(
            AMOUNT_PER_ESTRATO * (estrato - 3) + 0.15 * rng.standard_normal(count)
        ),
        online=rng.beta(1.2, 2.2, count),
        city=rng.choice(len(CITIES), count, p=CITY_SHARES),
        birth_day=(last_day - age * 365.25).astype(np.int64),
        gender=rng.integers(len(GENDERS), size=count),
        estrato=estrato.astype(np.int64),
    )


def encode_customer_ids(number: Ints) -> pa.StringArray:
    """Text ids of eight digits, leading zeros kept, for customers' positions (PII: a key)."""
    return pad_numbers((number * _ID_MULTIPLIER + _ID_OFFSET) % 10**ID_DIGITS, ID_DIGITS)


def build_customers_table(chunk: Chunk, customers: Customers, balance: Ints) -> pa.Table:
    """One row per customer of the chunk, as the retailer's system exports it.

    Args:
        chunk: The chunk; its stream decides which attributes are missing.
        balance: Points each of them holds at the end of the window.

    Returns:
        `id_cliente` (text, key, PII), `fecha_nacimiento` (date, PII, partly missing), `genero`
        (F or M, partly missing), `estrato_social` (1 to 6, partly missing), `saldo_puntos`.
    """
    rng, count = chunk.create_rng("gaps"), chunk.customers
    missing_birth, missing_estrato, missing_gender = (
        rng.random(count) < share for share in (MISSING_BIRTH_DATE, MISSING_ESTRATO, MISSING_GENDER)
    )
    genders = pa.array(customers.gender, mask=missing_gender)
    birth_days = pa.array(customers.birth_day.astype(np.int32), mask=missing_birth)
    return pa.table(
        {
            "id_cliente": encode_customer_ids(customers.number),
            "fecha_nacimiento": birth_days.cast(pa.date32()),
            "genero": pa.array(GENDERS).take(genders),
            "estrato_social": pa.array(customers.estrato, mask=missing_estrato),
            "saldo_puntos": pa.array(balance),
        }
    )


# What is bought: the purchases of a chunk of customers.
#
# Per rubro the number of purchases is fixed and who makes them is multinomial, which is what
# independent Poisson customers give when their total is known. Some purchases bring follow-ups within
# weeks (a cluster process after Neyman and Scott): they make short bursts, so that one quarter says
# something about the next, but not everything.


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


def draw_truncated_exponential(rng: np.random.Generator, mean: float, limit: Floats) -> Floats:
    """Exponential waiting times conditioned to stay below a limit each (inverse of the CDF)."""
    return -mean * np.log1p(rng.random(len(limit)) * np.expm1(-limit / mean))


def _draw_category_purchases(
    rng: np.random.Generator, customers: Customers, calendar: Calendar, category: int, count: int
) -> Purchases:
    """Exactly `count` purchases of one rubro: first ones and their follow-ups."""
    begin = calendar.to_operational_time(category, customers.active_from)
    finish = calendar.to_operational_time(category, customers.active_until)
    weights = customers.tastes[:, category] * (finish - begin)
    spec = CATEGORIES[category]
    first_count = int(np.ceil(count / (1 + spec.follow_ups)))
    buyer = np.repeat(
        np.arange(len(weights)), rng.multinomial(first_count, weights / weights.sum())
    )
    moment = begin[buyer] + rng.random(first_count) * (finish - begin)[buyer]
    cause = rng.integers(first_count, size=count - first_count) if first_count else buyer
    wait = draw_truncated_exponential(
        rng, FOLLOW_UP_MEAN_HOURS, finish[buyer[cause]] - moment[cause]
    )
    customer = np.concatenate([buyer, buyer[cause]])
    ticket = spec.median_amount * customers.amount_factor[customer]
    ticket *= np.exp(spec.amount_sigma * rng.standard_normal(count))
    return Purchases(
        customer=customer,
        category=np.full(count, category),
        second=calendar.second(category, np.concatenate([moment, moment[cause] + wait])),
        cents=np.maximum(np.rint(100 * ticket).astype(np.int64), SMALLEST_TICKET_CENTS),
    )


def draw_purchases(
    rng: np.random.Generator, customers: Customers, calendar: Calendar, count: int
) -> Purchases:
    """Draw the purchases of a chunk's customers.

    Returns:
        The purchases; every one lies within the active hours of its customer.
    """
    counts = rng.multinomial(count, [category.share for category in CATEGORIES])
    parts = [
        _draw_category_purchases(rng, customers, calendar, category, int(part))
        for category, part in enumerate(counts)
    ]
    return Purchases(
        customer=np.concatenate([part.customer for part in parts]),
        category=np.concatenate([part.category for part in parts]),
        second=np.concatenate([part.second for part in parts]),
        cents=np.concatenate([part.cents for part in parts]),
    )


# What is booked: purchases that earn or redeem points, and refunds that take them back.


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

    def append_entries(self, other: "Ledger") -> "Ledger":
        """These entries, then the other's."""
        columns = vars(other)
        return Ledger(
            **{name: np.concatenate([column, columns[name]]) for name, column in vars(self).items()}
        )

    def balance(self, customers: int) -> Ints:
        """Points held by each customer after the last entry."""
        held = np.bincount(self.customer, weights=self.points, minlength=customers)
        return held.astype(np.int64)


def _compute_redeemable_points(customer: Ints, redeeming: NDArray[np.bool_], earned: Ints) -> Ints:
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


def _draw_points(rng: np.random.Generator, purchases: Ledger, refunded: NDArray[np.bool_]) -> Ints:
    """Points of each purchase; points of a refunded one are never spent before they are taken."""
    redeeming = (rng.random(len(refunded)) < REDEMPTION_SHARE) & ~refunded
    earned = purchases.cents // CENTS_PER_POINT
    available = _compute_redeemable_points(
        purchases.customer, redeeming, np.where(refunded | redeeming, 0, earned)
    )
    affordable = purchases.cents[redeeming] // POINT_VALUE_CENTS
    wanted = (available * rng.uniform(0.3, 1.0, len(available))).astype(np.int64)
    redeemed = np.zeros_like(earned)
    redeemed[redeeming] = np.minimum(wanted, affordable)
    return np.where(redeemed > 0, -redeemed, earned)


def _draw_refunds(rng: np.random.Generator, refunded: Ledger, calendar: Calendar) -> Ledger:
    """One entry per refunded purchase, later than it, with its amount and points reversed."""
    last = calendar.first_second + calendar.hours * SECONDS_PER_HOUR - 1
    mean = REFUND_MEAN_DAYS * HOURS_PER_DAY * SECONDS_PER_HOUR
    wait = draw_truncated_exponential(rng, mean, (last - refunded.second).astype(np.float64))
    return Ledger(
        customer=refunded.customer,
        category=refunded.category,
        second=refunded.second + wait.astype(np.int64),
        cents=-refunded.cents,
        points=-refunded.points,
        kind=np.full(len(wait), REFUNDING),
    )


def count_refunds(rows: int) -> int:
    """Refunds among this many transactions."""
    return int(rows * REFUND_SHARE)


def build_ledger(
    rng: np.random.Generator, purchases: Purchases, refunds: int, calendar: Calendar
) -> Ledger:
    """Book the purchases of a chunk, and as many refunds as asked for.

    Args:
        refunds: Purchases that are given back later.

    Returns:
        The entries in order of time; the running balance of every customer stays at or above zero.
    """
    order = np.lexsort((purchases.second, purchases.customer))
    blank = np.zeros_like(purchases.cents)
    bought = Ledger(**vars(purchases), points=blank, kind=blank).at(order)
    refunded = np.zeros(len(order), bool)
    refunded[rng.choice(len(order), refunds, replace=False)] = True
    points = _draw_points(rng, bought, refunded)
    kind = np.where(points < 0, REDEEMING, EARNING)
    booked = Ledger(**(vars(bought) | {"points": points, "kind": kind}))
    back = _draw_refunds(rng, booked.at(np.flatnonzero(refunded)), calendar)
    entries = booked.append_entries(back)
    return entries.at(np.argsort(entries.second, kind="stable"))
