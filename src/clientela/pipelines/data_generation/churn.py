"""What a simulated WiFi looks like: size, date, seed, form of the table and dirt."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import expit

from clientela.pipelines.data_generation.retail import encode_customer_ids
from clientela.pipelines.data_generation.simulation import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    Dirt,
    Floats,
    Ints,
    RowBlock,
    Share,
    SimulatedTable,
    TableSimulation,
    copy_rows,
    empty_column,
    expected_roc_auc,
    join_texts,
    negate_column,
    replace_values,
    select_positive_shares,
)

# What a simulated WiFi looks like: size, date, seed, form of the table and dirt.


class ChurnDirtShares(BaseModel):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")
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


# What simulated people are called: names from Faker, put together anew for each of them.
#
# Faker makes one name at a time. It fills pools here, once per seed, with its own frequencies;
# drawing from them is as fast as drawing numbers.


LOCALE: Final = "es_CL"
GIVEN_NAMES: Final = 500  # per gender
SURNAMES: Final = 2_000


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
    """Names of people in Chile, the same for the same seed."""
    from faker import Faker  # noqa: PLC0415 - only samples need it; commands start faster without

    faker = Faker(LOCALE)
    faker.seed_instance(seed)
    female = [faker.given_name_female() for _ in range(GIVEN_NAMES)]
    male = [faker.given_name_male() for _ in range(GIVEN_NAMES)]
    return NamePool(pa.array(female + male), pa.array([faker.last_name() for _ in range(SURNAMES)]))


def draw_full_names(rng: np.random.Generator, pool: NamePool, gender: Ints) -> pa.StringArray:
    """A given name (one or two) and two surnames per person (PII).

    Args:
        gender: 0 for women, 1 for men.
    """
    given = gender * GIVEN_NAMES + rng.integers(GIVEN_NAMES, size=len(gender))
    surnames = rng.integers(SURNAMES, size=(2, len(gender)))
    parts = (pool.given.take(pa.array(given)), *(pool.surnames.take(pa.array(i)) for i in surnames))
    return join_texts(*parts, separator=" ")


# Who leaves: the true probability that a user churns, which no model is shown.
#
# With visits of 1 to 30, sessions of 5 to 120 minutes and 0 to 10 complaints all equally likely and
# no intercept, this law has a ceiling of .813 in ROC-AUC and 49 % churn. The distributions in
# `visitors` look more like people; the intercept keeps the ceiling, at 27 % churn.


INTERCEPT: Final = -0.65
PER_MONTH_OF_VISITS: Final = -2.0
PER_TWO_HOURS_OF_SESSION: Final = -2.0
PER_TEN_COMPLAINTS: Final = 4.0
VISITS_IN_A_MONTH: Final = 30
TWO_HOURS_IN_MINUTES: Final = 120
TEN_COMPLAINTS: Final = 10
NOISE: Final = 0.5

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


@dataclass(frozen=True)
class Behaviour:
    """What the odds of leaving depend on, exactly as the table shows it.

    Attributes:
        visits: Visits in the last thirty days.
        avg_session: Average minutes of a visit.
    """

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


def draw_churn(rng: np.random.Generator, behaviour: Behaviour) -> Ints:
    """Whether each user leaves, 1 or 0: the log-odds, noise and chance."""
    logit = behaviour.logit()
    noisy = logit + NOISE * rng.standard_normal(len(logit))
    return np.asarray(rng.random(len(logit)) < expit(noisy), dtype=np.int64)


# Who uses the WiFi and how: simulated people with a mall, a device and habits.


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


def _draw_days_since_visit(rng: np.random.Generator, visits: Ints) -> Ints:
    """Whole days since the latest of so many visits spread evenly over the last thirty days."""
    latest = 1 - rng.random(len(visits)) ** (1 / visits)
    return (VISITS_IN_A_MONTH * latest).astype(np.int64)


def _convert_to_dates(as_of: date, days_before: Ints) -> pa.Array:
    last = (as_of - date(1970, 1, 1)).days
    return pa.array((last - days_before).astype(np.int32)).cast(pa.date32())


def _draw_megabytes(rng: np.random.Generator, minutes: Floats) -> Ints:
    rate = MEGABYTES_PER_MINUTE * np.exp(0.8 * rng.standard_normal(len(minutes)))
    return np.rint(minutes * rate).astype(np.int64)


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
    mall, device = (
        rng.choice(len(shares), count, p=shares) for shares in (MALL_SHARES, DEVICE_SHARES)
    )
    days_ago = _draw_days_since_visit(rng, habits.visits)
    member = rng.exponential(MEAN_MEMBERSHIP_DAYS, count).astype(np.int64) + VISITS_IN_A_MONTH
    outcome = draw_churn(block.create_rng("outcome"), habits)
    known_gender = pa.array(gender, mask=gaps.random(count) < MISSING_GENDER)
    columns = (
        encode_user_ids(block),
        draw_full_names(rng, build_name_pool(simulation.seed), gender),
        pa.array(GENDERS).take(known_gender),
        pa.array(age, mask=gaps.random(count) < MISSING_AGE),
        pa.array(MALLS).take(pa.array(mall)),
        pa.array(DEVICES).take(pa.array(device)),
        _convert_to_dates(simulation.as_of, 1 + days_ago + member),
        _convert_to_dates(simulation.as_of, 1 + days_ago),
        pa.array(habits.visits),
        pa.array(habits.avg_session),
        pa.array(_draw_megabytes(rng, habits.visits * habits.avg_session)),
        pa.array(habits.complaints),
        pa.array(ANSWERS).take(pa.array(outcome)),
    )
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


# Columns that follow from the others, each from its own row: totals, rates, age groups, 0 and 1.
#
# They add nothing that the raw columns don't know, so the ceiling of every model stays what it is.


# Arrow makes these functions when it is imported, where type checkers do not see them.
_kernels: Any = pyarrow.compute

AGE_GROUPS: Final = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
AGE_LIMITS: Final = (25, 35, 45, 55, 65)
DERIVED: Final = (
    "total_minutes",
    "megabytes_per_visit",
    "complaints_per_visit",
    "engagement",
    "age_group",
)
CATEGORIES: Final = {
    "gender": GENDERS,
    "mall": MALLS,
    "device": DEVICES,
    "age_group": AGE_GROUPS,
}


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
    group = np.searchsorted(AGE_LIMITS, _kernels.fill_null(age, 0).to_numpy(), "right")
    known_group = pa.array(group, mask=_kernels.is_null(age).to_numpy(zero_copy_only=False))
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
            is_category = _kernels.fill_null(_kernels.equal(values, category), fill_value=False)
            table[name] = is_category.cast(pa.int64())
    return pa.table(table)


def list_table_columns(simulation: ChurnSimulation) -> tuple[str, ...]:
    """Names of the table's columns in the form that is asked for, in order."""
    *raw, target = COLUMNS
    names = (*raw, *(DERIVED if simulation.derived_columns else ()), target)
    return tuple(
        new
        for old in names
        for new in (_list_indicator_columns(old) if simulation.one_hot else (old,))
    )


