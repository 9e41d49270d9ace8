"""How a column is read as a number, a word or a moment: the same for every type it may come in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter
from string import whitespace
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype
from pydantic import BaseModel, ConfigDict, FiniteFloat, model_validator

from clientela.arrays import Floats
from clientela.exceptions import ConfigurationError, InvalidCaseError, did_you_mean

# How a column is read as a number, a word or a moment: the same for every type it may come in.
#
# Training reads ingested tables, inference reads requests; a category that is an integer here and a
# decimal or a float there has to become the same word.


def convert_to_number(table: ir.Table, column: str) -> ir.FloatingValue:
    """A column as float64; what is no finite number is missing.

    Args:
        column: A column of numbers or booleans, or one without any value.

    Raises:
        ConfigurationError: It holds text or dates.
    """
    kind = table[column].type()
    if not (kind.is_numeric() or kind.is_boolean() or kind.is_null()):
        raise ConfigurationError(
            f"{column!r} is configured as a number, but the table holds {kind} there. Give it a "
            "rule of type integer, decimal or float in the ingestion rules, or list it under "
            "categorical."
        )
    number = table[column].cast("float64")
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def convert_to_word(table: ir.Table, column: str) -> ir.StringValue:
    """A column as trimmed text; whole numbers without a decimal point, nothing left as missing.

    Returns:
        The column as text, null where it is missing.
    """
    kind = table[column].type()
    if kind.is_floating() or kind.is_decimal():
        number = convert_to_number(table, column)
        whole = number.try_cast("int64")
        is_whole = whole.cast("float64") == number
        return is_whole.ifelse(whole.cast("string"), number.cast("string"))
    return table[column].cast("string").strip().nullif("")


def convert_to_timestamp(table: ir.Table, column: str) -> ir.TimestampValue:
    """A column as a moment; text that is none in ISO form is missing.

    Args:
        column: A column of dates or moments, or of text.
    """
    kind = table[column].type()
    if kind.is_numeric() or kind.is_boolean() or kind.is_time():
        raise ConfigurationError(
            f"{column!r} is configured as a date, but the table holds {kind} there. Give it a rule "
            "of type date or timestamp in the ingestion rules."
        )
    if kind.is_string():
        return table[column].strip().try_cast("timestamp")
    return table[column].cast("timestamp")


# How one value of a request is read as a word or a moment.
#
# The same as `clientela.features.columns` reads a cell of a table, so that a category that is an
# integer there and a text or a float here is the same word.


LARGEST_WHOLE: Final = 2.0**63
"""From here on engines hold no whole number, and write one as they write other numbers."""

DATE: Final = len("2024-01-31")
SECOND: Final = len("2024-01-31T12:00:00")

MOMENT: Final = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:[ T](\d{1,2}):(\d{1,2})"
    r"(?::(\d{1,2})(?:\.(\d*))?(?:Z| UTC|[+-]\d{2}(?::?\d{2})?)?)?)?",
    re.ASCII,
)
"""Date, then maybe a local time; an offset is read and left out, as engines do."""


def parse_word(value: object) -> str | None:
    """A value as trimmed text; whole numbers without a decimal point, nothing left as missing.

    Returns:
        The word; None where there is none.
    """
    if isinstance(value, str):
        return value.strip(whitespace) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _format_number_as_word(value)
    return None if value is None else str(value)


def _format_number_as_word(number: float) -> str | None:
    if number - number != 0:  # neither nan nor infinity is a number
        return None
    if number.is_integer() and -LARGEST_WHOLE <= number < LARGEST_WHOLE:
        return str(int(number))
    return repr(number)


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
    if _is_common_format(text):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass  # it may still be one in a laxer form
        else:
            return text
    found = MOMENT.fullmatch(text)
    if found is None:
        return None
    year, _, month, day, hour, minute, second, fraction = found.groups(default="0")
    parts = map(int, (year, month, day, hour, minute, second, f"{fraction:<06.6}"))
    try:
        moment = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - cases are local
    except ValueError:
        return None
    return moment.isoformat()


def _is_common_format(text: str) -> bool:
    """Whether a text has the form of nearly all moments, which Python and NumPy both read.

    Python alone also reads other separators, and offsets without seconds.
    """
    if len(text) not in {DATE, SECOND} or not text[4] == text[7] == "-":
        return False
    return len(text) == DATE or (text[10] in "T " and text[13] == text[16] == ":")


# What a model asks of each case: the fields of a request, whatever carries them.


FieldKind: TypeAlias = Literal["number", "integer", "word", "moment"]

Column: TypeAlias = NDArray[np.float64] | NDArray[np.object_] | NDArray[np.datetime64]
"""One field of all cases: float64 (NaN where missing) for a number or an integer, objects (text or
None) for a word, `datetime64[us]` (NaT where missing) for a moment."""


class InputField(BaseModel):
    """One field of a case.

    Attributes:
        name: As the users' tables call it.
        kind: `number`, `integer`, `word` (a number is read as a word too) or `moment` (local time).
        required: Whether every case must bring a value; the others may be left out.
        read: Whether the model reads it: then a gap is imputed and reported. A field that only
            other models of the use case read is checked like any other, and changes no answer, so
            that callers need not change when another model takes over.
        minimum: Smallest value that can be; a case below it is refused. None: any.
        maximum: Largest value that can be.
        earliest: First day that a moment can be.
        seen_minimum: Smallest value that the model learned from; beyond it an answer is a guess,
            which the reply says. None where none is known.
        seen_maximum: Largest value that it learned from.
        words: The words that it learned from, sorted; empty where there are too many to list.
        missing: The word that no word counts as, a category of its own; None: it is imputed.
        description: In words, for people; empty without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: FieldKind
    required: bool
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
        numeric = self.kind in ("number", "integer")
        if not numeric and any(
            limit is not None
            for limit in (self.minimum, self.maximum, self.seen_minimum, self.seen_maximum)
        ):
            raise ValueError(f"{self.name}: limits fit numbers, not a {self.kind}")
        if self.kind != "moment" and (self.earliest or self.latest):
            raise ValueError(f"{self.name}: earliest and latest fit a moment, not a {self.kind}")
        if self.kind != "word" and (self.words or self.missing is not None):
            raise ValueError(f"{self.name}: words fit a word, not a {self.kind}")
        if not self.read and (self.words or self.seen_minimum is not None):
            raise ValueError(f"{self.name}: a model learns nothing from what it does not read")
        return self


