"""Cases as columns, and their features: what a model asks for and how it is read, in NumPy.

A value is the same number, word or moment whether it comes in a request or in a table, whatever
type it has there: a category that is an integer here and a float there is the same word.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from string import whitespace
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import FiniteFloat, model_validator

from clientela.arrays import Floats
from clientela.column_rules import ColumnType
from clientela.settings_base import FrozenSettings

Words: TypeAlias = list[str | None]
Moments: TypeAlias = NDArray[np.datetime64]

# From here on engines hold no whole number, and write one as they write other numbers.
LARGEST_WHOLE: Final = 2.0**63

DATE: Final = len("2024-01-31")
SECOND: Final = len("2024-01-31T12:00:00")

# Date, then maybe a local time; an offset is read and left out, as engines do.
MOMENT: Final = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:[ T](\d{1,2}):(\d{1,2})"
    r"(?::(\d{1,2})(?:\.(\d*))?(?:Z| UTC|[+-]\d{2}(?::?\d{2})?)?)?)?",
    re.ASCII,
)


def parse_word(value: object) -> str | None:
    """A value as trimmed text, None for an empty one; whole numbers without a decimal point."""
    if isinstance(value, str):
        return value.strip(whitespace) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value - value != 0:  # neither nan nor infinity is a number
            return None
        whole = value.is_integer() and -LARGEST_WHOLE <= value < LARGEST_WHOLE
        return str(int(value)) if whole else repr(value)
    return None if value is None else str(value)


def parse_moment(value: object) -> str | None:
    """A value as a local moment; text that is none in ISO form is missing.

    Returns:
        The moment in ISO form without an offset, which NumPy reads far faster than `datetime`; None
        where there is none.
    """
    if isinstance(value, str):
        return _parse_moment_text(value.strip(whitespace))
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    return value.isoformat() if isinstance(value, date) else None


def _parse_moment_text(text: str) -> str | None:
    # the form of nearly all moments; Python alone also reads other separators, and offsets without
    # seconds, so it is asked about this form only
    common = len(text) in {DATE, SECOND} and text[4] == text[7] == "-"
    if common and (len(text) == DATE or (text[10] in "T " and text[13] == text[16] == ":")):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass  # it may still be one in a laxer form
        else:
            return text
    match = MOMENT.fullmatch(text)
    if match is None:
        return None
    year, _, month, day, hour, minute, second, fraction = match.groups(default="0")
    parts = map(int, (year, month, day, hour, minute, second, f"{fraction:<06.6}"))
    try:
        moment = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - cases are local
    except ValueError:
        return None
    return moment.isoformat()


def read_words(values: Sequence[object]) -> NDArray[np.object_]:
    """The word of each value, None where there is none."""
    column = np.empty(len(values), dtype=object)
    # most words are text, and asking first saves a call for each
    column[:] = [
        value.strip(whitespace) or None if type(value) is str else parse_word(value)
        for value in values
    ]
    return column


def read_moments(values: Iterable[object]) -> Moments:
    """The moment of each value in microseconds, NaT where there is none."""
    return np.array([parse_moment(value) or "NaT" for value in values], dtype="datetime64[us]")


def replace_non_finite(numbers: Floats) -> Floats:
    """The numbers, infinite ones as NaN."""
    return np.where(np.isfinite(numbers), numbers, np.nan)


FieldKind: TypeAlias = Literal["number", "integer", "word", "moment"]
NUMBERS: Final = ("number", "integer")

# One field of all cases: float64 (NaN where missing) for a number or an integer, objects (text or
# None) for a word, `datetime64[us]` (NaT where missing) for a moment.
Column: TypeAlias = NDArray[np.float64] | NDArray[np.object_] | NDArray[np.datetime64]


class InputField(FrozenSettings):
    """One field of a case.

    Attributes:
        kind: `number`, `integer`, `word` (a number is read as a word too) or `moment` (local time).
        type: How ingestion reads text of this column, and so text of a request; None: the field is
            no column of a table, and a text is no number.
        ruled: Whether ingestion has a rule for the column; without one its text passes as it is,
            the words that elsewhere say that nothing is known included.
        required: Whether every case must bring it; the others may be left out.
        nullable: Whether it may come without a value, as ingestion lets it; without a type only
            what is not required may.
        invalid: What an unusable value of a column suffers: the case is refused, or the value is
            missing.
        allowed: The words that ingestion lets pass; None: any.
        read: Whether the model reads it: then a gap is imputed and reported. A field that only
            other models of the use case read is checked like any other, and changes no answer, so
            that callers need not change when another model takes over.
        minimum: Smallest value that can be; below it a value is unusable. None: any.
        earliest: First day that a moment can be.
        seen_minimum: Smallest value that the model learned from; beyond it an answer is a guess,
            which the reply says. None where none is known.
        words: The words that it learned from, sorted; empty where there are too many to list.
        missing: The word that no word counts as, a category of its own; None: it is imputed.
        description: In words, for people; empty without one.
    """

    name: str
    kind: FieldKind
    type: ColumnType | None = None
    ruled: bool = True
    required: bool
    nullable: bool = True
    invalid: Literal["quarantine", "set_missing"] = "quarantine"
    allowed: tuple[str, ...] | None = None
    read: bool = True
    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    earliest: date | None = None
    latest: date | None = None
    seen_minimum: FiniteFloat | None = None
    seen_maximum: FiniteFloat | None = None
    words: tuple[str, ...] = ()
    missing: str | None = None
    description: str = ""

    @model_validator(mode="after")
    def _validate_limits(self) -> Self:
        if self.kind not in NUMBERS and (self.seen_minimum, self.seen_maximum) != (None, None):
            raise ValueError(f"{self.name}: a range is learned of numbers, not of a {self.kind}")
        numeric = self.kind in NUMBERS or self.type in {"integer", "decimal", "float"}
        if not numeric and (self.minimum, self.maximum) != (None, None):
            raise ValueError(f"{self.name}: limits fit numbers, not a {self.kind}")
        dated = self.kind == "moment" or self.type in {"date", "timestamp"}
        if not dated and (self.earliest or self.latest):
            raise ValueError(f"{self.name}: earliest and latest fit a moment, not a {self.kind}")
        if self.kind != "word" and (self.words or self.missing is not None):
            raise ValueError(f"{self.name}: words fit a word, not a {self.kind}")
        if not self.read and (self.words or self.seen_minimum is not None):
            raise ValueError(f"{self.name}: a model learns nothing from what it does not read")
        return self


def build_columns(
    cases: Sequence[Mapping[str, Any]], fields: Sequence[InputField]
) -> dict[str, Column]:
    """Cases as columns.

    Args:
        cases: Field to its JSON value, valid for its kind; a field that is absent or None is
            missing.

    Returns:
        Field to its values, in the order of the cases.
    """
    numbers = [field.name for field in fields if field.kind in NUMBERS]
    columns: dict[str, Column] = dict(zip(numbers, _read_numbers(cases, numbers), strict=True))
    for other in fields:
        if other.kind == "word":
            columns[other.name] = read_words([case.get(other.name) for case in cases])
        elif other.kind == "moment":
            columns[other.name] = read_moments(case.get(other.name) for case in cases)
    return columns


def _read_numbers(cases: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Floats:
    """Fields x cases."""
    if not names:
        return np.empty((0, len(cases)))
    values_of = itemgetter(*names)
    try:
        rows = [values_of(case) for case in cases]
    except KeyError:
        rows = [tuple(case.get(name) for name in names) for case in cases]
    table = np.array(rows, dtype=np.float64).reshape(len(cases), len(names))
    return replace_non_finite(np.ascontiguousarray(table.T))


@dataclass(frozen=True)
class Features:
    """The features of some cases.

    Attributes:
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
class FeatureLayout:
    """Where the features of a model stand.

    Attributes:
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


# No model tells apart what lies beyond it, and some break down: trees hold no larger number.
LARGEST: Final = float(np.finfo(np.float32).max)


def limit_to_float32(matrix: Floats) -> Floats:
    """Numbers, those beyond all measure as the largest that every model can hold."""
    return np.minimum(np.maximum(matrix, -LARGEST), LARGEST)


class FeatureBuilder(Protocol):
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
class FieldFeatureBuilder:
    """Fields that are the features already.

    Attributes:
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
        table = stack_columns(columns, self.numbers)
        missing = np.isnan(table)
        words = {name: columns[name].tolist() for name in self.words}
        return Features(np.where(missing, self.filler, table), missing, words)


def stack_columns(columns: Mapping[str, Column], names: Sequence[str]) -> Floats:
    """Some columns of numbers as one table."""
    if not names:
        return np.empty((0, len(next(iter(columns.values())))))
    flat = np.concatenate([columns[name] for name in names])
    return flat.reshape(len(names), -1).astype(np.float64, copy=False)
