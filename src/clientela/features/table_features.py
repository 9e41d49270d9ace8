"""Which rows have a label that can be learned from: known, and old enough to be final."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from clientela.arrays import Floats
from clientela.exceptions import ConfigurationError, ScoringDataError, did_you_mean
from clientela.features.cleaning import NumberLimits, WordCleaner, apply_cleaning
from clientela.features.columns import (
    Column,
    Features,
    Words,
    convert_to_number,
    convert_to_timestamp,
    convert_to_word,
    stack_columns,
)
from clientela.features.derived_columns import (
    DerivedColumnStep,
    add_derived_columns,
    assign_bands,
    iter_date_steps,
    iter_number_steps,
)
from clientela.features.settings import Band
from clientela.features.table_settings import BinaryTarget, Maturity, TabularFeatureParams
from clientela.text import normalize_text

# Which rows have a label that can be learned from: known, and old enough to be final.


USABLE = "usable"
UNLABELLED = "unlabelled"
UNKNOWN_LABEL = "unknown_label"
UNDATED = "undated"
TOO_YOUNG = "too_young"

STATUSES = (USABLE, UNLABELLED, UNKNOWN_LABEL, UNDATED, TOO_YOUNG)
"""What becomes of a row: learned from, or left out for the first reason that holds.

`undated` rows lack the start of their observation, or its length where each has its own.
"""

NEARLY_ALL = 0.999
"""Share of the rows that tell what the latest date should be near: the others may be typos."""


def assign_class(table: ir.Table, target: BinaryTarget) -> ir.StringValue:
    """The class of each row by its name.

    Returns:
        The name; null where there is no label, or an unknown one.
    """
    label = normalize_text(convert_to_word(table, target.column))
    return ibis.cases(
        (label == target.negative.word, ibis.literal(target.negative.name)),
        (label == target.positive.word, ibis.literal(target.positive.name)),
        else_=ibis.null("string"),
    )


def assign_label_status(table: ir.Table, params: TabularFeatureParams) -> ir.StringValue:
    """Whether each row can be learned from, or the reason why not."""
    reasons = [
        (convert_to_word(table, params.target.column).isnull(), UNLABELLED),
        (assign_class(table, params.target).isnull(), UNKNOWN_LABEL),
    ]
    if params.maturity is not None:
        mature = _is_mature(table, params.maturity)
        reasons += [(mature.isnull(), UNDATED), (~mature, TOO_YOUNG)]
    found = ((when, ibis.literal(reason)) for when, reason in reasons)
    return ibis.cases(*found, else_=ibis.literal(USABLE))


def count_rows_by_status(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per status and class: how many rows of the table have it.

    Returns:
        `status` (one of `STATUSES`), `clase` (null without a known label), `rows`; `example`, the
        smallest of the labels that are unknown; and, the same in each row and null without
        maturity: `as_of`, the day on which labels count as taken, `nearly_all`, the moment by
        which `NEARLY_ALL` of the dated rows had started, in seconds since 1970, and `months`, the
        observation's length, the median one where each row has its own.
    """
    label = convert_to_word(table, params.target.column)
    judged = table.select(
        status=assign_label_status(table, params),
        clase=assign_class(table, params.target),
        label=label,
    )
    unknown = judged["status"] == UNKNOWN_LABEL
    grouped = judged.group_by("status", "clase")
    counted = grouped.agg(rows=judged.count(), example=judged["label"].min(where=unknown))
    return counted.mutate(**_summarize_observation(table, params.maturity)).order_by(
        "status", "clase"
    )


def _summarize_observation(table: ir.Table, maturity: Maturity | None) -> dict[str, ir.Value]:
    """What maturity is judged by, each as one value for the whole table."""
    if maturity is None:
        return {
            "as_of": ibis.null("date"),
            "nearly_all": ibis.null("float64"),
            "months": ibis.null("float64"),
        }
    started = convert_to_timestamp(table, maturity.date_column)
    return {
        "as_of": _get_label_date(started, maturity),
        "nearly_all": started.epoch_seconds().quantile(NEARLY_ALL).as_scalar().cast("float64"),
        "months": ibis.literal(maturity.months, "float64")
        if maturity.term_column is None
        else convert_to_number(table, maturity.term_column).median().as_scalar().cast("float64"),
    }


