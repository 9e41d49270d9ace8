"""Proof that no row is lost and no column emptied in silence: counts, checks and accounts."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.column_rules import IntakeRules, TableRules
from clientela.exceptions import RowAccountingError, TooManyBadRowsError, TooManyBadValuesError
from clientela.pipelines.ingestion.diagnostics import (
    COMMONEST,
    DAMAGED_IDS,
    PLACE,
    describe_mends,
    describe_repeated_keys,
    format_settings_line,
)
from clientela.pipelines.ingestion.validation import (
    LINEAGE,
    VERDICT,
    find_usual_period,
    is_duplicate_row,
    is_isolated,
)

INVALID, DUPLICATE_KEY = "invalid_", "duplicate_key"
# Distinct unusable values of a column, and rows with repeated keys, that mends are tried on.
MOST_VALUES, MOST_REPEATED = 1000, 500
EMPTIED = {
    "column": "string",
    "rows": "int64",
    "valued": "int64",
    "_file": "string",
    "_line": "int64",
    "_value": "string",
}
ISOLATED = {
    "column": "string",
    "rows": "int64",
    "earliest": "date",
    "latest": "date",
    "day": "date",
    "_file": "string",
    "_line": "int64",
}
DAMAGED = {
    "column": "string", "kind": "string", "rows": "int64", "_file": "string", "_line": "int64",
}  # fmt: skip
FAULTS = {"fault": "string", "column": "string", "rows": "int64"}
UNKNOWN = {"column": "string", "rows": "int64", "shape": "string", "known_shape": "string"}


def _aggregate_rows(
    table: ir.Table, rows: Sequence[Mapping[str, ir.Value]], schema: Mapping[str, str]
) -> ir.Table:
    """One row per mapping of literals and aggregates, all computed in one pass of the table."""
    if not rows:
        return ibis.memtable([], schema=schema)
    named = {
        f"{name}_{place}": value for place, row in enumerate(rows) for name, value in row.items()
    }
    totals = table.agg(**named)
    structs = [
        ibis.struct({name: totals[f"{name}_{place}"] for name in row})
        for place, row in enumerate(rows)
    ]
    return totals.select(row=ibis.array(structs).unnest()).unpack("row")


def count_nulled_values(checked: ir.Table, rules: TableRules) -> ir.Table:
    """How many values of accepted rows each column lost, and an example.

    Returns:
        One row per column whose unusable values are set missing: `column`, `rows` (emptied),
        `valued` (that had a value), `_file`, `_line`, `_value` (of the first row in which it is the
        first column to be emptied; null where there is none).
    """
    accepted = checked.filter(checked["_reason"].isnull())
    order = [accepted["_file"], accepted["_line"]]
    counts: list[dict[str, ir.Value]] = []
    earlier: ir.BooleanValue = ibis.literal(value=False)
    for column in rules.flagged:
        lost = accepted[f"{column}_invalid"]
        shown = lost & ~earlier
        counts.append(
            {
                "column": ibis.literal(column),
                "rows": accepted.count(where=lost),
                "valued": accepted.count(where=lost | accepted[column].notnull()),
                "_file": accepted["_file"].first(where=shown, order_by=order),
                "_line": accepted["_line"].first(where=shown, order_by=order),
                "_value": accepted["_emptied"].first(where=shown, order_by=order),
            }
        )
        earlier = earlier | lost
    return _aggregate_rows(accepted, counts, EMPTIED)


def count_unusable_values(checked: ir.Table, rules: TableRules) -> ir.Table:
    """The commonest values that rules refuse or empty: `column`, `value`, `rows`."""
    refused = [(checked["_reason"] == f"{INVALID}{column}", column) for column in rules.columns]
    emptied = [
        (checked["_reason"].isnull() & checked[f"{column}_invalid"], column)
        for column in rules.flagged  # of several in a row, the first one's value is known
    ]
    blamed = checked.select(
        column=ibis.cases(*refused, *emptied, else_=ibis.null("string")),
        value=ibis.coalesce(checked["_value"], checked["_emptied"]),
    ).filter(lambda t: t["column"].notnull() & t["value"].notnull())
    counted = blamed.group_by("column", "value").agg(rows=blamed.count())
    order = [counted["rows"].desc(), counted["value"]]
    place = ibis.row_number().over(ibis.window(group_by="column", order_by=order))
    return (
        counted.mutate(place=place)
        .filter(lambda t: t["place"] < MOST_VALUES)
        .order_by("column", "place")
        .drop("place")
    )


def count_usable_values(checked: ir.Table, rules: TableRules) -> ir.Table:
    """How many accepted rows have a value: `column`, `rows`."""
    accepted = checked["_reason"].isnull()
    counts: list[dict[str, ir.Value]] = [
        {
            "column": ibis.literal(column),
            "rows": checked.count(where=accepted & checked[column].notnull()),
        }
        for column in rules.columns
    ]
    return _aggregate_rows(checked, counts, {"column": "string", "rows": "int64"})


def select_repeated_keys(checked: ir.Table, rules: TableRules) -> ir.Table:
    """Some rows whose key another row has: the file's own columns as text, `_file`, `_line`."""
    flags = {f"{column}_invalid" for column in rules.flagged}
    folded = {rule.folded_as for rule in rules.columns.values()}
    made = {*LINEAGE, *VERDICT, *flags, *folded, rules.made_key}
    own = [column for column in checked.columns if column not in made]
    text = {column: checked[column].cast("string") for column in own}
    rows = checked.select(**text, _file="_file", _line="_line", _reason="_reason")
    repeated = rows.filter(rows["_reason"] == DUPLICATE_KEY).order_by("_file", "_line")
    if not rules.key:
        return repeated.drop("_reason")
    keys = repeated.limit(MOST_REPEATED).select(*rules.key).distinct()
    sound = rows.filter(rows["_reason"].isnull() | (rows["_reason"] == DUPLICATE_KEY))
    shared = sound.semi_join(keys, list(rules.key)).drop("_reason")
    return shared.order_by(*rules.key, "_file", "_line").limit(MOST_REPEATED)


