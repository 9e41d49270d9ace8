"""Ingestion of every raw table of a use case."""

from collections.abc import Callable, Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd
from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.intake.emptied import emptied_counts
from clientela.intake.rules import IntakeRules
from clientela.pipelines.assembly import accepted_name, pipeline_of
from clientela.pipelines.ingestion import nodes


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Raw tables in; accepted tables, quarantine tables and `row_accounting` out.

    Args:
        use_case: Which tables there are, and which reference which.

    Returns:
        The stage for this use case.
    """
    tables = [
        _table_nodes(use_case, name, table.references) for name, table in use_case.tables.items()
    ]
    accounting = Node(
        _accounting_of(tuple(use_case.tables)),
        inputs=[f"row_counts_{name}" for name in use_case.tables],
        outputs="row_accounting",
        name="row_accounting",
    )
    return pipeline_of(
        use_case, "ingestion", [node for group in tables for node in group] + [accounting]
    )


def _table_nodes(use_case: UseCase, name: str, references: Mapping[str, str]) -> list[Node]:
    accepted = accepted_name(use_case, name)
    known = [accepted_name(use_case, table) for table in references.values()]
    return [
        Node(
            _checking(name, tuple(references)),
            inputs=[f"raw_{name}@text", "params:ingestion", *known],
            outputs=f"checked_{name}",
            name=f"checked_{name}",
        ),
        Node(
            nodes.quarantine,
            inputs=f"checked_{name}",
            outputs=f"quarantine_{name}",
            name=f"quarantine_{name}",
        ),
        Node(
            _reasoning(name),
            inputs=[f"checked_{name}", f"quarantine_{name}", "params:ingestion"],
            outputs=f"reason_counts_{name}",
            name=f"reason_counts_{name}",
        ),
        Node(
            _accepting(use_case.name, name, ordered=accepted != name),
            inputs=[f"checked_{name}", f"reason_counts_{name}", "params:ingestion"],
            outputs=accepted,
            name=f"accepted_{name}",
        ),
        Node(
            _counting(name, tuple(references)),
            inputs=[f"raw_{name}@text", accepted, f"quarantine_{name}", "params:ingestion", *known],
            outputs=f"row_counts_{name}",
            name=f"row_counts_{name}",
        ),
    ]


# Kedro validates parameters by the annotations of a node's function, so the functions below bind a
# table's name without hiding them, which functools.partial would.


def _checking(name: str, columns: tuple[str, ...]) -> Callable[..., ir.Table]:
    def checked_table(raw: ir.Table, rules: IntakeRules, *known: ir.Table) -> ir.Table:
        return nodes.checked_table(raw, rules, name, dict(zip(columns, known, strict=True)))

    return checked_table


def _reasoning(name: str) -> Callable[..., dict[str, ir.Table]]:
    def reason_counts(
        checked: ir.Table, quarantined: ir.Table, rules: IntakeRules
    ) -> dict[str, ir.Table]:
        emptied = emptied_counts(checked, nodes.rules_of(rules, name))
        return nodes.reason_counts(checked, quarantined) | {"emptied": emptied}

    return reason_counts


def _accepting(use_case: str, name: str, *, ordered: bool) -> Callable[..., ir.Table]:
    def accepted_table(
        checked: ir.Table, counts: dict[str, pd.DataFrame], rules: IntakeRules
    ) -> ir.Table:
        accepted = nodes.accepted_table(checked, counts, rules, use_case, name)
        # the entry of a shared table knows its key; a pattern serves tables with any key
        return accepted.order_by(nodes.rules_of(rules, name).identity) if ordered else accepted

    return accepted_table


def _counting(name: str, columns: tuple[str, ...]) -> Callable[..., dict[str, ir.Table]]:
    def stored_counts(
        raw: ir.Table,
        accepted: ir.Table,
        quarantined: ir.Table,
        rules: IntakeRules,
        *known: ir.Table,
    ) -> dict[str, ir.Table]:
        references = dict(zip(columns, known, strict=True))
        counts = nodes.stored_counts(raw, accepted, quarantined, references)
        return counts | {"kept": nodes.kept_faults(accepted, nodes.rules_of(rules, name))}

    return stored_counts


def _accounting_of(names: tuple[str, ...]) -> Callable[..., dict[str, Any]]:
    def row_accounting(*counts: dict[str, pd.DataFrame]) -> dict[str, Any]:
        return nodes.row_accounting(dict(zip(names, counts, strict=True)))

    return row_accounting
