"""A simulated WiFi of shopping centres: who uses it and how, and who leaves.

With visits of 1 to 30, sessions of 5 to 120 minutes and 0 to 10 complaints all equally likely and
no intercept, the law of leaving has a ceiling of .813 in ROC-AUC and 49 % churn. The distributions
here look more like people; the intercept keeps the ceiling, at 27 % churn. Derived columns add
nothing that the raw ones don't know, so the ceiling of every model stays what it is.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import Field
from scipy.special import expit

from clientela.pipelines.data_generation.retail import encode_customer_ids
from clientela.pipelines.data_generation.simulation import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    PROBABILITY_DECIMALS,
    DirtShares,
    Floats,
    Ints,
    Plant,
    RowBlock,
    Share,
    Shift,
    SimulatedTable,
    TableSimulation,
    choose_rows,
    clear_column,
    compute_outcome_figures,
    empty_values,
    join_texts,
    kernels,
    negate_values,
    redraw_outcome,
    replace_values,
    scale_column,
    simulate_next_period,
    write_value,
)

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

TRUTH_COLUMNS: Final = ("user_id", "churn_probability")
DERIVED: Final = (
    "total_minutes",
    "megabytes_per_visit",
    "complaints_per_visit",
    "engagement",
    "age_group",
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
AGE_GROUPS: Final = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
AGE_LIMITS: Final = (25, 35, 45, 55, 65)
CATEGORIES: Final = {"gender": GENDERS, "mall": MALLS, "device": DEVICES, "age_group": AGE_GROUPS}

LOCALE: Final = "es_CL"
GIVEN_NAMES: Final = 500  # per gender
SURNAMES: Final = 2_000

INTERCEPT: Final = -0.65
PER_MONTH_OF_VISITS: Final = -2.0
PER_TWO_HOURS_OF_SESSION: Final = -2.0
PER_TEN_COMPLAINTS: Final = 4.0
VISITS_IN_A_MONTH: Final = 30
TWO_HOURS_IN_MINUTES: Final = 120
TEN_COMPLAINTS: Final = 10
NOISE: Final = 0.5

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)

_CHANGES: Final = {
    "missing_user_id": ("user_id", empty_values),
    "negative_session": ("avg_session", negate_values),
    "impossible_date": ("last_visit", replace_values(IMPOSSIBLE_DAYS)),
    "unparseable_visits": ("visits", replace_values(NO_NUMBERS)),
}


class ChurnDirtShares(DirtShares):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    missing_user_id: Share = Field(0.0005, description="Empty user_id.")
    negative_session: Share = Field(0.0005, description="An avg_session below zero.")
    impossible_date: Share = Field(0.0005, description="A last_visit that no calendar has.")
    unparseable_visits: Share = Field(0.0005, description="Visits that are no number.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the mall.")


class ChurnSimulation(TableSimulation):
    """One simulated WiFi; equal parameters give equal bytes."""

    rows: int = Field(
        100_000, ge=100, le=50_000_000, description="Users, added duplicates not counted."
    )
    seed: int = Field(
        5, ge=0, description="Seed of every random draw; the default has users of average luck."
    )
    as_of: date = Field(date(2024, 6, 30), description="Day of the export; visits end before it.")
    derived_columns: bool = Field(
        default=True, description="Whether totals, rates, engagement and age groups are added."
    )
    one_hot: bool = Field(
        default=False, description="Whether each category becomes a column of 0 and 1."
    )
    dirt: ChurnDirtShares | None = Field(
        None, description="Share of rows per kind; null for a clean sample."
    )
    chunk_rows: int = Field(
        100_000, ge=1_000, le=2_000_000, description="Users held in memory at a time."
    )


def simulate_wifi(
    simulation: ChurnSimulation,
) -> tuple[SimulatedTable, SimulatedTable, dict[str, Any]]:
    """The raw table of a simulated WiFi, not yet drawn, its truth, and what it will hold.

    Returns:
        Visitors (one row per user, PII); the true probability of each, kept apart from raw data, so
        that no model sees it; and the report: `users`, `lines` (of the CSV without its header),
        `expected_churn`, `churn`, `ceiling_roc_auc`, `truth_roc_auc` (see
        `compute_outcome_figures`), and `dirt`: rows per kind.
    """
    habits = [(block, _draw_habits(block)) for block in simulation.blocks()]
    probability = np.concatenate([churn_probability(behaviour) for _, behaviour in habits])
    outcome = np.concatenate([draw_churn(block, behaviour) for block, behaviour in habits])
    report = {
        "users": simulation.rows,
        "lines": simulation.lines(),
        **compute_outcome_figures("churn", probability, outcome),
        "dirt": simulation.count_dirty_rows(),
    }
    return simulate_visitors(simulation), simulate_churn_truth(simulation), report


def simulate_visitors(simulation: ChurnSimulation) -> SimulatedTable:
    """One row per user of the WiFi, target included, not yet drawn."""
    *raw, target = COLUMNS
    columns = (*raw, *(DERIVED if simulation.derived_columns else ()), target)
    if simulation.one_hot:
        columns = tuple(name for column in columns for name in _list_indicator_columns(column))

    def draw(block: RowBlock) -> pa.Table:
        visitors = build_visitors_table(simulation, block)
        table = add_visitor_columns(visitors) if simulation.derived_columns else visitors
        return encode_one_hot(table) if simulation.one_hot else table

    return SimulatedTable(simulation, columns, draw, _CHANGES)


PLANTS: Final[dict[Shift, Plant]] = {
    "broken_unit": scale_column("avg_session", 60),  # seconds for minutes
    "missing_column": clear_column("megabytes"),
    "new_category": write_value("mall", "Puerto Nuevo"),
    "changed_population": choose_rows("age"),
    "changed_relation": redraw_outcome("churn", ("No", "Yes"), 0.65),
}


def simulate_next_visitors(simulation: ChurnSimulation) -> tuple[SimulatedTable, SimulatedTable]:
    """The exports of the next two months: as before, and with the change that is asked for."""

    def later(sample: ChurnSimulation, period: int) -> dict[str, Any]:
        return {"as_of": (sample.as_of + pd.DateOffset(months=period)).date()}

    return simulate_next_period(simulation, simulate_visitors, PLANTS, later)


def simulate_churn_truth(simulation: ChurnSimulation) -> SimulatedTable:
    """One row per user with the true probability given the raw columns; a model must not see it."""

    def draw(block: RowBlock) -> pa.Table:
        probability = churn_probability(_draw_habits(block)).round(PROBABILITY_DECIMALS)
        return pa.table(
            dict(zip(TRUTH_COLUMNS, (encode_user_ids(block), probability), strict=True))
        )

    return SimulatedTable(simulation, TRUTH_COLUMNS, draw)


@dataclass(frozen=True)
class NamePool:
    """Names as frequent in the pool as among people.

    Attributes:
        given: Given names, `GIVEN_NAMES` female ones, then as many male ones.
    """

    given: pa.StringArray
    surnames: pa.StringArray


@lru_cache(maxsize=1)
def build_name_pool(seed: int) -> NamePool:
    """Names of people in Chile, the same for the same seed.

    Faker makes one name at a time. It fills pools once per seed, with its own frequencies; drawing
    from them is as fast as drawing numbers.
    """
    from faker import Faker  # noqa: PLC0415 - only samples need it; commands start faster without

    faker = Faker(LOCALE)
    faker.seed_instance(seed)
    female = [faker.given_name_female() for _ in range(GIVEN_NAMES)]
    male = [faker.given_name_male() for _ in range(GIVEN_NAMES)]
    return NamePool(pa.array(female + male), pa.array([faker.last_name() for _ in range(SURNAMES)]))


def draw_full_names(rng: np.random.Generator, pool: NamePool, gender: Ints) -> pa.StringArray:
    """A given name (one or two) and two surnames per person (PII)."""
    given = gender * GIVEN_NAMES + rng.integers(GIVEN_NAMES, size=len(gender))
    surnames = rng.integers(SURNAMES, size=(2, len(gender)))
    parts = (pool.given.take(pa.array(given)), *(pool.surnames.take(pa.array(i)) for i in surnames))
    return join_texts(*parts, separator=" ")


@dataclass(frozen=True)
class Behaviour:
    """What the odds of leaving depend on, exactly as the table shows it."""

    visits: Ints
    avg_session: Floats
    complaints: Ints

    def logit(self) -> Floats:
        """Log-odds of leaving, without the noise."""
        return (
            INTERCEPT
            + PER_MONTH_OF_VISITS * self.visits / VISITS_IN_A_MONTH
            + PER_TWO_HOURS_OF_SESSION * self.avg_session / TWO_HOURS_IN_MINUTES
            + PER_TEN_COMPLAINTS * self.complaints / TEN_COMPLAINTS
        )


def churn_probability(behaviour: Behaviour) -> Floats:
    """True probability of leaving given the columns: the noise in the log-odds averaged out.

    Gauss-Hermite quadrature of `E[1 / (1 + exp(-(logit + NOISE * Z)))]` with Z standard normal
    (Abramowitz and Stegun, 25.4.46); its nodes leave an error below 1e-9 at this noise.
    """
    noisy = behaviour.logit()[:, None] + NOISE * _NODES
    return np.asarray(expit(noisy) @ (_WEIGHTS / _WEIGHTS.sum()))


def draw_churn(block: RowBlock, behaviour: Behaviour) -> Ints:
    """Whether each user of a block leaves, 1 or 0: the log-odds, noise and chance."""
    rng = block.create_rng("outcome")
    noisy = behaviour.logit() + NOISE * rng.standard_normal(block.rows)
    return np.asarray(rng.random(block.rows) < expit(noisy), dtype=np.int64)


def _draw_habits(block: RowBlock) -> Behaviour:
    """The habits alone, with which the stream of the people begins."""
    return draw_behaviour(block.create_rng("customers"), block.rows)


def draw_behaviour(rng: np.random.Generator, count: int) -> Behaviour:
    """Habits: 1 to 30 visits, sessions from 5 minutes, 0 to 10 complaints.

    Many come rarely, few complain often.

    Args:
        rng: Stream of the people, which begins with the habits: they can be drawn alone.
    """
    visits = np.ceil(VISITS_IN_A_MONTH * rng.beta(0.9, 1.3, count))
    minutes = SHORTEST_SESSION + rng.gamma(2.0, 30.0, count)
    return Behaviour(
        visits=np.maximum(visits, 1).astype(np.int64),
        avg_session=np.minimum(minutes, LONGEST_SESSION).round(1),
        complaints=rng.binomial(TEN_COMPLAINTS, rng.beta(0.6, 1.4, count)),
    )


def encode_user_ids(block: RowBlock) -> pa.StringArray:
    """Unique ids of the block's users, `U` and eight digits (PII: a key)."""
    return join_texts(
        "U", encode_customer_ids(block.first_row + np.arange(block.rows, dtype=np.int64))
    )


