"""Nodes of feature engineering for a table with one row per case; see `clientela.tabular`."""

import logging
from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.intake.rules import IntakeRules
from clientela.tabular.features import case_features, require_configured_columns
from clientela.tabular.features import model_input as input_of
from clientela.tabular.labels import row_accounts
from clientela.tabular.params import TabularFeatureParams
from clientela.tabular.report import cell_counts, column_roles
from clientela.tabular.report import column_findings as findings_of
from clientela.tabular.report import row_report as report_of
from clientela.tabular.schema import feature_schema as schema_of

logger = logging.getLogger(__name__)


def case_counts(table: ir.Table, params: TabularFeatureParams) -> dict[str, ir.Table]:
    """What the table holds, counted before anything is made of it.

    Args:
        table: One row per case.
        params: Columns and rules.

    Returns:
        `rows` (see `row_accounts`) and `cells` (see `cell_counts`).

    Raises:
        ConfigurationError: The table lacks a configured column, or one has another type.
    """
    require_configured_columns(table, params)
    return {"rows": row_accounts(table, params), "cells": cell_counts(table, params)}


def row_report(counts: Mapping[str, pd.DataFrame], params: TabularFeatureParams) -> dict[str, Any]:
    """How many rows are learned from; see `clientela.tabular.report.row_report`.

    Args:
        counts: See `case_counts`.
        params: Target and maturity.

    Raises:
        TrainingDataError: The table can't be learned from.
    """
    report = report_of(counts["rows"], params)
    logger.info("%s", report["sentence"])
    return report


def column_findings(counts: Mapping[str, pd.DataFrame]) -> list[str]:
    """One sentence per column that says nothing; see `clientela.tabular.report.column_findings`.

    Args:
        counts: See `case_counts`.

    Raises:
        TrainingDataError: A column of dates holds values, and none can be read as a date.
    """
    found = findings_of(counts["cells"])
    for sentence in found:
        logger.warning("%s", sentence)
    return found


def roles(table: ir.Table, params: TabularFeatureParams) -> pd.DataFrame:
    """One row per column of the table: what it is used for; see `column_roles`."""
    return column_roles(list(table.columns), params)


def feature_schema(params: TabularFeatureParams) -> dict[str, Any]:
    """What the columns of the model input mean; the fields of `TabularSchema`."""
    return schema_of(params)


def model_input(
    table: ir.Table,
    report: dict[str, Any],  # noqa: ARG001 - no table to learn from is refused before
    findings: list[str],  # noqa: ARG001 - likewise
    params: TabularFeatureParams,
) -> ir.Table:
    """One row per case that can be learned from, ordered by its key (PII).

    Args:
        table: One row per case.
        report: See `row_report`.
        findings: See `column_findings`.
        params: Columns and rules.
    """
    return input_of(table, params).order_by(params.key)


def scoring_features(
    table: ir.Table, params: TabularFeatureParams, intake: IntakeRules
) -> ir.Table:
    """One row per case of the table, labelled or not, ordered by its key (PII).

    Args:
        table: One row per case.
        params: Columns and rules.
        intake: The rules that the table was read by.

    Raises:
        ConfigurationError: Both kinds of rules disagree on what a file must bring.
        ScoringDataError: The key or a needed column is absent.
    """
    _require_agreement(params, intake)
    return case_features(table, params).order_by(params.key)


def _require_agreement(params: TabularFeatureParams, intake: IntakeRules) -> None:
    """Ingestion would fill an absent optional column with nothing, and scoring would impute it."""
    optional = {
        name
        for rules in intake.tables.values()
        for name, rule in rules.columns.items()
        if not rule.required
    }
    contradicted = [name for name in params.needed if name in optional]
    if contradicted:
        where = "names them" if params.required else "is empty, which means every column"
        raise ConfigurationError(
            f"No case should be scored without {', '.join(contradicted)} (features.required "
            f"{where}), but the ingestion rules let a file come without (required: false). Remove "
            "required: false there, or list under features.required only what each file brings."
        )
