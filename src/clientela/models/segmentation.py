"""K-Means on standardised columns, begun anew or where the previous model's centres lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.features.rubros import build_matrix
from clientela.features.segment_settings import ClusteringParams, ColumnLayout

# K-Means on standardised columns, begun anew or where the previous model's centres lie.


SCALER, CLUSTERS = "scaler", "clusters"


def fit_clusters(
    matrix: np.ndarray, k: int, params: ClusteringParams, previous: np.ndarray | None = None
) -> Pipeline:
    """Segments of customers: StandardScaler and KMeans, fitted.

    Args:
        previous: Centres to begin at, in units of the matrix; None begins anew.

    Returns:
        A scikit-learn pipeline; cluster `i` continues row `i` of `previous`.

    Raises:
        TrainingDataError: There are fewer distinct customers than segments.
    """
    distinct = _count_distinct_rows(matrix, k)
    if distinct < k:
        raise TrainingDataError(
            f"{k} segments need at least {k} customers that differ; {len(matrix)} active customers "
            f"came, {distinct} of them different. Lower clustering.k, or "
            "clustering.minimum_transactions, or bring more data."
        )
    scaler = StandardScaler().fit(matrix)
    starts = {"init": "k-means++", "n_init": params.n_init}
    if previous is not None:
        starts = {"init": scaler.transform(previous), "n_init": 1}
    clusters = KMeans(k, max_iter=params.max_iter, random_state=params.seed, **starts)
    scaled = scaler.transform(matrix)
    means = _compute_cluster_means(scaled, clusters.fit_predict(scaled), k)
    return Pipeline([(SCALER, scaler), (CLUSTERS, _make_kmeans_at(means))])


def compute_centers(model: Pipeline) -> np.ndarray:
    """Where the clusters lie, in units of the matrix."""
    scaler, clusters = model[SCALER], model[CLUSTERS]
    return np.asarray(scaler.inverse_transform(clusters.cluster_centers_))


def compute_center_distances(model: Pipeline, matrix: np.ndarray) -> np.ndarray:
    """How far each customer is from each centre, on the standardised scale."""
    if not len(matrix):
        return np.empty((0, len(model[CLUSTERS].cluster_centers_)))
    return np.asarray(model.transform(matrix))


def _compute_cluster_means(scaled: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """The members' means, added up row by row.

    K-Means adds up in as many parts as there are threads, in the order they end: centres would
    differ in their last digits from run to run.
    """
    sizes = np.bincount(labels, minlength=k)
    sums = [np.bincount(labels, weights=column, minlength=k) for column in scaled.T]
    return np.column_stack(sums) / sizes[:, None]


def _make_kmeans_at(means: np.ndarray) -> KMeans:
    """A fitted KMeans with these centres, and nothing of the customers who made them."""
    with threadpool_limits(limits=1, user_api="openmp"):
        return KMeans(len(means), init=means, n_init=1).fit(means)


def _count_distinct_rows(matrix: np.ndarray, enough: int) -> int:
    """How many rows differ, counted no further than needed: sorting a million rows takes long."""
    head = np.unique(matrix[: 100 * enough], axis=0)
    return len(head) if len(head) >= enough else len(np.unique(matrix, axis=0))


# What makes a segment the same one next week: its members, and where its centre was.


SIN_ACTIVIDAD = -1
"""Id of customers with too little activity to be placed."""

SIN_ACTIVIDAD_NAME = "Sin actividad"


class SegmentIdentity(BaseModel):
    """Everything of a model that the next one needs so that segments keep ids and names.

    Attributes:
        fecha_modelo: Date of the model.
        layout: Its rubros and values.
        columns: What clusters were made from, in order.
        transformed: Whether those columns were transformed; see `ClusteringParams`.
        centers: One row per segment, in units of the matrix before scaling.
        ids: The segment of each row of `centers`.
        name_reasons: Id to why it is called so.
        retired: Ids of segments that ended; they are not given again.
        previous: Date of the model that this one continues; None for a first one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fecha_modelo: date
    layout: ColumnLayout
    columns: tuple[str, ...]
    transformed: bool
    centers: tuple[tuple[float, ...], ...]
    ids: tuple[int, ...]
    names: dict[int, str]
    name_reasons: dict[int, str]
    retired: tuple[int, ...] = ()
    previous: date | None = None


@dataclass(frozen=True)
class SegmentMatch:
    """How new clusters continue old segments.

    Attributes:
        ids: The segment id of each new cluster, by position.
        births: Ids that are new.
        deaths: Ids of the previous model that no cluster continues.
    """

    ids: tuple[int, ...]
    births: tuple[int, ...]
    deaths: tuple[int, ...]


def match_segments(
    overlap: np.ndarray, previous: SegmentIdentity, minimum_overlap: float
) -> SegmentMatch:
    """Which new cluster continues which old segment: the one-to-one match of most overlap.

    Args:
        overlap: Jaccard overlap of members, new clusters x old segments (in order of
            `previous.ids`).
        minimum_overlap: Below it a match is none: one segment ended and another began.

    Returns:
        Ids for every new cluster; those of segments that ended are never given again.
    """
    matched: dict[int, int] = {
        int(new): previous.ids[old]
        for new, old in zip(*linear_sum_assignment(-overlap), strict=True)
        if overlap[new, old] >= minimum_overlap
    }
    free = 1 + max((*previous.ids, *previous.retired))
    births = [position for position in range(len(overlap)) if position not in matched]
    fresh = {position: free + place for place, position in enumerate(births)}
    ids = matched | fresh
    return SegmentMatch(
        ids=tuple(ids[position] for position in range(len(overlap))),
        births=tuple(fresh.values()),
        deaths=tuple(i for i in previous.ids if i not in matched.values()),
    )


