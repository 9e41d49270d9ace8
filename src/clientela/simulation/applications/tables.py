"""The simulated applications as two tables, what a model may see and what it may not.

The lender's file has no key, so the truth repeats its nine columns.
"""

from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from clientela.simulation.applications.applicants import (
    CHECKING,
    HOUSING,
    PURPOSES,
    SAVINGS,
    SEXES,
    Applicants,
    applicants_of,
)
from clientela.simulation.applications.parameters import ApplicationSimulation
from clientela.simulation.applications.probability import bad_risk_probability, bad_risks
from clientela.simulation.ceiling import expected_roc_auc
from clientela.simulation.chunks import RowBlock
from clientela.simulation.dirt import NO_NUMBERS, Dirt, emptied, negated, replaced, unchanged
from clientela.simulation.parameters import occurring_shares
from clientela.simulation.seasonality import Floats, Ints
from clientela.simulation.single_table import SimulatedTable

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
"""What an application says."""

RISK: Final = "Risk"
RISKS: Final = ("good risk", "bad risk")
PROBABILITY: Final = "bad_risk_probability"
PROBABILITY_DECIMALS: Final = 6

_SPOILERS: Final = {
    "exact_duplicate": unchanged,
    "missing_amount": emptied("Credit amount"),
    "negative_amount": negated("Credit amount"),
    "unparseable_duration": replaced("Duration", NO_NUMBERS),
    "impossible_age": replaced("Age", ("205", "999")),
    "written_gap": replaced("Checking account", ("NA",)),
}


def _words(words: tuple[str, ...], positions: Ints) -> pa.Array:
    """The words; missing where a position lies behind the last one."""
    return pa.array(words).take(pa.array(positions, mask=positions == len(words)))


def _form(people: Applicants) -> dict[str, Any]:
    columns = (
        people.age,
        _words(SEXES, people.sex),
        people.job,
        _words(HOUSING, people.housing),
        _words(SAVINGS, people.savings),
        _words(CHECKING, people.checking),
        people.amount,
        people.months,
        _words(PURPOSES, people.purpose),
    )
    return dict(zip(FORM, columns, strict=True))


def _drawn(block: RowBlock) -> tuple[Applicants, Floats, Ints]:
    people = applicants_of(block)
    probability = bad_risk_probability(people)
    return people, probability, bad_risks(block.stream("outcome"), probability)


def applications_table(simulation: ApplicationSimulation, block: RowBlock) -> pa.Table:
    """One row per application of the block.

    Args:
        simulation: The share that a person has judged.
        block: Which applications.

    Returns:
        `Age` (years, PII), `Sex` (PII), `Job` (0 to 3), `Housing`, `Savings account` and
        `Checking account` (missing where none is known), `Credit amount`, `Duration` (months),
        `Purpose`, and `Risk`: good risk or bad risk for applications drawn at random to be judged,
        missing for the others. There is no key.
    """
    people, _, bad = _drawn(block)
    judged = block.count(simulation.adjudicated)
    unjudged = np.ones(block.rows, np.bool_)
    unjudged[block.stream("gaps").choice(block.rows, judged, replace=False)] = False
    risk = pa.array(RISKS).take(pa.array(bad, mask=unjudged))
    return pa.table(_form(people) | {RISK: risk})


def _truth(block: RowBlock) -> pa.Table:
    people, probability, bad = _drawn(block)
    known = {RISK: _words(RISKS, bad), PROBABILITY: probability.round(PROBABILITY_DECIMALS)}
    return pa.table(_form(people) | known)


def simulated_applications(simulation: ApplicationSimulation) -> SimulatedTable:
    """One row per application, with the risk of those that were judged, not yet drawn.

    Args:
        simulation: Size, seed, judged share and dirt.
    """
    dirt = Dirt(occurring_shares(simulation.dirt), _SPOILERS)
    return SimulatedTable(simulation, (*FORM, RISK), partial(applications_table, simulation), dirt)


def simulated_application_truth(simulation: ApplicationSimulation) -> SimulatedTable:
    """One row per application with its true risk and probability; a model must not see it.

    Args:
        simulation: The simulation of the applications; its dirt never touches the truth.
    """
    return SimulatedTable(simulation, (*FORM, RISK, PROBABILITY), _truth, Dirt({}, {}))


def application_report(simulation: ApplicationSimulation) -> dict[str, Any]:
    """What a simulated file of applications holds and how well a model can do on it.

    Args:
        simulation: Size, seed, judged share and dirt.

    Returns:
        `applications`, `lines` (of the CSV without its header), `judged` (clean applications with
        a risk), `expected_bad` (mean of the true probability), `bad` (share of bad risks, judged
        or not), `ceiling_roc_auc` (see `expected_roc_auc`), `truth_roc_auc` (what the true
        probability scores on these very applications), and `dirt`: rows per kind.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - a second that reports only need

    drawn = [_drawn(block) for block in simulation.blocks()]
    probability = np.concatenate([part for _, part, _ in drawn])
    bad = np.concatenate([part for _, _, part in drawn])
    figures = {
        "expected_bad": probability.mean(),
        "bad": bad.mean(),
        "ceiling_roc_auc": expected_roc_auc(probability),
        "truth_roc_auc": roc_auc_score(bad, probability),
    }
    return {
        "applications": simulation.rows,
        "lines": simulation.lines(),
        "judged": round(simulation.adjudicated * simulation.rows),
        **{name: round(float(figure), 4) for name, figure in figures.items()},
        "dirt": simulation.dirt_counts(),
    }
