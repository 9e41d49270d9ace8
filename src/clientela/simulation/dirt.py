"""What goes wrong in real exports: rows spoiled on purpose, one kind each, in known numbers.

The positions come from a stream of their own, so the clean rows of a dirty sample equal those of a
clean one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from clientela.simulation.chunks import RowBlock
from clientela.simulation.seasonality import Ints
from clientela.simulation.text_columns import csv_lines, joined

IMPOSSIBLE_DAYS: Final = ("2023-02-30", "2023-13-05", "2023-04-31", "2023-00-12")
NO_NUMBERS: Final = ("N/A", "12.5x", "S/ 45", "--")
FIELDS_LEFT: Final = 5

ADDED_KINDS: Final = ("exact_duplicate", "conflicting_duplicate")
STRUCTURAL_KINDS: Final = ("extra_columns", "missing_columns")

Spoiler = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Dirt:
    """The kinds of dirt in one table.

    Attributes:
        shares: Share of all rows per kind that occurs.
        spoilers: How each kind spoils rows of text; `STRUCTURAL_KINDS` need none.
    """

    shares: Mapping[str, float]
    spoilers: Mapping[str, Spoiler]


def with_column(rows: pa.Table, column: str, values: pa.Array) -> pa.Table:
    """The rows with other values in one column."""
    return rows.set_column(rows.schema.get_field_index(column), column, values)


def cycled(values: tuple[str, ...], count: int) -> pa.Array:
    """The values in turn, as many as asked for."""
    return pa.array([values[i % len(values)] for i in range(count)], pa.string())


def unchanged(rows: pa.Table) -> pa.Table:
    """Spoils nothing: the row itself is one too many."""
    return rows


def emptied(column: str) -> Spoiler:
    """Leaves the column empty."""

    def spoil(rows: pa.Table) -> pa.Table:
        return with_column(rows, column, pa.nulls(len(rows), pa.string()))

    return spoil


def replaced(column: str, values: tuple[str, ...]) -> Spoiler:
    """Writes the values into the column, in turn."""

    def spoil(rows: pa.Table) -> pa.Table:
        return with_column(rows, column, cycled(values, len(rows)))

    return spoil


def negated(column: str) -> Spoiler:
    """Puts a minus before the column's numbers, which are above zero and never missing."""

    def spoil(rows: pa.Table) -> pa.Table:
        return with_column(rows, column, joined("-", rows[column]))

    return spoil


def dirt_counts(dirt: Dirt, block: RowBlock) -> dict[str, int]:
    """Rows of each kind of dirt in a block; all blocks together have `round(share * rows)`."""
    return {kind: block.count(share) for kind, share in dirt.shares.items()}


def _positions(dirt: Dirt, block: RowBlock) -> dict[str, Ints]:
    """Rows of the block that each kind takes as its victims; no row is taken twice."""
    counts = dirt_counts(dirt, block)
    rng = block.stream("dirt")
    chosen = rng.choice(block.rows, sum(counts.values()), replace=False)
    return dict(zip(counts, np.split(chosen, np.cumsum(list(counts.values())))[:-1], strict=True))


def _order(rows: int, positions: dict[str, Ints]) -> Ints:
    """Where to take each row from, when the spoiled ones stand behind the clean ones, by kind."""
    order = np.arange(rows)
    behind = rows
    added = []
    for kind, victims in positions.items():
        sources = behind + np.arange(len(victims))
        behind += len(victims)
        if kind in ADDED_KINDS:
            added.append(sources)
        else:
            order[victims] = sources
    return np.concatenate([order, *added])


def spoiled_table(rows: pa.Table, dirt: Dirt, block: RowBlock) -> pa.Table:
    """The rows of a block with the dirt that a table can hold (columns stay whole).

    Args:
        rows: Clean rows of the block, all columns text.
        dirt: Says how many of which kind.
        block: Says which.

    Returns:
        The rows, victims replaced, duplicates behind them; empty values are null.
    """
    positions = {
        kind: victims
        for kind, victims in _positions(dirt, block).items()
        if kind not in STRUCTURAL_KINDS
    }
    spoiled = [dirt.spoilers[kind](rows.take(victims)) for kind, victims in positions.items()]
    return pa.concat_tables([rows, *spoiled]).take(_order(len(rows), positions))


def _spoiled_lines(kind: str, rows: pa.Table, spoilers: Mapping[str, Spoiler]) -> pa.StringArray:
    if kind == "extra_columns":
        return csv_lines(rows.append_column("", pa.array(["sobra,1"] * len(rows), pa.string())))
    if kind == "missing_columns":
        return csv_lines(rows.select(range(FIELDS_LEFT)))
    return csv_lines(spoilers[kind](rows))


def spoiled_lines(rows: pa.Table, dirt: Dirt, block: RowBlock) -> pa.StringArray:
    """The rows of a block as lines of CSV with every kind of dirt, wrong widths included.

    Args:
        rows: Clean rows of the block, all columns text.
        dirt: Says how many of which kind.
        block: Says which.

    Returns:
        One line per row, victims replaced, duplicates behind them.
    """
    positions = _positions(dirt, block)
    spoiled = [
        _spoiled_lines(kind, rows.take(victims), dirt.spoilers)
        for kind, victims in positions.items()
    ]
    return pa.concat_arrays([csv_lines(rows), *spoiled]).take(
        pa.array(_order(len(rows), positions))
    )
