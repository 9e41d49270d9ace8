"""Row-wise features of a table, in NumPy: the same arithmetic for training, batch and API.

A builder is compiled once from the rules of a use case: values that are not believed are cleaned
first, then new columns are made from the cleaned ones of the same row. Nothing here learns from
other rows; what is fitted (imputation, encoding, scaling) is in `clientela.features.preprocessing`.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clientela.arrays import Floats
from clientela.features.columns import Column, Features, Moments, Words, stack_columns
from clientela.features.settings import OTHER, PART_NAMES, Band, Enrichment, Part, WordRule
from clientela.features.table_settings import TabularFeatureParams
from clientela.text import normalize_word

# Words of a column whose spelling is remembered.
REMEMBERED: Final = 10_000


@dataclass(frozen=True)
class NumberLimits:
    """Which values are believed of several numbers; one row for each.

    Attributes:
        below: What a value under `minimum` becomes: NaN, or the bound.
    """

    minimum: Floats
    maximum: Floats
    below: Floats
    above: Floats

    @classmethod
    def of(cls, names: Sequence[str], params: TabularFeatureParams) -> Self:
        """The limits of some columns; infinite where any number is believed."""
        bounds = np.array([[-np.inf, np.inf, np.nan, np.nan]] * len(names)).reshape(-1, 4)
        for row, name in enumerate(names):
            rule = params.get_number_rule(name)
            if rule is None:
                continue
            lowest = -np.inf if rule.minimum is None else rule.minimum
            highest = np.inf if rule.maximum is None else rule.maximum
            bounds[row, :2] = lowest, highest
            if rule.outside == "clip":
                bounds[row, 2:] = lowest, highest
        return cls(*np.split(bounds, 4, axis=1))

    def apply_rules(self, numbers: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The numbers that are believed, and which cells held another one."""
        lower, higher = numbers < self.minimum, numbers > self.maximum
        believed = np.where(lower, self.below, numbers)
        return np.where(higher, self.above, believed), lower | higher


@dataclass(frozen=True)
class WordCleaner:
    """Which words of a column are believed, and how they are spelled.

    Attributes:
        find_spelling: From a word to the spelling of configuration; to None where it is not
            believed. It remembers words, which come again and again.
        other: What stands for a word that is not believed.
        missing: What stands for no word; None: it stays missing.
    """

    find_spelling: Callable[[str], str | None]
    other: str | None
    missing: str | None

    @classmethod
    def of(cls, rule: WordRule) -> Self:
        """The cleaner of a rule."""
        compared = normalize_word if rule.folded else str
        other = OTHER if rule.allowed is not None and rule.other == "group" else None
        believed = rule.believed
        spellings = None if believed is None else {compared(word): word for word in believed}

        @lru_cache(REMEMBERED)
        def find_spelling(word: str) -> str | None:
            return compared(word) if spellings is None else spellings.get(compared(word))

        return cls(find_spelling, other, rule.missing)

    def apply_rules(self, words: Words) -> Words:
        """The words that are believed, in one spelling; None where a word is missing."""
        # a batch repeats few words many times
        believed: dict[str | None, str | None] = {None: self.missing}
        for word in set(words) - {None}:
            spelled = self.find_spelling(str(word))
            believed[word] = self.other if spelled is None else spelled
        return [believed[word] for word in words]

    def find_invalid(self, words: Words) -> NDArray[np.bool_]:
        """Which cases hold a word that is not believed."""
        invalid = {
            word: word is not None and self.find_spelling(word) is None for word in set(words)
        }
        return np.array([invalid[word] for word in words], dtype=np.bool_)


def _add(*addends: Floats, out: Floats) -> None:
    np.add(addends[0], addends[1], out=out)
    for addend in addends[2:]:
        np.add(out, addend, out=out)


def _divide(number: Floats, divisor: Floats, out: Floats) -> None:
    np.divide(number, divisor, out=out)
    out[divisor == 0] = np.nan


def _take_log(number: Floats, out: Floats) -> None:
    # np.log may end in another bit, depending on the processor; stored features must not
    out[:] = [math.log(value) for value in (np.maximum(number, 0.0) + 1.0).tolist()]


# Part of a date to its unit, the place of 1970-01-01 (a Thursday) in its cycle, the cycle's
# length and its first number (Monday is 0).
CALENDAR: Final[Mapping[Part, tuple[str, int, int, int]]] = {
    "month": ("datetime64[M]", 0, 12, 1),
    "weekday": ("datetime64[D]", 3, 7, 0),
    "hour": ("datetime64[h]", 0, 24, 0),
}


def _take_part(part: Part, moments: Moments, out: Floats) -> None:
    unit, place, length, first = CALENDAR[part]
    out[:] = (moments.astype(unit).astype(np.int64) + place) % length + first
    out[np.isnat(moments)] = np.nan


def _count_days(earlier: Moments, later: Moments, out: Floats) -> None:
    days = later.astype("datetime64[D]") - earlier.astype("datetime64[D]")
    out[:] = days.astype(np.int64)
    out[np.isnat(days)] = np.nan


# A new number, its operands, and the function that writes it into `out`.
Step: TypeAlias = tuple[str, tuple[str, ...], Callable[..., Any]]

