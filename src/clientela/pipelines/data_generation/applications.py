"""A simulated credit desk: who applies and for what, and who turns out a bad risk.

Two latent traits tie the columns together: skill (job, amount, term) and prosperity (both
accounts). Laws are plain ones with rounded parameters in the ranges and with the words of the
German credit data (Hofmann, 1994, UCI); no row of theirs is in them. So are the directions of the
risk (an overdrawn account, a long term, a large amount, youth); their sizes are set so that the
best possible model reaches about .79 in ROC-AUC at 30 % bad risks. Sex has no weight of its own:
what a model finds in it, it finds by way of other columns.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pydantic import Field
from scipy.special import expit

from clientela.pipelines.data_generation.simulation import (
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
    negate_values,
    replace_values,
    scale_column,
    simulate_next_period,
    write_value,
)

# What an application says.
FORM: Final = (
    "Age",
    "Sex",
    "Job",
    "Housing",
    "Savings account",
    "Checking account",
    "Credit amount",
    "Duration",
    "Purpose",
)

RISK: Final = "Risk"
RISKS: Final = ("good risk", "bad risk")
PROBABILITY: Final = "bad_risk_probability"

SEXES: Final = ("male", "female")
HOUSING: Final = ("own", "rent", "free")
SAVINGS: Final = ("little", "moderate", "quite rich", "rich")
CHECKING: Final = ("little", "moderate", "rich")
PURPOSES: Final = (
    "car",
    "radio/TV",
    "furniture/equipment",
    "business",
    "education",
    "repairs",
    "domestic appliances",
    "vacation/others",
)
PURPOSE_SHARES: Final = (0.34, 0.28, 0.18, 0.10, 0.055, 0.02, 0.0125, 0.0125)

YOUNGEST, OLDEST = 19, 75
SKILL_STEPS: Final = (-2.0, -0.76, 1.05)  # between the jobs 0, 1, 2 and 3
MONTHS: Final = (4, 6, 8, 9, 10, 12, 15, 18, 21, 24, 27, 30, 36, 42, 48, 60, 72)
MEDIAN_MONTHS: Final = 18
MEDIAN_AMOUNT: Final = 2_400
SMALLEST_AMOUNT, LARGEST_AMOUNT = 250, 20_000

INTERCEPT: Final = -0.85
# Little, moderate, rich, none that is known.
BY_CHECKING: Final = np.array([0.9, 0.4, -0.3, -1.4])
# Little, moderate, quite rich, rich, none that is known.
BY_SAVINGS: Final = np.array([0.35, 0.15, -0.45, -0.65, -0.45])
PER_DOUBLE_TERM: Final = 0.5
LARGE_AMOUNT: Final = 4_000
PER_LARGE_LOG: Final = 0.9
PER_TEN_YEARS_BELOW_30: Final = 0.6
OWN_HOME: Final = -0.4
BY_PURPOSE: Final = {"radio/TV": -0.4, "education": 0.5, "vacation/others": 0.5}

_CHANGES: Final = {
    "missing_amount": ("Credit amount", empty_values),
    "negative_amount": ("Credit amount", negate_values),
    "unparseable_duration": ("Duration", replace_values(NO_NUMBERS)),
    "impossible_age": ("Age", replace_values(("205", "999"))),
    "written_gap": ("Checking account", replace_values(("NA",))),
}


class ApplicationDirtShares(DirtShares):
    """Share of rows per kind of dirt; a row carries one kind at most."""

    missing_amount: Share = Field(0.0005, description="Empty Credit amount.")
    negative_amount: Share = Field(0.0005, description="A Credit amount below zero.")
    unparseable_duration: Share = Field(0.0005, description="A Duration that is no number.")
    impossible_age: Share = Field(0.0005, description="An Age that nobody reaches.")
    written_gap: Share = Field(0.0005, description="A Checking account written as NA.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the savings.")


class ApplicationSimulation(TableSimulation):
    """One simulated file of applications; equal parameters give equal bytes."""

    rows: int = Field(
        2_000, ge=100, le=50_000_000, description="Applications, added duplicates not counted."
    )
    adjudicated: float = Field(
        0.3, ge=0, le=1, description="Share of the applications whose Risk a person has judged."
    )
    dirt: ApplicationDirtShares | None = Field(
        None, description="Share of rows per kind; null for a clean sample."
    )


def simulate_credit_desk(
    simulation: ApplicationSimulation,
) -> tuple[SimulatedTable, SimulatedTable, dict[str, Any]]:
    """The raw table of a simulated credit desk, not yet drawn, its truth, and what it will hold.

    Returns:
        Applications (one row per application, PII); the true risk of each, kept apart from raw
        data, so that no model sees it; and the report: `applications`, `lines` (of the CSV without
        its header), `judged` (clean applications with a risk), `expected_bad`, `bad` (judged or
        not), `ceiling_roc_auc`, `truth_roc_auc` (see `compute_outcome_figures`), and `dirt`: rows
        per kind.
    """
    _, probabilities, outcomes = zip(*map(_draw_block, simulation.blocks()), strict=True)
    report = {
        "applications": simulation.rows,
        "lines": simulation.lines(),
        "judged": round(simulation.adjudicated * simulation.rows),
        **compute_outcome_figures("bad", np.concatenate(probabilities), np.concatenate(outcomes)),
        "dirt": simulation.count_dirty_rows(),
    }
    return simulate_applications(simulation), simulate_application_truth(simulation), report


def simulate_applications(simulation: ApplicationSimulation) -> SimulatedTable:
    """One row per application, with the risk of those that were judged, not yet drawn."""
    draw = partial(build_applications_table, simulation)
    return SimulatedTable(simulation, (*FORM, RISK), draw, _CHANGES)


# No changed relation: labels are made from the row itself, so nothing that happens later is known.
PLANTS: Final[dict[Shift, Plant]] = {
    "broken_unit": scale_column("Credit amount", 100),  # cents
    "missing_column": clear_column("Age"),
    "new_category": write_value("Housing", "shared"),
    "changed_population": choose_rows("Age"),
}


def simulate_next_applications(
    simulation: ApplicationSimulation,
) -> tuple[SimulatedTable, SimulatedTable]:
    """The next two files: as before, and with the change that is asked for."""
    return simulate_next_period(simulation, simulate_applications, PLANTS, lambda *_: {})


def simulate_application_truth(simulation: ApplicationSimulation) -> SimulatedTable:
    """One row per application with its true risk and probability; a model must not see it.

    The lender's file has no key, so the truth repeats its nine columns.
    """

    def draw(block: RowBlock) -> pa.Table:
        people, probability, bad = _draw_block(block)
        known = {
            RISK: pa.array(RISKS).take(pa.array(bad)),
            PROBABILITY: probability.round(PROBABILITY_DECIMALS),
        }
        return pa.table(_build_form_columns(people) | known)

    return SimulatedTable(simulation, (*FORM, RISK, PROBABILITY), draw)


@dataclass(frozen=True)
class Applicants:
    """One entry per application of a block.

    Attributes:
        job: 0 (unskilled, not resident) to 3 (highly skilled).
        savings: Position in `SAVINGS`; one further for no known account.
        checking: Position in `CHECKING`; one further for no known account.
    """

    age: Ints
    sex: Ints
    job: Ints
    housing: Ints
    savings: Ints
    checking: Ints
    amount: Ints
    months: Ints
    purpose: Ints


def draw_applicants(block: RowBlock) -> Applicants:
    """Draws the applications of a block."""
    rng, count = block.create_rng("customers"), block.rows
    skill, prosperity = rng.standard_normal((2, count))
    age = (YOUNGEST + (OLDEST + 1 - YOUNGEST) * rng.beta(1.2, 2.8, count)).astype(np.int64)
    years = age - 35
    sex = (rng.random(count) < 1 / (1 + np.exp(0.85 + 0.05 * years))).astype(np.int64)
    rent, free = -1.75 + 1.0 * sex - 0.05 * years, -2.0 - 0.5 * sex + 0.04 * years
    wanted = MEDIAN_MONTHS * np.exp(0.12 * skill + 0.52 * rng.standard_normal(count))
    # the term on offer that is nearest in ratio
    logs = np.log(MONTHS)
    offer = np.searchsorted((logs[1:] + logs[:-1]) / 2, np.log(wanted))
    months: Ints = np.array(MONTHS, dtype=np.int64)[offer]
    amount = MEDIAN_AMOUNT * np.exp(
        0.85 * np.log(months / MEDIAN_MONTHS) + 0.2 * skill + 0.55 * rng.standard_normal(count)
    )
    savings = (1.2 - 0.4 * prosperity, -0.55, -1.1 + 0.2 * prosperity)
    large_savings = (-1.4 + 0.3 * prosperity, 0.3 * prosperity)
    checking = (-0.4 * prosperity, 0.0, -1.45, 0.35 + 0.4 * prosperity)
    return Applicants(
        age=age,
        sex=sex,
        job=np.searchsorted(SKILL_STEPS, skill).astype(np.int64),
        housing=_draw_choices(rng, 0.0, rent, free, count=count),
        savings=_draw_choices(rng, *savings, *large_savings, count=count),
        checking=_draw_choices(rng, *checking, count=count),
        amount=np.clip(amount, SMALLEST_AMOUNT, LARGEST_AMOUNT).astype(np.int64),
        months=months,
        purpose=rng.choice(len(PURPOSES), count, p=PURPOSE_SHARES),
    )


def _draw_choices(rng: np.random.Generator, *utilities: Floats | float, count: int) -> Ints:
    """The best of several alternatives, each with Gumbel noise: a multinomial logit.

    McFadden (1974).
    """
    table = np.column_stack([np.broadcast_to(each, count) for each in utilities])
    return np.asarray(np.argmax(table + rng.gumbel(size=table.shape), axis=1), dtype=np.int64)


def compute_bad_risk_probability(people: Applicants) -> Floats:
    """True probability of a bad risk, given what the table shows."""
    purpose = np.array([BY_PURPOSE.get(name, 0.0) for name in PURPOSES])
    person = (
        BY_CHECKING[people.checking]
        + BY_SAVINGS[people.savings]
        + OWN_HOME * (people.housing == HOUSING.index("own"))
        + PER_TEN_YEARS_BELOW_30 * np.maximum(30 - people.age, 0) / 10
    )
    wish = (
        purpose[people.purpose]
        + PER_DOUBLE_TERM * np.log2(people.months / MEDIAN_MONTHS)
        + PER_LARGE_LOG * np.maximum(np.log(people.amount / LARGE_AMOUNT), 0)
    )
    return np.asarray(expit(INTERCEPT + person + wish))


def _draw_block(block: RowBlock) -> tuple[Applicants, Floats, Ints]:
    """The applications of a block, the true probability of a bad risk, and whether it happens."""
    people = draw_applicants(block)
    probability = compute_bad_risk_probability(people)
    is_bad = block.create_rng("outcome").random(block.rows) < probability
    return people, probability, np.asarray(is_bad, dtype=np.int64)


def build_applications_table(simulation: ApplicationSimulation, block: RowBlock) -> pa.Table:
    """One row per application of the block.

    Returns:
        `Age` (years, PII), `Sex` (PII), `Job` (0 to 3), `Housing`, `Savings account` and
        `Checking account` (missing where none is known), `Credit amount`, `Duration` (months),
        `Purpose`, and `Risk`: good risk or bad risk for applications drawn at random to be judged,
        missing for the others. There is no key.
    """
    people, _, bad = _draw_block(block)
    judged = block.count(simulation.adjudicated)
    unjudged = np.ones(block.rows, np.bool_)
    unjudged[block.create_rng("gaps").choice(block.rows, judged, replace=False)] = False
    risk = pa.array(RISKS).take(pa.array(bad, mask=unjudged))
    return pa.table(_build_form_columns(people) | {RISK: risk})


def _decode_words(words: tuple[str, ...], positions: Ints) -> pa.Array:
    """The words; missing where a position lies behind the last one."""
    return pa.array(words).take(pa.array(positions, mask=positions == len(words)))


def _build_form_columns(people: Applicants) -> dict[str, Any]:
    columns = (
        people.age,
        _decode_words(SEXES, people.sex),
        people.job,
        _decode_words(HOUSING, people.housing),
        _decode_words(SAVINGS, people.savings),
        _decode_words(CHECKING, people.checking),
        people.amount,
        people.months,
        _decode_words(PURPOSES, people.purpose),
    )
    return dict(zip(FORM, columns, strict=True))
