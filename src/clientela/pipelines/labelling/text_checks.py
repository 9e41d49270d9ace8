"""What is checked about texts: numbers that a description invents, instructions hidden in a row."""

import re
from collections.abc import Sequence
from typing import Final

from clientela.pipelines.labelling.language_model import Fields
from clientela.text import normalize_word

_NUMBER: Final = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?")


def count_invented_numbers(description: str, fields: Fields) -> int:
    """How many numbers of a description do not occur in the row.

    A number may be written with any separators: `2.500`, `2,500` and `2500` are one. Numbers within
    words of the row may be repeated; numbers written as words are not seen.
    """
    known = {
        reading
        for value in fields.values()
        for found in _NUMBER.findall(str(value))
        for reading in _parse_number_readings(found)
    }
    return sum(
        not (_parse_number_readings(found) & known) for found in _NUMBER.findall(description)
    )


def _parse_number_readings(text: str) -> set[float]:
    """Every number that a text may mean: a point may group thousands, or begin decimals."""
    digits = re.sub(r"[\u00a0\u202f]", "", text)
    grouped = re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits) is not None
    found = {float(re.sub(r"[.,]", "", digits))} if grouped else set()
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return found | {float(digits)}
    if digits.count(digits[last]) > 1:
        return found  # decimals begin once
    whole, decimals = re.sub(r"[.,]", "", digits[:last]), digits[last + 1 :]
    return found | {float(f"{whole}.{decimals}")}


LONGEST_VALUE: Final = 200
"""Characters of one value: a purpose or an occupation is shorter, a smuggled text is longer."""

_ORDER = r"(ignor\w*|olvid\w*|forget|disregard\w*|override|omit\w*|haz caso omiso)"
_WHAT = r"(instruc\w*|prompt\w*|rules?|reglas?|above|previous|anterior\w*|previ\w*|everything|todo)"
_SAY = r"(answer|respond\w*|reply|contest\w*|say|classify|clasific\w*|label|etiquet\w*|output)"
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_ORDER}\b.{{0,40}}\b{_WHAT}\b",
        rf"\b{_SAY}\b.{{0,40}}\b(good|bad|buen\w*|mal\w*|risk|riesgo|json)\b",
        r"\b(you are|eres|act as|actua como|pretend|finge)\b",
        r"\b(system|assistant|sistema|asistente|user|usuario)\s*:",
        r"<[/|]?\w+|\[/?inst\]|```|[{}]",
    )
)


def find_hostile_columns(fields: Fields, labels: Sequence[str]) -> list[str]:
    """The columns whose text reads like an instruction.

    A guess, made on the safe side: orders to forget or to answer, roles of a conversation, markup,
    a label itself, control characters, or a text much longer than a word or two.
    """
    return [
        name
        for name, value in fields.items()
        if isinstance(value, str) and _is_hostile(value, labels)
    ]


def _is_hostile(text: str, labels: Sequence[str]) -> bool:
    if len(text) > LONGEST_VALUE or any(not letter.isprintable() for letter in text):
        return True
    read = normalize_word(text)
    names_label = any(normalize_word(label) in read for label in labels)
    return names_label or any(pattern.search(read) for pattern in _PATTERNS)
