"""Text in a row that reads like an instruction to whoever labels it."""

import re
from collections.abc import Sequence
from typing import Final

from clientela.folding import folded_word
from clientela.labelling.cases import Fields

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


def hostile_columns(fields: Fields, labels: Sequence[str]) -> list[str]:
    """The columns whose text reads like an instruction.

    A guess, made on the safe side: orders to forget or to answer, roles of a conversation, markup,
    a label itself, control characters, or a text much longer than a word or two.

    Args:
        fields: What a labeller would be shown.
        labels: The labels there are.

    Returns:
        Names of columns, in their order.
    """
    return [
        name
        for name, value in fields.items()
        if isinstance(value, str) and _is_hostile(value, labels)
    ]


def _is_hostile(text: str, labels: Sequence[str]) -> bool:
    if len(text) > LONGEST_VALUE or any(not letter.isprintable() for letter in text):
        return True
    read = folded_word(text)
    names_label = any(folded_word(label) in read for label in labels)
    return names_label or any(pattern.search(read) for pattern in _PATTERNS)
