"""Bare scikit-learn on the matrix of our segments, with as many random starts as we ship."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from segment_task import (
    FEWEST_PURCHASES,
    KEY,
    MOST_ROUNDS,
    SEED,
    SHARES,
    STARTS,
    K,
    Placement,
    written,
)

__all__ = ["found", "loaded", "written"]

Matrix = tuple[pd.Series, np.ndarray]


def loaded(features: Path, customers: Path, model: Path) -> Matrix:  # noqa: ARG001
    """What clusters are made from, ready for scikit-learn.

    Args:
        features: One row per customer.
        customers: Not read.
        model: Not read.

    Returns:
        Keys of active customers; roots of their shares.
    """
    frame = pd.read_parquet(features, columns=[KEY, "num_tx", *SHARES])
    active = frame[frame["num_tx"] >= FEWEST_PURCHASES]
    return active[KEY], np.sqrt(active[SHARES].to_numpy())


def found(matrix: Matrix) -> Placement:
    """Fits and predicts.

    Args:
        matrix: Keys and rows.

    Returns:
        A cluster per customer.
    """
    return clustered(matrix, STARTS)


def clustered(matrix: Matrix, starts: int, begin_at: np.ndarray | None = None) -> Placement:
    """StandardScaler and KMeans, fitted; then each customer's nearest centre.

    Args:
        matrix: Keys and rows.
        starts: How many.
        begin_at: Centres in units of the rows; None for random ones.

    Returns:
        A cluster per customer.
    """
    keys, rows = matrix
    scaler = StandardScaler().fit(rows)
    init = "k-means++" if begin_at is None else scaler.transform(begin_at)
    kmeans = KMeans(K, init=init, n_init=starts, max_iter=MOST_ROUNDS, random_state=SEED)
    scaled = scaler.transform(rows)
    return Placement(keys, kmeans.fit(scaled).predict(scaled))
