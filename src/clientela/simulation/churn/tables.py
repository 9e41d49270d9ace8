"""The simulated WiFi as two tables, what a model may see and what it may not, and their report."""

from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from clientela.simulation.ceiling import expected_roc_auc
from clientela.simulation.chunks import RowBlock
from clientela.simulation.churn.derived_columns import (
    column_names,
    one_hot,
    with_derived_columns,
)
from clientela.simulation.churn.parameters import ChurnSimulation
from clientela.simulation.churn.probability import Behaviour, churn_probability, churned
from clientela.simulation.churn.visitors import behaviour_of, user_ids, visitors_table
from clientela.simulation.dirt import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    Dirt,
    emptied,
    negated,
    replaced,
    unchanged,
)
from clientela.simulation.parameters import occurring_shares
from clientela.simulation.single_table import SimulatedTable

TRUTH_COLUMNS: Final = ("user_id", "churn_probability")
PROBABILITY_DECIMALS: Final = 6

_SPOILERS: Final = {
    "exact_duplicate": unchanged,
    "missing_user_id": emptied("user_id"),
    "negative_session": negated("avg_session"),
    "impossible_date": replaced("last_visit", IMPOSSIBLE_DAYS),
    "unparseable_visits": replaced("visits", NO_NUMBERS),
}


def _visitors(simulation: ChurnSimulation, block: RowBlock) -> pa.Table:
    raw = visitors_table(simulation, block)
    table = with_derived_columns(raw) if simulation.derived_columns else raw
    return one_hot(table) if simulation.one_hot else table


def _habits(block: RowBlock) -> Behaviour:
    return behaviour_of(block.stream("customers"), block.rows)


def _truth(block: RowBlock) -> pa.Table:
    probability = churn_probability(_habits(block)).round(PROBABILITY_DECIMALS)
    return pa.table(dict(zip(TRUTH_COLUMNS, (user_ids(block), probability), strict=True)))


def simulated_visitors(simulation: ChurnSimulation) -> SimulatedTable:
    """One row per user of the WiFi, target included, not yet drawn.

    Args:
        simulation: Size, date, seed, form and dirt.
    """
    dirt = Dirt(occurring_shares(simulation.dirt), _SPOILERS)
    drawn = partial(_visitors, simulation)
    return SimulatedTable(simulation, column_names(simulation), drawn, dirt)


def simulated_churn_truth(simulation: ChurnSimulation) -> SimulatedTable:
    """One row per user with the true probability given the raw columns; a model must not see it.

    Args:
        simulation: The simulation of the visitors; its dirt never touches the truth.
    """
    return SimulatedTable(simulation, TRUTH_COLUMNS, _truth, Dirt({}, {}))


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

    habits = [(block, _habits(block)) for block in simulation.blocks()]
    probability = np.concatenate([churn_probability(behaviour) for _, behaviour in habits])
    outcome = np.concatenate(
        [churned(block.stream("outcome"), behaviour) for block, behaviour in habits]
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
        "dirt": simulation.dirt_counts(),
    }