def count_damaged_ids(checked: ir.Table, rules: TableRules) -> ir.Table:
    """How many ids of accepted rows a program has damaged: `column`, `kind`, `rows`, a place."""
    ids = [name for name, rule in rules.columns.items() if rule.type == "id"]
    # all kinds at once first: hardly a row is left to tell them apart in
    anything = "|".join(DAMAGED_IDS.values())
    suspect = ibis.or_(*(checked[column].re_search(anything) for column in ids))
    rows = checked.filter(checked["_reason"].isnull() & suspect)
    order = [rows["_file"], rows["_line"]]
    counts: list[dict[str, ir.Value]] = []
    for column in ids:
        for kind, pattern in DAMAGED_IDS.items():
            damaged = rows[column].re_search(pattern)
            counts.append(
                {
                    "column": ibis.literal(column),
                    "kind": ibis.literal(kind),
                    "rows": rows.count(where=damaged),
                    "_file": rows["_file"].first(where=damaged, order_by=order),
                    "_line": rows["_line"].first(where=damaged, order_by=order),
                }
            )
    return _aggregate_rows(rows, counts, DAMAGED)


def count_isolated_dates(checked: ir.Table, rules: TableRules, days: pd.DataFrame) -> ir.Table:
    """Which dates lie far before or after all others of their column, kept or refused.

    Args:
        days: See `validation.count_days`.

    Returns:
        One row per column with such dates: `column`, `rows`, `earliest` and `latest` of the other
        rows, and of the first isolated row `day`, `_file`, `_line`.
    """
    order = [checked["_file"], checked["_line"]]
    counts: list[dict[str, ir.Value]] = []
    for column in (name for name, rule in rules.columns.items() if rule.is_date):
        usual = find_usual_period(days, column)
        if usual is not None:
            isolated = is_isolated(checked[column], usual)
            counts.append(
                {
                    "column": ibis.literal(column),
                    "rows": checked.count(where=isolated),
                    "earliest": ibis.literal(usual[0].date()),
                    "latest": ibis.literal(usual[1].date()),
                    "day": checked[column].cast("date").first(where=isolated, order_by=order),
                    "_file": checked["_file"].first(where=isolated, order_by=order),
                    "_line": checked["_line"].first(where=isolated, order_by=order),
                }
            )
    return _aggregate_rows(checked, counts, ISOLATED)


def count_reasons(checked: ir.Table, quarantined: ir.Table) -> dict[str, ir.Table]:
    """How many rows each verdict has, and an example of each.

    Args:
        quarantined: The refused rows, stored before a run may stop because of them.

    Returns:
        `reasons`: one row per reason (null: accepted); `examples`: the first row of each reason.
    """
    place = ibis.row_number().over(
        ibis.window(group_by="_reason", order_by=[quarantined["_file"], quarantined["_line"]])
    )
    first = quarantined.mutate(_place=place).filter(lambda t: t["_place"] == 0)
    return {
        "reasons": checked.group_by("_reason").agg(rows=checked.count()).order_by("_reason"),
        "examples": first.select("_reason", "_file", "_line", "_value").order_by("_reason"),
    }


