"""Nodes of the segmentation stage, in the order they run."""

import logging
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.features.segment_columns import (
    KEY,
    SHARE,
    ColumnLayout,
    SegmentationParams,
    SegmentFeatureParams,
    build_matrix,
    list_matrix_columns,
    select_columns,
)
from clientela.models.segment_model import (
    PreviousModel,
    Snapshots,
    build_stored_segmentation,
    fit_segmentation,
    load_members,
    load_previous_identity,
)
from clientela.models.segment_profile import build_segment_profile, list_profile_columns
from clientela.models.segmentation import SIN_ACTIVIDAD, SegmentIdentity, is_active
from clientela.models.stored_model import StoredModel
from clientela.pipelines.segmentation.choose_k import choose_k, evaluate_k_range
from clientela.pipelines.segmentation.migration import migration_matrix, summarize_migration
from clientela.pipelines.segmentation.report import build_segment_page
from clientela.pipelines.segmentation.report_data import (
    SegmentReportData,
    summarize_segmentation_run,
)
from clientela.pipelines.segmentation.report_figures import compute_projection, plot_segments
from clientela.reporting.page import render_html

logger = logging.getLogger(__name__)


def select_clustering_input(
    features: ir.Table, layout: dict[str, Any], params: SegmentationParams
) -> ir.Table:
    """One row per customer (PII): what segments are made from and named by."""
    known = ColumnLayout.model_validate(layout)
    matrix = list_matrix_columns(known, params.clustering.columns)
    shares = [f"{SHARE}{slug}" for slug in known.slugs]
    return select_columns(features, [KEY, "num_tx", *matrix, *shares])


def select_profile_input(features: ir.Table, layout: dict[str, Any]) -> ir.Table:
    """One row per customer (PII): what a profile reads."""
    return select_columns(features, list_profile_columns(ColumnLayout.model_validate(layout)))


def evaluate_segment_counts(
    features: pd.DataFrame, layout: dict[str, Any], params: SegmentationParams
) -> pd.DataFrame:
    """One row per number of segments; see `evaluate_k_range`."""
    clustering = params.clustering
    columns = list_matrix_columns(ColumnLayout.model_validate(layout), clustering.columns)
    active = is_active(features, clustering).to_numpy()
    rows = build_matrix(features, columns, transformed=clustering.transformed, where=active)
    return evaluate_k_range(rows, clustering)


def choose_segment_count(
    evaluation: pd.DataFrame,
    layout: dict[str, Any],
    identities: Snapshots,
    params: SegmentationParams,
) -> dict[str, Any]:
    """How many segments, and why; see `choose_k`."""
    before = load_previous_identity(identities, ColumnLayout.model_validate(layout).fecha_modelo)
    previous_k = None if before is None else len(before.ids)
    return choose_k(evaluation, params.clustering, previous_k)


def fit_segments(  # noqa: PLR0913, PLR0917 - today's data and yesterday's model
    features: pd.DataFrame,
    layout: dict[str, Any],
    choice: dict[str, Any],
    identities: Snapshots,
    exports: Snapshots,
    params: SegmentationParams,
) -> tuple[StoredModel, dict[str, Any], dict[str, dict[str, Any]], pd.DataFrame]:
    """The model, its identity (alone, and as the snapshot of its date), and who is where."""
    known = ColumnLayout.model_validate(layout)
    before = load_previous_identity(identities, known.fecha_modelo)
    previous = None
    if before is not None:
        members = load_members(exports, before.fecha_modelo)
        if members is None:
            logger.warning(
                "The model of %s was never exported (the scoring stage did not run): who was in "
                "which segment is not known, and segments are matched by their centres.",
                before.fecha_modelo,
            )
            nobody = {KEY: pd.Series(dtype="str"), "cluster_id": pd.Series(dtype="int64")}
            members = pd.DataFrame(nobody)
        previous = PreviousModel(before, members)
    segmentation = fit_segmentation(features, known, choice["k"], previous, params)
    identity = segmentation.identity.model_dump(mode="json")
    model = build_stored_segmentation(segmentation, features, params)
    return model, identity, {layout["fecha_modelo"]: identity}, segmentation.members


def describe_segments(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: dict[str, Any],
    params: SegmentationParams,
) -> dict[str, pd.DataFrame]:
    """What sets each segment apart; see `build_segment_profile`."""
    known = SegmentIdentity.model_validate(identity)
    return build_segment_profile(features, members, known, params.report)


def compute_segment_projection(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: dict[str, Any],
    params: SegmentationParams,
) -> dict[str, pd.DataFrame]:
    """The segments in two dimensions; see `compute_projection`."""
    known = SegmentIdentity.model_validate(identity)
    placed = (members["cluster_id"] != SIN_ACTIVIDAD).to_numpy()
    rows = build_matrix(features, known.columns, transformed=known.transformed, where=placed)
    labels = members.loc[placed, "cluster_id"].to_numpy()
    return compute_projection(rows, labels, known.columns, params.clustering)


def compute_segment_migration(
    members: pd.DataFrame,
    identity: dict[str, Any],
    identities: Snapshots,
    exports: Snapshots,
    params: SegmentationParams,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Who moved where since the previous model, as a table and as figures and words."""
    current = SegmentIdentity.model_validate(identity)
    before = load_previous_identity(identities, current.fecha_modelo)
    previous_members = load_members(exports, current.previous)
    matrix = migration_matrix(members, previous_members, current, before)
    numbers = params.report.numbers
    return matrix, summarize_migration(matrix, members, current, before, numbers)


def build_segment_report(
    params: SegmentationParams, features: SegmentFeatureParams, **artefacts: Any
) -> dict[str, Any]:
    """The profile report, its figures, and the sentences that end the run.

    Args:
        artefacts: `identity`, `choice`, `evaluation`, `profile`, `migration`, `migration_matrix`,
            `membership`, `projection`, `accounting` of this run.

    Returns:
        `page`, `headline`, and each figure by its name.
    """
    artefacts["identity"] = SegmentIdentity.model_validate(artefacts["identity"])
    report = SegmentReportData(
        features=features, clustering=params.clustering, settings=params.report, **artefacts
    )
    figures = plot_segments(report)
    page = build_segment_page(report, figures)
    return {
        "page": render_html(page, params.report.numbers),
        "headline": {"sentence": "\n".join(summarize_segmentation_run(report))},
        **figures,
    }
