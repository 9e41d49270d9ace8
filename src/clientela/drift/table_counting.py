"""Counts a table that stays in its engine: one CASE and GROUP BY per column, evaluated lazily.

The CASE is a binary search, so that a row meets some eight comparisons, not one per cell.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clientela.drift.cells import DIGEST_LENGTH
from clientela.drift.columns import Kind
from clientela.drift.counts import Counts, Range, check_columns
from clientela.drift.profile import BaselineProfile, CategoricalProfile, NumericProfile


def cell_counts(table: ir.Table, profile: BaselineProfile) -> ir.Table:
    """One row per column and cell that has rows.

    Args:
        table: The current data.
        profile: The baseline.

    Returns:
        `feature`, `cell` (its number), `rows`, `smallest`, `largest` (of the cell's numbers).

    Raises:
        CurrentDataUnfit: A column is missing or changed its type.
    """
    kinds = {name: _kind(type_) for name, type_ in table.schema().items()}
    untyped = {name for name, type_ in table.schema().items() if type_.is_null()}
    kinds |= {name: profile.columns[name].type for name in untyped & set(profile.columns)}
    check_columns(profile, kinds)
    parts = [_column_cells(table, name, column) for name, column in profile.columns.items()]
    return _united(parts)


def counts_from_cells(cells: pd.DataFrame, profile: BaselineProfile) -> Counts:
    """The counts that `cell_counts` found, the same integers as `clientela.drift.counting`.

    Args:
        cells: The materialised table, rows in any order.
        profile: The baseline.

    Returns:
        Counts.
    """
    found = {
        name: part.set_index("cell")["rows"].reindex(range(len(column.cells)), fill_value=0)
        for name, column in profile.columns.items()
        for part in [cells[cells["feature"] == name]]
    }
    return Counts(
        data_hash=profile.data_hash,
        rows=int(next(iter(found.values())).sum()) if found else 0,
        cells={name: tuple(int(rows) for rows in part) for name, part in found.items()},
        ranges={
            str(name): _range(part.set_index("cell"), len(profile.columns[str(name)].cells) - 2)
            for name, part in cells.dropna(subset="smallest").groupby("feature")
        },
    )


def _range(known: pd.DataFrame, last: int) -> Range:
    """Where values lie, of the cells that have any; the last cell is beyond the maximum."""
    return Range(
        minimum=float(known["smallest"].min()),
        maximum=float(known["largest"].max()),
        below=float(known["largest"].get(0, -np.inf)),
        above=float(known["smallest"].get(last, np.inf)),
    )


def _united(parts: Sequence[ir.Table]) -> ir.Table:
    """All rows of all parts; joined in halves, since hundreds in a row nest too deep to compile."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return _united(parts[:half]).union(_united(parts[half:]))


def _kind(type_: dt.DataType) -> Kind | None:
    if type_.is_numeric() and not type_.is_boolean():
        return "numeric"
    return "categorical" if type_.is_string() or type_.is_boolean() else None


def _column_cells(
    table: ir.Table, name: str, column: NumericProfile | CategoricalProfile
) -> ir.Table:
    if isinstance(column, NumericProfile):
        value = _number(table[name])
        # the column is computed once, below the CASE, which names it at every step
        computed = table.select(value=value)
        keyed = computed.mutate(cell=_number_cell(computed["value"], column))
    else:
        computed = table.select(value=table[name].cast("string"))
        cell = _category_cell(computed["value"], column)
        keyed = computed.select(cell=cell, value=ibis.null("float64"))
    return (
        keyed.group_by("cell")
        .agg(rows=keyed.count(), smallest=keyed["value"].min(), largest=keyed["value"].max())
        .select("cell", "rows", "smallest", "largest", feature=ibis.literal(name))
    )


def _number(values: ir.Value) -> ir.FloatingValue:
    """Floats, null where missing: NaN is a value to some engines, greater than any other."""
    floats = values.cast("float64")
    return floats if not values.type().is_floating() else floats.isnan().ifelse(None, floats)


def _number_cell(value: ir.FloatingValue, column: NumericProfile) -> ir.IntegerValue:
    missing = len(column.cells) - 1

    def between(first: int, last: int) -> ir.Value:
        """The cell of a value that lies between two points, outside both."""
        if first == last:
            return ibis.literal(2 * first)
        middle = (first + last) // 2
        # a text, since DuckDB reads -0.09088043304793189 as a decimal, then as another float
        point = ibis.literal(repr(column.points[middle])).cast("float64")
        return ibis.cases(
            (value < point, between(first, middle)),
            (value == point, ibis.literal(2 * middle + 1)),
            else_=between(middle + 1, last),
        )

    inside = between(0, len(column.points))
    return value.isnull().ifelse(missing, inside).cast("int64")  # noqa: PD003 - no frame


def _category_cell(value: ir.StringValue, column: CategoricalProfile) -> ir.IntegerValue:
    size = len(column.values)
    own = [(value == known, ibis.literal(at)) for at, known in enumerate(column.values)]
    known = value.hexdigest("sha256").substr(0, DIGEST_LENGTH).isin(column.other_values)
    branches = [(value.isnull(), ibis.literal(size + 2)), *own]  # noqa: PD003 - no frame
    if column.other_values:
        branches.append((known, ibis.literal(size)))
    return ibis.cases(*branches, else_=ibis.literal(size + 1)).cast("int64")
