"""A scorecard as one table of what each bin adds to the log-odds."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from clientela.binary.woe_scorecard import UNKNOWN_WORD, WoeScorecard
from clientela.classification.base import fitted_feature_names
from clientela.classification.codes import Floats
from clientela.inference.arithmetic import weighted_sums
from clientela.inference.features import Features, Layout

UNKNOWN, GAP = -2, -1
"""The last two rows of the table: words that `fit` never saw, and values that are missing."""


def scorecard_probability(card: WoeScorecard, layout: Layout) -> Callable[[Features], Floats]:
    """A scorecard over features.

    Args:
        card: Fitted.
        layout: Where its columns stand.

    Returns:
        From features to the probability of class 1.
    """
    names = fitted_feature_names(card)
    numbers = [place for place, name in enumerate(names) if not card.is_word_[place]]
    words = [place for place, name in enumerate(names) if card.is_word_[place]]
    rows = layout.places([names[place] for place in numbers])
    edges, known = _edges(card, numbers), _known_words(card)
    table, intercept = _log_odds(card), card.linear_.intercept_[0]
    columns = np.arange(len(names))[:, None]

    def probability(features: Features) -> Floats:
        bins = np.empty((len(names), features.cases), dtype=np.intp)
        values = features.numbers[rows]
        inside = (edges < values[:, None, :]).sum(axis=1)
        bins[numbers] = np.where(np.isnan(values), GAP, inside)
        for place, bin_of in zip(words, known, strict=True):
            bins[place] = [bin_of.get(word, UNKNOWN) for word in features.words[names[place]]]
        ones: Floats = expit(weighted_sums(table[bins, columns]) + intercept)
        return ones

    return probability


def _edges(card: WoeScorecard, numbers: list[int]) -> Floats:
    """Inner edges of each number, columns x edges x 1; a value has as many below it as its bin."""
    most = max((len(card.edges_[place]) for place in numbers), default=0)
    table = np.full((len(numbers), most, 1), np.inf)
    for row, place in enumerate(numbers):
        table[row, : len(card.edges_[place]), 0] = card.edges_[place]
    return table


def _known_words(card: WoeScorecard) -> list[dict[str | None, int]]:
    """Word to its bin, for each column of words; None is the missing one."""
    if card.words_ is None:
        return []
    levels = [found.tolist() for found in card.words_.categories_]
    return [
        {word: bin_ for bin_, word in enumerate(words) if isinstance(word, str)} | {None: GAP}
        for words in levels
    ]


def _log_odds(card: WoeScorecard) -> Floats:
    """Bins x columns, the rows of unknown words and of gaps last."""
    most = max(len(found) for found in card.encoder_.categories_)
    cells = np.array([*range(most), UNKNOWN_WORD, np.nan], dtype=np.float64)
    table = np.repeat(cells[:, None], len(card.edges_), axis=1)
    weighted: Floats = card.evidence_of(card.encoder_.transform(table)) * card.linear_.coef_[0]
    return weighted
