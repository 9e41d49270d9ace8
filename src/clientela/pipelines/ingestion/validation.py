"""The verdict over each raw row: accepted, or quarantined for one named reason.

Beside it stand the lines to paste, so that a table is read as it is written.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from clientela.column_rules import ROW_NUMBER, ColumnRule, ColumnType, TableRules
from clientela.exceptions import InvalidColumnsError, did_you_mean
from clientela.pipelines.ingestion.conversion import (
    add_generated_key,
    compute_content_digest,
    convert_to_type,
    normalize_missing_text,
)
from clientela.text import normalize_text, normalize_word

LINEAGE = ("_file", "_line", "_raw", "_problem")
VERDICT = ("_reason", "_value", "_emptied")
PLACE = "conf/local/parameters.yml"
NUMBERS: tuple[ColumnType, ...] = ("integer", "decimal", "float")
DATES: tuple[ColumnType, ...] = ("date", "timestamp")
# what most exports of Latin America hold, where the file does not hold what the rules declare
OTHER_DATES = ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y"]


def validate_rows(
    raw: ir.Table, rules: TableRules, name: str, known: Mapping[str, ir.Column] | None = None
) -> ir.Table:
    """One row per raw row, typed, with the reason it is refused for.

    Args:
        raw: Text columns and the reader's `_file`, `_line`, `_raw`, `_problem`.
        known: Reference column to the values that exist.

    Returns:
        The made key where the table has none, the typed columns (optional ones always stand),
        columns without a rule as text, `_reason` (null: accepted), `_value` (the offending value,
        where one column is to blame), `_emptied` (the first value, in the order of the rules, that
        was set missing), `_file`, `_line`, and `_raw` (null for accepted rows).

    Raises:
        InvalidColumnsError: The header lacks required columns.
    """
    require_columns(raw.columns, rules, name)
    columns = rules.columns
    text = raw.mutate(**{column: _get_column_text(raw, column, rules) for column in columns})
    values = {column: _parse_value(text[column], rule, rules) for column, rule in columns.items()}
    flags = {
        f"{column}_invalid": text[column].notnull() & values[column].isnull()
        for column in rules.flagged
    }
    nothing = ibis.null("string")
    emptied = [flags[f"{column}_invalid"].ifelse(text[column], None) for column in rules.flagged]
    faults = _find_faults(text, values, rules, known or {})
    # the first fault decides, and what the reader could not split comes before all of them
    verdict = {
        "_reason": ibis.cases(*((when, reason) for when, reason, _ in faults), else_=nothing),
        "_value": ibis.cases(*((when, value) for when, _, value in faults), else_=nothing),
        "_emptied": ibis.coalesce(nothing, *emptied),
    }
    made = {}
    if rules.made_key is not None:
        lineage = (*LINEAGE, ROW_NUMBER)
        made[rules.made_key] = compute_content_digest(raw, lineage, rules.missing_words)
    folded = {
        rule.folded_as: normalize_text(text[column])
        for column, rule in columns.items()
        if rule.folded_as is not None
    }
    ruled = {*columns, *LINEAGE}
    extras = {column: text[column] for column in raw.columns if column not in ruled}
    place = {column: text[column] for column in ("_file", "_line", "_raw")}
    judged = text.select(**made, **values, **flags, **folded, **extras, **verdict, **place)
    keyed = (
        _refuse_duplicate_keys(judged, rules.key)
        if rules.made_key is None
        else add_generated_key(judged, rules.made_key, rules.duplicates)
    )
    accepted = keyed["_reason"].isnull()
    return keyed.mutate(
        _raw=accepted.ifelse(None, keyed["_raw"]), _value=accepted.ifelse(None, keyed["_value"])
    )


def _get_column_text(raw: ir.Table, column: str, rules: TableRules) -> ir.StringValue:
    """The column's trimmed text; an optional column that the files lack is missing in each row."""
    if column not in raw.columns:
        return ibis.null("string")
    return normalize_missing_text(raw[column], rules.missing_words)


def require_columns(header: tuple[str, ...], rules: TableRules, name: str) -> None:
    """Checks that the header holds what the rules require.

    Raises:
        InvalidColumnsError: Names each missing column and the nearest one found, or columns whose
            names ingestion needs for its own.
    """
    own = [column for column in header if column not in LINEAGE]
    folded = {rule.folded_as for rule in rules.columns.values()}
    flags = {f"{column}_invalid" for column in rules.flagged}
    made = sorted(set(own) & {*folded, *flags, rules.made_key, *VERDICT})
    if made:
        raise InvalidColumnsError(
            f"The table {name!r} has the column{'s' if len(made) > 1 else ''} {', '.join(made)}, "
            "which ingestion makes itself. Rename them in the file's header, or change folded_as, "
            f"invalid or made_key in the rules of {name!r}."
        )
    missing = [c for c, rule in rules.columns.items() if rule.required and c not in own]
    if missing:
        hints = " ".join(f"{column!r}: {did_you_mean(column, own)}" for column in missing)
        raise InvalidColumnsError(
            f"The table {name!r} lacks the column{'s' if len(missing) > 1 else ''} "
            f"{', '.join(missing)}. Found: {', '.join(own)}. {hints} Rename the column in the "
            "file's header, or declare the delimiter (raw_text in globals.yml) if the columns ran "
            "together."
        )


