"""What kind of thing a column holds decides what is asked of it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir

Kind: TypeAlias = Literal["key", "number", "category", "date", "flag", "other"]


def column_kinds(table: ir.Table, keys: Collection[str]) -> dict[str, Kind]:
    """The kind of every column, by its type.

    Args:
        table: Any table.
        keys: Columns that identify rows or people.

    Returns:
        Column name to kind, in the table's order.
    """
    return {name: "key" if name in keys else _kind(table[name]) for name in table.columns}


def _kind(column: ir.Column) -> Kind:
    kind = column.type()
    if kind.is_boolean():
        return "flag"
    if kind.is_numeric():
        return "number"
    if kind.is_string():
        return "category"
    return "date" if kind.is_temporal() else "other"


def of_kind(kinds: Mapping[str, Kind], *wanted: Kind) -> list[str]:
    """The columns of some kinds, in the table's order.

    Args:
        kinds: Column name to kind.
        *wanted: The kinds.

    Returns:
        Column names.
    """
    return [name for name, kind in kinds.items() if kind in wanted]


def measured(table: ir.Table, column: str) -> ir.NumericColumn:
    """A numeric column with what is not a finite number as missing.

    Args:
        table: Any table.
        column: A numeric column.

    Returns:
        The column; its type is kept, so that sums of decimals and integers stay exact.
    """
    values = table[column]
    if not values.type().is_floating():
        return values
    return (values.isnan() | values.isinf()).ifelse(ibis.null(values.type()), values)


def stable(value: ir.NumericScalar) -> ir.FloatingScalar:
    """A statistic without the digits that depend on the order of summation.

    Sums of floats differ in their last digits with the number of threads; seven significant digits
    do not.

    Args:
        value: A statistic.

    Returns:
        It as float32.
    """
    return value.cast("float32")


def exact_mean(values: ir.NumericColumn) -> ir.FloatingScalar:
    """The mean: exact for decimals and integers, to seven digits for floats.

    Args:
        values: Any numbers.

    Returns:
        Sum by count; null where there are none.
    """
    mean = values.sum().cast("float64") / values.count().nullif(0)
    return stable(mean).cast("float64") if values.type().is_floating() else mean


def stacked(aggregate: ir.Table, rows: Iterable[Mapping[str, ir.Value]]) -> ir.Table:
    """One row with many statistics, turned into one row per column: the source is read once.

    Args:
        aggregate: A table of one row per group.
        rows: For each row to be, its fields as expressions over `aggregate`; the same names and
            types in each.

    Returns:
        One row per item of `rows` (and group).
    """
    items = ibis.array([ibis.struct(dict(row)) for row in rows])
    return aggregate.select(row=items.unnest()).unpack("row")
