"""From text to typed columns, and the verdict over each raw row."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.column_rules import ROW_NUMBER, ColumnRule, TableRules, date_pattern
from clientela.exceptions import InvalidColumnsError, did_you_mean
from clientela.text import normalize_text, normalize_word

# How the rules of a table read its columns: text becomes typed, and rows without a key get one.
#
# Text becomes typed by explicit rules, without guessing. Tables that bring no key get one: what a
# row says, and which of its equals it is. A line number would do for one file, but not for a table
# that is exported anew each week: the same loan has to keep its key when rows move, files are cut
# otherwise, or columns change their order.


DECIMAL_TYPE = "decimal(18, 2)"
# Hexadecimal digits of the content's digest; rows that collide still get numbers of their own.
DIGITS = 16
REPEATED = "duplicate_row"
_END_OF_CELL = "\x1f"


def normalize_missing_text(
    text: ir.StringValue, missing_words: Collection[str] = ()
) -> ir.StringValue:
    """Trimmed text; null where nothing is left, or a word that stands for nothing."""
    trimmed = text.strip().nullif("")
    if not missing_words:
        return trimmed
    says_nothing = normalize_text(trimmed).isin([normalize_word(word) for word in missing_words])
    return says_nothing.ifelse(None, trimmed)


def convert_to_type(text: ir.StringValue, rule: ColumnRule, table: TableRules) -> ir.Value:
    """The text as its declared type; null where it can't be read as one."""
    match rule.type:
        case "id" | "text" | "category":
            return text
        case "integer":
            number = normalize_number_text(text, table)
            whole = number.re_search(r"^[+-]?[0-9]+(\.0+)?$")
            return whole.ifelse(number.split(".")[0], None).try_cast("int64")
        case "decimal":
            number = normalize_number_text(text, table)
            exact = number.re_search(r"^[+-]?[0-9]+(\.[0-9]{1,2}0*)?$")
            return exact.ifelse(number, None).try_cast(DECIMAL_TYPE)
        case "float":
            number = normalize_number_text(text, table)
            pattern = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
            value = number.re_search(pattern).ifelse(number, None).try_cast("float64")
            return value.isinf().ifelse(None, value)
        case "date":
            return normalize_timestamp_text(text, table.date_formats).try_cast("timestamp").date()
        case "timestamp":
            return normalize_timestamp_text(text, table.date_formats).try_cast("timestamp")


def normalize_number_text(text: ir.StringValue, table: TableRules) -> ir.StringValue:
    """A number as written in the declared locale, rewritten with a decimal point alone.

    Thousands separators are taken only where they group by three, so that `1.234` under a comma
    locale is one thousand and `1.23` is refused instead of becoming 123.

    Returns:
        Text of a number; null where the grouping is wrong.
    """
    number = text
    if table.thousands:
        mark, point = re.escape(table.thousands), re.escape(table.decimal)
        grouped = text.re_search(rf"^[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})*({point}[0-9]*)?$")
        ungrouped = text.re_search(rf"^[+-]?[0-9]*({point}[0-9]*)?$")
        number = ibis.cases(
            (ungrouped, text), (grouped, text.replace(table.thousands, "")), else_=None
        )
    if table.decimal == ",":
        # a point is no separator of this locale unless it is the thousands mark, gone by now
        number = number.contains(".").ifelse(None, number).replace(",", ".")
    return number


def normalize_timestamp_text(text: ir.StringValue, formats: tuple[str, ...]) -> ir.StringValue:
    """A date in one of the accepted formats, rewritten as `YYYY-MM-DD hh:mm:ss`.

    Rewriting instead of parsing keeps the cast the same on every engine, which then refuses
    30 February.
    """
    return ibis.coalesce(*(_convert_date_to_iso(text, date_format) for date_format in formats))


def _convert_date_to_iso(text: ir.StringValue, date_format: str) -> ir.StringValue:
    pattern = date_pattern(date_format)
    groups = re.compile(pattern).groupindex
    plain = re.sub(r"\?P<[A-Za-z]>", "", pattern)

    def part(name: str, width: int) -> ir.StringValue:
        if name not in groups:
            return ibis.literal("0" * width)
        found = text.re_extract(plain, groups[name])
        return found if name == "S" else found.lpad(width, "0")

    day = part("Y", 4) + "-" + part("m", 2) + "-" + part("d", 2)
    moment = day + " " + part("H", 2) + ":" + part("M", 2) + ":" + part("S", 2)
    return text.re_search(plain).ifelse(moment, None)


# A date is isolated where no more than one row in so many lies beyond a gap that is longer than a
# year (shops close for a season), than a few times the longest gap among the other rows, and than a
# part of their whole period (the oldest people are few). Fewer rows than these tell nothing.
FEW, FEWEST_ROWS = 100, 20
LONGEST_SEASON, GAPS, PERIODS = 366, 5, 4
DAYS = {"column": "string", "day": "date", "rows": "int64"}


def count_days(raw: ir.Table, rules: TableRules) -> ir.Table:
    """How many rows each day of each column of dates has: `column`, `day`, `rows`."""
    formats = [re.split("[ T]", date_format)[0] for date_format in rules.date_formats]
    begin_with_day = all(part in head for head in formats for part in ("%Y", "%m", "%d"))
    if begin_with_day:  # so that a text is read once for each day, and not for each second
        rules = rules.model_copy(update={"date_formats": tuple(dict.fromkeys(formats))})
    counts = []
    for column, rule in rules.columns.items():
        if not rule.is_date:
            continue
        text = _get_column_text(raw, column, rules)
        words = (text.re_extract("^[^ T]+", 0) if begin_with_day else text).name("word")
        written = words.as_table().group_by("word").agg(rows=lambda t: t.count())
        days = written.mutate(day=parse_value(written["word"], rule, rules).cast("date"))
        known = days.filter(days["day"].notnull()).group_by("day").agg(rows=days["rows"].sum())
        counts.append(known.select(ibis.literal(column).name("column"), "day", "rows"))
    if not counts:
        return ibis.memtable([], schema=DAYS)
    return (ibis.union(*counts) if len(counts) > 1 else counts[0]).order_by("column", "day")


