"""K-Means on standardised columns, begun anew or where the previous model's centres lie."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.segments.params import ClusteringParams

SCALER, CLUSTERS = "scaler", "clusters"


def fitted_clusters(
    matrix: np.ndarray, k: int, params: ClusteringParams, previous: np.ndarray | None = None
) -> Pipeline:
    """Segments of customers: StandardScaler and KMeans, fitted.

    Args:
        matrix: Active customers x columns.
        k: How many segments.
        params: Random starts, rounds, seed.
        previous: Centres to begin at, in units of the matrix; None begins anew.

    Returns:
        A scikit-learn pipeline; cluster `i` continues row `i` of `previous`.

    Raises:
        TrainingDataError: There are fewer distinct customers than segments.
    """
    distinct = _distinct_rows(matrix, k)
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
    means = _means(scaled, clusters.fit_predict(scaled), k)
    return Pipeline([(SCALER, scaler), (CLUSTERS, _clusters_at(means))])


def centers(model: Pipeline) -> np.ndarray:
    """Where the clusters lie, in units of the matrix.

    Args:
        model: A fitted pipeline.

    Returns:
        Clusters x columns.
    """
    scaler, clusters = model[SCALER], model[CLUSTERS]
    return np.asarray(scaler.inverse_transform(clusters.cluster_centers_))


def distances(model: Pipeline, matrix: np.ndarray) -> np.ndarray:
    """How far each customer is from each centre, on the standardised scale.

    Args:
        model: A fitted pipeline.
        matrix: Customers x columns.

    Returns:
        Customers x clusters.
    """
    if not len(matrix):
        return np.empty((0, len(model[CLUSTERS].cluster_centers_)))
    return np.asarray(model.transform(matrix))


def _means(scaled: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """The members' means, added up row by row.

    K-Means adds up in as many parts as there are threads, in the order they end: centres would
    differ in their last digits from run to run.
    """
    sizes = np.bincount(labels, minlength=k)
    sums = [np.bincount(labels, weights=column, minlength=k) for column in scaled.T]
    return np.column_stack(sums) / sizes[:, None]


def _clusters_at(means: np.ndarray) -> KMeans:
    """A fitted KMeans with these centres, and nothing of the customers who made them."""
    with threadpool_limits(limits=1, user_api="openmp"):
        return KMeans(len(means), init=means, n_init=1).fit(means)


def _distinct_rows(matrix: np.ndarray, enough: int) -> int:
    """How many rows differ, counted no further than needed: sorting a million rows takes long."""
    head = np.unique(matrix[: 100 * enough], axis=0)
    return len(head) if len(head) >= enough else len(np.unique(matrix, axis=0))
