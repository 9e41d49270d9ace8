"""Values that accepted rows lost, counted, so that no column is emptied in silence."""

import ibis
import ibis.expr.types as ir

from clientela.intake.rules import TableRules

EMPTIED = {
    "column": "string",
    "rows": "int64",
    "valued": "int64",
    "_file": "string",
    "_line": "int64",
    "_value": "string",
}


def emptied_counts(checked: ir.Table, rules: TableRules) -> ir.Table:
    """How many values of accepted rows each column lost, and an example.

    Args:
        checked: All rows with their verdicts.
        rules: The table's rules.

    Returns:
        One row per column whose unusable values are set missing: `column`, `rows` (emptied),
        `valued` (that had a value), `_file`, `_line`, `_value` (of the first row in which it is the
        first column to be emptied; null where there is none).
    """
    if not rules.flagged:
        return ibis.memtable([], schema=EMPTIED)
    accepted = checked.filter(checked["_reason"].isnull())
    found: dict[str, dict[str, ir.Value]] = {}
    earlier: ir.BooleanValue = ibis.literal(value=False)
    for column in rules.flagged:
        lost = accepted[f"{column}_invalid"]
        found[column] = _figures(accepted, column, lost & ~earlier)
        earlier = earlier | lost
    named = {
        f"{figure}_{place}": value
        for place, figures in enumerate(found.values())
        for figure, value in figures.items()
    }
    one = accepted.agg(**named)
    rows = [
        ibis.struct(
            {"column": ibis.literal(column)}
            | {figure: one[f"{figure}_{place}"] for figure in found[column]}
        )
        for place, column in enumerate(found)
    ]
    return one.select(row=ibis.array(rows).unnest()).unpack("row")


def _figures(accepted: ir.Table, column: str, shown: ir.BooleanValue) -> dict[str, ir.Value]:
    """Counts of one column, and the place and text of the first row that shows it."""
    lost = accepted[f"{column}_invalid"]
    order = [accepted["_file"], accepted["_line"]]
    return {
        "rows": accepted.count(where=lost),
        "valued": accepted.count(where=lost | accepted[column].notnull()),
        "_file": accepted["_file"].first(where=shown, order_by=order),
        "_line": accepted["_line"].first(where=shown, order_by=order),
        "_value": accepted["_emptied"].first(where=shown, order_by=order),
    }
