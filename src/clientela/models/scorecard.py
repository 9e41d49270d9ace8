"""The scorecard that lenders know: each column in bins, each bin with its weight of evidence.

The weight of evidence of a bin is `ln(share of class 1 / share of class 0)` among the rows of the
two classes (Good 1950; Siddiqi 2006), which is the log-odds in the bin minus those of all rows.
scikit-learn's TargetEncoder learns the share of class 1 of each bin, shrunk towards that of all
rows, and gives the rows it learned from shares that other rows taught: this class adds the bins
and the logarithm. A value that is missing is a bin of its own, as a fact about the case.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_numeric_dtype
from pydantic import PositiveFloat
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder
from sklearn.utils import Tags, indexable
from sklearn.utils.validation import validate_data

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.base import BinaryClassifier, get_feature_names_in
from clientela.settings_base import FrozenSettings

FIT_ITERATIONS = 1000

# Bin of a word that did not occur in `fit`: it is no evidence either way.
UNKNOWN_WORD = -1


class WoeScorecard(BinaryClassifier):
    """Logistic regression on the weights of evidence of binned columns.

    Args:
        bins: Most bins of a number, of about equally many rows; a word is a bin of its own.
        smoothing: Rows with the overall share of class 1 that are mixed into each bin, so that no
            weight is infinite and a small bin says little.
        C: Inverse strength of the penalty on the coefficients, as in LogisticRegression.
        folds: Parts of the rows; the weights of each are learned from the others.
        special: Numbers that are codes, such as -9999; each is a bin of its own in the columns
            that hold it.

    Attributes:
        edges_: For each column, the inner edges of its bins, increasing; none for words.
        words_: The encoder of the columns of words; None without any.
        is_word_: For each column, whether it holds words.
        encoder_: The shares of class 1 by bin.
    """

    def __init__(  # noqa: PLR0913 - as scikit-learn's own
        self,
        *,
        bins: int = 8,
        smoothing: float = 20.0,
        C: float = 1.0,
        folds: int = 5,
        special: Sequence[float] = (),
        random_state: int = 0,
    ) -> None:
        self.bins = bins
        self.smoothing = smoothing
        self.C = C
        self.folds = folds
        self.special = special
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.poor_score = True  # bins are coarse for a few dozen rows
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn bins, weights and coefficients."""
        self._check_settings()
        table = self._table(X)
        table, y = validate_data(self, table, y, skip_check_array=True)
        table, y = indexable(table, y)
        codes = self._encode_target(y)
        frame = pd.DataFrame(table)
        self._fit_bins(frame)
        self.encoder_ = TargetEncoder(
            target_type="binary", smooth=float(self.smoothing), cv=self._parts(codes)
        )
        shares = self.encoder_.fit_transform(self._assign_bins(frame), codes)
        self.encoder_.set_params(cv=self.folds)  # a splitter is nothing that a model file may hold
        self.linear_ = LogisticRegression(C=self.C, max_iter=FIT_ITERATIONS)
        self.linear_.fit(self.compute_woe(shares), codes)
        return self

    def transform_to_woe(self, X: Any) -> Floats:
        """The weight of evidence of each value, in log-odds of class 1.

        Rows x features; 0 is what is true of all rows, and of what `fit` never saw.
        """
        frame = pd.DataFrame(self._validate_table(X))
        return self.compute_woe(self.encoder_.transform(self._assign_bins(frame)))

    def compute_woe(self, shares: Floats) -> Floats:
        """The weight of evidence of bins: their log-odds minus those of all rows."""
        evidence: Floats = logit(shares) - logit(self.encoder_.target_mean_)
        return evidence

    def predict_proba(self, X: Any) -> Floats:
        """Rows x 2: the probability of each class, in the order of `classes_`."""
        evidence = self.transform_to_woe(X)
        probabilities: Floats = self.linear_.predict_proba(evidence)
        return probabilities

    def contributions(self, X: Any) -> Floats:
        """Coefficient times weight of evidence: the distance from what is true of all rows."""
        terms: Floats = self.transform_to_woe(X) * self.linear_.coef_[0]
        return terms

    def _predict_codes(self, X: Any) -> Codes:
        codes: Codes = self.predict_proba(X).argmax(axis=1)
        return codes

    def _check_settings(self) -> None:
        if not isinstance(self.bins, int) or self.bins < 2:  # noqa: PLR2004 - one bin says nothing
            raise ConfigurationError(f"bins must be a whole number from 2 on, not {self.bins!r}.")
        if not isinstance(self.smoothing, int | float) or not self.smoothing > 0:
            raise ConfigurationError(
                f"smoothing must be a number above 0, not {self.smoothing!r}: a bin with one class "
                "only would have an infinite weight."
            )

    def _parts(self, codes: Codes) -> StratifiedKFold:
        rarest = int(np.bincount(codes).min())
        if rarest < 2:  # noqa: PLR2004 - one row can't be in two parts
            raise InvalidTargetError(
                "Weights of evidence are learned in parts that hold both classes, but the rarer "
                f"class has {rarest} of {len(codes)} rows. Use more rows."
            )
        parts = min(self.folds, rarest)
        return StratifiedKFold(parts, shuffle=True, random_state=self.random_state)

    def _fit_bins(self, frame: pd.DataFrame) -> None:
        self.is_word_ = np.array([not is_numeric_dtype(dtype) for dtype in frame.dtypes])
        levels = np.arange(1, self.bins) / self.bins
        self.edges_ = [
            np.empty(0)
            if word
            else _compute_bin_edges(
                _convert_to_floats(frame.iloc[:, place]), levels, np.asarray(self.special, float)
            )
            for place, word in enumerate(self.is_word_)
        ]
        self.words_ = None
        if self.is_word_.any():
            self.words_ = OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=UNKNOWN_WORD
            ).fit(_convert_to_objects(frame.loc[:, self.is_word_]))

    def _assign_bins(self, frame: pd.DataFrame) -> Floats:
        """The number of each value's bin; nan where the value is missing."""
        cells = np.empty(frame.shape)
        for place, edges in enumerate(self.edges_):
            if not self.is_word_[place]:
                values = _convert_to_floats(frame.iloc[:, place])
                inside = np.searchsorted(edges, values, side="left").astype(np.float64)
                cells[:, place] = np.where(np.isnan(values), np.nan, inside)
        if self.words_ is not None:
            cells[:, self.is_word_] = self.words_.transform(
                _convert_to_objects(frame.loc[:, self.is_word_])
            )
        return cells


