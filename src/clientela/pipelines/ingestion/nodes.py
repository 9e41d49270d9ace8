"""Nodes of the ingestion stage."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.column_rules import IntakeRules, TableRules
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.pipelines.ingestion.accounting import (
    build_table_account,
    check_bad_row_share,
    check_invalid_value_share,
    count_damaged_ids,
    count_isolated_dates,
    count_nulled_values,
    count_reasons,
    count_stored_rows,
    count_unusable_values,
    count_usable_values,
    select_repeated_keys,
)
from clientela.pipelines.ingestion.diagnostics import (
    describe_damaged_ids,
    describe_isolated_dates,
    describe_unknown_references,
)
from clientela.pipelines.ingestion.validation import count_days, validate_rows

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


@dataclass(frozen=True)
class TableIngestion:
    """The nodes of one raw table, each a method.

    Kedro validates parameters by the annotations of a node's function; methods bind a table's name
    without hiding them, which functools.partial would.

    Attributes:
        use_case: The entry that the table belongs to.
        references: Columns whose values other tables should know.
        is_shared: Whether the entry of the accepted table knows its key; else rows are ordered by
            it here.
    """

    use_case: str
    name: str
    references: tuple[str, ...]
    is_shared: bool

    def count_days(self, raw: ir.Table, rules: IntakeRules) -> dict[str, ir.Table]:
        """`days`: how many rows each day of each column of dates has."""
        return {"days": count_days(raw, get_table_rules(rules, self.name))}

    def validate_rows(
        self,
        raw: ir.Table,
        date_counts: dict[str, pd.DataFrame],
        rules: IntakeRules,
        *known: ir.Table,
    ) -> ir.Table:
        """One row per raw row, typed, with its verdict; see `validation.validate_rows`.

        Args:
            date_counts: See `count_days`.
            known: Per reference the accepted table that should know its values.
        """
        tables = zip(self.references, known, strict=True)
        values = {column: table[column] for column, table in tables}
        own = get_table_rules(rules, self.name)
        return validate_rows(raw, own, self.name, values, date_counts["days"])

    def count_reasons(
        self,
        checked: ir.Table,
        quarantined: ir.Table,
        date_counts: dict[str, pd.DataFrame],
        rules: IntakeRules,
    ) -> dict[str, ir.Table]:
        """See `accounting`: how many rows each verdict has, and what mends are tried on."""
        own = get_table_rules(rules, self.name)
        return count_reasons(checked, quarantined) | {
            "emptied": count_nulled_values(checked, own),
            "values": count_unusable_values(checked, own),
            "usable": count_usable_values(checked, own),
            "repeated": select_repeated_keys(checked, own),
            "damaged_ids": count_damaged_ids(checked, own),
            "isolated": count_isolated_dates(checked, own, date_counts["days"]),
        }

    def select_accepted_rows(
        self, checked: ir.Table, counts: dict[str, pd.DataFrame], rules: IntakeRules
    ) -> ir.Table:
        """One row per key: the rows that passed, without the columns of the verdict.

        Raises:
            TooManyBadRowsError: The share of refused rows is above the tolerated one.
            TooManyBadValuesError: The share of emptied values of a column is above the tolerated
                one.
        """
        check_bad_row_share(counts, rules, self.use_case, self.name)
        check_invalid_value_share(counts, rules, self.use_case, self.name)
        own = get_table_rules(rules, self.name)
        for sentence in (
            *describe_isolated_dates(counts["isolated"], own, self.use_case, self.name),
            *describe_damaged_ids(counts["damaged_ids"], own, self.use_case, self.name),
        ):
            logger.warning(sentence)
        accepted = checked.filter(checked["_reason"].isnull()).drop(*VERDICT)
        return accepted if self.is_shared else accepted.order_by(own.identity)

    def count_stored_rows(
        self,
        raw: ir.Table,
        accepted: ir.Table,
        quarantined: ir.Table,
        rules: IntakeRules,
        *known: ir.Table,
    ) -> dict[str, ir.Table]:
        """Counts of what was read and of what was stored; see `accounting.count_stored_rows`."""
        references = dict(zip(self.references, known, strict=True))
        own = get_table_rules(rules, self.name)
        return count_stored_rows(raw, accepted, quarantined, own, references)


def row_accounting(counts: Mapping[str, Mapping[str, pd.DataFrame]]) -> dict[str, Any]:
    """The account of every table: accepted + quarantined = read.

    Args:
        counts: Table name to its stored counts.

    Raises:
        RowAccountingError: A table's sums differ.
    """
    accounts = {name: build_table_account(name, tables) for name, tables in counts.items()}
    for name, account in accounts.items():
        for sentence in describe_unknown_references(name, counts[name]):
            logger.warning(sentence)
        logger.info(
            "%s: %d rows read = %d accepted + %d quarantined %s",
            name,
            account["read"],
            account["accepted"],
            account["quarantined"],
            account["reasons"] or "",
        )
    return accounts
