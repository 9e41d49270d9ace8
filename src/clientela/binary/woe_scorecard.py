"""The scorecard that lenders know: each column in bins, each bin with its weight of evidence.

The weight of evidence of a bin is `ln(share of class 1 / share of class 0)` among the rows of the
two classes (Good 1950; Siddiqi 2006), which is the log-odds in the bin minus those of all rows.
scikit-learn's TargetEncoder learns the share of class 1 of each bin, shrunk towards that of all
rows, and gives the rows it learned from shares that other rows taught: this class adds the bins
and the logarithm. A value that is missing is a bin of its own, as a fact about the case.
"""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_numeric_dtype
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder
from sklearn.utils import Tags, indexable
from sklearn.utils.validation import validate_data

from clientela.binary.base import BinaryClassifier
from clientela.binary.explanations import contributions
from clientela.classification.codes import Codes, Floats
from clientela.exceptions import ConfigurationError, UnusableTarget

FIT_ITERATIONS = 1000

UNKNOWN_WORD = -1
"""Bin of a word that did not occur in `fit`: it is no evidence either way."""


class WoeScorecard(BinaryClassifier):
    """Logistic regression on the weights of evidence of binned columns.

    Args:
        bins: Most bins of a number, of about equally many rows; a word is a bin of its own.
        smoothing: Rows with the overall share of class 1 that are mixed into each bin, so that no
            weight is infinite and a small bin says little.
        C: Inverse strength of the penalty on the coefficients, as in LogisticRegression.
        folds: Parts of the rows; the weights of each are learned from the others.
        random_state: Seed of these parts.

    Attributes:
        edges_: For each column, the inner edges of its bins, increasing; none for words.
        words_: The encoder of the columns of words; None without any.
        is_word_: For each column, whether it holds words.
        encoder_: The shares of class 1 by bin.
        linear_: The regression on weights of evidence.
    """

    def __init__(
        self,
        *,
        bins: int = 8,
        smoothing: float = 20.0,
        C: float = 1.0,
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.bins = bins
        self.smoothing = smoothing
        self.C = C
        self.folds = folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.poor_score = True  # bins are coarse for a few dozen rows
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn bins, weights and coefficients.

        Args:
            X: Rows x features; columns of a DataFrame that are no numbers are words.
            y: Two classes.

        Returns:
            Itself.

        Raises:
            ConfigurationError: Bins or smoothing are not usable.
            UnusableTarget: There are not two classes, or one of them has a single row.
        """
        self._check_settings()
        table = self._table(X)
        table, y = validate_data(self, table, y, skip_check_array=True)
        table, y = indexable(table, y)
        codes = self._learn_classes(y)
        frame = pd.DataFrame(table)
        self._learn_bins(frame)
        self.encoder_ = TargetEncoder(
            target_type="binary", smooth=float(self.smoothing), cv=self._parts(codes)
        )
        shares = self.encoder_.fit_transform(self._cells(frame), codes)
        self.encoder_.set_params(cv=self.folds)  # a splitter is nothing that a model file may hold
        self.linear_ = LogisticRegression(C=self.C, max_iter=FIT_ITERATIONS)
        self.linear_.fit(self.evidence_of(shares), codes)
        return self

    def weights_of_evidence(self, X: Any) -> Floats:
        """The weight of evidence of each value, in log-odds of class 1.

        Args:
            X: Rows x features.

        Returns:
            Rows x features; 0 is what is true of all rows, and of what `fit` never saw.
        """
        frame = pd.DataFrame(self._table_as_fitted(X))
        return self.evidence_of(self.encoder_.transform(self._cells(frame)))

    def evidence_of(self, shares: Floats) -> Floats:
        """The weight of evidence of bins.

        Args:
            shares: Shares of class 1.

        Returns:
            Their log-odds minus those of all rows.
        """
        evidence: Floats = logit(shares) - logit(self.encoder_.target_mean_)
        return evidence

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, in the order of `classes_`.

        Args:
            X: Rows x features.

        Returns:
            Rows x 2; each row adds up to one.
        """
        evidence = self.weights_of_evidence(X)
        probabilities: Floats = self.linear_.predict_proba(evidence)
        return probabilities

    def _decided_codes(self, X: Any) -> Codes:
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
            raise UnusableTarget(
                "Weights of evidence are learned in parts that hold both classes, but the rarer "
                f"class has {rarest} of {len(codes)} rows. Use more rows."
            )
        parts = min(self.folds, rarest)
        return StratifiedKFold(parts, shuffle=True, random_state=self.random_state)

    def _learn_bins(self, frame: pd.DataFrame) -> None:
        self.is_word_ = np.array([not is_numeric_dtype(dtype) for dtype in frame.dtypes])
        levels = np.arange(1, self.bins) / self.bins
        self.edges_ = [
            np.empty(0) if word else _inner_edges(_numbers(frame.iloc[:, place]), levels)
            for place, word in enumerate(self.is_word_)
        ]
        self.words_ = None
        if self.is_word_.any():
            self.words_ = OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=UNKNOWN_WORD
            ).fit(_words(frame.loc[:, self.is_word_]))

    def _cells(self, frame: pd.DataFrame) -> Floats:
        """The number of each value's bin; nan where the value is missing."""
        cells = np.empty(frame.shape)
        for place, edges in enumerate(self.edges_):
            if not self.is_word_[place]:
                values = _numbers(frame.iloc[:, place])
                inside = np.searchsorted(edges, values, side="left").astype(np.float64)
                cells[:, place] = np.where(np.isnan(values), np.nan, inside)
        if self.words_ is not None:
            cells[:, self.is_word_] = self.words_.transform(_words(frame.loc[:, self.is_word_]))
        return cells


def _numbers(column: "pd.Series[Any]") -> Floats:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _words(columns: pd.DataFrame) -> NDArray[Any]:
    objects = columns.astype(object)
    words: NDArray[Any] = objects.where(columns.notna(), np.nan).to_numpy()
    return words


def _inner_edges(values: Floats, levels: Floats) -> Floats:
    """Values that part a column into equally many rows; fewer where many rows share a value.

    A bin ends with its upper edge, so that a value that most rows share, such as no debt, is told
    from those above it; and the largest value is told from those below it in the same way.
    """
    distinct, rows = np.unique(values[~np.isnan(values)], return_counts=True)
    reached = rows.cumsum() / max(rows.sum(), 1)
    places = np.searchsorted(reached, levels).clip(max=len(distinct) - 2)
    inner: Floats = distinct[np.unique(places[places >= 0])]
    return inner


@contributions.register
def _of_scorecard(estimator: WoeScorecard, X: pd.DataFrame) -> pd.DataFrame:
    """Coefficient times weight of evidence: the distance from what is true of all rows."""
    terms = estimator.weights_of_evidence(X) * estimator.linear_.coef_[0]
    return pd.DataFrame(terms, index=X.index, columns=X.columns)