# Cases as columns: from JSON values and from tables to what a scorer reads.


NUMBERS = ("number", "integer")


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
    for wanted in fields:
        if wanted.kind == "word":
            columns[wanted.name] = _read_words([case.get(wanted.name) for case in cases])
        elif wanted.kind == "moment":
            columns[wanted.name] = _read_moments(case.get(wanted.name) for case in cases)
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
    return _replace_non_finite(np.ascontiguousarray(table.T))


def _replace_non_finite(numbers: Floats) -> Floats:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _read_words(values: Sequence[object]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    # most words are text, and asking first saves a call for each
    column[:] = [
        value.strip(whitespace) or None if type(value) is str else parse_word(value)
        for value in values
    ]
    return column


def _read_moments(values: Iterable[object]) -> NDArray[np.datetime64]:
    return np.array([parse_moment(value) or "NaT" for value in values], dtype="datetime64[us]")


def build_columns_from_frame(
    frame: pd.DataFrame, fields: Sequence[InputField]
) -> dict[str, Column]:
    """A table of cases as columns; other columns than the fields are left alone.

    Args:
        frame: One row per case, typed or all text, as a CSV is read.

    Returns:
        Field to its values, in the order of the rows.

    Raises:
        CaseRefused: A required column is absent, or holds what its kind can't be.
    """
    return {field.name: _read_frame_column(frame, field) for field in fields}


def _read_frame_column(frame: pd.DataFrame, field: InputField) -> Column:
    if field.name not in frame.columns:
        if field.required:
            raise InvalidCaseError(
                f"Every case needs the column {field.name!r}, which the table does not have. "
                f"{did_you_mean(field.name, map(str, frame.columns))}"
            )
        return _convert_frame_column(pd.Series(None, index=frame.index, dtype=object), field)
    return _convert_frame_column(frame[field.name], field)


def _convert_frame_column(column: "pd.Series[Any]", field: InputField) -> Column:
    typed = is_numeric_dtype(column) or is_bool_dtype(column)
    if field.kind == "word":
        return _read_words(_convert_column_to_objects(column))
    if field.kind == "moment":
        if typed and column.notna().any():
            raise _make_column_error(column, field, "dates or moments in ISO form")
        return _read_moments(_convert_column_to_objects(column))
    if typed:
        return _replace_non_finite(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return _parse_text_numbers(column, field)


def _parse_text_numbers(column: "pd.Series[Any]", field: InputField) -> Floats:
    words = pd.Series(_read_words(_convert_column_to_objects(column)), dtype=object)
    numbers = pd.to_numeric(words, errors="coerce")
    strange = words[numbers.isna() & words.notna()].str.casefold()
    if is_datetime64_any_dtype(column) or not strange.isin(["nan", "inf", "-inf"]).all():
        raise _make_column_error(column, field, "numbers")
    return _replace_non_finite(numbers.to_numpy(dtype=np.float64))


def _convert_column_to_objects(column: "pd.Series[Any]") -> list[Any]:
    """Python values, with None for whatever is missing."""
    objects = column.astype(object)
    found: list[Any] = objects.where(column.notna(), None).tolist()
    return found


def _make_column_error(
    column: "pd.Series[Any]", field: InputField, expected: str
) -> InvalidCaseError:
    return InvalidCaseError(
        f"The column {field.name!r} should hold {expected}; it holds {column.dtype}, and not all "
        f"of its {column.notna().sum()} values can be read as such. Correct them, or leave those "
        "cells empty."
    )


# Features of cases as a model reads them: one table of numbers, and lists of words.
#
# The same features as `clientela.features.table_features` makes of tables, without an engine: a request of
# one case has no time to compile an expression. Tests hold the two against each other.


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
class FeatureLayout:
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


def limit_to_float32(matrix: Floats) -> Floats:
    """Numbers, those beyond all measure as the largest that every model can hold.

    Args:
        matrix: Any numbers; missing ones stay missing.
    """
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
        numbers: Which of them are numbers.
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
