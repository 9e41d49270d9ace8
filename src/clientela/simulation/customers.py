"""Who buys: simulated people with lasting tastes, a date of joining, and sometimes of leaving."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from clientela.simulation.categories import CATEGORIES
from clientela.simulation.chunks import Chunk
from clientela.simulation.seasonality import HOURS_PER_DAY, Calendar, Floats, Ints
from clientela.simulation.text_columns import padded

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
        gender: Position in `GENDERS`.
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


def _active_hours(rng: np.random.Generator, count: int, hours: int) -> tuple[Floats, Floats]:
    """Hours of joining and of lapsing within the window, `joined < lapsed <= hours`."""
    late = rng.random(count) >= MEMBERS_AT_START
    joined = np.where(late, rng.random(count) * hours * LAST_JOINING, 0.0)
    lapses = rng.random(count) < LAPSING_SHARE
    stay = rng.exponential(LAPSING_MEAN_DAYS * HOURS_PER_DAY, count) + HOURS_PER_DAY
    return joined, np.where(lapses, np.minimum(joined + stay, hours), hours)


def _tastes(rng: np.random.Generator, age: Floats, estrato: Ints) -> Floats:
    """Pace per customer and rubro: gamma activity times gamma taste times demographics."""
    activity = rng.gamma(ACTIVITY_SHAPE, 1 / ACTIVITY_SHAPE, len(age))
    columns = [
        rng.gamma(category.taste_shape, 1 / category.taste_shape, len(age))
        * np.exp(category.age_slope * (age - 40) + category.estrato_slope * (estrato - 3))
        for category in CATEGORIES
    ]
    return np.column_stack(columns) * activity[:, None]


def customers_of(chunk: Chunk, calendar: Calendar) -> Customers:
    """Draw the customers of a chunk.

    Args:
        chunk: Which customers.
        calendar: Window of the simulation; ages are drawn at its end.

    Returns:
        The customers with everything that their purchases depend on.
    """
    rng, count = chunk.stream("customers"), chunk.customers
    age = 18 + 67 * rng.beta(1.7, 2.9, count)
    estrato = rng.choice(6, count, p=ESTRATO_SHARES) + 1
    active_from, active_until = _active_hours(rng, count, calendar.hours)
    last_day = (calendar.end - date(1970, 1, 1)).days
    return Customers(
        number=chunk.first_customer + np.arange(count, dtype=np.int64),
        active_from=active_from,
        active_until=active_until,
        tastes=_tastes(rng, age, estrato),
        amount_factor=np.exp(
            AMOUNT_PER_ESTRATO * (estrato - 3) + 0.15 * rng.standard_normal(count)
        ),
        online=rng.beta(1.2, 2.2, count),
        city=rng.choice(len(CITIES), count, p=CITY_SHARES),
        birth_day=(last_day - age * 365.25).astype(np.int64),
        gender=rng.integers(len(GENDERS), size=count),
        estrato=estrato.astype(np.int64),
    )


def customer_ids(number: Ints) -> pa.StringArray:
    """Text ids of eight digits, leading zeros kept, for customers' positions (PII: a key)."""
    return padded((number * _ID_MULTIPLIER + _ID_OFFSET) % 10**ID_DIGITS, ID_DIGITS)


def customers_table(chunk: Chunk, customers: Customers, balance: Ints) -> pa.Table:
    """One row per customer of the chunk, as the retailer's system exports it.

    Args:
        chunk: The chunk; its stream decides which attributes are missing.
        customers: Customers of the chunk.
        balance: Points each of them holds at the end of the window.

    Returns:
        `id_cliente` (text, key, PII), `fecha_nacimiento` (date, PII, partly missing), `genero`
        (F or M, partly missing), `estrato_social` (1 to 6, partly missing), `saldo_puntos`.
    """
    rng, count = chunk.stream("gaps"), chunk.customers
    missing_birth, missing_estrato, missing_gender = (
        rng.random(count) < share for share in (MISSING_BIRTH_DATE, MISSING_ESTRATO, MISSING_GENDER)
    )
    genders = pa.array(customers.gender, mask=missing_gender)
    birth_days = pa.array(customers.birth_day.astype(np.int32), mask=missing_birth)
    return pa.table(
        {
            "id_cliente": customer_ids(customers.number),
            "fecha_nacimiento": birth_days.cast(pa.date32()),
            "genero": pa.array(GENDERS).take(genders),
            "estrato_social": pa.array(customers.estrato, mask=missing_estrato),
            "saldo_puntos": pa.array(balance),
        }
    )
