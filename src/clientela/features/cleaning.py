"""Cleaned columns: believable values in one spelling, and what was done to the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from clientela.arrays import Floats
from clientela.features.columns import (
    Words,
    convert_to_number,
    convert_to_timestamp,
    convert_to_word,
)
from clientela.features.settings import OTHER, NumberRule, WordRule
from clientela.features.table_settings import TabularFeatureParams
from clientela.text import normalize_text, normalize_word

# Cleaned columns: believable values in one spelling, and what was done to the others.


def apply_cleaning(table: ir.Table, params: TabularFeatureParams) -> dict[str, ir.Value]:
    """The input columns of features as they are believed.

    Args:
        table: One row per case, with all input columns.

    Returns:
        Each input column: numbers as float64, words as text, dates as timestamps; and the flags of
        the cleaning rules.
    """
    numbers = {name: apply_number_rule(table, name, params) for name in params.numeric}
    words = {
        name: apply_word_rule(table, name, params)
        for name in [*params.categorical, *params.ordinal]
    }
    dates = {name: convert_to_timestamp(table, name) for name in params.dates_of_features}
    flags = {
        flag: is_invalid_value(table, name, params).cast("float64")
        for flag, (name,) in params.invalid_flags.items()
    }
    return {**numbers, **words, **dates, **flags}


def apply_number_rule(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.FloatingValue:
    """A numeric column with unbelievable values set missing, or clipped."""
    number, rule = convert_to_number(table, name), params.get_number_rule(name)
    if rule is None:
        return number
    missing = ibis.null("float64")
    for outside, bound in _find_violations(number, rule).values():
        number = outside.ifelse(bound if rule.outside == "clip" else missing, number)
    return number


def apply_word_rule(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.StringValue:
    """A column of words in one spelling, with unbelievable words set missing, or grouped.

    A row that came without a word holds the rule's word for that, where it has one.
    """
    word, rule = convert_to_word(table, name), params.get_word_rule(name)
    believed = _replace_invalid_words(word, rule)
    return believed if rule.missing is None else word.isnull().ifelse(rule.missing, believed)


def _replace_invalid_words(word: ir.StringValue, rule: WordRule) -> ir.StringValue:
    if rule.allowed is None:
        return normalize_text(word) if rule.folded else word
    spelled = _normalize_spelling(word, rule)
    if rule.other == "set_missing":
        return spelled
    return (word.notnull() & spelled.isnull()).ifelse(OTHER, spelled)


def is_invalid_value(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.BooleanValue:
    """Whether a cell holds a value that its cleaning rule does not believe.

    Args:
        name: A column with a cleaning rule.

    Returns:
        A condition per row; false where there is no value.
    """
    if name in params.numeric:
        rule = params.get_number_rule(name)
        found = _find_violations(convert_to_number(table, name), rule) if rule is not None else {}
        return ibis.or_(*(outside for outside, _ in found.values())).fill_null(False)
    word, words = convert_to_word(table, name), params.get_word_rule(name)
    if words.allowed is None:
        return ibis.literal(False)
    return word.notnull() & _normalize_spelling(word, words).isnull()


def _find_violations(
    number: ir.FloatingValue, rule: NumberRule
) -> dict[str, tuple[ir.BooleanValue, float]]:
    found = {}
    if rule.minimum is not None:
        found["below_minimum"] = (number < rule.minimum, rule.minimum)
    if rule.maximum is not None:
        found["above_maximum"] = (number > rule.maximum, rule.maximum)
    return found


def _normalize_spelling(word: ir.StringValue, rule: WordRule) -> ir.StringValue:
    """The word in the spelling of configuration; null where it is not allowed."""
    believed = rule.believed or ()
    if not rule.folded:
        return word.isin(believed).ifelse(word, None)
    spelling = [(normalize_word(each), each) for each in believed]
    compared = normalize_text(word)
    return ibis.cases(
        *((compared == key, ibis.literal(each)) for key, each in spelling),
        else_=ibis.null("string"),
    )


Finding: TypeAlias = tuple[str, str, ir.BooleanValue]
"""What was found in cells of a column, what was done to them, and which ones."""


def list_cell_findings(table: ir.Table, name: str, params: TabularFeatureParams) -> list[Finding]:
    """Everything that cleaning finds in a column; no cell is found twice.

    Args:
        name: An input column of features, or a date beside them.

    Returns:
        Finding, action, and a condition per row.
    """
    missing = table[name].isnull()
    if name in params.numeric:
        number, rule = convert_to_number(table, name), params.get_number_rule(name)
        bounds = _find_violations(number, rule) if rule is not None else {}
        action = rule.outside if rule is not None else ""
        strange = table[name].notnull() & number.isnull()
        broken = [(found, action, outside) for found, (outside, _) in bounds.items()]
        return [("missing", "imputed", missing), ("not_finite", "set_missing", strange), *broken]
    if name in params.dates:
        kept = "imputed" if name in params.inputs else "kept_missing"
        unread = table[name].notnull() & convert_to_timestamp(table, name).isnull()
        return [("missing", kept, missing), ("no_date", "set_missing", unread)]
    return _list_word_findings(table, name, params)


def _list_word_findings(table: ir.Table, name: str, params: TabularFeatureParams) -> list[Finding]:
    word, rule = convert_to_word(table, name), params.get_word_rule(name)
    strange = is_invalid_value(table, name, params)
    respelled = word.notnull() & ~strange & (word != apply_word_rule(table, name, params))
    return [
        ("missing", "imputed" if rule.missing is None else "own_category", word.isnull()),
        ("not_allowed", rule.other, strange),
        ("respelled", "respelled", respelled),
    ]


# Cleaning rules over columns of a request; the twin of `clientela.features.cleaning`.


@dataclass(frozen=True)
class NumberLimits:
    """What is believed of several numbers; one row for each.

    Attributes:
        for_lower: What a smaller value becomes: NaN, or the bound.
        for_higher: What a larger value becomes.
    """

    lowest: Floats
    highest: Floats
    for_lower: Floats
    for_higher: Floats

    @classmethod
    def of(cls, names: Sequence[str], params: TabularFeatureParams) -> Self:
        """The limits of some columns."""
        bounds = [_get_number_bounds(params.get_number_rule(name)) for name in names]
        table = np.array(bounds, dtype=np.float64).reshape(len(names), 4)
        return cls(*np.split(table, 4, axis=1))

    def apply_rules(self, numbers: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """The numbers that are believed, and which cells held another.

        Args:
            numbers: Columns x cases, NaN where missing.
        """
        lower, higher = numbers < self.lowest, numbers > self.highest
        believed = np.where(lower, self.for_lower, numbers)
        return np.where(higher, self.for_higher, believed), lower | higher


def _get_number_bounds(rule: NumberRule | None) -> tuple[float, float, float, float]:
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
        """The cleaner of a rule."""
        compared = normalize_word if rule.folded else str
        other = OTHER if rule.allowed is not None and rule.other == "group" else None
        believed = rule.believed
        spellings = None if believed is None else {compared(word): word for word in believed}
        return cls(compared, spellings, other, rule.missing)

    def apply_rules(self, words: Words) -> Words:
        """The words that are believed, in one spelling.

        Args:
            words: One for each case, None where missing.
        """
        # a batch repeats few words many times
        believed = {word: self._apply_word_cleaning(word) for word in set(words)}
        return [believed[word] for word in words]

    def find_invalid(self, words: Words) -> NDArray[np.bool_]:
        """Which cases hold a word that is not believed.

        Args:
            words: One for each case, None where missing.
        """
        strange = {
            word: word is not None and self._find_spelling(word) is None for word in set(words)
        }
        return np.array([strange[word] for word in words], dtype=np.bool_)

    def _apply_word_cleaning(self, word: str | None) -> str | None:
        if word is None:
            return self.missing
        spelled = self._find_spelling(word)
        return self.other if spelled is None else spelled

    def _find_spelling(self, word: str) -> str | None:
        compared = self.compared(word)
        return compared if self.spellings is None else self.spellings.get(compared)
