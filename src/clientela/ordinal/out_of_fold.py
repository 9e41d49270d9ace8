"""Scores of rows that the scoring model did not learn from."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import _safe_indexing

from clientela.classification.codes import Codes, Floats


def out_of_fold_scores(
    held_out_scores: Callable[[Any, Codes, Any], Floats],
    X: Any,
    codes: Codes,
    *,
    folds: int,
    seed: int,
) -> Floats:
    """One score per row, from a model fitted on the other folds.

    Args:
        held_out_scores: Fits a fresh model on (features, codes) and scores the third argument.
        X: Rows x features.
        codes: Codes 0..K-1, by which folds are stratified.
        folds: Number of folds; fewer where even the commonest class has fewer rows.
        seed: Seed of the shuffling.

    Returns:
        Scores in the order of the rows.
    """
    counts = np.bincount(codes)
    n_folds = min(folds, max(2, int(counts.max())))
    # A class with fewer rows than folds can't be in each of them: it is spread like the commonest.
    strata = np.where(counts[codes] < n_folds, counts.argmax(), codes)
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    scores = np.empty(len(codes))
    for learn, held_out in splitter.split(np.zeros(len(codes)), strata):
        scores[held_out] = held_out_scores(
            _safe_indexing(X, learn), codes[learn], _safe_indexing(X, held_out)
        )
    return scores
