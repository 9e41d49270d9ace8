"""A table with one row per case: its features, its labels, and what becomes of rows and cells.

Tables come as Arrow, whose types are those of ingestion and which tells a missing value from a
number that is none. Values are then computed as those of a request: see
`clientela.features.table_features`.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as kinds
from numpy.typing import NDArray

from clientela.arrays import Floats
from clientela.exceptions import ConfigurationError, ScoringDataError, did_you_mean
from clientela.features.columns import (
    Column,
    FeatureLayout,
    Moments,
    read_moments,
    read_words,
    replace_non_finite,
)
from clientela.features.table_features import TableFeatureBuilder
from clientela.features.table_settings import BinaryTarget, Maturity, TabularFeatureParams
from clientela.text import normalize_word

USABLE = "usable"
UNLABELLED = "unlabelled"
UNKNOWN_LABEL = "unknown_label"
UNDATED = "undated"
TOO_YOUNG = "too_young"

# What becomes of a row: learned from, or left out for the first reason that holds.
#
# `undated` rows lack the start of their observation, or its length where each has its own.
STATUSES = (USABLE, UNLABELLED, UNKNOWN_LABEL, UNDATED, TOO_YOUNG)


def read_number_column(table: pa.Table, name: str) -> Floats:
    """A column as float64; what is no finite number is missing."""
    kind = table[name].type
    if not any(
        fits(kind)
        for fits in (
            kinds.is_integer,
            kinds.is_floating,
            kinds.is_decimal,
            kinds.is_boolean,
            kinds.is_null,
        )
    ):
        raise ConfigurationError(
            f"{name!r} is configured as a number, but the table holds {kind} there. Give it a "
            "rule of type integer, decimal or float in the ingestion rules, or list it under "
            "categorical."
        )
    return replace_non_finite(_cast_to_float(table[name]).to_numpy())


def _cast_to_float(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if kinds.is_decimal(column.type):
        # a direct cast multiplies by a power of ten: 0.35 would become 0.35000000000000003
        column = column.cast(pa.string())
    # whole numbers beyond 2**53 are rounded, as every engine does
    return column.cast(pa.float64(), safe=False)


def read_word_column(table: pa.Table, name: str) -> NDArray[np.object_]:
    """A column as trimmed text; whole numbers without a decimal point, nothing left as missing."""
    column = table[name]
    if kinds.is_floating(column.type) or kinds.is_decimal(column.type):
        column = _cast_to_float(column)
    encoded = column.combine_chunks().dictionary_encode()
    words = read_words([*encoded.dictionary.to_pylist(), None])
    places: NDArray[np.intp] = encoded.indices.fill_null(len(words) - 1).to_numpy()
    return words[places]


def read_moment_column(table: pa.Table, name: str) -> Moments:
    """A column as local moments; text that is none in ISO form is missing."""
    column = table[name]
    if kinds.is_string(column.type) or kinds.is_large_string(column.type):
        return read_moments(column.to_pylist())
    if not (
        kinds.is_date(column.type) or kinds.is_timestamp(column.type) or kinds.is_null(column.type)
    ):
        raise ConfigurationError(
            f"{name!r} is configured as a date, but the table holds {column.type} there. Give it a "
            "rule of type date or timestamp in the ingestion rules."
        )
    moments: Moments = column.cast(pa.timestamp("us"), safe=False).to_numpy()
    return moments


def feature_columns(params: TabularFeatureParams) -> list[str]:
    """Every feature: the columns of the table that are features, then those made of them."""
    return [*params.raw_features, *params.made_numbers, *params.enrichment.categories()]


def passthrough_columns(params: TabularFeatureParams) -> list[str]:
    """The columns kept beside the features: sensitive ones and the time, if no features already."""
    time = [params.time] if params.time is not None else []
    wanted = dict.fromkeys([*params.sensitive, *time])
    return [name for name in wanted if name not in params.raw_features]


def require_configured_columns(columns: list[str], params: TabularFeatureParams) -> None:
    """Refuse a configuration that names columns which the table to learn from does not have.

    Raises:
        ConfigurationError: Names the first, and what it may have meant.
    """
    term = params.maturity.term_column if params.maturity is not None else None
    named = dict.fromkeys(
        [
            params.key,
            params.target.column,
            *params.inputs,
            *params.dates,
            *passthrough_columns(params),
            *([] if term is None else [term]),
            *params.excluded,
        ]
    )
    absent = [name for name in named if name not in columns]
    if absent:
        free = set(columns) - set(named)
        raise ConfigurationError(
            f"The features are configured on columns that the table does not have: "
            f"{', '.join(absent)}. {did_you_mean(absent[0], free or columns)} Correct the "
            "name in the use case's features, or give the column an ingestion rule."
        )


def case_features(table: pa.Table, params: TabularFeatureParams) -> pd.DataFrame:
    """One row per case to be scored, in the order of the table.

    Args:
        table: One row per case: the key, the needed columns, and any of the others.

    Returns:
        The key (PII), each feature (numbers as float64, categories as text, missing where it can't
        be known), and the columns beside: moments, numbers or text.

    Raises:
        ScoringDataError: The key or a needed column is absent.
    """
    absent = [name for name in [params.key, *params.needed] if name not in table.column_names]
    if absent:
        optional = [name for name in params.inputs if name not in params.needed]
        raise ScoringDataError(
            f"Cases to be scored need the column(s) {', '.join(absent)}, which are absent. "
            f"{did_you_mean(absent[0], table.column_names)} Only these may be left out, and are "
            f"imputed: {', '.join(optional) or 'none'}."
        )
    names = tuple(feature_columns(params))
    builder = TableFeatureBuilder.of(params, names)
    columns = {name: _read_column(table, name, params) for name in builder.inputs}
    frame = FeatureLayout(names, builder.rows).frame(builder(columns))
    frame.insert(0, params.key, table[params.key].to_pandas())
    for name in passthrough_columns(params):
        column = _read_column(table, name, params)
        frame[name] = pd.Series(column, dtype="str") if column.dtype == object else column
    return frame


def _read_column(table: pa.Table, name: str, params: TabularFeatureParams) -> Column:
    """A column as what the parameters call it, else as what it holds; missing if it is absent."""
    if name not in table.column_names:
        table = table.select([]).append_column(name, pa.nulls(table.num_rows))
    kind = table[name].type
    if name in params.numeric:
        return read_number_column(table, name)
    if name in params.dates:
        return read_moment_column(table, name)
    if name not in params.raw_features:
        if kinds.is_date(kind) or kinds.is_timestamp(kind):
            return read_moment_column(table, name)
        if kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind):
            return read_number_column(table, name)
    return read_word_column(table, name)


def model_input(table: pa.Table, params: TabularFeatureParams) -> pd.DataFrame:
    """One row per case that can be learned from, in the order of the table.

    Returns:
        As `case_features`, and the target: the name of the class. Rows without a label, with an
        unknown one or too young to be judged are left out; `count_rows_by_status` counts them.
    """
    require_configured_columns(table.column_names, params)
    # the status compares with the latest date of all rows, so it is computed before any is left out
    usable = table.filter(pa.array(assign_label_status(table, params) == USABLE))
    frame = case_features(usable, params)
    classes = pd.Series(assign_class(usable, params.target), dtype="str")
    frame.insert(1 + len(feature_columns(params)), params.target.column, classes)
    return frame


def assign_class(table: pa.Table, target: BinaryTarget) -> NDArray[np.object_]:
    """The name of the class of each row; None where there is no label, or an unknown one."""
    names = {label.word: label.name for label in (target.negative, target.positive)}
    words = read_word_column(table, target.column).tolist()
    known = {word: names.get(normalize_word(word)) for word in set(words) - {None}}
    return np.array([known.get(word) for word in words], dtype=object)


def assign_label_status(table: pa.Table, params: TabularFeatureParams) -> NDArray[np.str_]:
    """Whether each row can be learned from, or the first reason why not; one of `STATUSES`."""
    reasons = {
        UNLABELLED: pd.isna(read_word_column(table, params.target.column)),
        UNKNOWN_LABEL: pd.isna(assign_class(table, params.target)),
    }
    if params.maturity is not None:
        started, months = read_observation(table, params.maturity)
        passed = _count_months(started, find_label_date(started, params.maturity))
        reasons |= {UNDATED: np.isnan(passed - months), TOO_YOUNG: passed < months}
    return np.select(list(reasons.values()), list(reasons), default=USABLE)


def read_observation(table: pa.Table, maturity: Maturity) -> tuple[Moments, Floats]:
    """When the observation of each row started, and its length in months."""
    started = read_moment_column(table, maturity.date_column)
    if maturity.term_column is not None:
        return started, read_number_column(table, maturity.term_column)
    return started, np.full(len(started), float(maturity.months or 0))


def find_label_date(started: Moments, maturity: Maturity) -> np.datetime64:
    """The day on which labels count as taken: the configured one, else the latest."""
    if maturity.as_of is not None:
        return np.datetime64(maturity.as_of, "D")
    dated = started[~np.isnat(started)]
    return dated.max().astype("datetime64[D]") if len(dated) else np.datetime64("NaT", "D")


def _count_months(started: Moments, taken: np.datetime64) -> Floats:
    """Whole months from each moment to a day; NaN where one of them is missing.

    Begun on the 31st, a month has passed on the 1st after a shorter one.
    """
    day, month = started.astype("datetime64[D]"), started.astype("datetime64[M]")
    last_month = taken.astype("datetime64[M]")
    day_ahead = taken - last_month.astype("datetime64[D]") < day - month.astype("datetime64[D]")
    months = (last_month - month).astype(np.int64) - day_ahead
    return np.where(np.isnat(started) | np.isnat(taken), np.nan, months)
