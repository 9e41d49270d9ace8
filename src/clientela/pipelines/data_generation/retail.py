"""A simulated retailer: its parameters, rubros, calendar and customers, and what they buy.

Numbers are invented and rounded; no row of a real retailer is in them.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from clientela.pipelines.data_generation.simulation import (
    SECONDS_PER_HOUR,
    DateWindow,
    DirtShares,
    Floats,
    Ints,
    RowBlock,
    Share,
    Simulation,
    pad_numbers,
)

CUSTOMER_COLUMNS: Final = (
    "id_cliente",
    "fecha_nacimiento",
    "genero",
    "estrato_social",
    "saldo_puntos",
)
HOURS_PER_DAY: Final = 24

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

FOLLOW_UP_MEAN_HOURS: Final = 25.0 * HOURS_PER_DAY
SMALLEST_TICKET_CENTS: Final = 100


class TransactionDirtShares(DirtShares):
    """Share of rows per kind of dirt; a row carries one kind at most.

    The defaults spoil about half a per cent of the rows, so that every kind occurs in the default
    sample and ingestion still passes its threshold.
    """

    conflicting_duplicate: Share = Field(
        0.0003, description="Further row with an earlier row's id and another amount."
    )
    missing_transaction_id: Share = Field(0.0003, description="Empty id_transaccion.")
    missing_customer_id: Share = Field(0.0005, description="Empty id_cliente.")
    unknown_customer: Share = Field(
        0.0005, description="Well-formed id_cliente that the customers table lacks."
    )
    impossible_date: Share = Field(0.0005, description="A day no calendar has, 2023-02-30.")
    year_out_of_range: Share = Field(0.0003, description="A real day in 1904 or 2192.")
    unparseable_amount: Share = Field(0.0005, description="Text that is no number, as 12.5x.")
    missing_amount: Share = Field(0.0005, description="Empty valor_transaccion.")
    excess_decimals: Share = Field(0.0004, description="An amount with three decimals.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the amount.")


@dataclass(frozen=True)
class Chunk(RowBlock):
    """One group of customers; its rows are their transactions."""

    first_customer: int
    customers: int


class TransactionSimulation(DateWindow, Simulation):
    """One simulated retailer; equal parameters give equal bytes.

    `chunk_rows` belongs to the identity of the data: every chunk of customers draws from its own
    random stream, so another chunk size gives another (equally valid) sample.
    """

    customers: int = Field(4_000, ge=1, le=50_000_000, description="Rows of the customers table.")
    transactions: int = Field(
        200_000, ge=1, le=2_000_000_000, description="Transactions, added duplicates not counted."
    )
    start: date = Field(date(2022, 7, 1), description="First day with transactions.")
    end: date = Field(date(2024, 6, 30), description="Last day with transactions, included.")
    dirt: TransactionDirtShares | None = Field(
        default_factory=TransactionDirtShares,
        description="Share of rows per kind; null for a clean sample.",
    )
    chunk_rows: int = Field(
        250_000, ge=1_000, le=2_000_000, description="Transactions held in memory at a time."
    )

    @property
    def size(self) -> int:
        """Transactions, added duplicates not counted."""
        return self.transactions

    def blocks(self) -> Iterator[Chunk]:
        """Chunks of about `chunk_rows` transactions each, of one customer at least."""
        count = min(-(-self.transactions // self.chunk_rows), self.customers)
        for position in range(count):
            first, last = (self.customers * i // count for i in (position, position + 1))
            first_row, last_row = (self.transactions * i // self.customers for i in (first, last))
            yield Chunk(position, self.seed, first_row, last_row - first_row, first, last - first)


@dataclass(frozen=True)
class Category:
    """One rubro: its weight in the basket, its prices, and how differently people want it.

    Attributes:
        amount_sigma: Standard deviation of the logarithm of the ticket.
        taste_shape: Shape of the gamma-distributed taste of a customer; the smaller it is, the
            fewer customers make most of the purchases.
        follow_ups: Further purchases that one purchase brings on average (a phone, then its case).
        month_factors: Factor on sales per month of the year, 1 where absent.
        event_factor: Factor on sales during Black Friday, Cyber Monday and Hot Sale.
        age_slope: Change of the log-taste per year of age.
    """

    name: str
    share: float
    median_amount: float
    amount_sigma: float
    taste_shape: float
    follow_ups: float = 0.0
    month_factors: dict[int, float] = field(default_factory=dict)
    event_factor: float = 1.0
    age_slope: float = 0.0
    estrato_slope: float = 0.0


_GIFTS = {5: 1.2, 7: 1.15, 11: 1.25, 12: 1.7}
_SCHOOL_AND_GIFTS = {2: 1.3, 3: 1.4} | _GIFTS

CATEGORIES: Final = (
    Category("SUPERMERCADO", 0.315, 95.0, 0.70, 2.5, month_factors={12: 1.25}),
    Category("FARMACIA", 0.12, 38.0, 0.75, 1.2, age_slope=0.015),
    Category("RESTAURANTES", 0.14, 62.0, 0.60, 1.2, month_factors={12: 1.2}, age_slope=-0.008),
    Category("TECNOLOGÍA", 0.125, 260.0, 1.05, 1.6, 0.3, _SCHOOL_AND_GIFTS, 2.5, -0.022, 0.14),
    Category("ROPA", 0.11, 110.0, 0.70, 1.1, 0.2, _GIFTS, 1.8),
    Category("HOGAR", 0.07, 140.0, 0.90, 0.9, 0.4, {5: 1.2, 12: 1.3}, 1.6, estrato_slope=0.06),
    Category("DEPORTES", 0.04, 120.0, 0.80, 0.6, 0.2, {1: 1.3, 12: 1.3}, age_slope=-0.012),
    Category("BELLEZA", 0.04, 55.0, 0.65, 0.7, month_factors=_GIFTS),
    Category("JUGUETERÍA", 0.02, 75.0, 0.75, 0.5, 0.3, {7: 1.3, 12: 3.0}, 1.5),
    Category("MASCOTAS", 0.02, 68.0, 0.55, 0.4),
)

# Shaped like the opening hours of a shopping centre with an online shop at night.
_HOUR_WEIGHTS: Final = np.array(
    [2, 1, 1, 1, 1, 2, 4, 8, 18, 35, 52, 64, 72, 68, 58, 54, 58, 70, 86, 92, 78, 48, 22, 8], float
)
_WEEKDAY_WEIGHTS: Final = np.array([0.85, 0.85, 0.9, 0.95, 1.15, 1.35, 1.1])


def list_spellings(name: str) -> tuple[str, ...]:
    """Ways in which tills write one rubro, the official one first.

    Returns:
        `TECNOLOGÍA`, `TECNOLOGIA`, `Tecnología`, `Tecnologia` and `tecnología`; the unaccented ones
        equal the accented ones where the name has no accent.
    """
    letters = unicodedata.normalize("NFD", name)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return (name, plain, name.capitalize(), plain.capitalize(), name.lower())


def compute_day_weight(category: Category, day: date) -> float:
    """How much of a rubro is sold on a day: month, weekday, Black Friday and the like."""
    first_of_november = date(day.year, 11, 1)
    thanksgiving = first_of_november + timedelta(days=(3 - first_of_november.weekday()) % 7 + 21)
    black_friday, cyber_monday = (thanksgiving + timedelta(days=n) for n in (1, 4))
    is_hot_sale = date(day.year, 5, 27) <= day <= date(day.year, 5, 31)
    is_event = is_hot_sale or day in {black_friday, cyber_monday}
    event_factor = category.event_factor if is_event else 1.0
    month_factor = category.month_factors.get(day.month, 1.0)
    return float(month_factor * event_factor * _WEEKDAY_WEIGHTS[day.weekday()])


@dataclass(frozen=True)
class Calendar:
    """The window of the simulation and the pace of sales in it.

    Purchases are drawn in operational time, in which customers buy at an even pace, and carried to
    the clock by the inverse of the cumulative intensity (Cinlar, 1975, time change of a Poisson
    process). That makes a seasonal process as cheap as an even one, without rejected draws.
    """

    start: date
    end: date

    @classmethod
    def of(cls, simulation: TransactionSimulation) -> Self:
        """The calendar of a simulation."""
        return cls(simulation.start, simulation.end)

    @property
    def hours(self) -> int:
        """Length of the window in hours."""
        return ((self.end - self.start).days + 1) * HOURS_PER_DAY

    @property
    def first_second(self) -> int:
        """First second of the window, counted from 1970 in local time."""
        return (self.start - date(1970, 1, 1)).days * HOURS_PER_DAY * SECONDS_PER_HOUR

    @cached_property
    def _clock_and_curves(self) -> tuple[Floats, tuple[Floats, ...]]:
        """Full hours, and per rubro the operational time at each, which ends at `hours` too."""
        first = self.start.toordinal()
        days = [date.fromordinal(first + i) for i in range(self.hours // HOURS_PER_DAY)]
        curves = []
        for category in CATEGORIES:
            day_weights = np.array([compute_day_weight(category, day) for day in days])
            weights = np.outer(day_weights, _HOUR_WEIGHTS).ravel()
            total = np.concatenate([[0.0], np.cumsum(weights)])
            curves.append(total * (self.hours / total[-1]))
        return np.arange(self.hours + 1, dtype=np.float64), tuple(curves)

    def to_operational_time(self, category: int, hour: Floats) -> Floats:
        """Operational time of clock hours since the start, for the rubro at this position."""
        clock, curves = self._clock_and_curves
        return np.interp(hour, clock, curves[category])

    def to_second(self, category: int, operational: Floats) -> Ints:
        """Second since 1970 of operational times, for the rubro at this position."""
        clock, curves = self._clock_and_curves
        hour = np.interp(operational, curves[category], clock)
        offset = np.minimum(hour * SECONDS_PER_HOUR, self.hours * SECONDS_PER_HOUR - 1)
        return self.first_second + offset.astype(np.int64)


@dataclass(frozen=True)
class Customers:
    """One entry per customer of a chunk, in the order of their numbers.

    Attributes:
        active_from: Hour of the window at which buying may begin.
        active_until: Hour of the window at which the customer lapses, or the window ends.
        tastes: Pace of buying per customer and rubro, relative to the average customer.
        online: Probability that a purchase is made online.
        city: Position of the home city in `CITIES`.
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


