"""Does a description say only what the row says: every number in it must occur there."""

import re
from typing import Final

from clientela.labelling.cases import Fields

_NUMBER: Final = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?")


def invented_numbers(description: str, fields: Fields) -> int:
    """How many numbers of a description do not occur in the row.

    A number may be written with any separators: `2.500`, `2,500` and `2500` are one. Numbers within
    words of the row may be repeated; numbers written as words are not seen.

    Args:
        description: What was written about the row.
        fields: What it was written from.

    Returns:
        A count; 0 for a faithful description.
    """
    known = {
        reading
        for value in fields.values()
        for found in _NUMBER.findall(str(value))
        for reading in _readings(found)
    }
    return sum(not (_readings(found) & known) for found in _NUMBER.findall(description))


def _readings(text: str) -> set[float]:
    """Every number that a text may mean: a point may group thousands, or begin decimals."""
    digits = re.sub(r"[\u00a0\u202f]", "", text)
    found = {float(re.sub(r"[.,]", "", digits))} if _is_grouped(digits) else set()
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return found | {float(digits)}
    if digits.count(digits[last]) > 1:
        return found  # decimals begin once
    whole, decimals = re.sub(r"[.,]", "", digits[:last]), digits[last + 1 :]
    return found | {float(f"{whole}.{decimals}")}


def _is_grouped(digits: str) -> bool:
    return re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits) is not None
