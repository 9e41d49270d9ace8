"""The periods after a sample that data_generation made, with features as today's rows have them.

They are typed and clean, so they need no ingestion, and nothing of them is stored. Where a
configuration of one's own makes them unusable, they are left out and named; real rows never wait
for them.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from clientela.datasets.files import SimulatedPeriod
from clientela.datasets.table import read_frame
from clientela.exceptions import ClientelaError
from clientela.features.case_table import case_features, model_input
from clientela.features.rubros import aggregate_rubro_features
from clientela.features.segment_columns import (
    SegmentationParams,
    SegmentFeatureParams,
)
from clientela.features.settings import FeatureParams
from clientela.features.table_settings import TabularFeatureParams
from clientela.features.transactions import (
    TransactionPeriod,
    add_inactive_customers,
    customer_features,
    resolve_scoring_cutoff,
)
from clientela.models.segment_model import (
    assign_to_stored_segments,
    customer_segments,
    get_identity,
)
from clientela.models.stored_model import StoredModel
from clientela.pipelines.monitoring.inputs import SEGMENT, SimulatedRows
from clientela.text import normalize_text

# Arrow makes these functions when it is imported, where type checkers do not see them.
kernels: Any = pyarrow.compute
logger = logging.getLogger(__name__)

MaybePeriod: TypeAlias = SimulatedPeriod | None


def compute_simulated_cases(
    quiet: MaybePeriod, shifted: MaybePeriod, params: TabularFeatureParams
) -> list[SimulatedRows]:
    """Features and class of each period's cases, as if taken when every outcome was known."""
    settled = params.model_copy(update={"maturity": None})

    def compute(period: SimulatedPeriod) -> SimulatedRows:
        rows, features = _compute_case_features(period, params)
        known = model_input(rows, settled)[[params.key, params.target.column]]
        return SimulatedRows(period.shift, features.merge(known, "left", params.key))

    return _compute_usable([quiet, shifted], compute)


def compute_unlabelled_cases(
    quiet: MaybePeriod, shifted: MaybePeriod, params: TabularFeatureParams
) -> list[SimulatedRows]:
    """Features of each period's cases, where labels are made and nobody knows the classes."""

    def compute(period: SimulatedPeriod) -> SimulatedRows:
        return SimulatedRows(period.shift, _compute_case_features(period, params)[1])

    return _compute_usable([quiet, shifted], compute)


def _compute_case_features(
    period: SimulatedPeriod, params: TabularFeatureParams
) -> tuple[pa.Table, pd.DataFrame]:
    """The rows with a key, as ingestion gives them one, and their features."""
    rows, key = period.rows, params.key
    if key not in rows.column_names:
        rows = rows.append_column(key, pa.array(range(len(rows))).cast(pa.string()))
    return rows, case_features(rows, params)


def compute_simulated_customers(
    quiet: MaybePeriod,
    quiet_customers: MaybePeriod,
    shifted: MaybePeriod,
    shifted_customers: MaybePeriod,
    params: FeatureParams,
) -> list[SimulatedRows]:
    """Features of each period's customers at its end."""

    def compute(period: SimulatedPeriod, customers: SimulatedPeriod) -> SimulatedRows:
        rows, people, days = _open_tables(period, customers)
        at_end = params.model_copy(update={"scoring_as_of": None})
        cutoff = resolve_scoring_cutoff(at_end, days)
        features = add_inactive_customers(customer_features(rows, people, cutoff, params), people)
        return SimulatedRows(period.shift, read_frame(features), days.last.isoformat())

    return _compute_usable([(quiet, quiet_customers), (shifted, shifted_customers)], compute)


def compute_simulated_segments(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    quiet: MaybePeriod,
    quiet_customers: MaybePeriod,
    shifted: MaybePeriod,
    shifted_customers: MaybePeriod,
    model: StoredModel,
    features: SegmentFeatureParams,
    params: SegmentationParams,
) -> list[SimulatedRows]:
    """What segments are made from, and the segment, of each period's customers."""

    def compute(period: SimulatedPeriod, customers: SimulatedPeriod) -> SimulatedRows:
        rows, people, days = _open_tables(period, customers)
        identity = get_identity(model)
        columns = identity.layout.model_copy(update={"fecha_modelo": days.last})
        frame = read_frame(aggregate_rubro_features(rows, people, columns, features))
        placed = assign_to_stored_segments(model, frame, None, params)
        export = customer_segments(frame, placed, identity)
        names = export[["dni", SEGMENT]].rename(columns={"dni": model.manifest["key"]})
        return SimulatedRows(period.shift, frame.merge(names), days.last.isoformat())

    return _compute_usable([(quiet, quiet_customers), (shifted, shifted_customers)], compute)


def _compute_usable(
    periods: Sequence[MaybePeriod | tuple[MaybePeriod, MaybePeriod]],
    compute: Callable[..., SimulatedRows],
) -> list[SimulatedRows]:
    def iter_rows() -> Iterator[SimulatedRows]:
        for period in periods:
            tables = [period] if isinstance(period, SimulatedPeriod) else list(period or [None])
            if None in tables:
                continue
            try:
                yield compute(*tables)
            except ClientelaError as err:
                logger.warning("A simulated period is left out: %s", err)

    return list(iter_rows())


def _open_tables(
    transactions: SimulatedPeriod, customers: SimulatedPeriod
) -> tuple[ir.Table, ir.Table, TransactionPeriod]:
    """The tables as ingestion would leave them, and the days that they cover."""
    rows = ibis.memtable(transactions.rows)
    ends = kernels.min_max(transactions.rows["fecha"]).as_py()
    days = TransactionPeriod(ends["min"].date(), ends["max"].date())
    folded = rows.mutate(rubro=normalize_text(rows["categoria"]))
    return folded, ibis.memtable(customers.rows), days