def _parse_value(text: ir.StringValue, rule: ColumnRule, rules: TableRules) -> ir.Value:
    """The typed value; null where it is missing, unreadable or outside its bounds."""
    value = convert_to_type(text, rule, rules)
    day = value.date() if rule.type == "timestamp" else value
    tests: list[ir.BooleanValue] = []
    if rule.minimum is not None:
        tests.append(value >= _convert_bound(rule.minimum, rule))
    if rule.maximum is not None:
        tests.append(value <= _convert_bound(rule.maximum, rule))
    if rule.earliest is not None:
        tests.append(day >= ibis.date(rule.earliest.isoformat()))
    if rule.latest is not None:
        tests.append(day <= ibis.date(rule.latest.isoformat()))
    if rule.allowed is not None:
        tests.append(normalize_text(text).isin([normalize_word(word) for word in rule.allowed]))
    return ibis.and_(*tests).ifelse(value, None) if tests else value


def _convert_bound(bound: Decimal, rule: ColumnRule) -> ir.Value:
    return ibis.literal(bound if rule.type == "decimal" else float(bound))


def _find_faults(
    text: ir.Table,
    values: Mapping[str, ir.Value],
    rules: TableRules,
    known: Mapping[str, ir.Column],
) -> list[tuple[ir.BooleanValue, ir.StringValue, ir.StringValue]]:
    """What can be wrong with a row, in order: when, why, and the value to blame."""
    nothing = ibis.null("string")
    faults = [(text["_problem"].notnull(), text["_problem"], nothing)]
    for column, rule in rules.columns.items():
        if rule.missing == "quarantine":
            faults.append((text[column].isnull(), ibis.literal(f"missing_{column}"), nothing))
        refusable = rule.type not in ("id", "text", "category") or rule.allowed is not None
        if rule.invalid == "quarantine" and refusable:
            invalid = text[column].notnull() & values[column].isnull()
            faults.append((invalid, ibis.literal(f"invalid_{column}"), text[column]))
    if rules.unknown_references == "quarantine":
        for column, existing in known.items():
            unknown = ~text[column].isin(existing)
            faults.append((unknown, ibis.literal(f"unknown_{column}"), nothing))
    return faults


def _refuse_duplicate_keys(judged: ir.Table, key: tuple[str, ...]) -> ir.Table:
    """Of accepted rows with the same key the first by content stays, however files are laid out."""
    accepted = judged["_reason"].isnull()
    content = sorted(set(judged.columns) - {*key, *LINEAGE, *VERDICT})
    place = ibis.row_number().over(
        ibis.window(
            group_by=[*key, accepted],
            order_by=[judged[column] for column in [*content, "_file", "_line"]],
        )
    )
    return judged.mutate(
        _reason=(accepted & (place > 0)).ifelse("duplicate_key", judged["_reason"])
    )


def format_settings_line(use_case: str, table: str, settings: Mapping[str, object]) -> str:
    """Settings of a table as one line of YAML, complete from its first key.

    Args:
        settings: What to set; keys without blanks, values that JSON can write.

    Returns:
        For example `retail: {ingestion: {tables: {transactions: {decimal: ","}}}}`.
    """
    inner = _format_yaml_flow(settings)
    return f"{use_case}: {{ingestion: {{tables: {{{table}: {inner}}}}}}}"


def _format_yaml_flow(value: object) -> str:
    if isinstance(value, Mapping):
        parts = (f"{key}: {_format_yaml_flow(part)}" for key, part in value.items())
        return f"{{{', '.join(parts)}}}"
    return json.dumps(value, ensure_ascii=False)


def build_format_hint(use_case: str, table: str, rules: TableRules, columns: Iterable[str]) -> str:
    """How to declare the form of values that can't be read.

    Returns:
        A sentence with a line to paste; empty where no column holds numbers or dates.
    """
    types = {rules.columns[column].type for column in columns}
    settings: dict[str, object] = {}
    if types.intersection(NUMBERS):
        decimal, thousands = (",", ".") if rules.decimal == "." else (".", ",")
        settings |= {"decimal": decimal, "thousands": thousands}
    if types.intersection(DATES):
        settings["date_formats"] = OTHER_DATES
    if not settings:
        return ""
    return (
        f"If they are only written in another form, declare it for the whole table in {PLACE}, for "
        f"example: {format_settings_line(use_case, table, settings)}. "
    )
