"""What a reply says of each field beside the answer: imputed, or never seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clientela.classification.codes import Floats
from clientela.inference.features import Features, Layout, stacked
from clientela.inference.fields import Column, InputField

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class ImputedFlags:
    """Which fields had no value that was believed; as `tabular.schema.imputed_cells` has it.

    Attributes:
        fields: How many there are.
        numbers: Place of a field that is a number of the model, with its row.
        words: Place of a field that is a word of the model, to its name.
        made: Place of a field that the model sees only through others, to those.
        layout: Where features stand.
    """

    fields: int
    numbers: tuple[NDArray[np.intp], NDArray[np.intp]]
    words: Mapping[int, str]
    made: Mapping[int, tuple[str, ...]]
    layout: Layout

    @classmethod
    def of(
        cls, fields: Sequence[InputField], layout: Layout, sources: Mapping[str, Sequence[str]]
    ) -> Self:
        """The flags of a model.

        Args:
            fields: Of the manifest.
            layout: What the model reads.
            sources: Feature to the fields that it is made of; a field itself may be left away.
        """
        read = {place: each.name for place, each in enumerate(fields)}
        seen = {place: name for place, name in read.items() if name in layout.features}
        made = {
            place: tuple(name for name in layout.features if read[place] in sources.get(name, ()))
            for place in read.keys() - seen.keys()
        }
        numbers = {place: name for place, name in seen.items() if name in layout.rows}
        return cls(
            fields=len(fields),
            numbers=(np.array([*numbers], dtype=np.intp), layout.places([*numbers.values()])),
            words={place: name for place, name in seen.items() if place not in numbers},
            made={place: names for place, names in made.items() if names},
            layout=layout,
        )

    def __call__(self, features: Features) -> Flags:
        """Cases x fields."""
        flags = np.zeros((self.fields, features.cases), dtype=np.bool_)
        places, rows = self.numbers
        flags[places] = features.missing[rows]
        for place, name in self.words.items():
            flags[place] = self._missing(features, name)
        for place, names in self.made.items():
            flags[place] = np.all([self._missing(features, name) for name in names], axis=0)
        return flags.T

    def _missing(self, features: Features, name: str) -> Flags:
        if name in self.layout.rows:
            missing: Flags = features.missing[self.layout.rows[name]]
            return missing
        return np.array([word is None for word in features.words[name]], dtype=np.bool_)


@dataclass(frozen=True)
class UnseenFlags:
    """Which fields hold what the model never learned from.

    Attributes:
        fields: How many there are.
        places: Places of the numbers whose learned range is known.
        names: Their names.
        lowest: Smallest learned value, one row each.
        highest: Largest learned value.
        words: Place and name of a word to the words that were learned.
    """

    fields: int
    places: NDArray[np.intp]
    names: tuple[str, ...]
    lowest: Floats
    highest: Floats
    words: Mapping[tuple[int, str], frozenset[str]]

    @classmethod
    def of(cls, fields: Sequence[InputField]) -> Self:
        """The flags of a model.

        Args:
            fields: Of the manifest.
        """
        known = {
            place: each
            for place, each in enumerate(fields)
            if (each.seen_minimum, each.seen_maximum) != (None, None)
        }
        return cls(
            fields=len(fields),
            places=np.array([*known], dtype=np.intp),
            names=tuple(each.name for each in known.values()),
            lowest=_bounds([each.seen_minimum for each in known.values()], -np.inf),
            highest=_bounds([each.seen_maximum for each in known.values()], np.inf),
            words={
                (place, each.name): frozenset(each.words)
                for place, each in enumerate(fields)
                if each.words
            },
        )

    def __call__(self, columns: Mapping[str, Column], features: Features) -> Flags:
        """Cases x fields; a word counts as known in the model's spelling, or as it came.

        Args:
            columns: The fields.
            features: What was made of them.
        """
        flags = np.zeros((self.fields, features.cases), dtype=np.bool_)
        if self.names:
            values = stacked(columns, self.names)
            flags[self.places] = (values < self.lowest) | (values > self.highest)
        for (place, name), known in self.words.items():
            came = columns[name].tolist()
            spelled = features.words.get(name, came)
            flags[place] = [
                word is not None and word not in known and read not in known
                for word, read in zip(came, spelled, strict=True)
            ]
        return flags.T


def _bounds(bounds: Sequence[float | None], without: float) -> Floats:
    rows = [[without if bound is None else bound] for bound in bounds]
    return np.array(rows, dtype=np.float64).reshape(-1, 1)