def _convert_to_floats(column: "pd.Series[Any]") -> Floats:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _convert_to_objects(columns: pd.DataFrame) -> NDArray[Any]:
    objects = columns.astype(object)
    words: NDArray[Any] = objects.where(columns.notna(), np.nan).to_numpy()
    return words


def _compute_bin_edges(values: Floats, levels: Floats, special: Floats) -> Floats:
    """Values that part a column into equally many rows; fewer where many rows share a value.

    A bin ends with its upper edge, so that a value that most rows share, such as no debt, is told
    from those above it; and the largest value is told from those below it in the same way.
    """
    codes = special[np.isin(special, values)]
    common = values[~np.isnan(values) & ~np.isin(values, codes)]
    distinct, rows = np.unique(common, return_counts=True)
    reached = rows.cumsum() / max(rows.sum(), 1)
    places = np.searchsorted(reached, levels).clip(max=len(distinct) - 2)
    inner = distinct[np.unique(places[places >= 0])]
    # a code lies between itself and the number before it, where nothing else can lie
    edges: Floats = np.unique([*inner, *codes, *np.nextafter(codes, -np.inf)])
    return edges


MISSING = "(ausente)"

# In brackets, as no word of the data is likely to be.
ANY_OTHER = "(otra)"

# Columns of the table of points.
POINT_COLUMNS = ("feature", "bin", "woe", "points")


class PointScale(FrozenSettings):
    """How log-odds become points.

    Attributes:
        base_points: Points of a case whose odds of class 1 are `base_odds`.
        points_to_double: Points by which the odds of class 1 double.
    """

    base_points: float = 600.0
    base_odds: PositiveFloat = 50.0
    points_to_double: PositiveFloat = 20.0

    @property
    def factor(self) -> float:
        """Points for each unit of log-odds."""
        return float(self.points_to_double / np.log(2))

    def points(self, log_odds: Floats) -> Floats:
        """The score of log-odds: `base + factor * (log-odds - ln(base odds))` (Siddiqi 2006)."""
        score: Floats = self.base_points + self.factor * (log_odds - np.log(self.base_odds))
        return score


def scorecard_points(card: WoeScorecard, scale: PointScale) -> pd.DataFrame:
    """One row per bin of each feature: its weight of evidence and its points.

    The points of a case's bins add up to its score: intercept and base are shared out equally
    among the features. Edges are written in full, so that points can be looked up by hand; a bin
    without rows in `fit`, such as a gap where there was none, is no evidence either way.

    Returns:
        `feature`, `bin` (an interval, a code, a word, `(ausente)`, or `(otra)` for a word that
        never occurred), `woe` (log-odds of class 1 against all rows), `points`; in the order of
        the features and their bins.
    """
    names = get_feature_names_in(card)
    intercept = scale.points(card.linear_.intercept_)[0] / len(names)
    tables = []
    for place, name in enumerate(names):
        learned = card.compute_woe(card.encoder_.encodings_[place])
        cells = [None if np.isnan(cell) else int(cell) for cell in card.encoder_.categories_[place]]
        known, labels = dict(zip(cells, learned, strict=True)), _label_bins(card, place)
        woe = np.array([known.get(cell, 0.0) for cell in labels])
        points = intercept + scale.factor * card.linear_.coef_[0][place] * woe
        table = {"feature": name, "bin": list(labels.values()), "woe": woe, "points": points}
        tables.append(pd.DataFrame(table))
    return pd.concat(tables, ignore_index=True).astype({"feature": "str", "bin": "str"})


def _label_bins(card: WoeScorecard, place: int) -> dict[int | None, str]:
    """Every bin that a value can fall in, with what it holds in words; None is that of gaps."""
    if card.words_ is not None and card.is_word_[place]:
        words = card.words_.categories_[int(card.is_word_[:place].sum())]
        labels = {bin_: str(word) for bin_, word in enumerate(words) if not pd.isna(word)}
        return dict([*labels.items(), (None, MISSING), (UNKNOWN_WORD, ANY_OTHER)])
    edges = [-np.inf, *map(float, card.edges_[place]), np.inf]
    # the shortest text that reads as the same number; whole ones without a decimal point
    ends = [str(int(edge)) if edge.is_integer() else repr(edge) for edge in edges]
    codes = [high == np.nextafter(low, np.inf) for low, high in pairwise(edges)]
    intervals = {
        bin_: high if is_code else f"({low}, {high}]"
        for bin_, (is_code, (low, high)) in enumerate(zip(codes, pairwise(ends), strict=True))
    }
    return dict([*intervals.items(), (None, MISSING)])
