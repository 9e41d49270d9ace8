"""Nodes of feature engineering for segments: which rubros there are, and who buys what there."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.segments.features import customer_features as features_of
from clientela.segments.layout import Layout, layout_of, model_date
from clientela.segments.observed import observed_rubros as rubros_seen
from clientela.segments.params import SegmentFeatureParams
from clientela.segments.snapshots import Snapshots, previous_identity


def observed_rubros(transactions: ir.Table, params: SegmentFeatureParams) -> dict[str, ir.Table]:
    """Period, rubros and values of the transactions; see `clientela.segments.observed`."""
    seen = rubros_seen(transactions, params)
    # engines give groups in any order: without one, two runs would write different files
    return {name: table.order_by(table.columns) for name, table in seen.items()}


def layout(
    observed: Mapping[str, pd.DataFrame], identities: Snapshots, params: SegmentFeatureParams
) -> dict[str, Any]:
    """Which rubros and values get columns, and the date of the model.

    Args:
        observed: See `observed_rubros`.
        identities: Earlier models by date; the one before keeps its rubros.
        params: What is configured.

    Returns:
        A `Layout`, JSON-ready.
    """
    day = model_date(observed["period"], params)
    before = previous_identity(identities, day)
    made = layout_of(observed, params, day, None if before is None else before.layout)
    return made.model_dump(mode="json")


def customer_features(
    transactions: ir.Table,
    customers: ir.Table,
    layout: dict[str, Any],
    params: SegmentFeatureParams,
) -> ir.Table:
    """One row per customer (PII); see `clientela.segments.features`."""
    return features_of(transactions, customers, Layout.model_validate(layout), params)
