"""Ingestion of every raw table of a use case."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline

from clientela.pipelines.assembly import create_stage_pipeline, get_accepted_dataset_name
from clientela.pipelines.ingestion import nodes
from clientela.use_cases import UseCase


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Raw tables in; accepted tables, quarantine tables and `row_accounting` out."""
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
    raw, rules = f"raw_{name}@text", "params:ingestion"
    days, checked, quarantine, reasons = (
        f"{dataset}_{name}" for dataset in ("date_counts", "checked", "quarantine", "reason_counts")
    )
    table = nodes.TableIngestion(use_case.name, name, tuple(references), is_shared=accepted == name)
    return [
        Node(table.count_days, [raw, rules], days, name=days),
        Node(table.validate_rows, [raw, days, rules, *known], checked, name=checked),
        Node(nodes.select_refused_rows, checked, quarantine, name=quarantine),
        Node(table.count_reasons, [checked, quarantine, days, rules], reasons, name=reasons),
        Node(
            table.select_accepted_rows,
            [checked, reasons, rules],
            accepted,
            name=f"accepted_{name}",
        ),
        Node(
            table.count_stored_rows,
            [raw, accepted, quarantine, rules, *known],
            f"row_counts_{name}",
            name=f"row_counts_{name}",
        ),
    ]
