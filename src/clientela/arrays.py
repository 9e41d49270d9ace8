"""Classes as numbers 0..K-1, and tables of how often each was predicted for each."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]


def compute_confusion_matrix(y_true: Codes, y_pred: Codes, n_classes: int) -> Floats:
    """Number of rows for each true class (row) and predicted class (column)."""
    cells = np.asarray(y_true, dtype=np.int64) * n_classes + np.asarray(y_pred, dtype=np.int64)
    counts = np.bincount(cells, minlength=n_classes**2).astype(np.float64)
    return counts.reshape(n_classes, n_classes)
