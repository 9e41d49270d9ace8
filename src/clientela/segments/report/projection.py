"""Customers as points on a plane, to see how far apart segments are; nobody can be recognised."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from clientela.segments.params import ClusteringParams

MOST_POINTS = 2_000
"""More points hide one another."""
HEAVIEST = 3
"""Columns that are named per axis."""


def projection(
    matrix: np.ndarray, labels: np.ndarray, columns: Sequence[str], params: ClusteringParams
) -> dict[str, pd.DataFrame]:
    """Principal components of the standardised columns, on a sample of the active customers.

    Args:
        matrix: Active customers x columns, sorted by the customers' key.
        labels: The segment id of each row.
        columns: Names of the columns.
        params: The seed.

    Returns:
        `points`: one row per sampled customer, `x, y, cluster_id`, in order of these, without a
        key; `axes`: one row per axis and one of its heaviest columns, `axis` (1, 2), `explained`
        (share of the variance), `column`, `weight` (signed, of a vector of length one).
    """
    drawn = _sample(len(matrix), params.seed)
    scaled = StandardScaler().fit_transform(matrix[drawn])
    plane = PCA(min(2, scaled.shape[1]), svd_solver="full")
    places = np.zeros((len(scaled), 2))
    with np.errstate(invalid="ignore"):  # a sample of equal customers has no variance to explain
        places[:, : plane.n_components] = plane.fit_transform(scaled)
    points = pd.DataFrame(places, columns=["x", "y"]).assign(cluster_id=labels[drawn])
    return {
        "points": points.sort_values(["cluster_id", "x", "y"], ignore_index=True),
        "axes": _axes(plane, columns),
    }


def _sample(rows: int, seed: int) -> np.ndarray:
    if rows <= MOST_POINTS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_POINTS, replace=False))


def _axes(plane: PCA, columns: Sequence[str]) -> pd.DataFrame:
    explained = np.nan_to_num(plane.explained_variance_ratio_)
    return pd.DataFrame(
        [
            {
                "axis": axis + 1,
                "explained": float(explained[axis]),
                "column": columns[place],
                "weight": float(weights[place]),
            }
            for axis, weights in enumerate(plane.components_)
            for place in np.argsort(-np.abs(weights).round(9), kind="stable")[:HEAVIEST]
        ],
        columns=["axis", "explained", "column", "weight"],
    )
