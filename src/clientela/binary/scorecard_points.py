"""A scorecard as lenders print it: points for each bin, which add up to a score."""

from itertools import pairwise

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, PositiveFloat

from clientela.binary.woe_scorecard import UNKNOWN_WORD, WoeScorecard
from clientela.classification.base import fitted_feature_names
from clientela.classification.codes import Floats

MISSING = "(ausente)"

ANY_OTHER = "(otra)"
"""In brackets, as no word of the data is likely to be."""

POINT_COLUMNS = ("feature", "bin", "woe", "points")
"""Columns of the table of points."""


class PointScale(BaseModel):
    """How log-odds become points.

    Attributes:
        base_points: Points of a case whose odds of class 1 are `base_odds`.
        base_odds: Those odds.
        points_to_double: Points by which the odds of class 1 double.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_points: float = 600.0
    base_odds: PositiveFloat = 50.0
    points_to_double: PositiveFloat = 20.0

    @property
    def factor(self) -> float:
        """Points for each unit of log-odds."""
        return float(self.points_to_double / np.log(2))

    def points(self, log_odds: Floats) -> Floats:
        """The score of log-odds of class 1.

        Args:
            log_odds: One number per case.

        Returns:
            Points (Siddiqi 2006): `base + factor * (log-odds - ln(base odds))`.
        """
        score: Floats = self.base_points + self.factor * (log_odds - np.log(self.base_odds))
        return score


def scorecard_points(card: WoeScorecard, scale: PointScale) -> pd.DataFrame:
    """One row per bin of each feature: its weight of evidence and its points.

    The points of a case's bins add up to its score: intercept and base are shared out equally
    among the features. Edges are written in full, so that points can be looked up by hand; a bin
    without rows in `fit`, such as a gap where there was none, is no evidence either way.

    Args:
        card: Fitted.
        scale: How log-odds become points.

    Returns:
        `feature`, `bin` (an interval, a word, `(ausente)`, or `(otra)` for a word that never
        occurred), `woe` (log-odds of class 1 against all rows), `points`; in the order of the
        features and their bins.
    """
    names = fitted_feature_names(card)
    intercept = scale.points(card.linear_.intercept_)[0] / len(names)
    tables = []
    for place, name in enumerate(names):
        learned = card.evidence_of(card.encoder_.encodings_[place])
        cells = [_cell(cell) for cell in card.encoder_.categories_[place]]
        known, labels = dict(zip(cells, learned, strict=True)), _labels(card, place)
        woe = np.array([known.get(cell, 0.0) for cell in labels])
        points = intercept + scale.factor * card.linear_.coef_[0][place] * woe
        table = {"feature": name, "bin": list(labels.values()), "woe": woe, "points": points}
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True).astype({"feature": "str", "bin": "str"})


def _cell(cell: float) -> int | None:
    return None if np.isnan(cell) else int(cell)


def _labels(card: WoeScorecard, place: int) -> dict[int | None, str]:
    """Every bin that a value can fall in, with what it holds in words; None is that of gaps."""
    if card.words_ is not None and card.is_word_[place]:
        words = card.words_.categories_[int(card.is_word_[:place].sum())]
        told = {bin_: str(word) for bin_, word in enumerate(words) if not pd.isna(word)}
        return dict([*told.items(), (None, MISSING), (UNKNOWN_WORD, ANY_OTHER)])
    ends = [_exact(end) for end in (-np.inf, *card.edges_[place], np.inf)]
    intervals = {bin_: f"({low}, {high}]" for bin_, (low, high) in enumerate(pairwise(ends))}
    return dict([*intervals.items(), (None, MISSING)])


def _exact(edge: float) -> str:
    """The shortest text that reads as the same number; whole ones without a decimal point."""
    return str(int(edge)) if float(edge).is_integer() else repr(float(edge))
