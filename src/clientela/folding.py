"""How words are compared: without accents, case, or surrounding blanks."""

import re
from string import whitespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # a served model compares words without an engine, and starts without loading one
    import ibis.expr.types as ir

ACCENTED = "áàâäãåéèêëíìîïóòôöõúùûüñçÁÀÂÄÃÅÉÈÊËÍÌÎÏÓÒÔÖÕÚÙÛÜÑÇ"
UNACCENTED = "aaaaaaeeeeiiiiooooouuuuncAAAAAAEEEEIIIIOOOOOUUUUNC"
_TRANSLATION = str.maketrans(ACCENTED, UNACCENTED)


def folded(text: "ir.StringValue") -> "ir.StringValue":
    """Text as it is compared: trimmed, lower case, without accents (`TECNOLOGÍA` = `tecnologia`).

    Args:
        text: Any text.

    Returns:
        The folded text.
    """
    return text.strip().translate(ACCENTED, UNACCENTED).lower()


def folded_word(word: str) -> str:
    """The same folding for one word, of configuration or of a request.

    Args:
        word: For example a target category.

    Returns:
        The folded word.
    """
    unaccented = word.strip(whitespace).translate(_TRANSLATION)
    if unaccented.isascii():
        return unaccented.lower()
    # engines fold letter by letter; Python looks at the place of a sigma, and makes two of an İ
    return "".join(letter.lower()[0] for letter in unaccented)


def slug_of(word: str) -> str:
    """The word as part of a column name: folded, other characters than letters and digits as `_`.

    Args:
        word: For example `DRUG GM`.

    Returns:
        For example `drug_gm`; empty where no letter or digit is left.
    """
    return re.sub(r"[^a-z0-9]+", "_", folded_word(word)).strip("_")
