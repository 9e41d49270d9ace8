"""A scorecard as lenders print it: points for each bin, which add up to a score."""

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, PositiveFloat

from clientela.binary.woe_scorecard import WoeScorecard
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
    among the features.

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
        cells = card.encoder_.categories_[place]
        woe = card.evidence_of(card.encoder_.encodings_[place])
        labels = [_label(card, place, cell) for cell in cells]
        if card.is_word_[place]:
            labels, woe = [*labels, ANY_OTHER], np.append(woe, 0.0)
        points = intercept + scale.factor * card.linear_.coef_[0][place] * woe
        tables.append(pd.DataFrame({"feature": name, "bin": labels, "woe": woe, "points": points}))
    return pd.concat(tables, ignore_index=True).astype({"feature": "str", "bin": "str"})


def _label(card: WoeScorecard, place: int, cell: float) -> str:
    """A bin in words: what it holds."""
    if np.isnan(cell):
        return MISSING
    if card.words_ is not None and card.is_word_[place]:
        column = int(card.is_word_[:place].sum())
        return str(card.words_.categories_[column][int(cell)])
    ends = [-np.inf, *card.edges_[place], np.inf]
    return f"({ends[int(cell)]:g}, {ends[int(cell) + 1]:g}]"
