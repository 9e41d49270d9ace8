"""What a case brings, by the rules of its table and the rows that the model learned from.

And a made-up case of typical values: nobody's, and what every deployment is tested with.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.column_rules import CellFormat, ColumnRule, IntakeRules
from clientela.features.columns import InputField
from clientela.features.table_settings import TabularFeatureParams
from clientela.registry.manifest import JsonValue
from clientela.text import format_feature_name

# Most words of one field that a manifest lists; a column with more is text that people wrote.
WORDS_LISTED: Final = 100

# Of a column that ingestion passes through.
NO_RULE: Final = ColumnRule(type="text")

# Significant digits of a typical number: enough to be typical, too few to be somebody's.
DIGITS: Final = 3

KEY: Final = "ejemplo"

# Kind of a field to the type of its column in a table of one case.
TYPES: Final[Mapping[str, pa.DataType]] = {
    "number": pa.float64(),
    "integer": pa.float64(),
    "word": pa.string(),
    "moment": pa.timestamp("us"),
}

HOUR_TYPES: Final = {
    "column": "string",
    "hour": "int64",
    "rows": "int64",
    "latest": "timestamp(6)",
}


def build_table_fields(
    params: TabularFeatureParams,
    rules: IntakeRules,
    train: pd.DataFrame,
    labels: Mapping[str, str],
) -> list[InputField]:
    """One field per column of the table that features are made of.

    What ingestion refuses is refused online too, and what it empties is missing there as well;
    what can be but is not believed is left to cleaning, as in training.
    """
    columns = {
        name: rule for table in rules.tables.values() for name, rule in table.columns.items()
    }
    needed = set(params.needed)
    fields = []
    for name in params.inputs:
        rule = columns.get(name, NO_RULE)
        fields.append(
            InputField(
                name=name,
                type=rule.type,
                ruled=name in columns,
                required=name in needed,
                nullable=rule.missing == "allow",
                invalid=rule.invalid,
                allowed=rule.allowed,
                minimum=None if rule.minimum is None else float(rule.minimum),
                maximum=None if rule.maximum is None else float(rule.maximum),
                earliest=rule.earliest,
                latest=rule.latest,
                description=format_feature_name(name, labels),
                **_describe_column(name, params, rule, train),
            )
        )
    return fields


def _describe_column(
    name: str, params: TabularFeatureParams, rule: ColumnRule, train: pd.DataFrame
) -> dict[str, Any]:
    """Kind of one column, and what was learned of it."""
    if name in params.numeric:
        kind = "integer" if rule.type == "integer" else "number"
        return {"kind": kind, **_compute_training_range(train[name])}
    if name in params.dates:
        return {"kind": "moment"}
    words = sorted({str(word) for word in train[name].dropna()})
    has_rule = name in (*params.categorical, *params.ordinal)
    return {
        "kind": "word",
        "words": tuple(words) if len(words) <= WORDS_LISTED else (),
        "missing": params.get_word_rule(name).missing if has_rule else None,
    }


def build_number_fields(
    names: Iterable[str],
    rows: pd.DataFrame,
    labels: Mapping[str, str],
    others: Iterable[str] = (),
) -> list[InputField]:
    """One number per feature, for a model whose fields are its features.

    Args:
        others: Features that only other models of the use case read; optional.

    Returns:
        Fields in that order; `integer` where the stored column holds whole numbers by its type.
    """
    required = list(names)
    fields = []
    for name in (*required, *others):
        is_whole = pd.api.types.is_integer_dtype(rows[name])
        is_read = name in required
        fields.append(
            InputField(
                name=name,
                kind="integer" if is_whole else "number",
                description=format_feature_name(name, labels),
                required=is_read,
                read=is_read,
                **(_compute_training_range(rows[name]) if is_read else {}),
            )
        )
    return fields


def select_model_fields(
    fields: Iterable[InputField], features: Iterable[str], sources: Mapping[str, Iterable[str]]
) -> list[InputField]:
    """The fields of a use case as one of its models reads them.

    Returns:
        All of them; of those that no feature is made of, nothing was learned.
    """
    read = {column for name in features for column in sources[name]}
    unread = {"read": False, "seen_minimum": None, "seen_maximum": None, "words": ()}
    return [field if field.name in read else field.model_copy(update=unread) for field in fields]


def _compute_training_range(column: "pd.Series[Any]") -> dict[str, Any]:
    values = column.dropna().to_numpy(dtype=np.float64)
    if not len(values):
        return {}
    return {"seen_minimum": float(values.min()), "seen_maximum": float(values.max())}


def count_date_hours(table: ir.Table, params: TabularFeatureParams) -> ir.Table:
    """One row per date column that features are made of, and hour of the day.

    Returns:
        `column`, `hour`, `rows`, `latest` (the latest moment in that hour).
    """
    counts = []
    for name in params.dates_of_features:
        column = table[name]
        read = column.strip().try_cast("timestamp") if column.type().is_string() else column
        moment = read.cast("timestamp(6)")
        dated = table.select(moment=moment).filter(ibis._["moment"].notnull())
        counts.append(
            dated.group_by(hour=dated["moment"].hour().cast("int64"))
            .aggregate(rows=dated.count(), latest=dated["moment"].max())
            .select("hour", "rows", "latest", column=ibis.literal(name))
            .select(*HOUR_TYPES)
        )
    if not counts:
        return ibis.memtable([], schema=HOUR_TYPES)
    return counts[0] if len(counts) == 1 else ibis.union(*counts)


def build_typical_case(
    fields: Iterable[InputField],
    train: pd.DataFrame,
    hours: pd.DataFrame,
    params: TabularFeatureParams,
) -> dict[str, JsonValue]:
    """Medians, commonest words, and the latest day at its commonest hour.

    Args:
        params: Columns and rules: an earlier date lies the median distance before the later one.

    Returns:
        Field to value, as JSON carries it; None where the training part holds none.
    """
    case: dict[str, JsonValue] = {}
    for field in fields:
        if field.kind == "moment":
            case[field.name] = _find_typical_moment(hours[hours["column"] == field.name])
        elif field.kind == "word":
            counts = train[field.name].dropna().astype("str").value_counts()
            # of equally common ones the first by name
            commonest = counts.index[counts == counts.max()]
            case[field.name] = None if counts.empty else str(min(commonest))
        else:
            case[field.name] = _compute_typical_number(field, train[field.name])
    dates = params.enrichment.dates
    earlier: dict[str, JsonValue] = {}
    for name, (first, later) in (dates.days if dates.enabled else {}).items():
        days, end = train[name].median(), case.get(later)
        if first not in earlier and end is not None and not pd.isna(days):
            moment = datetime.fromisoformat(str(end)) - timedelta(days=round(float(days)))
            earlier[first] = moment.isoformat()
    return case | earlier


def compute_typical_numbers(
    fields: Iterable[InputField], rows: pd.DataFrame
) -> dict[str, JsonValue]:
    """Medians, for a model whose fields are its features."""
    return {field.name: _compute_typical_number(field, rows[field.name]) for field in fields}


def make_case_table(
    case: Mapping[str, JsonValue], fields: Iterable[InputField], key: str
) -> pa.Table:
    """A case as the table of one row that features are made of."""
    kinds = {field.name: field.kind for field in fields}
    row: dict[str, Any] = dict(case)
    for name, value in case.items():
        if value is not None and kinds[name] == "moment":
            row[name] = datetime.fromisoformat(str(value))
        elif value is not None:
            row[name] = str(value) if kinds[name] == "word" else float(value)
    types = {key: pa.string()} | {name: TYPES[kinds[name]] for name in case}
    return pa.Table.from_pylist([{key: KEY, **row}], schema=pa.schema(types))


def format_example(
    case: Mapping[str, JsonValue], fields: Iterable[InputField], form: CellFormat
) -> dict[str, JsonValue]:
    """The case with its moments written as the raw table writes them."""
    moments = {field.name for field in fields if field.kind == "moment"}
    return {
        name: _format_moment(str(value), form) if name in moments and value is not None else value
        for name, value in case.items()
    }


def _format_moment(text: str, form: CellFormat) -> str:
    moment = datetime.fromisoformat(text)
    written = [moment.strftime(each) for each in form.date_formats]
    # a format of days alone says nothing of the hour: the first that says all is taken
    whole = (
        each
        for each, date_format in zip(written, form.date_formats, strict=True)
        if datetime.strptime(each, date_format) == moment  # noqa: DTZ007 - cases are local
    )
    return next(whole, written[0])


def _compute_typical_number(field: InputField, column: "pd.Series[Any]") -> float | int | None:
    values = column.dropna().to_numpy(dtype=np.float64)
    if not len(values):
        return None
    median = float(np.median(values))
    # counts are stored as floats too: half a purchase is nobody's
    whole = bool((values == np.round(values)).all())
    typical = round(median) if whole else float(f"{median:.{DIGITS}g}")
    if field.type == "decimal":
        typical = round(typical, 2)
    within = float(np.clip(typical, values.min(), values.max()))
    return int(within) if field.kind == "integer" else within


def _find_typical_moment(hours: pd.DataFrame) -> str | None:
    if hours.empty:
        return None
    commonest = int(hours.sort_values(["rows", "hour"], ascending=[False, True])["hour"].iloc[0])
    day = pd.Timestamp(hours["latest"].max()).normalize()
    return (day + pd.Timedelta(hours=commonest)).isoformat()