def assign_first_ids(labels: np.ndarray, clusters: int) -> tuple[int, ...]:
    """Ids of a first model: 0 for the largest cluster, and so on; ties by position.

    Returns:
        The id of each cluster, by position.
    """
    sizes = np.bincount(labels, minlength=clusters)
    ranks = np.empty(clusters, dtype=np.int64)
    ranks[np.argsort(-sizes, kind="stable")] = np.arange(clusters)
    return tuple(int(rank) for rank in ranks)


def compute_overlap(
    labels: np.ndarray, previous_ids: pd.Series, clusters: int, ids: Sequence[int]
) -> np.ndarray:
    """Jaccard overlap of members between new clusters and old segments.

    Counted over the customers that both models placed in a segment.

    Args:
        labels: Position of each customer's new cluster.
        previous_ids: The same customers' previous segment; missing for who had none.
        clusters: How many new clusters there are.
    """
    columns = find_segment_positions(previous_ids, ids)
    both = columns >= 0
    shared = np.zeros((clusters, len(ids)))
    np.add.at(shared, (labels[both], columns[both]), 1)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    overlap: np.ndarray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def find_segment_positions(segments: pd.Series, ids: Sequence[int]) -> np.ndarray:
    """Where each customer's segment stands among the ids.

    Args:
        segments: Ids, missing for who has none.

    Returns:
        One position per customer; -1 for who has none, or another.
    """
    # floats, in which a missing id is none of them: nullable integers take ten times longer
    values = segments.to_numpy(dtype=np.float64, na_value=np.nan)
    known = pd.Index(np.asarray(ids, dtype=np.float64))
    return np.asarray(known.get_indexer(pd.Index(values)))


def compute_center_proximity(centers: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """How near new centres lie to old ones, as a substitute for overlap without shared customers.

    Args:
        previous: Old centres on the same scale.

    Returns:
        New x old, `1 / (1 + distance)`, each 0..1.
    """
    distances = np.linalg.norm(centers[:, None, :] - previous[None, :, :], axis=2)
    return np.asarray(1.0 / (1.0 + distances))


# Which segment each customer is in: the nearest, unless the one they were in is as good.


KEY = "id_cliente"


@dataclass(frozen=True)
class AssignmentInput:
    """All customers, in the order of their features.

    Attributes:
        active: Who bought often enough to be placed.
        before: The segment of each in the previous model; missing for who was not there.
    """

    keys: pd.Series
    active: np.ndarray
    before: pd.Series


def is_active(features: pd.DataFrame, params: ClusteringParams) -> pd.Series:
    """Whether a customer bought often enough to be placed."""
    return features["num_tx"] >= params.minimum_transactions


def predict_segments(
    features: pd.DataFrame,
    model: Pipeline,
    identity: SegmentIdentity,
    previous: pd.DataFrame | None,
    params: ClusteringParams,
) -> pd.DataFrame:
    """One row per customer: their segment.

    Args:
        identity: What their columns and ids are.
        previous: `id_cliente`, `cluster_id` of the previous model; None for a first one.
        params: Minimum activity, and the margin for leaving a segment.

    Returns:
        `id_cliente` (PII), `cluster_id` (`sin_actividad` is -1), `cluster_cercano` (the nearest
        centre), `cluster_previo` (missing for who was not there).
    """
    active = is_active(features, params).to_numpy()
    rows = build_matrix(features, identity.columns, transformed=identity.transformed, where=active)
    crowd = AssignmentInput(features[KEY], active, find_previous_segments(features, previous))
    return assign_segments(
        crowd, compute_center_distances(model, rows), identity.ids, params.switch_margin
    )


def assign_segments(
    crowd: AssignmentInput, apart: np.ndarray, ids: Sequence[int], switch_margin: float
) -> pd.DataFrame:
    """One row per customer: their segment, from how far they are from each."""
    nearest = apart.argmin(axis=1)
    old = find_segment_positions(crowd.before[crowd.active], ids)
    kept = _apply_switch_margin(apart, nearest, old, switch_margin)
    return pd.DataFrame(
        {
            KEY: crowd.keys.to_numpy(),
            "cluster_id": _expand_to_all_customers(crowd.active, np.asarray(ids)[kept]),
            "cluster_cercano": _expand_to_all_customers(crowd.active, np.asarray(ids)[nearest]),
            "cluster_previo": crowd.before.array,
        }
    )


def find_previous_segments(features: pd.DataFrame, previous: pd.DataFrame | None) -> pd.Series:
    """The segment that each customer was in.

    Args:
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


def _apply_switch_margin(
    apart: np.ndarray, nearest: np.ndarray, old: np.ndarray, margin: float
) -> np.ndarray:
    """Positions of clusters: the previous one where no other is nearer by more than the margin."""
    rows = np.arange(len(apart))
    own = np.where(old >= 0, apart[rows, old], np.inf)
    best = apart[rows, nearest]
    return np.where(best < (1 - margin) * own, nearest, old)


def _expand_to_all_customers(active: np.ndarray, ids: np.ndarray) -> np.ndarray:
    found = np.full(len(active), SIN_ACTIVIDAD, dtype=np.int64)
    found[active] = ids
    return found
