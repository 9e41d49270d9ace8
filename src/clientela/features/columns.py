"""Cases as columns, and their features: what a model asks for and how it is read, in NumPy.

A value is the same number, word or moment whether it comes in a request or in a table, whatever
type it has there: a category that is an integer here and a float there is the same word.
"""

import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from clientela.column_rules import CellFormat, ColumnType, date_pattern
from clientela.settings_base import FrozenSettings
from clientela.text import normalize_word

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


Value: TypeAlias = str | float | date | None

INTEGER: Final = re.compile(r"[+-]?[0-9]+(\.0+)?")
DECIMAL: Final = re.compile(r"[+-]?0*[0-9]{1,16}(\.[0-9]{1,2}0*)?")
FLOAT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
LARGEST_INTEGER: Final = 2**63 - 1

PLAIN: Final = CellFormat()
# How text of a field is read that is no column of a table.
TYPES: Final[Mapping[str, ColumnType]] = {
    "number": "float",
    "integer": "integer",
    "word": "text",
    "moment": "timestamp",
}


class UnusableValueError(ValueError):
    """A value that ingestion would refuse.

    Args:
        came: What kind of thing it is, in words.
    """

    def __init__(self, came: str) -> None:
        super().__init__(came)
        self.came = came


class CellReader:
    """Reads the values of one field as ingestion reads the cells of its column.

    `clientela.pipelines.ingestion.validation` does the same on an engine.

    Attributes:
        numbers: Types of numbers that stay as they come, from `least` to `most`.
        checks_numbers: Whether numbers have to be looked at that are within the field's limits.
        checks_words: Whether words have to be, beyond what features make of them.
    """

    def __init__(self, field: InputField, form: CellFormat, longest: int) -> None:
        self._field, self._longest = field, longest
        words = form.missing_words if field.ruled else ()
        self._missing = {normalize_word(word) for word in words}
        kind = field.type or TYPES[field.kind]
        self._parse, self._parse_plain = build_text_parser(kind, form), build_text_parser(kind)
        allowed = field.allowed
        self._allowed = None if allowed is None else {normalize_word(word) for word in allowed}
        self._nullable = field.nullable and (field.type is not None or not field.required)
        # a code that says that nothing is known is a number too
        codes = any(FLOAT.fullmatch(word) for word in self._missing)
        as_they_come: set[type] = set()
        if field.kind in NUMBERS and not codes and kind != "decimal":
            as_they_come = {int} if kind == "integer" else {int, float}
        self.numbers = as_they_come
        self.checks_numbers = not as_they_come or field.invalid == "set_missing"
        self.checks_words = not (
            field.kind == "word" and kind in {"id", "text", "category"} and field.nullable
        ) or bool(self._missing or self._allowed)
        largest = LARGEST_INTEGER if kind == "integer" else sys.float_info.max
        self.least = -largest if field.minimum is None else field.minimum
        self.most = largest if field.maximum is None else field.maximum

    def read(self, value: str | float | None) -> Value:
        """A value, None where it is missing.

        Raises:
            UnusableValueError: It can't be, or has to be there.
        """
        is_text = isinstance(value, str)
        text = value.strip(whitespace) if isinstance(value, str) else parse_word(value)
        if not text or (self._missing and normalize_word(text) in self._missing):
            if self._nullable:
                return None
            raise UnusableValueError("nothing")
        if len(text) > self._longest:
            raise UnusableValueError("text of another length")
        parsed = (self._parse if is_text else self._parse_plain)(text)
        problem = None if parsed is not None else describe_value_type(value, self._field)
        if parsed is not None and not self._is_usable(parsed):
            problem = "another" if isinstance(parsed, str) else "one outside"
        if problem is None:
            return parsed
        if self._field.invalid == "set_missing":
            return None
        raise UnusableValueError(problem)

    def _is_usable(self, parsed: str | float | date) -> bool:
        if isinstance(parsed, str):
            return self._allowed is None or normalize_word(parsed) in self._allowed
        field, value = self._field, parsed
        bounds: tuple[Any, Any] = (field.minimum, field.maximum)
        if isinstance(parsed, date):
            value = parsed.date() if isinstance(parsed, datetime) else parsed
            bounds = (field.earliest, field.latest)
        least, most = bounds
        return (least is None or value >= least) and (most is None or value <= most)


def build_text_parser(kind: ColumnType, form: CellFormat = PLAIN) -> Callable[[str], Value]:
    """From trimmed text to a value of a type; to None where it is none."""
    match kind:
        case "integer":
            return lambda text: _parse_integer(normalize_number_text(text, form))
        case "decimal":
            return lambda text: _parse_float(normalize_number_text(text, form), DECIMAL)
        case "float":
            return lambda text: _parse_float(normalize_number_text(text, form), FLOAT)
        case "date" | "timestamp":
            patterns = [re.compile(date_pattern(each)) for each in form.date_formats]
            return lambda text: _parse_date(text, patterns, whole_day=kind == "date")
        case _:
            return str


def normalize_number_text(text: str, form: CellFormat) -> str:
    """A number with a decimal point alone; empty where it is written in another form."""
    if form.thousands:
        mark, point = re.escape(form.thousands), re.escape(form.decimal)
        grouped = rf"[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})*({point}[0-9]*)?"
        if not re.fullmatch(rf"[+-]?[0-9]*({point}[0-9]*)?", text):
            text = text.replace(form.thousands, "") if re.fullmatch(grouped, text) else ""
    if form.decimal == ",":
        return "" if "." in text else text.replace(",", ".")
    return text


def _parse_integer(text: str) -> int | None:
    if not INTEGER.fullmatch(text):
        return None
    number = int(text.partition(".")[0])
    return number if -LARGEST_INTEGER - 1 <= number <= LARGEST_INTEGER else None


def _parse_float(text: str, pattern: re.Pattern[str]) -> float | None:
    number = float(text) if pattern.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _parse_date(text: str, patterns: Iterable[re.Pattern[str]], *, whole_day: bool) -> date | None:
    # the first format that fits decides, even where its day is none of the calendar
    found = next(filter(None, (pattern.search(text) for pattern in patterns)), None)
    if found is None:
        return None
    parts = found.groupdict(default="0")
    second, _, fraction = parts.get("S", "0").partition(".")
    numbers = [*(parts.get(name, "0") for name in "YmdHM"), second, f"{fraction:<06.6}"]
    try:
        moment = datetime(*map(int, numbers))  # type: ignore[arg-type]  # noqa: DTZ001 - local
    except ValueError:
        return None
    return moment.date() if whole_day else moment


def describe_value_type(value: Any, field: InputField | None) -> str:
    """What kind of thing a value is, for example `text of another length`."""
    numeric = field is not None and field.kind in ("number", "integer")
    if value is None:
        return "null"
    if isinstance(value, str):
        shape = "form" if field is not None and field.kind == "moment" else "length"
        named = field is None or numeric or field.type in {"integer", "decimal", "float"}
        return "text" if named else f"text of another {shape}"
    for kind, name in ((bool, "true or false"), (dict, "an object"), (list, "an array")):
        if isinstance(value, kind):
            return name
    return _describe_number(value, field if numeric else None)


def _describe_number(value: float, field: InputField | None) -> str:
    try:
        if not math.isfinite(value):
            return "no finite number"
    except OverflowError:
        return "a number too large"
    if field is None:
        return "a number"
    decimals = field.kind == "integer" and not float(value).is_integer()
    return "one with decimals" if decimals else "one outside"


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
