"""Nodes of the segmentation stage: thin, in the order they run."""

import logging
from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from clientela.modelling.storage.stored_model import StoredModel
from clientela.reports.page import html
from clientela.segments import choice as choosing
from clientela.segments import evaluation as evaluating
from clientela.segments import migration as moving
from clientela.segments import profile as profiling
from clientela.segments.assignment import KEY, is_active
from clientela.segments.identity import SIN_ACTIVIDAD, Identity
from clientela.segments.layout import Layout
from clientela.segments.matrix import clustering_columns, matrix, matrix_columns, selected
from clientela.segments.params import SegmentationParams, SegmentFeatureParams
from clientela.segments.report.facts import SegmentsReport
from clientela.segments.report.figures import segment_figures
from clientela.segments.report.page import segments_page
from clientela.segments.report.projection import projection as projected
from clientela.segments.report.summary import in_short
from clientela.segments.segmentation import Previous, segmentation
from clientela.segments.snapshots import Snapshots, members_of, previous_identity
from clientela.segments.stored import soft_membership, stored_segmentation

logger = logging.getLogger(__name__)


def clustering_input(
    features: ir.Table, layout: dict[str, Any], params: SegmentationParams
) -> ir.Table:
    """One row per customer (PII): what segments are made from and named by."""
    groups = params.clustering.columns
    return selected(features, [KEY, *clustering_columns(Layout.model_validate(layout), groups)])


def profile_input(features: ir.Table, layout: dict[str, Any]) -> ir.Table:
    """One row per customer (PII): what a profile reads."""
    return selected(features, profiling.profile_columns(Layout.model_validate(layout)))


def k_evaluation(
    features: pd.DataFrame, layout: dict[str, Any], params: SegmentationParams
) -> pd.DataFrame:
    """One row per number of segments; see `clientela.segments.evaluation`."""
    clustering = params.clustering
    columns = matrix_columns(Layout.model_validate(layout), clustering.columns)
    active = is_active(features, clustering).to_numpy()
    rows = matrix(features, columns, transformed=clustering.transformed, where=active)
    return evaluating.k_evaluation(rows, clustering)


def k_choice(
    evaluation: pd.DataFrame,
    layout: dict[str, Any],
    identities: Snapshots,
    params: SegmentationParams,
) -> dict[str, Any]:
    """How many segments, and why; see `clientela.segments.choice`."""
    before = previous_identity(identities, Layout.model_validate(layout).fecha_modelo)
    previous_k = None if before is None else len(before.ids)
    return choosing.k_choice(evaluation, params.clustering, previous_k)


def segments(  # noqa: PLR0913, PLR0917 - today's data and yesterday's model
    features: pd.DataFrame,
    layout: dict[str, Any],
    choice: dict[str, Any],
    identities: Snapshots,
    exports: Snapshots,
    params: SegmentationParams,
) -> tuple[StoredModel, dict[str, Any], dict[str, dict[str, Any]], pd.DataFrame]:
    """The model, its identity (alone, and as the snapshot of its date), and who is where.

    Args:
        features: One row per customer (PII).
        layout: Which columns there are.
        choice: How many segments.
        identities: Earlier models by date.
        exports: Earlier exports by date.
        params: What may vary.
    """
    previous = _previous(identities, exports, layout)
    made = segmentation(features, Layout.model_validate(layout), choice["k"], previous, params)
    identity = made.identity.model_dump(mode="json")
    model = stored_segmentation(made, features, params)
    return model, identity, {layout["fecha_modelo"]: identity}, made.members


def segment_profile(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: dict[str, Any],
    params: SegmentationParams,
) -> dict[str, pd.DataFrame]:
    """What sets each segment apart; see `clientela.segments.profile`."""
    known = Identity.model_validate(identity)
    return profiling.segment_profile(features, members, known.names, known.layout, params.report)


def segment_membership(
    model: StoredModel, features: pd.DataFrame, params: SegmentationParams
) -> dict[str, Any]:
    """How clear-cut the segments are; see `clientela.segments.stored.soft_membership`."""
    return soft_membership(model, features, params)


def segment_projection(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: dict[str, Any],
    params: SegmentationParams,
) -> dict[str, pd.DataFrame]:
    """The segments in two dimensions; see `clientela.segments.report.projection`."""
    known = Identity.model_validate(identity)
    placed = (members["cluster_id"] != SIN_ACTIVIDAD).to_numpy()
    rows = matrix(features, known.columns, transformed=known.transformed, where=placed)
    labels = members.loc[placed, "cluster_id"].to_numpy()
    return projected(rows, labels, known.columns, params.clustering)


def migration(
    members: pd.DataFrame,
    identity: dict[str, Any],
    identities: Snapshots,
    exports: Snapshots,
    params: SegmentationParams,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Who moved where since the previous model; see `clientela.segments.migration`."""
    current = Identity.model_validate(identity)
    before = previous_identity(identities, current.fecha_modelo)
    known = members_of(exports, current.previous)
    names = {} if before is None else before.names
    matrix = moving.migration_matrix(members, known, current.names, names)
    return matrix, moving.migration(matrix, members, current, before, params.report.numbers)


def segment_report(
    params: SegmentationParams, features: SegmentFeatureParams, **found: Any
) -> dict[str, Any]:
    """The profile report, its figures, and the sentence that ends the run.

    Args:
        params: What may vary in segments.
        features: What features saw.
        found: `identity`, `choice`, `evaluation`, `profile`, `migration`, `migration_matrix`,
            `membership`, `projection`: the artefacts of this run.

    Returns:
        `page`, `headline`, and each figure by its name.
    """
    facts = {**found, "identity": Identity.model_validate(found["identity"])}
    report = SegmentsReport(
        features=features, clustering=params.clustering, settings=params.report, **facts
    )
    drawn = segment_figures(report)
    page = segments_page(report, drawn)
    return {
        "page": html(page, params.report.numbers),
        "headline": {"sentence": "\n".join(in_short(report))},
        **drawn,
    }


def _previous(
    identities: Snapshots, exports: Snapshots, layout: Mapping[str, Any]
) -> Previous | None:
    day = Layout.model_validate(layout).fecha_modelo
    identity = previous_identity(identities, day)
    if identity is None:
        return None
    members = members_of(exports, identity.fecha_modelo)
    if members is None:
        logger.warning(
            "The model of %s was never exported (the scoring stage did not run): who was in which "
            "segment is not known, and segments are matched by their centres.",
            identity.fecha_modelo,
        )
        nobody = {KEY: pd.Series(dtype="str"), "cluster_id": pd.Series(dtype="int64")}
        members = pd.DataFrame(nobody)
    return Previous(identity, members)
