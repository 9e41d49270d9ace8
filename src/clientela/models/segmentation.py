"""Segments as numbers: K-Means clusters, which earlier segments they continue, and who is in them.

What makes a segment the same one next week are its members, and where its centre was; so ids are
matched by the customers that both models share. A customer is in the nearest segment, unless the
one they were in is as good.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.features.segment_columns import KEY, ClusteringParams, ColumnLayout
from clientela.settings_base import FrozenSettings

SCALER, CLUSTERS = "scaler", "clusters"
# Id and name of customers with too little activity to be placed.
SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME = -1, "Sin actividad"


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
    # most often the first rows show enough: sorting a million of them takes long
    distinct = len(np.unique(matrix[: 100 * k], axis=0))
    distinct = distinct if distinct >= k else len(np.unique(matrix, axis=0))
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
    labels = clusters.fit_predict(scaled)
    # K-Means adds up members in as many parts as there are threads, in the order they end: centres
    # would differ in their last digits from run to run. So they are added up again, row by row.
    sums = [np.bincount(labels, weights=column, minlength=k) for column in scaled.T]
    means = np.column_stack(sums) / np.bincount(labels, minlength=k)[:, None]
    with threadpool_limits(limits=1, user_api="openmp"):
        # fitted on its own centres, the model holds nothing of the customers who made them
        centered = KMeans(k, init=means, n_init=1).fit(means)
    return Pipeline([(SCALER, scaler), (CLUSTERS, centered)])


def compute_centers(model: Pipeline) -> np.ndarray:
    """Where the clusters lie, in units of the matrix."""
    return np.asarray(model[SCALER].inverse_transform(model[CLUSTERS].cluster_centers_))


def compute_center_distances(model: Pipeline, matrix: np.ndarray) -> np.ndarray:
    """How far each customer is from each centre, on the standardised scale."""
    if not len(matrix):
        return np.empty((0, len(model[CLUSTERS].cluster_centers_)))
    return np.asarray(model.transform(matrix))


class SegmentIdentity(FrozenSettings):
    """Everything of a model that the next one needs so that segments keep ids and names.

    Attributes:
        columns: What clusters were made from, in order.
        transformed: Whether those columns were transformed; see `ClusteringParams`.
        centers: One row per segment, in units of the matrix before scaling.
        ids: The segment of each row of `centers`.
        name_reasons: Id to why it is called so.
        retired: Ids of segments that ended; they are not given again.
        previous: Date of the model that this one continues; None for a first one.
    """

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

    @property
    def titles(self) -> dict[int, str]:
        """Id to name, customers without activity included."""
        return {**self.names, SIN_ACTIVIDAD: SIN_ACTIVIDAD_NAME}


@dataclass(frozen=True)
class SegmentMatch:
    """How new clusters continue old segments.

    Attributes:
        ids: The segment id of each new cluster, by position.
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
    unmatched = [position for position in range(len(overlap)) if position not in matched]
    births = {position: free + place for place, position in enumerate(unmatched)}
    ids = matched | births
    return SegmentMatch(
        ids=tuple(ids[position] for position in range(len(overlap))),
        births=tuple(births.values()),
        deaths=tuple(i for i in previous.ids if i not in matched.values()),
    )


def assign_first_ids(labels: np.ndarray, clusters: int) -> SegmentMatch:
    """Ids of a first model: 0 for the largest cluster, and so on; ties by position."""
    sizes = np.bincount(labels, minlength=clusters)
    ranks = np.empty(clusters, dtype=np.int64)
    ranks[np.argsort(-sizes, kind="stable")] = np.arange(clusters)
    ids = tuple(int(rank) for rank in ranks)
    return SegmentMatch(ids=ids, births=tuple(sorted(ids)), deaths=())


def compute_overlap(
    labels: np.ndarray, previous_ids: pd.Series, clusters: int, ids: Sequence[int]
) -> np.ndarray:
    """Jaccard overlap of members between new clusters and old segments.

    Counted over the customers that both models placed in a segment.

    Args:
        previous_ids: The same customers' previous segment; missing for who had none.
    """
    columns = find_segment_positions(previous_ids, ids)
    both = columns >= 0
    shared = np.zeros((clusters, len(ids)))
    np.add.at(shared, (labels[both], columns[both]), 1)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    overlap: np.ndarray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def compute_center_proximity(centers: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """How near new centres lie to old ones, as a substitute for overlap without shared customers.

    Returns:
        New x old, `1 / (1 + distance)`, each 0..1.
    """
    distances = np.linalg.norm(centers[:, None, :] - previous[None, :, :], axis=2)
    return np.asarray(1.0 / (1.0 + distances))


def find_segment_positions(segments: pd.Series, ids: Sequence[int]) -> np.ndarray:
    """Where each customer's segment stands among the ids; -1 for who has none, or another."""
    # floats, in which a missing id is none of them: nullable integers take ten times longer
    values = segments.to_numpy(dtype=np.float64, na_value=np.nan)
    known = pd.Index(np.asarray(ids, dtype=np.float64))
    return np.asarray(known.get_indexer(pd.Index(values)))


@dataclass(frozen=True)
class Customers:
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


def find_previous_segments(
    features: pd.DataFrame, previous: pd.DataFrame | None, params: ClusteringParams
) -> Customers:
    """The customers beside the segments that they were in.

    Args:
        previous: `id_cliente`, `cluster_id` of the previous model; None for a first one.
    """
    active = is_active(features, params).to_numpy()
    if previous is None:
        before = pd.Series(pd.NA, index=features.index, dtype="Int64")
        return Customers(features[KEY], active, before)
    places = pd.Index(previous[KEY]).get_indexer(features[KEY])
    # who was not there has place -1: the last one, which is masked
    ids = np.append(previous["cluster_id"].to_numpy(dtype=np.int64), SIN_ACTIVIDAD)
    before = pd.Series(pd.arrays.IntegerArray(ids[places], mask=places < 0), index=features.index)
    return Customers(features[KEY], active, before)


def assign_segments(
    customers: Customers, distances: np.ndarray, ids: Sequence[int], switch_margin: float
) -> pd.DataFrame:
    """One row per customer: their segment.

    Returns:
        `id_cliente` (PII), `cluster_id` (`sin_actividad` is -1), `cluster_cercano` (the nearest
        centre), `cluster_previo` (missing for who was not there).
    """
    nearest = distances.argmin(axis=1)
    old = find_segment_positions(customers.before[customers.active], ids)
    # the previous segment holds them where no other is nearer by more than the margin
    rows = np.arange(len(distances))
    own = np.where(old >= 0, distances[rows, old], np.inf)
    leaves = distances[rows, nearest] < (1 - switch_margin) * own
    columns = {"cluster_id": np.where(leaves, nearest, old), "cluster_cercano": nearest}
    table = pd.DataFrame({KEY: customers.keys.to_numpy()})
    for name, positions in columns.items():
        table[name] = np.full(len(table), SIN_ACTIVIDAD, dtype=np.int64)
        table.loc[customers.active, name] = np.asarray(ids)[positions]
    return table.assign(cluster_previo=customers.before.array)
