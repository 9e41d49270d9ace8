"""Text columns to typed columns: explicit rules, no guessing, the same on every engine."""

import re
from collections.abc import Collection

import ibis
import ibis.expr.types as ir

from clientela.exceptions import ConfigurationError
from clientela.folding import folded, folded_word
from clientela.intake.rules import ColumnRule, TableRules

DIRECTIVES = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
    "%H": r"(?P<H>[0-9]{1,2})",
    "%M": r"(?P<M>[0-9]{2})",
    "%S": r"(?P<S>[0-9]{2}(?:\.[0-9]{1,9})?)",  # databases export fractions of seconds
}
DECIMAL_TYPE = "decimal(18, 2)"


def present(text: ir.StringValue, missing_words: Collection[str] = ()) -> ir.StringValue:
    """Trimmed text; null where nothing is left, or a word that stands for nothing.

    Args:
        text: Any text.
        missing_words: Those words; compared without accents and case.

    Returns:
        Text that is null or says something.
    """
    trimmed = text.strip().nullif("")
    if not missing_words:
        return trimmed
    says_nothing = folded(trimmed).isin([folded_word(word) for word in missing_words])
    return says_nothing.ifelse(None, trimmed)


def typed(text: ir.StringValue, rule: ColumnRule, table: TableRules) -> ir.Value:
    """The text as its declared type; null where it can't be read as one.

    Args:
        text: Trimmed text, null where missing.
        rule: The column's rule.
        table: The table's rules: separators and date formats.

    Returns:
        A column of the rule's type.
    """
    match rule.type:
        case "id" | "text" | "category":
            return text
        case "integer":
            number = plain_number(text, table)
            whole = number.re_search(r"^[+-]?[0-9]+(\.0+)?$")
            return whole.ifelse(number.split(".")[0], None).try_cast("int64")
        case "decimal":
            number = plain_number(text, table)
            exact = number.re_search(r"^[+-]?[0-9]+(\.[0-9]{1,2}0*)?$")
            return exact.ifelse(number, None).try_cast(DECIMAL_TYPE)
        case "float":
            number = plain_number(text, table)
            pattern = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
            value = number.re_search(pattern).ifelse(number, None).try_cast("float64")
            return value.isinf().ifelse(None, value)
        case "date":
            return iso_timestamp(text, table.date_formats).try_cast("timestamp").date()
        case "timestamp":
            return iso_timestamp(text, table.date_formats).try_cast("timestamp")


def plain_number(text: ir.StringValue, table: TableRules) -> ir.StringValue:
    """A number as written in the declared locale, rewritten with a decimal point alone.

    Thousands separators are taken only where they group by three, so that `1.234` under a comma
    locale is one thousand and `1.23` is refused instead of becoming 123.

    Args:
        text: Trimmed text.
        table: Its separators.

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


def iso_timestamp(text: ir.StringValue, formats: tuple[str, ...]) -> ir.StringValue:
    """A date in one of the accepted formats, rewritten as `YYYY-MM-DD hh:mm:ss`.

    Rewriting instead of parsing keeps the cast the same on every engine, which then refuses
    30 February.

    Args:
        text: Trimmed text.
        formats: The accepted formats, tried in order.

    Returns:
        ISO text; null where no format fits.
    """
    attempts = [_rewritten(text, directive) for directive in formats]
    return ibis.coalesce(*attempts)


def _rewritten(text: ir.StringValue, date_format: str) -> ir.StringValue:
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

    Args:
        date_format: For example `%d/%m/%Y`.

    Returns:
        An anchored pattern.

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