def build_visitors_table(simulation: ChurnSimulation, block: RowBlock) -> pa.Table:
    """One row per user of the block.

    Returns:
        `user_id` (text, key, PII), `name` (PII), `gender` (Female or Male, partly missing), `age`
        (18 to 80, partly missing), `mall`, `device`, `first_visit` and `last_visit` (dates before
        the export), `visits` (in the last 30 days), `avg_session` (minutes), `megabytes` (in the
        last 30 days), `complaints` (so far), `churn` (Yes or No, in the time after the export).
    """
    rng, gaps, count = block.create_rng("customers"), block.create_rng("gaps"), block.rows
    habits = draw_behaviour(rng, count)
    gender = rng.integers(len(GENDERS), size=count)
    age = (18 + 63 * rng.beta(1.6, 2.6, count)).astype(np.int64)
    mall = rng.choice(len(MALLS), count, p=MALL_SHARES)
    device = rng.choice(len(DEVICES), count, p=DEVICE_SHARES)
    # the latest of so many visits spread evenly over the last thirty days
    latest = 1 - rng.random(count) ** (1 / habits.visits)
    export = (simulation.as_of - date(1970, 1, 1)).days
    last_visit = export - (1 + (VISITS_IN_A_MONTH * latest).astype(np.int64))
    member = rng.exponential(MEAN_MEMBERSHIP_DAYS, count).astype(np.int64) + VISITS_IN_A_MONTH
    known_gender = pa.array(gender, mask=gaps.random(count) < MISSING_GENDER)
    names = draw_full_names(rng, build_name_pool(simulation.seed), gender)
    rate = MEGABYTES_PER_MINUTE * np.exp(0.8 * rng.standard_normal(count))
    columns = (
        encode_user_ids(block),
        names,
        pa.array(GENDERS).take(known_gender),
        pa.array(age, mask=gaps.random(count) < MISSING_AGE),
        pa.array(MALLS).take(pa.array(mall)),
        pa.array(DEVICES).take(pa.array(device)),
        pa.array((last_visit - member).astype(np.int32)).cast(pa.date32()),
        pa.array(last_visit.astype(np.int32)).cast(pa.date32()),
        pa.array(habits.visits),
        pa.array(habits.avg_session),
        pa.array(np.rint(habits.visits * habits.avg_session * rate).astype(np.int64)),
        pa.array(habits.complaints),
        pa.array(ANSWERS).take(pa.array(draw_churn(block, habits))),
    )
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def add_visitor_columns(visitors: pa.Table) -> pa.Table:
    """The visitors with what follows from their columns, before the target.

    Returns:
        Also `total_minutes` (in the last 30 days), `megabytes_per_visit`, `complaints_per_visit`,
        `engagement` (minutes as a share of two hours on each of thirty days), `age_group`
        (missing where the age is), and `churn` last.
    """
    visits, minutes, megabytes, complaints = (
        visitors[name].to_numpy() for name in ("visits", "avg_session", "megabytes", "complaints")
    )
    age = visitors["age"].combine_chunks()
    group = np.searchsorted(AGE_LIMITS, kernels.fill_null(age, 0).to_numpy(), "right")
    known_group = pa.array(group, mask=kernels.is_null(age).to_numpy(zero_copy_only=False))
    full_month = VISITS_IN_A_MONTH * TWO_HOURS_IN_MINUTES
    derived = (
        pa.array((visits * minutes).round(1)),
        pa.array((megabytes / visits).round(2)),
        pa.array((complaints / visits).round(4)),
        pa.array((visits * minutes / full_month).round(4)),
        pa.array(AGE_GROUPS).take(known_group),
    )
    *columns, target = COLUMNS
    table = {name: visitors[name] for name in columns} | dict(zip(DERIVED, derived, strict=True))
    return pa.table(table | {target: visitors[target]})


def _list_indicator_columns(column: str) -> tuple[str, ...]:
    if column not in CATEGORIES:
        return (column,)
    return tuple(f"{column}_{category}" for category in CATEGORIES[column])


def encode_one_hot(visitors: pa.Table) -> pa.Table:
    """The visitors with a column of 1 and 0 per category in the place of each text column.

    Returns:
        `gender_Female`, `mall_Oriente` and so on, all 0 where the category is missing; the target
        keeps its Yes and No.
    """
    table = {}
    for column in visitors.column_names:
        values = visitors[column]
        if column not in CATEGORIES:
            table[column] = values
            continue
        for name, category in zip(_list_indicator_columns(column), CATEGORIES[column], strict=True):
            is_category = kernels.fill_null(kernels.equal(values, category), fill_value=False)
            table[name] = is_category.cast(pa.int64())
    return pa.table(table)
