"""Who uses the WiFi and how: simulated people with a mall, a device and habits."""

from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from clientela.simulation.chunks import RowBlock
from clientela.simulation.churn.names import full_names, name_pool
from clientela.simulation.churn.parameters import ChurnSimulation
from clientela.simulation.churn.probability import (
    TEN_COMPLAINTS,
    VISITS_IN_A_MONTH,
    Behaviour,
    churned,
)
from clientela.simulation.customers import customer_ids
from clientela.simulation.seasonality import Floats, Ints
from clientela.simulation.text_columns import joined

COLUMNS: Final = (
    "user_id",
    "name",
    "gender",
    "age",
    "mall",
    "device",
    "first_visit",
    "last_visit",
    "visits",
    "avg_session",
    "megabytes",
    "complaints",
    "churn",
)

GENDERS: Final = ("Female", "Male")
MALLS: Final = ("Centro Norte", "Centro Sur", "Costanera", "Mirador", "Oriente", "Poniente")
MALL_SHARES: Final = (0.20, 0.14, 0.22, 0.10, 0.18, 0.16)
DEVICES: Final = ("Android", "iOS", "Laptop")
DEVICE_SHARES: Final = (0.62, 0.33, 0.05)
ANSWERS: Final = ("No", "Yes")

MISSING_AGE: Final = 0.03
MISSING_GENDER: Final = 0.02

SHORTEST_SESSION: Final = 5.0
LONGEST_SESSION: Final = 300.0
MEAN_MEMBERSHIP_DAYS: Final = 420.0
MEGABYTES_PER_MINUTE: Final = 1.4


def behaviour_of(rng: np.random.Generator, count: int) -> Behaviour:
    """Habits: 1 to 30 visits, sessions from 5 minutes, 0 to 10 complaints.

    Many come rarely, few complain often.

    Args:
        rng: Stream of the people, which begins with the habits: they can be drawn alone.
        count: How many people.
    """
    visits = np.ceil(VISITS_IN_A_MONTH * rng.beta(0.9, 1.3, count))
    minutes = SHORTEST_SESSION + rng.gamma(2.0, 30.0, count)
    return Behaviour(
        visits=np.maximum(visits, 1).astype(np.int64),
        avg_session=np.minimum(minutes, LONGEST_SESSION).round(1),
        complaints=rng.binomial(TEN_COMPLAINTS, rng.beta(0.6, 1.4, count)),
    )


def user_ids(block: RowBlock) -> pa.StringArray:
    """Unique ids of the block's users, `U` and eight digits (PII: a key)."""
    return joined("U", customer_ids(block.first_row + np.arange(block.rows, dtype=np.int64)))


def _days_since_visit(rng: np.random.Generator, visits: Ints) -> Ints:
    """Whole days since the latest of so many visits spread evenly over the last thirty days."""
    latest = 1 - rng.random(len(visits)) ** (1 / visits)
    return (VISITS_IN_A_MONTH * latest).astype(np.int64)


def _days(as_of: date, days_before: Ints) -> pa.Array:
    last = (as_of - date(1970, 1, 1)).days
    return pa.array((last - days_before).astype(np.int32)).cast(pa.date32())


def _megabytes(rng: np.random.Generator, minutes: Floats) -> Ints:
    rate = MEGABYTES_PER_MINUTE * np.exp(0.8 * rng.standard_normal(len(minutes)))
    return np.rint(minutes * rate).astype(np.int64)


def visitors_table(simulation: ChurnSimulation, block: RowBlock) -> pa.Table:
    """One row per user of the block.

    Args:
        simulation: Date and seed.
        block: Which users.

    Returns:
        `user_id` (text, key, PII), `name` (PII), `gender` (Female or Male, partly missing), `age`
        (18 to 80, partly missing), `mall`, `device`, `first_visit` and `last_visit` (dates before
        the export), `visits` (in the last 30 days), `avg_session` (minutes), `megabytes` (in the
        last 30 days), `complaints` (so far), `churn` (Yes or No, in the time after the export).
    """
    rng, gaps, count = block.stream("customers"), block.stream("gaps"), block.rows
    habits = behaviour_of(rng, count)
    gender = rng.integers(len(GENDERS), size=count)
    age = (18 + 63 * rng.beta(1.6, 2.6, count)).astype(np.int64)
    mall, device = (
        rng.choice(len(shares), count, p=shares) for shares in (MALL_SHARES, DEVICE_SHARES)
    )
    days_ago = _days_since_visit(rng, habits.visits)
    member = rng.exponential(MEAN_MEMBERSHIP_DAYS, count).astype(np.int64) + VISITS_IN_A_MONTH
    outcome = churned(block.stream("outcome"), habits)
    known_gender = pa.array(gender, mask=gaps.random(count) < MISSING_GENDER)
    columns = (
        user_ids(block),
        full_names(rng, name_pool(simulation.seed), gender),
        pa.array(GENDERS).take(known_gender),
        pa.array(age, mask=gaps.random(count) < MISSING_AGE),
        pa.array(MALLS).take(pa.array(mall)),
        pa.array(DEVICES).take(pa.array(device)),
        _days(simulation.as_of, 1 + days_ago + member),
        _days(simulation.as_of, 1 + days_ago),
        pa.array(habits.visits),
        pa.array(habits.avg_session),
        pa.array(_megabytes(rng, habits.visits * habits.avg_session)),
        pa.array(habits.complaints),
        pa.array(ANSWERS).take(pa.array(outcome)),
    )
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))
