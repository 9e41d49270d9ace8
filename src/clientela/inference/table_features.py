"""The features of a use case on a table, compiled from its rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from clientela.classification.codes import Floats
from clientela.inference.cleaning import NumberLimits, WordCleaner
from clientela.inference.enrichment import Step, bands_of, date_steps, number_steps
from clientela.inference.features import Features, Words, stacked
from clientela.inference.fields import Column
from clientela.tabular.params import TabularFeatureParams
from clientela.tabular.rules import Band


@dataclass(frozen=True)
class TableFeatures:
    """Makes the features of a table that a model reads, and nothing else.

    Attributes:
        numeric: Columns of the table that are numbers, in the first rows.
        rows: Every number, those made of others too, to its row.
        limits: What is believed of the numeric columns.
        cleaners: Column of words to what is believed of it.
        invalid: Flag of a cleaning rule to its column.
        steps: How numbers are made from numbers, in order.
        dated: How numbers are made from dates.
        bands: Category made from a number.
        absent: Missing flag to its column.
    """

    numeric: tuple[str, ...]
    rows: Mapping[str, int]
    limits: NumberLimits
    cleaners: Mapping[str, WordCleaner]
    invalid: Mapping[str, str]
    steps: tuple[Step, ...]
    dated: tuple[Step, ...]
    bands: Mapping[str, Band]
    absent: Mapping[str, str]

    @classmethod
    def of(cls, params: TabularFeatureParams, features: Sequence[str]) -> Self:
        """The maker of some features.

        Args:
            params: Columns and rules.
            features: Those that a model reads.
        """
        made = params.made_numbers | params.enrichment.categories()
        wanted = _with_operands(features, made)
        numeric = tuple(name for name in params.numeric if name in wanted)
        numbers = [*numeric, *(name for name in params.made_numbers if name in wanted)]
        words = [name for name in (*params.categorical, *params.ordinal) if name in wanted]
        flags, invalid = params.enrichment.flags(), params.invalid_flags
        bands = params.enrichment.bands.columns
        return cls(
            numeric=numeric,
            rows={name: row for row, name in enumerate(numbers)},
            limits=NumberLimits.of(numeric, params),
            cleaners={name: WordCleaner.of(params.word_rule(name)) for name in words},
            invalid={flag: name for flag, (name,) in invalid.items() if flag in wanted},
            steps=tuple(step for step in number_steps(params.enrichment) if step.name in wanted),
            dated=tuple(step for step in date_steps(params.enrichment) if step.name in wanted),
            bands={name: band for name, band in bands.items() if name in wanted},
            absent={flag: name for flag, (name,) in flags.items() if flag in wanted},
        )

    @property
    def inputs(self) -> set[str]:
        """The columns that it reads."""
        dates = (name for step in self.dated for name in step.operands)
        return {*self.numeric, *self.cleaners, *dates}

    def __call__(self, columns: Mapping[str, Column]) -> Features:
        """The features of the cases, in their order."""
        given: dict[str, Words] = {name: columns[name].tolist() for name in self.cleaners}
        words = {name: cleaner.cleaned(given[name]) for name, cleaner in self.cleaners.items()}
        numbers, strange = self.limits.cleaned(stacked(columns, self.numeric))
        table = np.empty((len(self.rows), numbers.shape[1]))
        table[: len(self.numeric)] = numbers
        for flag, name in self.invalid.items():
            table[self.rows[flag]] = (
                strange[self.rows[name]]
                if name in self.rows
                else self.cleaners[name].disbelieved(given[name])
            )
        with np.errstate(all="ignore"):  # what overflows is missing in the end
            words |= self._made(table, words, columns)
        return Features(table, _made_missing(table, len(self.numeric)), words)

    def _made(
        self, table: Floats, words: Mapping[str, Words], columns: Mapping[str, Column]
    ) -> dict[str, Words]:
        """Writes the new numbers into the table; the new categories."""
        rows = self.rows
        for step in self.steps:
            step.make(table[rows[step.name]], *[table[rows[name]] for name in step.operands])
        for step in self.dated:
            step.make(table[rows[step.name]], *[columns[name] for name in step.operands])
        for flag, name in self.absent.items():
            table[rows[flag]] = (
                np.isnan(table[rows[name]])
                if name in rows
                else [word is None for word in words[name]]
            )
        return {name: bands_of(table[rows[band.column]], band) for name, band in self.bands.items()}


def _made_missing(table: Floats, first: int) -> NDArray[np.bool_]:
    """Which numbers are missing, after those made that overflowed have become so."""
    missing = np.isnan(table)
    made = table[first:]
    overflown = np.isinf(made)
    if overflown.any():
        made[overflown] = np.nan
        missing[first:] |= overflown
    return missing


def _with_operands(names: Iterable[str], made: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The names, and all that they are made of."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += made.get(name, ())
    return found
