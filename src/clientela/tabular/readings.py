"""How a column is read as a number, a word or a moment: the same for every type it may come in.

Training reads ingested tables, inference reads requests; a category that is an integer here and a
decimal or a float there has to become the same word.
"""

import ibis
import ibis.expr.types as ir

from clientela.exceptions import ConfigurationError


def as_number(table: ir.Table, column: str) -> ir.FloatingValue:
    """A column as float64; what is no finite number is missing.

    Args:
        table: Any table.
        column: A column of numbers or booleans, or one without any value.

    Returns:
        The column.

    Raises:
        ConfigurationError: It holds text or dates.
    """
    kind = table[column].type()
    if not (kind.is_numeric() or kind.is_boolean() or kind.is_null()):
        raise ConfigurationError(
            f"{column!r} is configured as a number, but the table holds {kind} there. Give it a "
            "rule of type integer, decimal or float in the ingestion rules, or list it under "
            "categorical."
        )
    number = table[column].cast("float64")
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def as_word(table: ir.Table, column: str) -> ir.StringValue:
    """A column as trimmed text; whole numbers without a decimal point, nothing left as missing.

    Args:
        table: Any table.
        column: Any column.

    Returns:
        The column as text, null where it is missing.
    """
    kind = table[column].type()
    if kind.is_floating() or kind.is_decimal():
        number = as_number(table, column)
        whole = number.try_cast("int64")
        is_whole = whole.cast("float64") == number
        return is_whole.ifelse(whole.cast("string"), number.cast("string"))
    return table[column].cast("string").strip().nullif("")


def as_moment(table: ir.Table, column: str) -> ir.TimestampValue:
    """A column as a moment; text that is none in ISO form is missing.

    Args:
        table: Any table.
        column: A column of dates or moments, or of text.

    Returns:
        The column as timestamp.

    Raises:
        ConfigurationError: It holds numbers.
    """
    kind = table[column].type()
    if kind.is_numeric() or kind.is_boolean() or kind.is_time():
        raise ConfigurationError(
            f"{column!r} is configured as a date, but the table holds {kind} there. Give it a rule "
            "of type date or timestamp in the ingestion rules."
        )
    if kind.is_string():
        return table[column].strip().try_cast("timestamp")
    return table[column].cast("timestamp")
