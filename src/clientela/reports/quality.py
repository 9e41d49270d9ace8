"""Quality of any table in one pass: types, missing, distinct, ranges, moments, repeated rows."""

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from clientela.reports.columns import Kind, column_kinds, exact_mean, measured, stable, stacked


def quality(table: ir.Table, keys: Collection[str]) -> ir.Table:
    """One row per column of a table.

    Args:
        table: Any table.
        keys: Columns that identify rows or people: they are counted, their values never shown.

    Returns:
        `place`, `column`, `type`, `kind`, `rows`, `missing`, `distinct` (null for dates), for
        numbers `mean`, `std` (of the sample), `minimum`, `maximum`, `zeros`, `negative`, and for
        dates `first` and `last` as text.
    """
    kinds = column_kinds(table, keys)
    statistics: dict[str, ir.Scalar] = {"rows": table.count()}
    for name, kind in kinds.items():
        statistics |= {f"{name}\n{s}": v for s, v in _statistics(table, name, kind).items()}
    one = table.agg(**statistics)
    return stacked(one, [_row(one, table, place, item) for place, item in enumerate(kinds.items())])


def _statistics(table: ir.Table, name: str, kind: Kind) -> dict[str, ir.Scalar]:
    if kind == "date":
        column = table[name]
        dates = {"first": column.min().cast("string"), "last": column.max().cast("string")}
        return {"present": column.count(), **dates}
    if kind != "number":
        return {"present": table[name].count(), "distinct": table[name].nunique()}
    values = measured(table, name)
    return {
        "present": values.count(),
        "distinct": values.nunique(),
        "mean": exact_mean(values),
        "std": stable(values.cast("float64").std(how="sample")).cast("float64"),
        "minimum": values.min().cast("float64"),
        "maximum": values.max().cast("float64"),
        "zeros": (values == 0).sum(),
        "negative": (values < 0).sum(),
    }


FIELDS: Mapping[str, str] = {
    "distinct": "int64",
    "mean": "float64",
    "std": "float64",
    "minimum": "float64",
    "maximum": "float64",
    "zeros": "int64",
    "negative": "int64",
    "first": "string",
    "last": "string",
}


def _row(one: ir.Table, table: ir.Table, place: int, item: tuple[str, Kind]) -> dict[str, ir.Value]:
    name, kind = item
    found = {
        field: one[f"{name}\n{field}"].cast(kind_of_field)
        if f"{name}\n{field}" in one.columns
        else ibis.null(kind_of_field)
        for field, kind_of_field in FIELDS.items()
    }
    return {
        "place": ibis.literal(place, "int64"),
        "column": ibis.literal(name),
        "type": ibis.literal(str(table[name].type())),
        "kind": ibis.literal(kind),
        "rows": one["rows"],
        "missing": one["rows"] - one[f"{name}\npresent"],
        **found,
    }


def repeated_rows(table: ir.Table, keys: Collection[str]) -> ir.Table:
    """One row: how many rows say again what another row says, the row's own key aside.

    Rows that one key alone identifies (one per customer) may share all their attributes; only
    tables with no key, or with a second one (who bought, beside the number of the ticket), are
    compared.

    Args:
        table: Any table.
        keys: Columns that identify rows or people; the first one present is the row's own key.

    Returns:
        `repeated`: null where rows are not compared.
    """
    own = [key for key in keys if key in table.columns]
    if len(own) == 1:
        return ibis.memtable([{"repeated": None}], schema={"repeated": "int64"})
    compared = [column for column in table.columns if column not in own[:1]]
    groups = table.group_by(compared).agg(_rows=ibis._.count())
    return groups.agg(repeated=(groups["_rows"] - 1).sum().fill_null(0).cast("int64"))
