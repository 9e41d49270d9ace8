"""Cleaning rules over columns of a request; the twin of `clientela.tabular.cleaning`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from clientela.classification.codes import Floats
from clientela.folding import folded_word
from clientela.inference.features import Words
from clientela.tabular.params import TabularFeatureParams
from clientela.tabular.rules import OTHER, NumberRule, WordRule


@dataclass(frozen=True)
class NumberLimits:
    """What is believed of several numbers; one row for each.

    Attributes:
        lowest: Smallest believed value.
        highest: Largest believed value.
        for_lower: What a smaller value becomes: NaN, or the bound.
        for_higher: What a larger value becomes.
    """

    lowest: Floats
    highest: Floats
    for_lower: Floats
    for_higher: Floats

    @classmethod
    def of(cls, names: Sequence[str], params: TabularFeatureParams) -> Self:
        """The limits of some columns.

        Args:
            names: Numeric columns.
            params: All rules.
        """
        bounds = [_bounds(params.number_rule(name)) for name in names]
        table = np.array(bounds, dtype=np.float64).reshape(len(names), 4)
        return cls(*np.split(table, 4, axis=1))

    def cleaned(self, numbers: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The numbers that are believed, and which cells held another.

        Args:
            numbers: Columns x cases, NaN where missing.

        Returns:
            Two tables of the same form.
        """
        lower, higher = numbers < self.lowest, numbers > self.highest
        believed = np.where(lower, self.for_lower, numbers)
        return np.where(higher, self.for_higher, believed), lower | higher


def _bounds(rule: NumberRule | None) -> tuple[float, float, float, float]:
    if rule is None:
        return -np.inf, np.inf, np.nan, np.nan
    lowest = -np.inf if rule.minimum is None else rule.minimum
    highest = np.inf if rule.maximum is None else rule.maximum
    clipped = rule.outside == "clip"
    return lowest, highest, lowest if clipped else np.nan, highest if clipped else np.nan


@dataclass(frozen=True)
class WordCleaner:
    """What is believed of a column of words.

    Attributes:
        compared: How a word is written where it is compared.
        spellings: Compared form to the spelling of configuration; None: any word is believed.
        other: What stands for a word that is not believed.
        missing: What stands for no word; None: it stays missing.
    """

    compared: Callable[[str], str]
    spellings: Mapping[str, str] | None
    other: str | None
    missing: str | None

    @classmethod
    def of(cls, rule: WordRule) -> Self:
        """The cleaner of a rule.

        Args:
            rule: For one column.
        """
        compared = folded_word if rule.folded else str
        other = OTHER if rule.allowed is not None and rule.other == "group" else None
        believed = rule.believed
        spellings = None if believed is None else {compared(word): word for word in believed}
        return cls(compared, spellings, other, rule.missing)

    def cleaned(self, words: Words) -> Words:
        """The words that are believed, in one spelling.

        Args:
            words: One for each case, None where missing.
        """
        # a batch repeats few words many times
        believed = {word: self._cleaned(word) for word in set(words)}
        return [believed[word] for word in words]

    def disbelieved(self, words: Words) -> NDArray[np.bool_]:
        """Which cases hold a word that is not believed.

        Args:
            words: One for each case, None where missing.
        """
        strange = {word: word is not None and self._spelled(word) is None for word in set(words)}
        return np.array([strange[word] for word in words], dtype=np.bool_)

    def _cleaned(self, word: str | None) -> str | None:
        if word is None:
            return self.missing
        spelled = self._spelled(word)
        return self.other if spelled is None else spelled

    def _spelled(self, word: str) -> str | None:
        compared = self.compared(word)
        return compared if self.spellings is None else self.spellings.get(compared)
