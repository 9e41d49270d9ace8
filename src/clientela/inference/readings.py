"""How one value of a request is read as a word or a moment.

The same as `clientela.tabular.readings` reads a cell of a table, so that a category that is an
integer there and a text or a float here is the same word.
"""

import re
from datetime import date, datetime
from string import whitespace
from typing import Final

LARGEST_WHOLE: Final = 2.0**63
"""From here on engines hold no whole number, and write one as they write other numbers."""

DATE: Final = len("2024-01-31")
SECOND: Final = len("2024-01-31T12:00:00")

MOMENT: Final = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:[ T](\d{1,2}):(\d{1,2})"
    r"(?::(\d{1,2})(?:\.(\d*))?(?:Z| UTC|[+-]\d{2}(?::?\d{2})?)?)?)?",
    re.ASCII,
)
"""Date, then maybe a local time; an offset is read and left out, as engines do."""


def word_of(value: object) -> str | None:
    """A value as trimmed text; whole numbers without a decimal point, nothing left as missing.

    Args:
        value: Text, number, boolean, or None.

    Returns:
        The word; None where there is none.
    """
    if isinstance(value, str):
        return value.strip(whitespace) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number_as_word(value)
    return None if value is None else str(value)


def _number_as_word(number: float) -> str | None:
    if number - number != 0:  # neither nan nor infinity is a number
        return None
    if number.is_integer() and -LARGEST_WHOLE <= number < LARGEST_WHOLE:
        return str(int(number))
    return repr(number)


def moment_of(value: object) -> str | None:
    """A value as a local moment; text that is none in ISO form is missing.

    Args:
        value: Text, moment, date, or None.

    Returns:
        The moment in ISO form without an offset, which NumPy reads far faster than `datetime`; None
        where there is none.
    """
    if isinstance(value, str):
        return _written_moment(value.strip(whitespace))
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat()
    return value.isoformat() if isinstance(value, date) else None


def _written_moment(text: str) -> str | None:
    if _is_usual(text):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            pass  # it may still be one in a laxer form
        else:
            return text
    found = MOMENT.fullmatch(text)
    if found is None:
        return None
    year, _, month, day, hour, minute, second, fraction = found.groups(default="0")
    parts = map(int, (year, month, day, hour, minute, second, f"{fraction:<06.6}"))
    try:
        moment = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - cases are local
    except ValueError:
        return None
    return moment.isoformat()


def _is_usual(text: str) -> bool:
    """Whether a text has the form of nearly all moments, which Python and NumPy both read.

    Python alone also reads other separators, and offsets without seconds.
    """
    if len(text) not in {DATE, SECOND} or not text[4] == text[7] == "-":
        return False
    return len(text) == DATE or (text[10] in "T " and text[13] == text[16] == ":")
