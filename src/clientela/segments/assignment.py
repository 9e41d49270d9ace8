"""Which segment each customer is in: the nearest, unless the one they were in is as good."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from clientela.segments.clustering import distances
from clientela.segments.identity import SIN_ACTIVIDAD, Identity, positions
from clientela.segments.matrix import matrix
from clientela.segments.params import ClusteringParams

KEY = "id_cliente"


@dataclass(frozen=True)
class Crowd:
    """All customers, in the order of their features.

    Attributes:
        keys: `id_cliente` (PII).
        active: Who bought often enough to be placed.
        before: The segment of each in the previous model; missing for who was not there.
    """

    keys: pd.Series
    active: np.ndarray
    before: pd.Series


def is_active(features: pd.DataFrame, params: ClusteringParams) -> pd.Series:
    """Whether a customer bought often enough to be placed.

    Args:
        features: One row per customer: `num_tx`.
        params: The minimum.

    Returns:
        True or False per row.
    """
    return features["num_tx"] >= params.minimum_transactions


def segment_members(
    features: pd.DataFrame,
    model: Pipeline,
    identity: Identity,
    previous: pd.DataFrame | None,
    params: ClusteringParams,
) -> pd.DataFrame:
    """One row per customer: their segment.

    Args:
        features: One row per customer (PII).
        model: Fitted clusters.
        identity: What their columns and ids are.
        previous: `id_cliente`, `cluster_id` of the previous model; None for a first one.
        params: Minimum activity, and the margin for leaving a segment.

    Returns:
        `id_cliente` (PII), `cluster_id` (`sin_actividad` is -1), `cluster_cercano` (the nearest
        centre), `cluster_previo` (missing for who was not there).
    """
    active = is_active(features, params).to_numpy()
    rows = matrix(features, identity.columns, transformed=identity.transformed, where=active)
    crowd = Crowd(features[KEY], active, previous_ids(features, previous))
    return seats(crowd, distances(model, rows), identity.ids, params.switch_margin)


def seats(
    crowd: Crowd, apart: np.ndarray, ids: Sequence[int], switch_margin: float
) -> pd.DataFrame:
    """One row per customer: their segment, from how far they are from each.

    Args:
        crowd: All customers.
        apart: Active customers x clusters.
        ids: The segment of each cluster.
        switch_margin: For leaving a segment.

    Returns:
        See `segment_members`.
    """
    nearest = apart.argmin(axis=1)
    old = positions(crowd.before[crowd.active], ids)
    kept = _held(apart, nearest, old, switch_margin)
    return pd.DataFrame(
        {
            KEY: crowd.keys.to_numpy(),
            "cluster_id": _everybody(crowd.active, np.asarray(ids)[kept]),
            "cluster_cercano": _everybody(crowd.active, np.asarray(ids)[nearest]),
            "cluster_previo": crowd.before.array,
        }
    )


def previous_ids(features: pd.DataFrame, previous: pd.DataFrame | None) -> pd.Series:
    """The segment that each customer was in.

    Args:
        features: One row per customer.
        previous: `id_cliente`, `cluster_id` of the previous model.

    Returns:
        Ids in the order of `features`, missing for who was not there.
    """
    if previous is None:
        return pd.Series(pd.NA, index=features.index, dtype="Int64")
    places = pd.Index(previous[KEY]).get_indexer(features[KEY])
    # who was not there has place -1: the last one, which is masked
    ids = np.append(previous["cluster_id"].to_numpy(dtype=np.int64), SIN_ACTIVIDAD)
    found = pd.arrays.IntegerArray(ids[places], mask=places < 0)
    return pd.Series(found, index=features.index)


def _held(apart: np.ndarray, nearest: np.ndarray, old: np.ndarray, margin: float) -> np.ndarray:
    """Positions of clusters: the previous one where no other is nearer by more than the margin."""
    rows = np.arange(len(apart))
    own = np.where(old >= 0, apart[rows, old], np.inf)
    best = apart[rows, nearest]
    return np.where(best < (1 - margin) * own, nearest, old)


def _everybody(active: np.ndarray, ids: np.ndarray) -> np.ndarray:
    found = np.full(len(active), SIN_ACTIVIDAD, dtype=np.int64)
    found[active] = ids
    return found
