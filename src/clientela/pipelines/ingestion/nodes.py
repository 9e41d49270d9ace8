"""Nodes of the ingestion stage; one table each, bound by the pipeline to its name."""

import logging
from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.column_rules import IntakeRules, TableRules, is_duplicate_row
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.pipelines.ingestion.accounting import (
    build_table_accounting,
    check_bad_row_share,
    check_invalid_value_share,
)
from clientela.pipelines.ingestion.validation import validate_rows

logger = logging.getLogger(__name__)


VERDICT = ("_reason", "_value", "_emptied", "_file", "_line", "_raw")


def validate_table(
    raw: ir.Table, rules: IntakeRules, name: str, known: Mapping[str, ir.Table]
) -> ir.Table:
    """One row per raw row of a table, typed, with its verdict.

    Args:
        raw: Text columns and the reader's lineage columns.
        known: Reference column to the accepted table that should know its values.

    Raises:
        ConfigurationError: The table has no rules.
        WrongColumns: The header lacks required columns.
    """
    values = {column: table[column] for column, table in known.items()}
    return validate_rows(raw, get_table_rules(rules, name), name, values)


def get_table_rules(rules: IntakeRules, name: str) -> TableRules:
    """The rules of one table."""
    if name not in rules.tables:
        raise ConfigurationError(
            f"ingestion.tables has no rules for the table {name!r}, which use_cases.yml lists. "
            + did_you_mean(name, rules.tables)
        )
    return rules.tables[name]


def select_refused_rows(checked: ir.Table) -> ir.Table:
    """One row per refused raw row: file, line, reason, the value to blame and the raw text (PII)."""
    refused = checked.filter(checked["_reason"].notnull())
    return refused.select("_file", "_line", "_reason", "_value", "_raw")


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


def select_accepted_rows(
    checked: ir.Table,
    counts: Mapping[str, pd.DataFrame],
    rules: IntakeRules,
    use_case: str,
    name: str,
) -> ir.Table:
    """The rows that passed, without the columns of the verdict.

    Args:
        counts: See `reason_counts`; and `emptied`, see
            `clientela.pipelines.ingestion.accounting.count_nulled_values`.
        rules: The rules of all tables, with the tolerated shares.
        use_case: The entry that the table belongs to.

    Returns:
        One row per key of the table.

    Raises:
        TooManyBadRows: The share of refused rows is above the tolerated one.
        TooManyBadValues: The share of emptied values of a column is above the tolerated one.
    """
    check_bad_row_share(counts["reasons"], counts["examples"], rules, use_case, name)
    check_invalid_value_share(counts["emptied"], rules, use_case, name)
    accepted = checked["_reason"].isnull()
    return checked.filter(accepted).drop(*VERDICT)


def count_stored_rows(
    raw: ir.Table, accepted: ir.Table, quarantined: ir.Table, known: Mapping[str, ir.Table]
) -> dict[str, ir.Table]:
    """Counts of what was read and of what was stored, each from its own table.

    Args:
        known: Reference column to the accepted table that should know its values.

    Returns:
        `read`, `accepted` (one row with `rows` each), `reasons` (one row per reason) and
        `unknown` (one row per reference column).
    """
    unknown = [
        accepted.filter(~accepted[column].isin(table[column]))
        .agg(rows=ibis._.count())
        .mutate(column=ibis.literal(column))
        .select("column", "rows")
        for column, table in known.items()
    ]
    nothing = ibis.memtable([], schema={"column": "string", "rows": "int64"})
    return {
        "read": raw.agg(rows=raw.count()),
        "accepted": accepted.agg(rows=accepted.count()),
        "reasons": quarantined.group_by("_reason")
        .agg(rows=quarantined.count())
        .order_by("_reason"),
        "unknown": ibis.union(*unknown) if len(unknown) > 1 else (unknown or [nothing])[0],
    }


def count_tolerated_faults(accepted: ir.Table, rules: TableRules) -> ir.Table:
    """What is wrong with rows that were accepted all the same, counted by rule.

    Returns:
        `fault` (`set_missing` or `repeated`), `column` (of the rule, or the made key), `rows`.
    """
    faults = [("set_missing", column, accepted[f"{column}_invalid"]) for column in rules.flagged]
    if rules.made_key is not None:
        faults.append(("repeated", rules.made_key, is_duplicate_row(accepted, rules.made_key)))
    if not faults:
        return ibis.memtable([], schema={"fault": "string", "column": "string", "rows": "int64"})
    one = accepted.agg(
        **{f"_{place}": accepted.count(where=when) for place, (*_, when) in enumerate(faults)}
    )
    rows = [
        ibis.struct(
            {
                "fault": ibis.literal(fault),
                "column": ibis.literal(column),
                "rows": one[f"_{place}"].cast("int64"),
            }
        )
        for place, (fault, column, _) in enumerate(faults)
    ]
    return one.select(row=ibis.array(rows).unnest()).unpack("row")


def row_accounting(counts: Mapping[str, Mapping[str, pd.DataFrame]]) -> dict[str, Any]:
    """The account of every table: accepted + quarantined = read.

    Args:
        counts: Table name to its stored counts.

    Raises:
        RowsUnaccounted: A table's sums differ.
    """
    accounts = {name: _build_table_account(name, tables) for name, tables in counts.items()}
    for name, account in accounts.items():
        logger.info(
            "%s: %d rows read = %d accepted + %d quarantined %s",
            name,
            account["read"],
            account["accepted"],
            account["quarantined"],
            account["reasons"] or "",
        )
    return accounts


def _build_table_account(name: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    kept = tables["kept"]
    repeated = kept.loc[kept["fault"] == "repeated", "rows"]
    return build_table_accounting(
        read=int(tables["read"]["rows"].iloc[0]),
        accepted=int(tables["accepted"]["rows"].iloc[0]),
        reasons=tables["reasons"],
        unknown=_map_rows_by_column(tables["unknown"]),
        set_missing=_map_rows_by_column(kept[kept["fault"] == "set_missing"]),
        repeated=int(repeated.iloc[0]) if len(repeated) else None,
        name=name,
    )


def _map_rows_by_column(counts: pd.DataFrame) -> dict[str, int]:
    return dict(zip(counts["column"].map(str), counts["rows"].map(int), strict=True))
