"""How the rules of a table read its columns: text becomes typed, and rows without a key get one.

Text becomes typed by explicit rules, without guessing. Tables that bring no key get one: what a row
says, and which of its equals it is. A line number would do for one file, but not for a table that
is exported anew each week: the same loan has to keep its key when rows move, files are cut
otherwise, or columns change their order.
"""

import re
from collections.abc import Collection
from typing import Literal

import ibis
import ibis.expr.types as ir

from clientela.column_rules import ColumnRule, TableRules
from clientela.exceptions import ConfigurationError
from clientela.text import normalize_text, normalize_word

DIRECTIVES = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
    "%H": r"(?P<H>[0-9]{1,2})",
    "%M": r"(?P<M>[0-9]{2})",
    "%S": r"(?P<S>[0-9]{2}(?:\.[0-9]{1,9})?)",  # databases export fractions of seconds
}
DECIMAL_TYPE = "decimal(18, 2)"
DIGITS = 16
"""Hexadecimal digits of the content's digest; rows that collide still get numbers of their own."""
REPEATED = "duplicate_row"
_END_OF_CELL = "\x1f"


def normalize_missing_text(
    text: ir.StringValue, missing_words: Collection[str] = ()
) -> ir.StringValue:
    """Trimmed text; null where nothing is left, or a word that stands for nothing.

    Args:
        missing_words: Those words; compared without accents and case.

    Returns:
        Text that is null or says something.
    """
    trimmed = text.strip().nullif("")
    if not missing_words:
        return trimmed
    says_nothing = normalize_text(trimmed).isin([normalize_word(word) for word in missing_words])
    return says_nothing.ifelse(None, trimmed)


def convert_to_type(text: ir.StringValue, rule: ColumnRule, table: TableRules) -> ir.Value:
    """The text as its declared type; null where it can't be read as one.

    Args:
        table: The table's rules: separators and date formats.
    """
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

    Args:
        formats: The accepted formats, tried in order.

    Returns:
        ISO text; null where no format fits.
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


def date_pattern(date_format: str) -> str:
    """The regular expression of a date format, with a named group per directive.

    Raises:
        ConfigurationError: The format lacks a year, month or day, or has an unknown directive.
    """
    pieces = re.split(r"(%.)", date_format)
    unknown = [p for p in pieces if p.startswith("%") and p not in DIRECTIVES]
    lacking = [d for d in ("%Y", "%m", "%d") if pieces.count(d) != 1]
    if unknown or lacking:
        raise ConfigurationError(
            f"date_formats: {date_format!r} should hold %Y, %m and %d once each, and beside them "
            f"only %H, %M, %S. {'Unknown: ' + ', '.join(unknown) if unknown else ''}"
        )
    return "^" + "".join(DIRECTIVES.get(piece, re.escape(piece)) for piece in pieces) + "$"


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
