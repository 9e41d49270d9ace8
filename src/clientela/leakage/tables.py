"""How well single features of a table predict the target: numbers with gaps, and words."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from clientela.classification.codes import Codes
from clientela.leakage.concordance import concordance

FOLDS = 5
"""Folds over which words are encoded, so that no row takes part in its own encoding."""

FEWEST_PER_CLASS = 30
"""Rows of each class that must have a value before the rows with a value are judged alone."""


def table_concordances(
    features: pd.DataFrame, words: Collection[str], codes: Codes, seed: int
) -> "pd.Series[float]":
    """The concordance of each feature with the target.

    A number is judged with its gaps as lowest and as highest value, and without the rows that lack
    it, and the most telling figure counts: being absent may tell the target too. A word counts as
    the share of the positive class among the other folds' rows with that word.

    Args:
        features: One column per feature, rows in the order of a unique key.
        words: The features that are words.
        codes: The class of each row, 0 or 1.
        seed: Seed of the folds.

    Returns:
        Feature to concordance, the most telling first, ties by name.
    """
    found = {
        str(name): concordance(_encoded(features[name], codes, seed), codes)
        if name in words
        else _of_number(features[name].to_numpy(dtype=np.float64), codes)
        for name in features
    }
    series = pd.Series(found, dtype=float).sort_index()
    return series.sort_values(ascending=False, kind="stable")


def _of_number(values: NDArray[np.float64], codes: Codes) -> float:
    known = ~np.isnan(values)
    readings = [concordance(np.where(known, values, filler), codes) for filler in (-np.inf, np.inf)]
    if np.bincount(codes[known], minlength=2).min() >= FEWEST_PER_CLASS:
        readings.append(concordance(values[known], codes[known]))
    return max(readings)


def _encoded(words: "pd.Series[str]", codes: Codes, seed: int) -> NDArray[np.float64]:
    """The share of class 1 in each row's word, over the other folds; the overall share if new."""
    places, _ = pd.factorize(words, use_na_sentinel=False)
    size, encoded = int(places.max()) + 1, np.empty(len(codes))
    folds = min(FOLDS, int(np.bincount(codes, minlength=2).min()))
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for learn, held_out in splitter.split(codes, codes):
        rows = np.bincount(places[learn], minlength=size)
        ones = np.bincount(places[learn], weights=codes[learn], minlength=size)
        # one further row with the overall share keeps words that are new or rare from certainty
        shares = (ones + codes[learn].mean()) / (rows + 1)
        encoded[held_out] = shares[places[held_out]]
    return encoded
