"""Values that accepted rows lost, counted, so that no column is emptied in silence."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.column_rules import IntakeRules, TableRules
from clientela.exceptions import RowAccountingError, TooManyBadRowsError, TooManyBadValuesError
from clientela.pipelines.ingestion.validation import PLACE, build_format_hint, format_settings_line

# Values that accepted rows lost, counted, so that no column is emptied in silence.


EMPTIED = {
    "column": "string",
    "rows": "int64",
    "valued": "int64",
    "_file": "string",
    "_line": "int64",
    "_value": "string",
}


def count_nulled_values(checked: ir.Table, rules: TableRules) -> ir.Table:
    """How many values of accepted rows each column lost, and an example.

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
        found[column] = _aggregate_nulled_column(accepted, column, lost & ~earlier)
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


def _aggregate_nulled_column(
    accepted: ir.Table, column: str, shown: ir.BooleanValue
) -> dict[str, ir.Value]:
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


# Proof that no row is lost: accepted + quarantined = read.


COMMONEST = 3
INVALID = "invalid_"


def check_bad_row_share(
    reasons: pd.DataFrame, examples: pd.DataFrame, rules: IntakeRules, use_case: str, name: str
) -> None:
    """Stops when too many rows of a table are unusable.

    Args:
        reasons: One row per reason, with `_reason` (null: accepted) and `rows`.
        examples: One quarantined row per reason: `_reason`, `_file`, `_line`, `_value`.
        rules: The rules of all tables, with the tolerated share.
        use_case: The entry that the table belongs to.

    Raises:
        TooManyBadRows: Names the commonest reasons, each with the place of an example.
    """
    read = int(reasons["rows"].sum())
    bad = reasons[reasons["_reason"].notna()].sort_values(
        ["rows", "_reason"], ascending=[False, True]
    )
    quarantined = int(bad["rows"].sum())
    if read == 0 or quarantined / read <= rules.max_bad_share:
        return
    places = examples.set_index("_reason")
    commonest = bad.head(COMMONEST)
    causes = [
        f"{rows} x {reason}{_format_example(places.loc[reason])}"
        for reason, rows in commonest[["_reason", "rows"]].itertuples(index=False)
    ]
    columns = {f"{INVALID}{column}": column for column in rules.tables[name].columns}
    unread = [columns[reason] for reason in commonest["_reason"] if reason in columns]
    raise TooManyBadRowsError(
        f"{quarantined} of {read} rows of {name!r} ({quarantined / read:.1%}) are unusable; "
        f"tolerated: {rules.max_bad_share:.1%} (ingestion.max_bad_share). "
        f"Commonest: {'; '.join(causes)}. "
        f"All of them, with their text, are in {use_case}/quarantine_{name}.parquet of the "
        "intermediate layer (data/02_intermediate, unless globals.yml names another folder). "
        f"{build_format_hint(use_case, name, rules.tables[name], unread)}"
        "Else mend the file, or declare its encoding or delimiter (raw_text in "
        f"conf/local/globals.yml).{_format_share_hint(quarantined, read, use_case)}"
    )


def _format_share_hint(quarantined: int, read: int, use_case: str) -> str:
    if quarantined == read:
        return ""
    share = _round_up_share(quarantined / read)
    return (
        f" If it is right to go on without these rows, say so in {PLACE}: "
        f"{use_case}: {{ingestion: {{max_bad_share: {share}}}}}"
    )


def check_invalid_value_share(
    emptied: pd.DataFrame, rules: IntakeRules, use_case: str, name: str
) -> None:
    """Stops when a column lost too many of its values, though its rows were kept.

    Args:
        emptied: One row per column whose unusable values are set missing: `column`, `rows` (of
            the accepted, those emptied), `valued` (those that had a value), and of one emptied
            value `_file`, `_line`, `_value`.
        rules: The rules of all tables, with the tolerated shares.
        use_case: The entry that the table belongs to.

    Raises:
        TooManyBadValues: Names each such column, how many values it lost, and one of them.
    """
    columns = rules.tables[name].columns
    limits = {c: _resolve_max_share(columns[c].max_invalid_share, rules) for c in emptied["column"]}
    # a table without such columns has none to take a type from
    tolerated = emptied["column"].map(limits).astype(float) * emptied["valued"].astype(float)
    lost = emptied[emptied["rows"].astype(float) > tolerated]
    if lost.empty:
        return
    shares = lost["rows"] / lost["valued"]
    causes = [
        f"{name}.{row['column']}: {row['rows']} of {row['valued']} values ({share:.1%}; tolerated: "
        f"{limits[row['column']]:.1%}){_format_example(row)}"
        for (_, row), share in zip(lost.iterrows(), shares, strict=True)
    ]
    allowed = {
        column: {"max_invalid_share": _round_up_share(share)}
        for column, share in zip(lost["column"], shares, strict=True)
    }
    raise TooManyBadValuesError(
        f"Values that can't be used would be emptied: {'; '.join(causes)}. "
        f"{build_format_hint(use_case, name, rules.tables[name], lost['column'])}"
        f"If it is right to go on without these values, say so in {PLACE}: "
        f"{format_settings_line(use_case, name, {'columns': allowed})}"
    )


def _resolve_max_share(own: float | None, rules: IntakeRules) -> float:
    return rules.max_bad_share if own is None else own


def _round_up_share(share: float) -> float:
    """The share, rounded up to whole percents."""
    return min(ceil(share * 100) / 100, 1.0)


def _format_example(place: "pd.Series[Any]") -> str:
    if pd.isna(place["_file"]):
        return ""
    value = f", value {place['_value']!r}" if pd.notna(place["_value"]) else ""
    return f" (e.g. {place['_file']} line {int(place['_line'])}{value})"


def build_table_accounting(  # noqa: PLR0913 - the lines of an account
    *,
    read: int,
    accepted: int,
    reasons: pd.DataFrame,
    unknown: Mapping[str, int],
    set_missing: Mapping[str, int],
    repeated: int | None,
    name: str,
) -> dict[str, Any]:
    """The account of one table.

    Args:
        accepted: Rows of the accepted table as stored.
        reasons: One row per reason of the quarantine table as stored, with `_reason`, `rows`.
        unknown: Reference column to the accepted rows whose reference is unknown.
        set_missing: Column to the accepted rows whose unusable value was set missing.
        repeated: Accepted rows that say again what another says; None where a key tells.

    Returns:
        `read`, `accepted`, `quarantined`, `reasons` (name to rows), `unknown_references`,
        `set_missing`, and `repeated` for tables without a key.
    """
    counts = dict(zip(reasons["_reason"].map(str), reasons["rows"].map(int), strict=True))
    quarantined = sum(counts.values())
    if accepted + quarantined != read:
        raise RowAccountingError(
            f"{name!r}: {read} rows read, but {accepted} accepted + {quarantined} quarantined = "
            f"{accepted + quarantined}. The raw file changed during the run, or this is a fault "
            "of the project: run ingestion again and report it if it persists."
        )
    return {
        "read": read,
        "accepted": accepted,
        "quarantined": quarantined,
        "reasons": dict(sorted(counts.items())),
        "unknown_references": dict(unknown),
        "set_missing": dict(set_missing),
        **({} if repeated is None else {"repeated": repeated}),
    }
