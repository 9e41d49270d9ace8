"""Nodes of the segmentation stage: thin, in the order they run."""

import logging
from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.features.rubros import (
    build_matrix,
    list_clustering_columns,
    list_matrix_columns,
    select_columns,
)
from clientela.features.segment_settings import (
    ColumnLayout,
    SegmentationParams,
    SegmentFeatureParams,
)
from clientela.models import segment_profile as profiling
from clientela.models.segment_model import (
    PreviousModel,
    Snapshots,
    build_stored_segmentation,
    fit_segmentation,
    load_members,
    load_previous_identity,
    measure_soft_membership,
)
from clientela.models.segmentation import KEY, SIN_ACTIVIDAD, SegmentIdentity, is_active
from clientela.models.stored_model import StoredModel
from clientela.pipelines.segmentation import choose_k as choosing
from clientela.pipelines.segmentation import choose_k as evaluating
from clientela.pipelines.segmentation import migration as moving
from clientela.pipelines.segmentation.report import build_segment_page
from clientela.pipelines.segmentation.report_figures import compute_projection as projected
from clientela.pipelines.segmentation.report_figures import plot_segments
from clientela.pipelines.segmentation.report_tables import (
    SegmentReportData,
    summarize_segmentation_run,
)
from clientela.reporting.page import render_html

logger = logging.getLogger(__name__)


def select_clustering_input(
    features: ir.Table, layout: dict[str, Any], params: SegmentationParams
) -> ir.Table:
    """One row per customer (PII): what segments are made from and named by."""
    groups = params.clustering.columns
    return select_columns(
        features, [KEY, *list_clustering_columns(ColumnLayout.model_validate(layout), groups)]
    )


def select_profile_input(features: ir.Table, layout: dict[str, Any]) -> ir.Table:
    """One row per customer (PII): what a profile reads."""
    return select_columns(
        features, profiling.list_profile_columns(ColumnLayout.model_validate(layout))
    )


def evaluate_segment_counts(
    features: pd.DataFrame, layout: dict[str, Any], params: SegmentationParams
) -> pd.DataFrame:
    """One row per number of segments; see `clientela.pipelines.segmentation.choose_k`."""
    clustering = params.clustering
    columns = list_matrix_columns(ColumnLayout.model_validate(layout), clustering.columns)
    active = is_active(features, clustering).to_numpy()
    rows = build_matrix(features, columns, transformed=clustering.transformed, where=active)
    return evaluating.evaluate_k_range(rows, clustering)


def choose_segment_count(
    evaluation: pd.DataFrame,
    layout: dict[str, Any],
    identities: Snapshots,
    params: SegmentationParams,
) -> dict[str, Any]:
    """How many segments, and why; see `clientela.pipelines.segmentation.choose_k`."""
    before = load_previous_identity(identities, ColumnLayout.model_validate(layout).fecha_modelo)
    previous_k = None if before is None else len(before.ids)
    return choosing.choose_k(evaluation, params.clustering, previous_k)


def fit_segments(  # noqa: PLR0913, PLR0917 - today's data and yesterday's model
    features: pd.DataFrame,
    layout: dict[str, Any],
    choice: dict[str, Any],
    identities: Snapshots,
    exports: Snapshots,
    params: SegmentationParams,
) -> tuple[StoredModel, dict[str, Any], dict[str, dict[str, Any]], pd.DataFrame]:
    """The model, its identity (alone, and as the snapshot of its date), and who is where."""
    previous = _get_previous_segmentation(identities, exports, layout)
    made = fit_segmentation(
        features, ColumnLayout.model_validate(layout), choice["k"], previous, params
    )
    identity = made.identity.model_dump(mode="json")
    model = build_stored_segmentation(made, features, params)
    return model, identity, {layout["fecha_modelo"]: identity}, made.members


def describe_segments(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: dict[str, Any],
    params: SegmentationParams,
) -> dict[str, pd.DataFrame]:
    """What sets each segment apart; see `clientela.models.segment_profile`."""
    known = SegmentIdentity.model_validate(identity)
    return profiling.build_segment_profile(
        features, members, known.names, known.layout, params.report
    )


def measure_segment_membership(
    model: StoredModel, features: pd.DataFrame, params: SegmentationParams
) -> dict[str, Any]:
    """How clear-cut the segments are; see `clientela.models.segment_model.measure_soft_membership`."""
    return measure_soft_membership(model, features, params)


def compute_segment_projection(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: dict[str, Any],
    params: SegmentationParams,
) -> dict[str, pd.DataFrame]:
    """The segments in two dimensions; see `clientela.pipelines.segmentation.report_figures`."""
    known = SegmentIdentity.model_validate(identity)
    placed = (members["cluster_id"] != SIN_ACTIVIDAD).to_numpy()
    rows = build_matrix(features, known.columns, transformed=known.transformed, where=placed)
    labels = members.loc[placed, "cluster_id"].to_numpy()
    return projected(rows, labels, known.columns, params.clustering)


def compute_segment_migration(
    members: pd.DataFrame,
    identity: dict[str, Any],
    identities: Snapshots,
    exports: Snapshots,
    params: SegmentationParams,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Who moved where since the previous model; see `clientela.pipelines.segmentation.migration`."""
    current = SegmentIdentity.model_validate(identity)
    before = load_previous_identity(identities, current.fecha_modelo)
    known = load_members(exports, current.previous)
    names = {} if before is None else before.names
    matrix = moving.migration_matrix(members, known, current.names, names)
    return matrix, moving.summarize_migration(
        matrix, members, current, before, params.report.numbers
    )


def build_segment_report(
    params: SegmentationParams, features: SegmentFeatureParams, **found: Any
) -> dict[str, Any]:
    """The profile report, its figures, and the sentence that ends the run.

    Args:
        found: `identity`, `choice`, `evaluation`, `profile`, `migration`, `migration_matrix`,
            `membership`, `projection`: the artefacts of this run.

    Returns:
        `page`, `headline`, and each figure by its name.
    """
    facts = {**found, "identity": SegmentIdentity.model_validate(found["identity"])}
    report = SegmentReportData(
        features=features, clustering=params.clustering, settings=params.report, **facts
    )
    drawn = plot_segments(report)
    page = build_segment_page(report, drawn)
    return {
        "page": render_html(page, params.report.numbers),
        "headline": {"sentence": "\n".join(summarize_segmentation_run(report))},
        **drawn,
    }


def _get_previous_segmentation(
    identities: Snapshots, exports: Snapshots, layout: Mapping[str, Any]
) -> PreviousModel | None:
    day = ColumnLayout.model_validate(layout).fecha_modelo
    identity = load_previous_identity(identities, day)
    if identity is None:
        return None
    members = load_members(exports, identity.fecha_modelo)
    if members is None:
        logger.warning(
            "The model of %s was never exported (the scoring stage did not run): who was in which "
            "segment is not known, and segments are matched by their centres.",
            identity.fecha_modelo,
        )
        nobody = {KEY: pd.Series(dtype="str"), "cluster_id": pd.Series(dtype="int64")}
        members = pd.DataFrame(nobody)
    return PreviousModel(identity, members)
