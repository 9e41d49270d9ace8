"""Nodes of feature engineering: on transactions, on a table with one row per case, for segments.

Features of customers are lazy tables, computed where they are stored. Features of cases are NumPy:
a node reads the whole accepted table and hands its result back in the order of the key.
"""

import logging
from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.column_rules import IntakeRules
from clientela.datasets.table import read_into_memory
from clientela.exceptions import ConfigurationError, TrainingDataError, did_you_mean
from clientela.features.case_table import case_features, model_input, require_configured_columns
from clientela.features.leakage import scramble_customers, scramble_transactions
from clientela.features.rubros import aggregate_rubro_features, collect_rubro_counts
from clientela.features.segment_columns import (
    ColumnLayout,
    SegmentFeatureParams,
    build_column_layout,
    resolve_model_date,
)
from clientela.features.settings import FeatureParams
from clientela.features.table_report import (
    column_roles,
    count_cell_findings,
    count_rows_by_status,
    describe_empty_columns,
    row_report,
)
from clientela.features.table_settings import TabularFeatureParams
from clientela.features.transactions import (
    TransactionPeriod,
    add_inactive_customers,
    plan_cutoffs,
    resolve_cutoff,
    resolve_scoring_cutoff,
)
from clientela.features.transactions import customer_features as features_at
from clientela.models.segment_model import Snapshots, load_previous_identity

logger = logging.getLogger(__name__)


def find_period_and_categories(transactions: ir.Table) -> dict[str, ir.Table]:
    """When the first and the last transaction took place, and which categories there are.

    Returns:
        `period`: one row with `first` and `last` (timestamps); `categories`: one row per folded
        category with `rubro` and `rows`.
    """
    counts = transactions.group_by("rubro").agg(rows=transactions.count())
    return {
        "period": transactions.agg(
            first=transactions["fecha"].min(), last=transactions["fecha"].max()
        ),
        "categories": counts.order_by(ibis.desc("rows"), "rubro"),
    }


def resolve_feature_period(
    observed: Mapping[str, pd.DataFrame], params: FeatureParams
) -> dict[str, str]:
    """The observed period as dates, once the target category is known to occur in it.

    Returns:
        `first` and `last`: ISO dates of the first and the last transaction.

    Raises:
        TrainingDataError: There are no transactions.
        ConfigurationError: The category does not occur.
    """
    moments = observed["period"].iloc[0]
    if pd.isna(moments["last"]):
        raise TrainingDataError(
            "The table of transactions is empty: at least one accepted row was expected. "
            "Run kedro run --pipelines=ingestion: it tells why rows were refused."
        )
    categories = list(observed["categories"]["rubro"])
    if params.rubro not in categories:
        raise ConfigurationError(
            f"The target category {params.category!r} (features.category) does not occur in the "
            f"transactions. {did_you_mean(params.rubro, categories)} The most frequent: "
            f"{', '.join(categories[:10])}."
        )
    return {name: moments[name].date().isoformat() for name in ("first", "last")}


def customer_features(
    transactions: ir.Table, customers: ir.Table, period: dict[str, str], params: FeatureParams
) -> ir.Table:
    """One row per customer: features at the configured cutoff."""
    cutoff = resolve_cutoff(params.cutoff_mode, params, TransactionPeriod.from_iso(period))
    return features_at(transactions, customers, cutoff, params)


def plan_scoring_cutoffs(period: dict[str, str], params: FeatureParams) -> dict[str, Any]:
    """On which past days scores are tested, and which cutoffs are learned from.

    Returns:
        `backtests` (each with `day` and `learned`) and `learned`, ISO dates, the youngest first;
        and `learn`, as configured.

    Raises:
        TrainingDataError: The history is too short to learn scores and to test them.
    """
    plan = plan_cutoffs(params, TransactionPeriod.from_iso(period))
    if len(plan.backtests) < params.backtest.dates:
        logger.warning(
            "The history allows %d of %d days of backtest (features.backtest.dates).",
            len(plan.backtests),
            params.backtest.dates,
        )
    return {
        "backtests": [
            {"day": test.day.isoformat(), "learned": [day.isoformat() for day in test.learned]}
            for test in plan.backtests
        ],
        "learned": [day.isoformat() for day in plan.learned],
        "learn": params.scoring_cutoffs.learn,
    }


def scoring_features(
    transactions: ir.Table, customers: ir.Table, period: dict[str, str], params: FeatureParams
) -> ir.Table:
    """One row per customer known at all: features as of the end of the data, for scoring."""
    cutoff = resolve_scoring_cutoff(params, TransactionPeriod.from_iso(period))
    return add_inactive_customers(features_at(transactions, customers, cutoff, params), customers)


