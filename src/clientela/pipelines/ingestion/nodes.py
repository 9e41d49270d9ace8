"""Nodes of the ingestion stage; the pipeline binds each to one table's name."""

import logging
from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.column_rules import IntakeRules, TableRules
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.pipelines.ingestion.accounting import (
    build_table_account,
    check_bad_row_share,
    check_invalid_value_share,
)

logger = logging.getLogger(__name__)

VERDICT = ("_reason", "_value", "_emptied", "_file", "_line", "_raw")


def get_table_rules(rules: IntakeRules, name: str) -> TableRules:
    """The rules of one table."""
    if name not in rules.tables:
        raise ConfigurationError(
            f"ingestion.tables has no rules for the table {name!r}, which use_cases.yml lists. "
            + did_you_mean(name, rules.tables)
        )
    return rules.tables[name]


def select_refused_rows(checked: ir.Table) -> ir.Table:
    """One row per refused raw row: file, line, reason, value to blame and raw text (PII)."""
    refused = checked.filter(checked["_reason"].notnull())
    return refused.select("_file", "_line", "_reason", "_value", "_raw")


def select_accepted_rows(
    checked: ir.Table,
    counts: Mapping[str, pd.DataFrame],
    rules: IntakeRules,
    use_case: str,
    name: str,
) -> ir.Table:
    """One row per key of the table: the rows that passed, without the columns of the verdict.

    Args:
        counts: See `count_reasons`; and `emptied`, see `count_nulled_values`.

    Raises:
        TooManyBadRowsError: The share of refused rows is above the tolerated one.
        TooManyBadValuesError: The share of emptied values of a column is above the tolerated one.
    """
    check_bad_row_share(counts["reasons"], counts["examples"], rules, use_case, name)
    check_invalid_value_share(counts["emptied"], rules, use_case, name)
    accepted = checked["_reason"].isnull()
    return checked.filter(accepted).drop(*VERDICT)


def row_accounting(counts: Mapping[str, Mapping[str, pd.DataFrame]]) -> dict[str, Any]:
    """The account of every table: accepted + quarantined = read.

    Args:
        counts: Table name to its stored counts.

    Raises:
        RowAccountingError: A table's sums differ.
    """
    accounts = {name: build_table_account(name, tables) for name, tables in counts.items()}
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
