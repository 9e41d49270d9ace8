"""Features of cases as a model reads them: one table of numbers, and lists of words.

The same features as `clientela.tabular.features` makes of tables, without an engine: a request of
one case has no time to compile an expression. Tests hold the two against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clientela.classification.codes import Floats
from clientela.inference.fields import Column

Words: TypeAlias = list[str | None]


@dataclass(frozen=True)
class Features:
    """The features of some cases.

    Attributes:
        numbers: Numbers x cases, NaN where missing.
        missing: Numbers x cases: whether there was no value, even where a constant stands now.
        words: Every other feature to its words, None where missing.
    """

    numbers: Floats
    missing: NDArray[np.bool_]
    words: Mapping[str, Words]

    @property
    def cases(self) -> int:
        """How many."""
        return int(self.numbers.shape[1])


@dataclass(frozen=True)
class Layout:
    """Where the features of a model stand.

    Attributes:
        features: In the order of fitting.
        rows: Number to its row in `Features.numbers`; the others are words.
    """

    features: tuple[str, ...]
    rows: Mapping[str, int]

    def places(self, names: Sequence[str]) -> NDArray[np.intp]:
        """The rows of some numbers."""
        return np.array([self.rows[name] for name in names], dtype=np.intp)

    def frame(self, features: Features) -> pd.DataFrame:
        """One row per case, one column per feature: what the estimator was fitted on."""
        columns = {
            name: features.numbers[self.rows[name]]
            if name in self.rows
            else pd.Series(features.words[name], dtype="str")
            for name in self.features
        }
        return pd.DataFrame(columns, index=range(features.cases))


LARGEST: Final = float(np.finfo(np.float32).max)
"""No model tells apart what lies beyond it, and some break down: trees hold no larger number."""


def bounded(matrix: Floats) -> Floats:
    """Numbers, those beyond all measure as the largest that every model can hold.

    Args:
        matrix: Any numbers; missing ones stay missing.

    Returns:
        The same form.
    """
    return np.minimum(np.maximum(matrix, -LARGEST), LARGEST)


class FeatureMaker(Protocol):
    """Makes features of columns; compiled once for each model, and thread-safe."""

    @property
    def rows(self) -> Mapping[str, int]:
        """Number to its row in what is made."""

    @property
    def inputs(self) -> set[str]:
        """The columns that it reads."""

    def __call__(self, columns: Mapping[str, Column]) -> Features:
        """The features of the cases, in their order."""


@dataclass(frozen=True)
class FieldFeatures:
    """Fields that are the features already.

    Attributes:
        numbers: Which of them are numbers.
        words: Which are words.
        filler: What a number counts as where it is missing; NaN leaves it missing.
    """

    numbers: tuple[str, ...]
    words: tuple[str, ...] = ()
    filler: float = np.nan
    rows: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        rows = {name: row for row, name in enumerate(self.numbers)}
        object.__setattr__(self, "rows", rows)

    @property
    def inputs(self) -> set[str]:
        """The columns that it reads."""
        return {*self.numbers, *self.words}

    def __call__(self, columns: Mapping[str, Column]) -> Features:
        """The features of the cases, in their order."""
        table = stacked(columns, self.numbers)
        missing = np.isnan(table)
        words = {name: columns[name].tolist() for name in self.words}
        return Features(np.where(missing, self.filler, table), missing, words)


def stacked(columns: Mapping[str, Column], names: Sequence[str]) -> Floats:
    """Some columns of numbers as one table.

    Args:
        columns: At least one.
        names: Which ones.

    Returns:
        Names x cases.
    """
    if not names:
        return np.empty((0, len(next(iter(columns.values())))))
    flat = np.concatenate([columns[name] for name in names])
    return flat.reshape(len(names), -1).astype(np.float64, copy=False)