def _is_mature(table: ir.Table, maturity: Maturity) -> ir.BooleanValue:
    """Whether the observation has passed; null where its start or its length is missing.

    Months are counted whole: begun on the 31st, a month has passed on the 1st after a shorter one.
    """
    started = convert_to_timestamp(table, maturity.date_column)
    taken = _get_label_date(started, maturity)
    day_ahead = (taken.day() < started.day()).cast("int32")
    months = (taken.year() - started.year()) * 12 + taken.month() - started.month() - day_ahead
    if maturity.term_column is not None:
        return months >= convert_to_number(table, maturity.term_column)
    return months >= maturity.months


def _get_label_date(started: ir.TimestampValue, maturity: Maturity) -> ir.DateValue:
    if maturity.as_of is not None:
        return ibis.date(maturity.as_of.isoformat())
    return started.max().as_scalar().date()


# Features of each case, as one lazy expression for training and inference.
#
# Ibis and not pandas: tables come from ingestion as Ibis tables, one definition serves every engine,
# and a request becomes the same expression over an `ibis.memtable`.
# Nothing here learns from other rows; what is fitted (imputation, encoding, scaling) is fitted in
# training: see `clientela.features.preprocessing`.


def feature_columns(params: TabularFeatureParams) -> list[str]:
    """Every feature, in the order of the table.

    Returns:
        The columns of the table that are features, then those made of them.
    """
    return [*params.raw_features, *params.made_numbers, *params.enrichment.categories()]


def passthrough_columns(params: TabularFeatureParams) -> list[str]:
    """The columns kept beside the features: sensitive ones, and the time.

    Returns:
        Column names, without those that are features already.
    """
    time = [params.time] if params.time is not None else []
    wanted = dict.fromkeys([*params.sensitive, *time])
    return [name for name in wanted if name not in params.raw_features]


def require_configured_columns(table: ir.Table, params: TabularFeatureParams) -> None:
    """Refuse a configuration that names columns which the table to learn from does not have.

    Raises:
        ConfigurationError: Names the first, and what it may have meant.
    """
    maturity = params.maturity
    judged = [] if maturity is None or maturity.term_column is None else [maturity.term_column]
    named = dict.fromkeys(
        [
            params.key,
            params.target.column,
            *params.inputs,
            *params.dates,
            *passthrough_columns(params),
            *judged,
            *params.excluded,
        ]
    )
    absent = [name for name in named if name not in table.columns]
    if absent:
        free = set(table.columns) - set(named)
        raise ConfigurationError(
            f"The features are configured on columns that the table does not have: "
            f"{', '.join(absent)}. {did_you_mean(absent[0], free or table.columns)} Correct the "
            "name in the use case's features, or give the column an ingestion rule."
        )


