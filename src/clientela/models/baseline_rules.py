"""Business rules that every model must beat: one column compared with a number."""

from typing import Any, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import Tags, indexable
from sklearn.utils.validation import validate_data

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError
from clientela.models.base import BinaryClassifier, find_column_position
from clientela.models.metrics import ratio

Side: TypeAlias = Literal["from", "below"]

SIDES: tuple[str, ...] = ("from", "below")


class ThresholdRule(BinaryClassifier):
    """Decides by one column and a number that people chose: no visit in N days, and they left.

    Its probabilities are the shares of class 1, seen in `fit`, on each side of the number, mixed
    with the overall share as if `smoothing` further rows had that. A missing value lies on
    neither side: it is decided as class 0 and has a share of its own.

    Args:
        column: The column; a name, or a position.
        positive: Which side is decided as class 1: `from` the limit on, or `below` it.
        smoothing: Weight of the overall share, in rows.

    Attributes:
        shares_: Share of class 1 on the side of class 0, on that of class 1, and where missing.
        overall_: Share of class 1 in `fit`.
        column_index_: Position of the column.
    """

    def __init__(
        self,
        column: str | int = 0,
        *,
        limit: float = 0.0,
        positive: Side = "from",
        smoothing: float = 1.0,
    ) -> None:
        self.column = column
        self.limit = limit
        self.positive = positive
        self.smoothing = smoothing

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.poor_score = True  # one number can't separate arbitrary blobs
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn the share of class 1 on each side."""
        self._check_settings()
        table = self._table(X)
        table, y = validate_data(self, table, y, skip_check_array=True)
        table, y = indexable(table, y)
        codes = self._encode_target(y)
        self.column_index_ = find_column_position(self, self.column, "threshold")
        sides = self._assign_sides(table)
        rows = np.bincount(sides, minlength=3).astype(np.float64)
        ones = np.bincount(sides, weights=codes, minlength=3).astype(np.float64)
        self.overall_ = float(codes.mean())
        self.shares_ = ratio(
            ones + self.smoothing * self.overall_, rows + self.smoothing, empty=self.overall_
        )
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Rows x 2: the shares of the classes on the row's side in `fit`."""
        sides = self._assign_sides(self._validate_table(X))
        ones = self.shares_[sides]
        return np.column_stack([1 - ones, ones])

    def contributions(self, X: Any) -> Floats:
        """The probability's distance from the overall share, all due to the one column."""
        terms = np.zeros(X.shape)
        terms[:, self.column_index_] = self.predict_proba(X)[:, 1] - self.overall_
        return terms

    def _check_settings(self) -> None:
        if self.positive not in SIDES:
            raise ConfigurationError(
                f"positive must be one of {', '.join(SIDES)}, not {self.positive!r}."
            )
        for name in ("limit", "smoothing"):
            if not isinstance(value := getattr(self, name), int | float):
                raise ConfigurationError(f"{name} must be a number, not {value!r}.")

    def _predict_codes(self, X: Any) -> Codes:
        decided: Codes = (self._assign_sides(self._validate_table(X)) == 1).astype(np.int64)
        return decided

    def _assign_sides(self, table: Any) -> Codes:
        """0 or 1 as decided, 2 where the value is missing."""
        column = pd.DataFrame(table).iloc[:, self.column_index_]
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        decided = values >= self.limit if self.positive == "from" else values < self.limit
        return np.where(np.isnan(values), 2, decided).astype(np.int64)
