"""How well one feature alone orders the target: the many-class form of ROC-AUC."""

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def concordance(feature: ArrayLike, codes: ArrayLike) -> float:
    """Probability that of two rows of different classes the feature ranks the higher class higher.

    Ties count half. For two classes this is ROC-AUC; for more, the mean over all pairs of classes,
    weighted by the pairs of rows (Harrell's c). A feature that orders the target backwards is as
    telling, so the larger of c and 1 - c is returned.

    Args:
        feature: One number per row.
        codes: The ordered class of each row, as integers.

    Returns:
        .5 (nothing) to 1 (the order of the target itself).
    """
    values, classes = np.asarray(feature, dtype=float), np.asarray(codes)
    concordant = pairs = 0.0
    for lower, higher in combinations(np.unique(classes), 2):
        below, above = values[classes == lower], values[classes == higher]
        concordant += _wins(below, above)
        pairs += len(below) * len(above)
    if pairs == 0:
        return 0.5
    share = concordant / pairs
    return float(max(share, 1 - share))


def _wins(below: NDArray[np.float64], above: NDArray[np.float64]) -> float:
    """The Mann-Whitney U of the higher class."""
    ranks = rankdata(np.concatenate([below, above]))
    return float(ranks[len(below) :].sum() - len(above) * (len(above) + 1) / 2)


def concordances(features: pd.DataFrame, codes: ArrayLike) -> "pd.Series[float]":
    """The concordance of each feature with the target.

    Args:
        features: One column per feature.
        codes: The ordered class of each row.

    Returns:
        Feature to concordance, the most telling first, ties by name.
    """
    found = pd.Series({name: concordance(features[name], codes) for name in features}, dtype=float)
    return found.sort_index().sort_values(ascending=False, kind="stable")
