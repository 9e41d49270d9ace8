"""Bare scikit-learn, begun at last week's centres."""

import json
from pathlib import Path

import numpy as np

from segment_task import Placement, written
from variants import bare_kmeans
from variants.bare_kmeans import Matrix, clustered

__all__ = ["found", "loaded", "written"]


def loaded(features: Path, customers: Path, model: Path) -> tuple[Matrix, np.ndarray]:
    """The matrix, and where to begin.

    Args:
        features: One row per customer.
        customers: Not read.
        model: Last week's, for its centres.

    Returns:
        Keys and rows; centres in units of the rows.
    """
    matrix = bare_kmeans.loaded(features, customers, model)
    return matrix, np.array(json.loads(model.read_text(encoding="utf-8"))["centers"])


def found(before: tuple[Matrix, np.ndarray]) -> Placement:
    """Fits and predicts.

    Args:
        before: Keys and rows; centres.

    Returns:
        A cluster per customer.
    """
    matrix, centers = before
    return clustered(matrix, 1, centers)