ARITHMETIC: Final[Mapping[str, Callable[..., Any]]] = {
    "sums": _add,
    "differences": np.subtract,
    "products": np.multiply,
    "ratios": _divide,
    "logs": _take_log,
}


def iter_number_steps(made: Enrichment) -> Iterator[Step]:
    """How each number is made from numbers, in an order in which operands exist."""
    for group, name, operands in made.list_numbers():
        yield name, operands, ARITHMETIC[group]


def iter_date_steps(made: Enrichment) -> Iterator[Step]:
    """How each number is made from dates."""
    if not made.dates.enabled:
        return
    for name, parts in made.dates.parts.items():
        for part in parts:
            yield f"{name}_{PART_NAMES[part]}", (name,), partial(_take_part, part)
    for name, pair in made.dates.days.items():
        yield name, pair, _count_days


@dataclass(frozen=True)
class BandNames:
    """Names the band of each number of a column; None where the number is missing."""

    column: str
    edges: Floats
    names: tuple[str | None, ...]

    @classmethod
    def of(cls, band: Band) -> Self:
        """The names of a band of the configuration."""
        return cls(band.column, np.array(band.edges), (*band.names, None))

    def __call__(self, numbers: Floats) -> Words:
        """One name per number."""
        places = np.searchsorted(self.edges, numbers, side="right")
        places[np.isnan(numbers)] = len(self.names) - 1
        return [self.names[place] for place in places.tolist()]


@dataclass(frozen=True)
class TableFeatureBuilder:
    """Makes the features of a table that a model reads, and nothing else.

    Attributes:
        numeric: Columns of the table that are numbers, in the first rows.
        rows: Every number, those made of others too, to its row.
        limits: Which values of the numeric columns are believed.
        cleaners: Column of words to what is believed of it.
        invalid: Flag of a cleaning rule to its column.
        number_steps: How numbers are made from numbers, in order.
    """

    numeric: tuple[str, ...]
    rows: Mapping[str, int]
    limits: NumberLimits
    cleaners: Mapping[str, WordCleaner]
    invalid: Mapping[str, str]
    number_steps: tuple[Step, ...]
    date_steps: tuple[Step, ...]
    bands: Mapping[str, BandNames]
    missing: Mapping[str, str]

    @classmethod
    def of(cls, params: TabularFeatureParams, features: Sequence[str]) -> Self:
        """The builder of some features."""
        made = params.enrichment
        wanted = _collect_operands(features, params.made_numbers | made.categories())
        numeric = tuple(name for name in params.numeric if name in wanted)
        numbers = [*numeric, *(name for name in params.made_numbers if name in wanted)]
        words = [name for name in (*params.categorical, *params.ordinal) if name in wanted]
        return cls(
            numeric=numeric,
            rows={name: row for row, name in enumerate(numbers)},
            limits=NumberLimits.of(numeric, params),
            cleaners={name: WordCleaner.of(params.get_word_rule(name)) for name in words},
            invalid={
                flag: name for flag, (name,) in params.invalid_flags.items() if flag in wanted
            },
            number_steps=tuple(step for step in iter_number_steps(made) if step[0] in wanted),
            date_steps=tuple(step for step in iter_date_steps(made) if step[0] in wanted),
            bands={
                name: BandNames.of(band)
                for name, band in made.bands.columns.items()
                if name in wanted
            },
            missing={flag: name for flag, (name,) in made.flags().items() if flag in wanted},
        )

    @property
    def inputs(self) -> set[str]:
        """The columns that it reads."""
        dates = (name for _, operands, _ in self.date_steps for name in operands)
        return {*self.numeric, *self.cleaners, *dates}

    def __call__(self, columns: Mapping[str, Column]) -> Features:
        """The features of the cases, in their order."""
        given: dict[str, Words] = {name: columns[name].tolist() for name in self.cleaners}
        words = {name: cleaner.apply_rules(given[name]) for name, cleaner in self.cleaners.items()}
        numbers, outside = self.limits.apply_rules(stack_columns(columns, self.numeric))
        table = np.empty((len(self.rows), numbers.shape[1]))
        table[: len(self.numeric)] = numbers
        for flag, name in self.invalid.items():
            table[self.rows[flag]] = (
                outside[self.rows[name]]
                if name in self.rows
                else self.cleaners[name].find_invalid(given[name])
            )
        with np.errstate(all="ignore"):  # what overflows is missing in the end
            self._write_made_numbers(table, words, columns)
        words |= {name: band(table[self.rows[band.column]]) for name, band in self.bands.items()}
        made = table[len(self.numeric) :]
        made[np.isinf(made)] = np.nan
        return Features(table, np.isnan(table), words)

    def _write_made_numbers(
        self, table: Floats, words: Mapping[str, Words], columns: Mapping[str, Column]
    ) -> None:
        rows = self.rows
        for name, operands, write in self.number_steps:
            write(*[table[rows[operand]] for operand in operands], out=table[rows[name]])
        for name, operands, write in self.date_steps:
            write(*[columns[operand] for operand in operands], out=table[rows[name]])
        for flag, name in self.missing.items():
            table[rows[flag]] = (
                np.isnan(table[rows[name]])
                if name in rows
                else [word is None for word in words[name]]
            )


def _collect_operands(names: Iterable[str], made: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The names, and all that they are made of."""
    collected: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in collected:
            collected.add(name)
            waiting += made.get(name, ())
    return collected
