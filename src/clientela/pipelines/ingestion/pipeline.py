"""Ingestion of every raw table of a use case."""

from collections.abc import Callable, Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd
from kedro.pipeline import Node, Pipeline

from clientela.column_rules import IntakeRules
from clientela.pipelines.assembly import create_stage_pipeline, get_accepted_dataset_name
from clientela.pipelines.ingestion import nodes
from clientela.pipelines.ingestion.accounting import (
    count_nulled_values,
    count_reasons,
    count_stored_rows,
)
from clientela.pipelines.ingestion.validation import validate_rows
from clientela.use_cases import UseCase


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Raw tables in; accepted tables, quarantine tables and `row_accounting` out.

    Args:
        use_case: Which tables there are, and which reference which.
    """
    tables = [
        _create_table_nodes(use_case, name, table.references)
        for name, table in use_case.tables.items()
    ]

    def row_accounting(*counts: dict[str, pd.DataFrame]) -> dict[str, Any]:
        return nodes.row_accounting(dict(zip(use_case.tables, counts, strict=True)))

    accounting = Node(
        row_accounting,
        inputs=[f"row_counts_{name}" for name in use_case.tables],
        outputs="row_accounting",
        name="row_accounting",
    )
    return create_stage_pipeline(
        use_case, "ingestion", [node for group in tables for node in group] + [accounting]
    )


def _create_table_nodes(use_case: UseCase, name: str, references: Mapping[str, str]) -> list[Node]:
    accepted = get_accepted_dataset_name(use_case, name)
    known = [get_accepted_dataset_name(use_case, table) for table in references.values()]
    return [
        Node(
            _make_validation_function(name, tuple(references)),
            inputs=[f"raw_{name}@text", "params:ingestion", *known],
            outputs=f"checked_{name}",
            name=f"checked_{name}",
        ),
        Node(
            nodes.select_refused_rows,
            inputs=f"checked_{name}",
            outputs=f"quarantine_{name}",
            name=f"quarantine_{name}",
        ),
        Node(
            _make_reason_function(name),
            inputs=[f"checked_{name}", f"quarantine_{name}", "params:ingestion"],
            outputs=f"reason_counts_{name}",
            name=f"reason_counts_{name}",
        ),
        Node(
            _make_acceptance_function(use_case.name, name, ordered=accepted != name),
            inputs=[f"checked_{name}", f"reason_counts_{name}", "params:ingestion"],
            outputs=accepted,
            name=f"accepted_{name}",
        ),
        Node(
            _make_count_function(name, tuple(references)),
            inputs=[f"raw_{name}@text", accepted, f"quarantine_{name}", "params:ingestion", *known],
            outputs=f"row_counts_{name}",
            name=f"row_counts_{name}",
        ),
    ]


# Kedro validates parameters by the annotations of a node's function, so the functions below bind a
# table's name without hiding them, which functools.partial would.


def _make_validation_function(name: str, columns: tuple[str, ...]) -> Callable[..., ir.Table]:
    def checked_table(raw: ir.Table, rules: IntakeRules, *known: ir.Table) -> ir.Table:
        values = {column: table[column] for column, table in zip(columns, known, strict=True)}
        return validate_rows(raw, nodes.get_table_rules(rules, name), name, values)

    return checked_table


def _make_reason_function(name: str) -> Callable[..., dict[str, ir.Table]]:
    def reason_counts(
        checked: ir.Table, quarantined: ir.Table, rules: IntakeRules
    ) -> dict[str, ir.Table]:
        emptied = count_nulled_values(checked, nodes.get_table_rules(rules, name))
        return count_reasons(checked, quarantined) | {"emptied": emptied}

    return reason_counts


def _make_acceptance_function(
    use_case: str, name: str, *, ordered: bool
) -> Callable[..., ir.Table]:
    def accepted_table(
        checked: ir.Table, counts: dict[str, pd.DataFrame], rules: IntakeRules
    ) -> ir.Table:
        accepted = nodes.select_accepted_rows(checked, counts, rules, use_case, name)
        # the entry of a shared table knows its key; a pattern serves tables with any key
        key = nodes.get_table_rules(rules, name).identity
        return accepted.order_by(key) if ordered else accepted

    return accepted_table


def _make_count_function(name: str, columns: tuple[str, ...]) -> Callable[..., dict[str, ir.Table]]:
    def stored_counts(
        raw: ir.Table,
        accepted: ir.Table,
        quarantined: ir.Table,
        rules: IntakeRules,
        *known: ir.Table,
    ) -> dict[str, ir.Table]:
        references = dict(zip(columns, known, strict=True))
        own = nodes.get_table_rules(rules, name)
        return count_stored_rows(raw, accepted, quarantined, own, references)

    return stored_counts