def find_usual_period(days: pd.DataFrame, column: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """The first and last day of a column's rows without isolated ones; None where it has none.

    Args:
        days: See `count_days`.
    """
    own = days[days["column"] == column].sort_values("day")
    day, rows = pd.to_datetime(own["day"]).reset_index(drop=True), own["rows"].to_numpy()
    before, total = rows.cumsum() - rows, int(rows.sum())
    few = max(total // FEW, 1)
    middle = (before + rows > few) & (before < total - few)
    if total < FEWEST_ROWS or not middle.any():
        return None
    gaps = day.diff().dt.days.fillna(0).to_numpy()
    first, last = middle.nonzero()[0][[0, -1]]
    longest = gaps[first + 1 : last + 1].max(initial=0)
    period = (day[last] - day[first]).days
    far = gaps > max(LONGEST_SEASON, GAPS * longest, period // PERIODS)
    begins = (far & (before <= few)).nonzero()[0]
    ends = (far & (before >= total - few)).nonzero()[0]
    if not far.any():
        return None
    return day[begins[-1] if len(begins) else 0], day[ends[0] - 1 if len(ends) else len(day) - 1]


def is_isolated(
    values: ir.Value, usual: tuple[pd.Timestamp, pd.Timestamp] | None
) -> ir.BooleanValue:
    """Whether a date lies far before or after all others of its column."""
    if usual is None:
        return ibis.literal(value=False)
    day = values.cast("date")
    return ~day.between(usual[0].date(), usual[1].date())


def compute_content_digest(
    raw: ir.Table, lineage: Collection[str], missing_words: Collection[str] = ()
) -> ir.StringValue:
    """A short digest of all that a raw row says.

    Args:
        lineage: Columns that tell where the row stood, which is not what it says.

    Returns:
        Hexadecimal digits, equal for rows with equal cells under equal names; missing cells count
        like absent columns.
    """
    cells = [
        (f"{name}=" + normalize_missing_text(raw[name], missing_words) + _END_OF_CELL).fill_null("")
        for name in sorted(set(raw.columns) - set(lineage))
    ]
    return ibis.literal("").join(cells).hexdigest("md5").left(DIGITS)


def add_generated_key(
    judged: ir.Table, key: str, duplicates: Literal["keep", "quarantine"]
) -> ir.Table:
    """The rows with a unique key: the digest, and a number among those that share it.

    Args:
        judged: Rows with their verdict, `_file`, `_line`, and the digest in the key's column.
        duplicates: Whether further rows of equal content are kept, or refused.

    Returns:
        The same rows; `<digest>-1` for the first, `<digest>-2` for its next equal.
    """
    accepted = judged["_reason"].isnull()
    # numbers follow the place in the files, but equal rows are interchangeable: the keys of a
    # table are the same set in any order
    place = ibis.row_number().over(
        ibis.window(group_by=[key, accepted], order_by=[judged["_file"], judged["_line"]])
    )
    made: dict[str, ir.Value] = {key: judged[key] + "-" + (place + 1).cast("string")}
    if duplicates == "quarantine":
        made["_reason"] = (accepted & (place > 0)).ifelse(REPEATED, judged["_reason"])
    return judged.mutate(**made)


def is_duplicate_row(table: ir.Table, key: str) -> ir.BooleanValue:
    """Whether a row with a made key says again what another one says."""
    return ~table[key].endswith("-1")


# The verdict over each raw row: accepted, or quarantined for one named reason.


LINEAGE = ("_file", "_line", "_raw", "_problem")
VERDICT = ("_reason", "_value", "_emptied")


def validate_rows(
    raw: ir.Table,
    rules: TableRules,
    name: str,
    known: Mapping[str, ir.Column] | None = None,
    days: pd.DataFrame | None = None,
) -> ir.Table:
    """One row per raw row, typed, with the reason it is refused for.

    Args:
        known: Reference column to the values that it may have.
        days: See `count_days`; None refuses no date for lying far from all others.

    Returns:
        The made key where the table has none, the typed columns (optional ones always stand),
        columns without a rule as text, `_reason` (null: accepted), `_value` (the offending value,
        where one column is to blame), `_emptied` (the first value, in the order of the rules, that
        was set missing), `_file`, `_line`, and `_raw` (null for accepted rows).
    """
    require_columns(raw.columns, rules, name)
    columns = rules.columns
    text = raw.mutate(**{column: _get_column_text(raw, column, rules) for column in columns})
    values = {column: parse_value(text[column], rule, rules) for column, rule in columns.items()}
    flags = {
        f"{column}_invalid": text[column].notnull() & values[column].isnull()
        for column in rules.flagged
    }
    nothing = ibis.null("string")
    emptied = [flags[f"{column}_invalid"].ifelse(text[column], None) for column in rules.flagged]
    faults = _find_faults(text, values, rules, known or {}, days)
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


def parse_value(text: ir.StringValue, rule: ColumnRule, rules: TableRules) -> ir.Value:
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
    days: pd.DataFrame | None,
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
        if rule.refuses_isolated and days is not None:
            isolated = is_isolated(values[column], find_usual_period(days, column))
            faults.append((isolated, ibis.literal(f"isolated_{column}"), text[column]))
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