# The simulated WiFi as two tables, what a model may see and what it may not, and their report.


TRUTH_COLUMNS: Final = ("user_id", "churn_probability")
PROBABILITY_DECIMALS: Final = 6

_SPOILERS: Final = {
    "exact_duplicate": copy_rows,
    "missing_user_id": empty_column("user_id"),
    "negative_session": negate_column("avg_session"),
    "impossible_date": replace_values("last_visit", IMPOSSIBLE_DAYS),
    "unparseable_visits": replace_values("visits", NO_NUMBERS),
}


def _draw_visitors(simulation: ChurnSimulation, block: RowBlock) -> pa.Table:
    raw = build_visitors_table(simulation, block)
    table = add_visitor_columns(raw) if simulation.derived_columns else raw
    return encode_one_hot(table) if simulation.one_hot else table


def _draw_habits(block: RowBlock) -> Behaviour:
    return draw_behaviour(block.create_rng("customers"), block.rows)


def _build_truth_table(block: RowBlock) -> pa.Table:
    probability = churn_probability(_draw_habits(block)).round(PROBABILITY_DECIMALS)
    return pa.table(dict(zip(TRUTH_COLUMNS, (encode_user_ids(block), probability), strict=True)))


def simulate_visitors(simulation: ChurnSimulation) -> SimulatedTable:
    """One row per user of the WiFi, target included, not yet drawn.

    Args:
        simulation: Size, date, seed, form and dirt.
    """
    dirt = Dirt(select_positive_shares(simulation.dirt), _SPOILERS)
    drawn = partial(_draw_visitors, simulation)
    return SimulatedTable(simulation, list_table_columns(simulation), drawn, dirt)


def simulate_churn_truth(simulation: ChurnSimulation) -> SimulatedTable:
    """One row per user with the true probability given the raw columns; a model must not see it.

    Args:
        simulation: The simulation of the visitors; its dirt never touches the truth.
    """
    return SimulatedTable(simulation, TRUTH_COLUMNS, _build_truth_table, Dirt({}, {}))


def churn_report(simulation: ChurnSimulation) -> dict[str, Any]:
    """What a simulated WiFi holds and how well a model can do on it.

    Args:
        simulation: Size, date, seed, form and dirt.

    Returns:
        `users`, `lines` (of the CSV without its header), `expected_churn` (mean of the true
        probability), `churn` (share that leaves), `ceiling_roc_auc` (see `expected_roc_auc`),
        `truth_roc_auc` (what the true probability scores on these very users: the ceiling and
        their luck), and `dirt`: rows per kind.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - a second that reports only need

    habits = [(block, _draw_habits(block)) for block in simulation.blocks()]
    probability = np.concatenate([churn_probability(behaviour) for _, behaviour in habits])
    outcome = np.concatenate(
        [draw_churn(block.create_rng("outcome"), behaviour) for block, behaviour in habits]
    )
    figures = {
        "expected_churn": probability.mean(),
        "churn": outcome.mean(),
        "ceiling_roc_auc": expected_roc_auc(probability),
        "truth_roc_auc": roc_auc_score(outcome, probability),
    }
    return {
        "users": simulation.rows,
        "lines": simulation.lines(),
        **{name: round(float(figure), 4) for name, figure in figures.items()},
        "dirt": simulation.count_dirty_rows(),
    }
