"""The period after a sample, twice: as before, and with one change planted on purpose.

A newcomer sees with them what monitoring is for, and a test knows what it should have found. Both
are drawn anew with seeds of their own and without dirt; nothing of them is ever learned from.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.exceptions import ConfigurationError
from clientela.pipelines.data_generation.simulation import (
    RowBlock,
    Shift,
    SimulatedTable,
    Simulation,
    kernels,
)

AnySimulation = TypeVar("AnySimulation", bound=Simulation)
Plant: TypeAlias = Callable[[pa.Table, np.random.Generator], pa.Table]
# Of so many drawn rows one is chosen where the population changes.
DRAWN_PER_CHOSEN = 5
# How strongly the choice depends on the column, in standard deviations.
PULL = 2.0
NEW_CATEGORY_SHARE = 0.3
LARGEST_CHUNK = 2_000_000


def scale_column(column: str, factor: float) -> Plant:
    """A broken unit: cents for pesos, seconds for minutes."""

    def plant(rows: pa.Table, _: np.random.Generator) -> pa.Table:
        kind = rows.schema.field(column).type
        scaled = rows[column].cast(pa.float64()).to_numpy() * factor
        values = np.rint(scaled) if pa.types.is_integer(kind) else scaled.round(2)
        return replace_column(rows, column, pa.array(values, from_pandas=True).cast(kind))

    return plant


def clear_column(column: str) -> Plant:
    """A missing column: its name is there, none of its values."""
    return lambda rows, _: replace_column(
        rows, column, pa.nulls(len(rows), rows.schema.field(column).type)
    )


def write_value(column: str, value: object, share: float = NEW_CATEGORY_SHARE) -> Plant:
    """A value in the column of some rows, whatever else they hold: a new category, an outcome."""

    def plant(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        chosen = pa.array(rng.random(len(rows)) < share)
        other = pa.scalar(value, rows.schema.field(column).type)
        return replace_column(rows, column, kernels.if_else(chosen, other, rows[column]))

    return plant


def redraw_outcome(column: str, values: tuple[object, object], share: float) -> Plant:
    """A changed relation: the outcome no longer depends on anything, and is more frequent."""

    def plant(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        happens = (rng.random(len(rows)) < share).astype(np.int64)
        kind = rows.schema.field(column).type
        return replace_column(rows, column, pa.array(values, kind).take(pa.array(happens)))

    return plant


def choose_rows(column: str, pull: float = PULL) -> Plant:
    """A changed population: of the rows those with a larger (or smaller) value, more often.

    Each row is kept as it is, so that what depends on what stays the same. The largest of weights
    with Gumbel noise are a draw without replacement (Efraimidis and Spirakis 2006).
    """

    def plant(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        rank = pd.Series(rows[column].cast(pa.float64()).to_numpy()).rank(pct=True).fillna(0.5)
        keys = pull * np.sqrt(12) * rank.to_numpy() + rng.gumbel(size=len(rows))
        chosen = np.sort(np.argsort(-keys)[: len(rows) // DRAWN_PER_CHOSEN])
        return rows.take(pa.array(chosen))

    return plant


def replace_column(rows: pa.Table, column: str, values: Any) -> pa.Table:
    """The rows with other values in a column."""
    return rows.set_column(rows.schema.get_field_index(column), column, values)


def simulate_next_period(
    simulation: AnySimulation,
    simulate: Callable[[AnySimulation], SimulatedTable],
    plants: Mapping[Shift, Plant],
    later: Callable[[AnySimulation, int], dict[str, Any]],
) -> tuple[SimulatedTable, SimulatedTable]:
    """The unchanged and the changed next period of a table that stands alone, not yet drawn.

    Args:
        simulate: The table of a simulation.
        plants: What each kind of change does to the rows of a period.
        later: Parameters of the first or second period after the sample.
    """
    tables = []
    for period, shift in enumerate(list_shifts(simulation, plants), start=1):
        changes = {"rows": count_drawn_rows(simulation, shift)} | later(simulation, period)
        next_one = create_next_simulation(simulation, period, changes)
        table = simulate(next_one)
        draw = partial(draw_planted, table, plants.get(shift))
        tables.append(SimulatedTable(next_one, table.columns, draw, shift=shift))
    return tables[0], tables[1]


def list_shifts(simulation: Simulation, plants: Mapping[Shift, Plant]) -> tuple[Shift, Shift]:
    """None, then the change that is asked for.

    Raises:
        ConfigurationError: The table has no such change.
    """
    shift = simulation.next_period.shift
    if shift != "none" and shift not in plants:
        raise ConfigurationError(
            f"data_generation.next_period.shift: {shift!r} can't be planted in this sample, whose "
            f"data would not show it. Take none, {', '.join(sorted(plants))}, or name one use case "
            "by --tags=."
        )
    return "none", shift


def count_drawn_rows(simulation: Simulation, shift: Shift) -> int:
    """Rows to be drawn, so that enough of them can be chosen."""
    return simulation.next_period.rows * (DRAWN_PER_CHOSEN if shift == "changed_population" else 1)


def create_next_simulation(
    simulation: AnySimulation, period: int, changes: dict[str, Any]
) -> AnySimulation:
    """The parameters of a later period: clean, of one block, with a seed of its own."""
    seed = simulation.seed + simulation.next_period.seed + period - 1
    fixed = {"seed": seed, "dirt": None, "chunk_rows": LARGEST_CHUNK}
    return simulation.model_copy(update=fixed | changes)


def draw_planted(table: SimulatedTable, plant: Plant | None, block: RowBlock) -> pa.Table:
    """The rows of a block, changed."""
    rows = table.draw(block)
    return rows if plant is None else plant(rows, block.create_rng("shift"))
