"""Cleaned columns: believable values in one spelling, and what was done to the others."""

from typing import TypeAlias

import ibis
import ibis.expr.types as ir

from clientela.folding import folded, folded_word
from clientela.tabular.params import TabularFeatureParams
from clientela.tabular.readings import as_moment, as_number, as_word
from clientela.tabular.rules import OTHER, NumberRule, WordRule


def cleaned(table: ir.Table, params: TabularFeatureParams) -> dict[str, ir.Value]:
    """The input columns of features as they are believed.

    Args:
        table: One row per case, with all input columns.
        params: Columns and rules.

    Returns:
        Each input column: numbers as float64, words as text, dates as timestamps; and the flags of
        the cleaning rules.
    """
    numbers = {name: number_of(table, name, params) for name in params.numeric}
    words = {name: word_of(table, name, params) for name in [*params.categorical, *params.ordinal]}
    dates = {name: as_moment(table, name) for name in params.dates_of_features}
    flags = {
        flag: disbelieved(table, name, params).cast("float64")
        for flag, (name,) in params.invalid_flags.items()
    }
    return {**numbers, **words, **dates, **flags}


def number_of(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.FloatingValue:
    """A numeric column with unbelievable values set missing, or clipped.

    Args:
        table: One row per case.
        name: The column.
        params: All rules.

    Returns:
        The column as float64.
    """
    number, rule = as_number(table, name), params.number_rule(name)
    if rule is None:
        return number
    missing = ibis.null("float64")
    for outside, bound in _violations(number, rule).values():
        number = outside.ifelse(bound if rule.outside == "clip" else missing, number)
    return number


def word_of(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.StringValue:
    """A column of words in one spelling, with unbelievable words set missing, or grouped.

    A row that came without a word holds the rule's word for that, where it has one.

    Args:
        table: One row per case.
        name: The column.
        params: All rules.

    Returns:
        The column as text.
    """
    word, rule = as_word(table, name), params.word_rule(name)
    believed = _believed(word, rule)
    return believed if rule.missing is None else word.isnull().ifelse(rule.missing, believed)


def _believed(word: ir.StringValue, rule: WordRule) -> ir.StringValue:
    if rule.allowed is None:
        return folded(word) if rule.folded else word
    spelled = _spelled(word, rule)
    if rule.other == "set_missing":
        return spelled
    return (word.notnull() & spelled.isnull()).ifelse(OTHER, spelled)


def disbelieved(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.BooleanValue:
    """Whether a cell holds a value that its cleaning rule does not believe.

    Args:
        table: One row per case.
        name: A column with a cleaning rule.
        params: All rules.

    Returns:
        A condition per row; false where there is no value.
    """
    if name in params.numeric:
        rule = params.number_rule(name)
        found = _violations(as_number(table, name), rule) if rule is not None else {}
        return ibis.or_(*(outside for outside, _ in found.values())).fill_null(False)
    word, words = as_word(table, name), params.word_rule(name)
    if words.allowed is None:
        return ibis.literal(False)
    return word.notnull() & _spelled(word, words).isnull()


def _violations(
    number: ir.FloatingValue, rule: NumberRule
) -> dict[str, tuple[ir.BooleanValue, float]]:
    found = {}
    if rule.minimum is not None:
        found["below_minimum"] = (number < rule.minimum, rule.minimum)
    if rule.maximum is not None:
        found["above_maximum"] = (number > rule.maximum, rule.maximum)
    return found


def _spelled(word: ir.StringValue, rule: WordRule) -> ir.StringValue:
    """The word in the spelling of configuration; null where it is not allowed."""
    believed = rule.believed or ()
    if not rule.folded:
        return word.isin(believed).ifelse(word, None)
    spelling = [(folded_word(each), each) for each in believed]
    compared = folded(word)
    return ibis.cases(
        *((compared == key, ibis.literal(each)) for key, each in spelling),
        else_=ibis.null("string"),
    )


Finding: TypeAlias = tuple[str, str, ir.BooleanValue]
"""What was found in cells of a column, what was done to them, and which ones."""


def cell_findings(table: ir.Table, name: str, params: TabularFeatureParams) -> list[Finding]:
    """Everything that cleaning finds in a column; no cell is found twice.

    Args:
        table: One row per case.
        name: An input column of features, or a date beside them.
        params: All rules.

    Returns:
        Finding, action, and a condition per row.
    """
    missing = table[name].isnull()
    if name in params.numeric:
        number, rule = as_number(table, name), params.number_rule(name)
        bounds = _violations(number, rule) if rule is not None else {}
        action = rule.outside if rule is not None else ""
        strange = table[name].notnull() & number.isnull()
        broken = [(found, action, outside) for found, (outside, _) in bounds.items()]
        return [("missing", "imputed", missing), ("not_finite", "set_missing", strange), *broken]
    if name in params.dates:
        kept = "imputed" if name in params.inputs else "kept_missing"
        unread = table[name].notnull() & as_moment(table, name).isnull()
        return [("missing", kept, missing), ("no_date", "set_missing", unread)]
    return _word_findings(table, name, params)


def _word_findings(table: ir.Table, name: str, params: TabularFeatureParams) -> list[Finding]:
    word, rule = as_word(table, name), params.word_rule(name)
    strange = disbelieved(table, name, params)
    respelled = word.notnull() & ~strange & (word != word_of(table, name, params))
    return [
        ("missing", "imputed" if rule.missing is None else "own_category", word.isnull()),
        ("not_allowed", rule.other, strange),
        ("respelled", "respelled", respelled),
    ]
