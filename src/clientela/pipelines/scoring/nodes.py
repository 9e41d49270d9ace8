"""Nodes of the scoring stage: the stored model scores every customer, or places them."""

from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.features.segment_columns import (
    EXPORTED_FEATURES,
    KEY,
    SegmentationParams,
    select_columns,
)
from clientela.models.scoring import predict_scores
from clientela.models.segment_model import (
    Snapshots,
    assign_to_stored_segments,
    customer_segments,
    get_identity,
    predict_export_probabilities,
)
from clientela.models.settings import ScoringSettings
from clientela.models.stored_model import StoredModel


def score_customers(
    champion: StoredModel, features: pd.DataFrame, settings: ScoringSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per customer (PII), once for each file form; see `clientela.models.scoring`."""
    table = predict_scores(champion, features, settings)
    return table, table


def select_export_input(features: ir.Table, model: StoredModel) -> ir.Table:
    """One row per customer (PII): what an export reads, placing each customer included."""
    identity = get_identity(model)
    columns = [
        KEY,
        "num_tx",
        "gasto_total",
        *EXPORTED_FEATURES,
        *identity.columns,
        *identity.layout.score_columns,
    ]
    return select_columns(features, columns)


def build_segment_export(
    model: StoredModel, features: pd.DataFrame, members: pd.DataFrame, params: SegmentationParams
) -> pd.DataFrame:
    """One row per customer (PII) in the required form; see `customer_segments`.

    Args:
        features: What an export reads, of customers of today.
        members: Who was in which segment when the model was made: they stay there while no other
            centre is nearer by more than the margin.
    """
    placed = assign_to_stored_segments(model, features, members, params)
    chances = predict_export_probabilities(model, features, params)
    return customer_segments(features, placed, get_identity(model), chances)


def copy_export_to_files(
    export: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """The export for CSV, JSON lines, and as the Parquet partition of its date."""
    day = export["fecha_modelo"].iloc[0]
    return export, export, {f"fecha_modelo={day}": export.drop(columns="fecha_modelo")}


def copy_export_to_tables(
    export: pd.DataFrame,
    files: Snapshots,  # noqa: ARG001 - orders this node behind the files
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The export for the current table and for the history.

    Args:
        files: The export's files: a database that can't be reached leaves them whole.
    """
    return export, export
