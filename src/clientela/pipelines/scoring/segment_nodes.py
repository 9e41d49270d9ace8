"""Nodes of scoring for segments: every customer placed by the stored model, without a refit."""

from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.modelling.storage.stored_model import StoredModel
from clientela.segments.export import customer_segments, export_columns
from clientela.segments.matrix import selected
from clientela.segments.params import SegmentationParams
from clientela.segments.snapshots import Snapshots
from clientela.segments.stored import exported_probabilities, identity_of, placed_customers


def export_input(features: ir.Table, model: StoredModel) -> ir.Table:
    """One row per customer (PII): what an export reads."""
    return selected(features, export_columns(identity_of(model)))


def segment_export(
    model: StoredModel, features: pd.DataFrame, members: pd.DataFrame, params: SegmentationParams
) -> pd.DataFrame:
    """One row per customer (PII) in the required form; see `clientela.segments.export`.

    Args:
        model: The stored model.
        features: What an export reads, of customers of today.
        members: Who was in which segment when the model was made: they stay there while no other
            centre is nearer by more than the margin.
        params: What may vary.
    """
    placed = placed_customers(model, features, members, params)
    chances = exported_probabilities(model, features, params)
    return customer_segments(features, placed, identity_of(model), chances)


def export_files(
    export: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """The export for CSV, JSON lines, and as the Parquet partition of its date.

    Args:
        export: One row per customer (PII).
    """
    day = export["fecha_modelo"].iloc[0]
    return export, export, {f"fecha_modelo={day}": export.drop(columns="fecha_modelo")}


def database_tables(
    export: pd.DataFrame,
    files: Snapshots,  # noqa: ARG001 - orders this node behind the files
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The export for the current table and for the history.

    Args:
        export: One row per customer (PII).
        files: The export's files: a database that can't be reached leaves them whole.
    """
    return export, export