def draw_customers(chunk: Chunk, calendar: Calendar) -> Customers:
    """Draws the customers of a chunk, with everything that their purchases depend on.

    Args:
        calendar: Window of the simulation; ages are drawn at its end.
    """
    rng, count, hours = chunk.create_rng("customers"), chunk.customers, calendar.hours
    age = 18 + 67 * rng.beta(1.7, 2.9, count)
    estrato = rng.choice(6, count, p=ESTRATO_SHARES) + 1
    joins_late = rng.random(count) >= MEMBERS_AT_START
    joined = np.where(joins_late, rng.random(count) * hours * LAST_JOINING, 0.0)
    lapses = rng.random(count) < LAPSING_SHARE
    stay = rng.exponential(LAPSING_MEAN_DAYS * HOURS_PER_DAY, count) + HOURS_PER_DAY
    last_day = (calendar.end - date(1970, 1, 1)).days
    return Customers(
        number=chunk.first_customer + np.arange(count, dtype=np.int64),
        active_from=joined,
        active_until=np.where(lapses, np.minimum(joined + stay, hours), hours),
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


def _draw_tastes(rng: np.random.Generator, age: Floats, estrato: Ints) -> Floats:
    """Pace per customer and rubro: gamma activity times gamma taste times demographics."""
    activity = rng.gamma(ACTIVITY_SHAPE, 1 / ACTIVITY_SHAPE, len(age))
    columns = [
        rng.gamma(category.taste_shape, 1 / category.taste_shape, len(age))
        * np.exp(category.age_slope * (age - 40) + category.estrato_slope * (estrato - 3))
        for category in CATEGORIES
    ]
    return np.column_stack(columns) * activity[:, None]


def encode_customer_ids(number: Ints) -> pa.StringArray:
    """Text ids of eight digits, leading zeros kept, for customers' positions (PII: a key)."""
    return pad_numbers((number * _ID_MULTIPLIER + _ID_OFFSET) % 10**ID_DIGITS, ID_DIGITS)


def build_customers_table(chunk: Chunk, customers: Customers, balance: Ints) -> pa.Table:
    """One row per customer of the chunk, as the retailer's system exports it.

    Args:
        balance: Points each of them holds at the end of the window.

    Returns:
        `id_cliente` (text, key, PII), `fecha_nacimiento` (date, PII, partly missing), `genero`
        (F or M, partly missing), `estrato_social` (1 to 6, partly missing), `saldo_puntos`.
    """
    rng, count = chunk.create_rng("gaps"), chunk.customers
    missing_birth, missing_estrato, missing_gender = (
        rng.random(count) < share for share in (MISSING_BIRTH_DATE, MISSING_ESTRATO, MISSING_GENDER)
    )
    columns = (
        encode_customer_ids(customers.number),
        pa.array(customers.birth_day.astype(np.int32), mask=missing_birth).cast(pa.date32()),
        pa.array(GENDERS).take(pa.array(customers.gender, mask=missing_gender)),
        pa.array(customers.estrato, mask=missing_estrato),
        pa.array(balance),
    )
    return pa.table(dict(zip(CUSTOMER_COLUMNS, columns, strict=True)))


@dataclass(frozen=True)
class Ledger:
    """One entry per transaction of a chunk.

    Attributes:
        customer: Position of the customer in the chunk.
        points: Points earned (positive), redeemed or taken back (negative).
    """

    customer: Ints
    category: Ints
    second: Ints
    cents: Ints
    points: Ints
    kind: Ints

    def take(self, order: Ints) -> "Ledger":
        """The entries at these positions, in this order."""
        return Ledger(**{name: column[order] for name, column in vars(self).items()})

    @classmethod
    def concatenate(cls, *parts: "Ledger") -> "Ledger":
        """The entries of each part, one after the other."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*map(np.concatenate, columns))

    def balance(self, customers: int) -> Ints:
        """Points held by each customer after the last entry."""
        held = np.bincount(self.customer, weights=self.points, minlength=customers)
        return held.astype(np.int64)


def draw_purchases(
    rng: np.random.Generator, customers: Customers, calendar: Calendar, count: int
) -> Ledger:
    """Draws the purchases of a chunk's customers, in no useful order and without points yet.

    Per rubro the number of purchases is fixed and who makes them is multinomial, which is what
    independent Poisson customers give when their total is known. Every purchase lies within the
    active hours of its customer.
    """
    counts = rng.multinomial(count, [category.share for category in CATEGORIES])
    parts = (
        _draw_category_purchases(rng, customers, calendar, category, int(part))
        for category, part in enumerate(counts)
    )
    return Ledger.concatenate(*parts)


def _draw_category_purchases(
    rng: np.random.Generator, customers: Customers, calendar: Calendar, category: int, count: int
) -> Ledger:
    """Exactly `count` purchases of one rubro: first ones, and follow-ups within weeks.

    A cluster process after Neyman and Scott: follow-ups make short bursts, so that one quarter says
    something about the next, but not everything.
    """
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
    return Ledger(
        customer=customer,
        category=np.full(count, category),
        second=calendar.to_second(category, np.concatenate([moment, moment[cause] + wait])),
        cents=np.maximum(np.rint(100 * ticket).astype(np.int64), SMALLEST_TICKET_CENTS),
        points=np.zeros(count, np.int64),
        kind=np.zeros(count, np.int64),
    )


def draw_truncated_exponential(rng: np.random.Generator, mean: float, limit: Floats) -> Floats:
    """Exponential waiting times conditioned to stay below a limit each (inverse of the CDF)."""
    return -mean * np.log1p(rng.random(len(limit)) * np.expm1(-limit / mean))
