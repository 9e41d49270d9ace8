"""What a JSON parser does not tell of a text: keys that come twice, and how much is in it."""

import json
from collections.abc import Sequence
from typing import Any, Final

HARMLESS_BYTES: Final = 512 * 1024
"""A text of this size can't fill the memory: what it holds takes some fifty times its bytes."""


def holds_more_than(text: bytes, values: int) -> bool:
    """Whether a text has far more values than it may, before anything is made of it.

    A parser makes a hundred bytes of the two characters `0,`: a body within its limit could take
    half a gigabyte.

    Args:
        text: JSON, or not.
        values: The most that it may have.

    Returns:
        True where it has twice as many separators: words may hold some too.
    """
    if len(text) <= HARMLESS_BYTES:
        return False
    return sum(map(text.count, (b",", b"[", b"{"))) > 2 * values


def string_count(text: bytes) -> int:
    r"""How many strings a JSON text holds, keys among them.

    Each has two quotes that are not escaped. Outside strings there is no backslash, and inside
    they are read from the left: `\\` is taken away first, so that `\"` is an escaped quote.

    Args:
        text: Valid JSON.

    Returns:
        The number.
    """
    if b"\\" in text:
        text = text.replace(rb"\\", b"")
        return (text.count(b'"') - text.count(rb"\"")) // 2
    return text.count(b'"') // 2


def repeated_key(text: bytes) -> tuple[int | None, str]:
    """Where a text that has a key twice has it, found by reading it once more, slowly.

    Args:
        text: Valid JSON: an object with one array of flat objects.

    Returns:
        Position of the inner object, None for the outer one, and the key.
    """
    objects: list[str | None] = []

    def remembered(pairs: Sequence[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        objects.append(next((key for key in keys if keys.count(key) > 1), None))

    json.loads(text, object_pairs_hook=remembered)
    *cases, outer = objects
    if outer is not None:
        return None, outer
    return next((row, key) for row, key in enumerate(cases) if key is not None)