def count_stored_rows(
    raw: ir.Table,
    accepted: ir.Table,
    quarantined: ir.Table,
    rules: TableRules,
    known: Mapping[str, ir.Table],
) -> dict[str, ir.Table]:
    """Counts of what was read and of what was stored, each from its own table.

    Args:
        known: Reference column to the accepted table that should know its values.

    Returns:
        `read`, `accepted` (one row with `rows` each), `reasons` (one row per reason), `unknown`
        (one row per reference column) and `kept`, what is wrong with accepted rows all the same:
        `fault` (`set_missing` or `repeated`), `column` (of the rule, or the made key), `rows`.
    """
    unknown = [
        accepted.filter(~accepted[column].isin(table[column]))
        .agg(rows=ibis._.count(), example=ibis._[column].min())
        .cross_join(table.agg(known=table[column].min()))
        .select(
            column=ibis.literal(column),
            rows="rows",
            shape=_mask_id(ibis._["example"]),
            known_shape=_mask_id(ibis._["known"]),
        )
        for column, table in known.items()
    ] or [ibis.memtable([], schema=UNKNOWN)]
    faults = [("set_missing", column, accepted[f"{column}_invalid"]) for column in rules.flagged]
    if rules.made_key is not None:
        faults.append(("repeated", rules.made_key, is_duplicate_row(accepted, rules.made_key)))
    kept = [
        {
            "fault": ibis.literal(fault),
            "column": ibis.literal(column),
            "rows": accepted.count(where=when),
        }
        for fault, column, when in faults
    ]
    return {
        "read": raw.agg(rows=raw.count()),
        "accepted": accepted.agg(rows=accepted.count()),
        "reasons": quarantined.group_by("_reason")
        .agg(rows=quarantined.count())
        .order_by("_reason"),
        "unknown": ibis.union(*unknown) if len(unknown) > 1 else unknown[0],
        "kept": _aggregate_rows(accepted, kept, FAULTS),
    }


def _mask_id(text: Any) -> Any:
    """How an id is written, without the id: `A-0031` is `a-9999`."""
    return text.re_replace("[0-9]", "9").re_replace(r"\p{L}", "a")


def check_bad_row_share(
    counts: Mapping[str, pd.DataFrame], rules: IntakeRules, use_case: str, name: str
) -> None:
    """Stops when too many rows of a table are unusable.

    Args:
        counts: `reasons`: one row per reason, with `_reason` (null: accepted) and `rows`;
            `examples` of them; `values`, `usable` and `repeated`, to try mends on.

    Raises:
        TooManyBadRowsError: Names the commonest reasons, each with the place of an example.
    """
    reasons = counts["reasons"]
    read = int(reasons["rows"].sum())
    bad = reasons[reasons["_reason"].notna()].sort_values(
        ["rows", "_reason"], ascending=[False, True]
    )
    quarantined = int(bad["rows"].sum())
    if read == 0 or quarantined / read <= rules.max_bad_share:
        return
    own, places = rules.tables[name], counts["examples"].set_index("_reason")
    commonest = bad.head(COMMONEST)
    causes = [
        f"{rows} x {reason}{_format_example(places.loc[reason])}{_format_allowed(own, reason)}"
        for reason, rows in commonest[["_reason", "rows"]].itertuples(index=False)
    ]
    mends = _list_mends(list(commonest["_reason"]), counts, own, use_case, name)
    usable = counts["usable"].set_index("column")["rows"]
    emptied = any(usable.get(str(why).removeprefix(INVALID), 1) == 0 for why in bad["_reason"])
    if quarantined * 5 <= read and commonest["_reason"].iloc[0] != DUPLICATE_KEY and not emptied:
        mends.append(
            f"If it is right to go on without these rows, say so in {PLACE}: "
            f"{use_case}: {{ingestion: {{max_bad_share: {_round_up_share(quarantined / read)}}}}}"
        )
    raise TooManyBadRowsError(
        f"{quarantined} of {read} rows of {name!r} ({quarantined / read:.1%}) are unusable; "
        f"tolerated: {rules.max_bad_share:.1%} (ingestion.max_bad_share). "
        f"Commonest: {'; '.join(causes)}. "
        f"All of them, with their text, are in {use_case}/quarantine_{name}.parquet of the "
        "intermediate layer (data/02_intermediate, unless globals.yml names another folder). "
        f"{' '.join(mends) or 'Mend the file.'}"
    )


