"""One run of segmentation: clusters, which old segments they continue, who is in them, names."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from clientela.segments.assignment import KEY, Crowd, is_active, previous_ids, seats
from clientela.segments.clustering import SCALER, centers, distances, fitted_clusters
from clientela.segments.identity import (
    Continuation,
    Identity,
    continuation,
    first_ids,
    nearness,
    overlaps,
)
from clientela.segments.layout import Layout
from clientela.segments.matrix import matrix, matrix_columns
from clientela.segments.naming import segment_names
from clientela.segments.params import ClusteringParams, NamingParams, SegmentationParams

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Previous:
    """The model before this one.

    Attributes:
        identity: Its segments.
        members: `id_cliente` (PII), `cluster_id`.
    """

    identity: Identity
    members: pd.DataFrame


@dataclass(frozen=True)
class Segmentation:
    """A fitted model with its segments.

    Attributes:
        model: StandardScaler and KMeans.
        identity: Ids, names, centres.
        members: One row per customer (PII); see `segment_members`.
        continued: Which segments began and ended.
        warm: Whether it began at the previous model's centres.
    """

    model: Pipeline
    identity: Identity
    members: pd.DataFrame
    continued: Continuation
    warm: bool


@dataclass(frozen=True)
class _Fit:
    """Clusters before they are anybody's segments: active customers x their distance to each."""

    model: Pipeline
    columns: tuple[str, ...]
    apart: np.ndarray
    warm: bool


def segmentation(
    features: pd.DataFrame,
    layout: Layout,
    k: int,
    previous: Previous | None,
    params: SegmentationParams,
) -> Segmentation:
    """Customers to segments that keep the ids and names of the previous model.

    Args:
        features: One row per customer (PII), sorted by their key.
        layout: Which columns there are.
        k: How many segments.
        previous: The model before; None for a first one.
        params: What clusters are made from, and how; names given by a person.

    Returns:
        The model, its segments, and who is in them.

    Raises:
        TrainingDataError: There are fewer distinct active customers than segments.
        ConfigurationError: A name is given to a segment that does not exist, or twice.
    """
    clustering = params.clustering
    known = None if previous is None else previous.members
    active = is_active(features, clustering).to_numpy()
    crowd = Crowd(features[KEY], active, previous_ids(features, known))
    fit = _fit(features, active, layout, k, previous, clustering)
    continued = _continued(fit, crowd, previous, clustering.minimum_overlap)
    unnamed = Identity(
        fecha_modelo=layout.fecha_modelo,
        layout=layout,
        columns=fit.columns,
        transformed=clustering.transformed,
        centers=tuple(map(tuple, centers(fit.model).tolist())),
        ids=continued.ids,
        names={},
        name_reasons={},
        retired=_retired(previous, continued),
        previous=None if previous is None else previous.identity.fecha_modelo,
    )
    members = seats(crowd, fit.apart, unnamed.ids, clustering.switch_margin)
    identity = _named(unnamed, features, members, previous, params.naming)
    return Segmentation(fit.model, identity, members, continued, warm=fit.warm)


def _fit(  # noqa: PLR0913, PLR0917 - today's customers and yesterday's model
    features: pd.DataFrame,
    active: np.ndarray,
    layout: Layout,
    k: int,
    previous: Previous | None,
    params: ClusteringParams,
) -> _Fit:
    columns = tuple(matrix_columns(layout, params.columns))
    rows = matrix(features, columns, transformed=params.transformed, where=active)
    starts = None
    if previous is not None and params.start == "warm":
        starts = _starting_centers(previous.identity, columns, k, transformed=params.transformed)
    model = fitted_clusters(rows, k, params, starts)
    return _Fit(model, columns, distances(model, rows), warm=starts is not None)


def _starting_centers(
    before: Identity, columns: tuple[str, ...], k: int, *, transformed: bool
) -> np.ndarray | None:
    """The previous centres, where they can be begun at; says so where they can't."""
    if before.columns == columns and before.transformed == transformed and len(before.ids) == k:
        return np.asarray(before.centers)
    changed = sorted(set(before.columns) ^ set(columns))
    logger.warning(
        "Clusters begin anew, and keep ids and names by the customers they share: the model of %s "
        "had %d segments, this one has %d%s.",
        before.fecha_modelo,
        len(before.ids),
        k,
        f", made from other columns ({', '.join(changed)})" if changed else "",
    )
    return None


def _continued(
    fit: _Fit, crowd: Crowd, previous: Previous | None, minimum_overlap: float
) -> Continuation:
    labels, here = fit.apart.argmin(axis=1), centers(fit.model)
    if previous is None:
        ids = first_ids(labels, len(here))
        return Continuation(ids=ids, births=tuple(sorted(ids)), deaths=())
    before = previous.identity
    overlap = overlaps(labels, crowd.before[crowd.active], len(here), before.ids)
    if not overlap.any() and before.columns == fit.columns:
        logger.warning(
            "No customer of the model of %s is left: segments are matched by their centres.",
            before.fecha_modelo,
        )
        scale = fit.model[SCALER].transform
        overlap = nearness(scale(here), scale(np.asarray(before.centers)))
    found = continuation(overlap, before, minimum_overlap)
    for segment in found.deaths:
        logger.warning("Segment %d (%s) ended.", segment, before.names[segment])
    return found


def _retired(previous: Previous | None, continued: Continuation) -> tuple[int, ...]:
    before = previous.identity.retired if previous is not None else ()
    return tuple(sorted({*before, *continued.deaths}))


def _named(
    unnamed: Identity,
    features: pd.DataFrame,
    members: pd.DataFrame,
    previous: Previous | None,
    naming: NamingParams,
) -> Identity:
    before = None if previous is None else previous.identity
    names = segment_names(features, members, unnamed.layout, naming, before)
    if before is not None:
        for segment in sorted(set(unnamed.ids) - set(before.ids)):
            logger.warning("Segment %d (%s) is new.", segment, names[segment].name)
    return unnamed.model_copy(
        update={
            "names": {segment: names[segment].name for segment in sorted(names)},
            "name_reasons": {segment: names[segment].reason for segment in sorted(names)},
        }
    )