def case_features(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per case to be scored.

    Args:
        table: One row per case: the key, the needed columns, and any of the others.

    Returns:
        The key (PII), each feature (numbers as float64, categories as text, missing where it can't
        be known), and the columns beside: moments, numbers or text.

    Raises:
        ScoringDataError: The key or a needed column is absent.
    """
    _require_needed_columns(table.columns, params)
    return _compute_features(_add_absent_columns(table, params), params, {})


def model_input(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per case that can be learned from.

    Args:
        table: One row per case, with every configured column.

    Returns:
        As `case_features`, and the target: the name of the class. Rows without a label, with an
        unknown one or too young to be judged are left out; `row_accounts` counts them.

    Raises:
        ConfigurationError: The table lacks a configured column.
    """
    require_configured_columns(table, params)
    # the status compares with the latest date of all rows, so it is computed before any is left out
    judged = table.mutate(
        _status=assign_label_status(table, params), _clase=assign_class(table, params.target)
    )
    usable = judged.filter(judged["_status"] == USABLE)
    return _compute_features(usable, params, {params.target.column: usable["_clase"]})


def _compute_features(
    table: ir.Table, params: TabularFeatureParams, carried: dict[str, ir.Value]
) -> ir.Table:
    beside = {
        f"_{name}": _read_passthrough_column(table, name, params)
        for name in passthrough_columns(params)
    }
    carried = {f"_{name}": value for name, value in carried.items()} | beside
    clean = table.select(params.key, **apply_cleaning(table, params), **carried)
    made = add_derived_columns(clean, params.enrichment)
    return made.select(
        params.key,
        *params.raw_features,
        **{name: _mask_non_finite(made[name]) for name in params.made_numbers},
        **{name: made[name] for name in params.enrichment.categories()},
        **{name[1:]: made[name] for name in carried},
    )


def _mask_non_finite(number: ir.FloatingValue) -> ir.FloatingValue:
    """The number; missing where amounts beyond all measure overflowed."""
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def _read_passthrough_column(table: ir.Table, name: str, params: TabularFeatureParams) -> ir.Value:
    kind = table[name].type()
    if name in params.dates or kind.is_timestamp() or kind.is_date():
        return convert_to_timestamp(table, name)
    if kind.is_numeric():
        return convert_to_number(table, name)
    return convert_to_word(table, name)


def _require_needed_columns(columns: Iterable[str], params: TabularFeatureParams) -> None:
    given = set(columns)
    absent = [name for name in [params.key, *params.needed] if name not in given]
    if absent:
        raise ScoringDataError(
            f"Cases to be scored need the column(s) {', '.join(absent)}, which are absent. "
            f"{did_you_mean(absent[0], given)} Only these may be left out, and are imputed: "
            f"{', '.join(_list_optional_columns(params)) or 'none'}."
        )


def _list_optional_columns(params: TabularFeatureParams) -> list[str]:
    return [name for name in params.inputs if name not in params.needed]


def _add_absent_columns(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """The table with every optional column that it lacks, missing in each row."""
    dates, numbers = set(params.dates), set(params.numeric)
    types = {
        name: "timestamp" if name in dates else "float64" if name in numbers else "string"
        for name in [*_list_optional_columns(params), *passthrough_columns(params)]
    }
    absent = {name: ibis.null(kind) for name, kind in types.items() if name not in table.columns}
    return table.mutate(**absent) if absent else table


# The features of a use case on a table, compiled from its rules.


@dataclass(frozen=True)
class TableFeatureBuilder:
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
    steps: tuple[DerivedColumnStep, ...]
    dated: tuple[DerivedColumnStep, ...]
    bands: Mapping[str, Band]
    absent: Mapping[str, str]

    @classmethod
    def of(cls, params: TabularFeatureParams, features: Sequence[str]) -> Self:
        """The maker of some features."""
        made = params.made_numbers | params.enrichment.categories()
        wanted = _collect_operands(features, made)
        numeric = tuple(name for name in params.numeric if name in wanted)
        numbers = [*numeric, *(name for name in params.made_numbers if name in wanted)]
        words = [name for name in (*params.categorical, *params.ordinal) if name in wanted]
        flags, invalid = params.enrichment.flags(), params.invalid_flags
        bands = params.enrichment.bands.columns
        return cls(
            numeric=numeric,
            rows={name: row for row, name in enumerate(numbers)},
            limits=NumberLimits.of(numeric, params),
            cleaners={name: WordCleaner.of(params.get_word_rule(name)) for name in words},
            invalid={flag: name for flag, (name,) in invalid.items() if flag in wanted},
            steps=tuple(
                step for step in iter_number_steps(params.enrichment) if step.name in wanted
            ),
            dated=tuple(step for step in iter_date_steps(params.enrichment) if step.name in wanted),
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
        words = {name: cleaner.apply_rules(given[name]) for name, cleaner in self.cleaners.items()}
        numbers, strange = self.limits.apply_rules(stack_columns(columns, self.numeric))
        table = np.empty((len(self.rows), numbers.shape[1]))
        table[: len(self.numeric)] = numbers
        for flag, name in self.invalid.items():
            table[self.rows[flag]] = (
                strange[self.rows[name]]
                if name in self.rows
                else self.cleaners[name].find_invalid(given[name])
            )
        with np.errstate(all="ignore"):  # what overflows is missing in the end
            words |= self._made(table, words, columns)
        return Features(table, _find_missing_numbers(table, len(self.numeric)), words)

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
        return {
            name: assign_bands(table[rows[band.column]], band) for name, band in self.bands.items()
        }


def _find_missing_numbers(table: Floats, first: int) -> NDArray[np.bool_]:
    """Which numbers are missing, after those made that overflowed have become so."""
    missing = np.isnan(table)
    made = table[first:]
    overflown = np.isinf(made)
    if overflown.any():
        made[overflown] = np.nan
        missing[first:] |= overflown
    return missing


def _collect_operands(names: Iterable[str], made: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The names, and all that they are made of."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += made.get(name, ())
    return found