def scrambled_features(
    transactions: ir.Table, customers: ir.Table, period: dict[str, str], params: FeatureParams
) -> ir.Table:
    """One row per customer: features after every row at or past the cutoff was scrambled."""
    cutoff = resolve_cutoff(params.cutoff_mode, params, TransactionPeriod.from_iso(period))
    future = scramble_transactions(transactions, cutoff)
    balances = scramble_customers(transactions, customers, cutoff)
    return features_at(future, balances, cutoff, params)


def count_rows_and_cells(table: ir.Table, params: TabularFeatureParams) -> dict[str, pd.DataFrame]:
    """What the table holds, counted before anything is made of it.

    Returns:
        `rows` (see `count_rows_by_status`) and `cells` (see `count_cell_findings`).

    Raises:
        ConfigurationError: The table lacks a configured column, or one has another type.
    """
    require_configured_columns(list(table.columns), params)
    cases = read_into_memory(table)
    return {
        "rows": count_rows_by_status(cases, params),
        "cells": count_cell_findings(cases, params),
    }


def report_usable_rows(
    counts: Mapping[str, pd.DataFrame],
    accounts: dict[str, dict[str, Any]],
    params: TabularFeatureParams,
) -> dict[str, Any]:
    """How many rows are learned from; see `row_report`.

    Args:
        accounts: The account that ingestion gives of the one table.

    Returns:
        The report, with the rows `read` and those `refused`, by reason.

    Raises:
        TrainingDataError: The table can't be learned from.
    """
    (account,) = accounts.values()
    report = row_report(counts["rows"], params)
    report |= {"read": account["read"], "refused": account["reasons"]}
    logger.info("%s", report["sentence"])
    return report


def find_uninformative_columns(counts: Mapping[str, pd.DataFrame]) -> list[str]:
    """One sentence per column that says nothing; see `describe_empty_columns`.

    Raises:
        TrainingDataError: A column of dates holds values, and none can be read as a date.
    """
    sentences = describe_empty_columns(counts["cells"])
    for sentence in sentences:
        logger.warning("%s", sentence)
    return sentences


def list_column_roles(table: ir.Table, params: TabularFeatureParams) -> pd.DataFrame:
    """One row per column of the table: what it is used for; see `column_roles`."""
    return column_roles(list(table.columns), params)


def build_case_model_input(
    table: ir.Table,
    report: dict[str, Any],  # noqa: ARG001 - no table to learn from is refused before
    findings: list[str],  # noqa: ARG001 - likewise
    params: TabularFeatureParams,
) -> ir.Table:
    """One row per case that can be learned from, ordered by its key (PII)."""
    return ibis.memtable(model_input(read_into_memory(table), params)).order_by(params.key)


def compute_case_scoring_features(
    table: ir.Table, params: TabularFeatureParams, intake: IntakeRules
) -> ir.Table:
    """One row per case of the table, labelled or not, ordered by its key (PII).

    Args:
        intake: The rules that the table was read by.

    Raises:
        ConfigurationError: Both kinds of rules disagree on what a file must bring.
        ScoringDataError: The key or a needed column is absent.
    """
    optional = {
        name
        for rules in intake.tables.values()
        for name, rule in rules.columns.items()
        if not rule.required
    }
    contradicted = [name for name in params.needed if name in optional]
    if contradicted:
        # ingestion would fill the absent column with nothing, and scoring would impute it
        where = "names them" if params.required else "is empty, which means every column"
        raise ConfigurationError(
            f"No case should be scored without {', '.join(contradicted)} (features.required "
            f"{where}), but the ingestion rules let a file come without (required: false). Remove "
            "required: false there, or list under features.required only what each file brings."
        )
    return ibis.memtable(case_features(read_into_memory(table), params)).order_by(params.key)


def summarize_rubros(
    transactions: ir.Table, customers: ir.Table, params: SegmentFeatureParams
) -> dict[str, ir.Table]:
    """Period, rubros and values of the transactions, and who is known."""
    seen = collect_rubro_counts(transactions, customers, params)
    # engines give groups in any order: without one, two runs would write different files
    return {name: table.order_by(table.columns) for name, table in seen.items()}


def create_column_layout(
    observed: Mapping[str, pd.DataFrame], identities: Snapshots, params: SegmentFeatureParams
) -> dict[str, Any]:
    """Which rubros and values get columns, and the date of the model.

    Args:
        identities: Earlier models by date; the one before keeps its rubros.
    """
    day = resolve_model_date(observed["period"], params)
    before = load_previous_identity(identities, day)
    made = build_column_layout(observed, params, day, None if before is None else before.layout)
    return made.model_dump(mode="json")


def compute_rubro_features(
    transactions: ir.Table,
    customers: ir.Table,
    layout: dict[str, Any],
    params: SegmentFeatureParams,
) -> ir.Table:
    """One row per customer (PII); see `clientela.features.rubros`."""
    return aggregate_rubro_features(
        transactions, customers, ColumnLayout.model_validate(layout), params
    )