def _list_mends(
    reasons: list[str],
    counts: Mapping[str, pd.DataFrame],
    rules: TableRules,
    use_case: str,
    name: str,
) -> list[str]:
    """What to do about the commonest reasons, a sentence each."""
    invalid = [why.removeprefix(INVALID) for why in reasons if why.startswith(INVALID)]
    columns = [column for column in invalid if column in rules.columns]
    mends = [describe_mends(columns, counts, rules, use_case, name)]
    if DUPLICATE_KEY in reasons:
        mends.append(describe_repeated_keys(counts["repeated"], rules, use_case, name))
    if len(reasons) > len(columns) + (DUPLICATE_KEY in reasons):
        mends.append(
            "Mend the file, or declare its encoding or delimiter (raw_text in "
            "conf/local/globals.yml)."
        )
    return [mend for mend in mends if mend]


def check_invalid_value_share(
    counts: Mapping[str, pd.DataFrame], rules: IntakeRules, use_case: str, name: str
) -> None:
    """Stops when a column lost too many of its values, though its rows were kept.

    Args:
        counts: `emptied`: see `count_nulled_values`; `values` and `usable`, to try mends on.

    Raises:
        TooManyBadValuesError: Names each such column, how many values it lost, and one of them.
    """
    emptied = counts["emptied"]
    columns = rules.tables[name].columns
    own = {column: columns[column].max_invalid_share for column in emptied["column"]}
    limits = {c: rules.max_bad_share if limit is None else limit for c, limit in own.items()}
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
    mends = describe_mends(lost["column"], counts, rules.tables[name], use_case, name)
    raise TooManyBadValuesError(
        f"Values that can't be used would be emptied: {'; '.join(causes)}. "
        f"{f'{mends} ' if mends else ''}"
        f"If it is right to go on without these values, say so in {PLACE}: "
        f"{format_settings_line(use_case, name, {'columns': allowed})}"
    )


def _format_allowed(rules: TableRules, reason: str) -> str:
    rule = rules.columns.get(reason.removeprefix(INVALID))
    allowed = rule.allowed if rule is not None and reason.startswith(INVALID) else None
    return "" if allowed is None else f" (allowed: {', '.join(allowed)})"


def _round_up_share(share: float) -> float:
    """The share, rounded up to whole percents."""
    return min(ceil(share * 100) / 100, 1.0)


def _format_example(place: "pd.Series[Any]") -> str:
    if pd.isna(place["_file"]):
        return ""
    value = f", value {place['_value']!r}" if pd.notna(place["_value"]) else ""
    return f" (e.g. {place['_file']} line {int(place['_line'])}{value})"


def build_table_account(name: str, counts: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The account of one table.

    Returns:
        `read`, `accepted`, `quarantined`, `reasons` (name to rows), `unknown_references`,
        `set_missing` (both column to rows), and `repeated` (rows that say again what another says)
        for tables without a key.
    """
    read, accepted = (int(counts[table]["rows"].iloc[0]) for table in ("read", "accepted"))
    kept = counts["kept"].groupby("fault", sort=False)
    faults = {fault: _map_rows(rows, "column") for fault, rows in kept}
    reasons = _map_rows(counts["reasons"], "_reason")
    quarantined = sum(reasons.values())
    if accepted + quarantined != read:
        raise RowAccountingError(
            f"{name!r}: {read} rows read, but {accepted} accepted + {quarantined} quarantined = "
            f"{accepted + quarantined}. The raw file changed during the run, or this is a fault "
            "of the project: run ingestion again and report it if it persists."
        )
    account = {
        "read": read,
        "accepted": accepted,
        "quarantined": quarantined,
        "reasons": dict(sorted(reasons.items())),
        "unknown_references": _map_rows(counts["unknown"], "column"),
        "set_missing": faults.get("set_missing", {}),
    }
    repeated = faults.get("repeated")
    return account if repeated is None else account | {"repeated": sum(repeated.values())}


def _map_rows(counts: pd.DataFrame, column: str) -> dict[str, int]:
    return dict(zip(counts[column].map(str), counts["rows"].map(int), strict=True))
