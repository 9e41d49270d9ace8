"""What goes wrong in real exports: rows spoiled on purpose, one kind each, in known numbers.

The positions come from a stream of their own, so the clean rows of a dirty sample equal those of a
clean one.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa

from clientela.simulation.chunks import Chunk
from clientela.simulation.customers import customer_ids
from clientela.simulation.parameters import TransactionSimulation
from clientela.simulation.seasonality import Ints
from clientela.simulation.text_columns import csv_lines, joined, text_from

IMPOSSIBLE_DAYS: Final = ("2023-02-30", "2023-13-05", "2023-04-31", "2023-00-12")
DISTANT_YEARS: Final = ("1904", "2192")  # leap years, so that 29 February stays a real day
NO_NUMBERS: Final = ("N/A", "12.5x", "S/ 45", "--")
FIELDS_LEFT: Final = 5

ADDED_KINDS: Final = ("exact_duplicate", "conflicting_duplicate")
STRUCTURAL_KINDS: Final = ("extra_columns", "missing_columns")

Spoiler = Callable[[pa.Table, int], pa.Table]


def _with(rows: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(column), column, values)


def _cycled(values: tuple[str, ...], count: int) -> pa.Array:
    return pa.array([values[i % len(values)] for i in range(count)], pa.string())


def _unchanged(rows: pa.Table, _customers: int) -> pa.Table:
    return rows


def _another_amount(rows: pa.Table, _customers: int) -> pa.Table:
    amounts = [str(Decimal(amount) + 10) for amount in rows["valor_transaccion"].to_pylist()]
    return _with(rows, "valor_transaccion", pa.array(amounts, pa.string()))


def _emptied(column: str) -> Spoiler:
    def spoil(rows: pa.Table, _customers: int) -> pa.Table:
        return _with(rows, column, pa.nulls(len(rows), pa.string()))

    return spoil


def _unknown_customer(rows: pa.Table, customers: int) -> pa.Table:
    return _with(rows, "id_cliente", customer_ids(customers + np.arange(len(rows))))


def _impossible_date(rows: pa.Table, _customers: int) -> pa.Table:
    days = _cycled(IMPOSSIBLE_DAYS, len(rows))
    return _with(rows, "fecha", joined(days, text_from(rows["fecha"], len("2023-02-30"))))


def _distant_year(rows: pa.Table, _customers: int) -> pa.Table:
    years = _cycled(DISTANT_YEARS, len(rows))
    return _with(rows, "fecha", joined(years, text_from(rows["fecha"], len("2023"))))


def _no_number(rows: pa.Table, _customers: int) -> pa.Table:
    return _with(rows, "valor_transaccion", _cycled(NO_NUMBERS, len(rows)))


def _third_decimal(rows: pa.Table, _customers: int) -> pa.Table:
    return _with(rows, "valor_transaccion", joined(rows["valor_transaccion"], "7"))


SPOILERS: Final[dict[str, Spoiler]] = {
    "exact_duplicate": _unchanged,
    "conflicting_duplicate": _another_amount,
    "missing_transaction_id": _emptied("id_transaccion"),
    "missing_customer_id": _emptied("id_cliente"),
    "unknown_customer": _unknown_customer,
    "impossible_date": _impossible_date,
    "year_out_of_range": _distant_year,
    "unparseable_amount": _no_number,
    "missing_amount": _emptied("valor_transaccion"),
    "excess_decimals": _third_decimal,
}


def dirt_counts(simulation: TransactionSimulation, chunk: Chunk) -> dict[str, int]:
    """Rows of each kind of dirt in a chunk; all chunks together have `round(share * rows)`."""
    last_row = chunk.first_row + chunk.rows
    return {
        kind: round(share * last_row) - round(share * chunk.first_row)
        for kind, share in simulation.dirt_shares.items()
    }


def _positions(simulation: TransactionSimulation, chunk: Chunk) -> dict[str, Ints]:
    """Rows of the chunk that each kind takes as its victims; no row is taken twice."""
    counts = dirt_counts(simulation, chunk)
    rng = chunk.stream("dirt")
    chosen = rng.choice(chunk.rows, sum(counts.values()), replace=False)
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


def spoiled_table(rows: pa.Table, simulation: TransactionSimulation, chunk: Chunk) -> pa.Table:
    """The rows of a chunk with the dirt that a table can hold (columns stay whole).

    Args:
        rows: Clean rows of the chunk, all columns text.
        simulation: Says how many of which kind.
        chunk: Says which.

    Returns:
        The rows, victims replaced, duplicates behind them; empty values are null.
    """
    positions = {
        kind: victims
        for kind, victims in _positions(simulation, chunk).items()
        if kind not in STRUCTURAL_KINDS
    }
    spoiled = [
        SPOILERS[kind](rows.take(victims), simulation.customers)
        for kind, victims in positions.items()
    ]
    return pa.concat_tables([rows, *spoiled]).take(_order(len(rows), positions))


def _spoiled_lines(kind: str, rows: pa.Table, customers: int) -> pa.StringArray:
    if kind == "extra_columns":
        return csv_lines(rows.append_column("", pa.array(["sobra,1"] * len(rows), pa.string())))
    if kind == "missing_columns":
        return csv_lines(rows.select(range(FIELDS_LEFT)))
    return csv_lines(SPOILERS[kind](rows, customers))


def spoiled_lines(
    rows: pa.Table, simulation: TransactionSimulation, chunk: Chunk
) -> pa.StringArray:
    """The rows of a chunk as lines of CSV with every kind of dirt, wrong widths included.

    Args:
        rows: Clean rows of the chunk, all columns text.
        simulation: Says how many of which kind.
        chunk: Says which.

    Returns:
        One line per row, victims replaced, duplicates behind them.
    """
    positions = _positions(simulation, chunk)
    spoiled = [
        _spoiled_lines(kind, rows.take(victims), simulation.customers)
        for kind, victims in positions.items()
    ]
    return pa.concat_arrays([csv_lines(rows), *spoiled]).take(
        pa.array(_order(len(rows), positions))
    )
