"""Words as they are compared, and numbers and names as the readers of a report see them."""

import math
import re
from collections.abc import Mapping
from numbers import Real
from string import whitespace
from typing import TYPE_CHECKING, Literal

from clientela.settings_base import FrozenSettings

if TYPE_CHECKING:
    # a served model compares words without an engine, and starts without loading one
    import ibis.expr.types as ir

ACCENTED = "áàâäãåéèêëíìîïóòôöõúùûüñçÁÀÂÄÃÅÉÈÊËÍÌÎÏÓÒÔÖÕÚÙÛÜÑÇ"
UNACCENTED = "aaaaaaeeeeiiiiooooouuuuncAAAAAAEEEEIIIIOOOOOUUUUNC"
# Accents beside their letter, as macOS writes them; what has no counterpart is dropped.
COMBINING = "".join(map(chr, range(0x300, 0x370)))
_TRANSLATION = str.maketrans(ACCENTED, UNACCENTED, COMBINING)


def normalize_text(text: "ir.StringValue") -> "ir.StringValue":
    """Text as it is compared: trimmed, lower case, no accents (`TECNOLOGÍA` is `tecnologia`)."""
    return text.strip().translate(ACCENTED + COMBINING, UNACCENTED).lower()


def normalize_word(word: str) -> str:
    """The same folding for one word, of configuration or of a request."""
    unaccented = word.strip(whitespace).translate(_TRANSLATION)
    if unaccented.isascii():
        return unaccented.lower()
    # engines fold letter by letter; Python looks at the place of a sigma, and makes two of an İ
    return "".join(letter.lower()[0] for letter in unaccented)


def make_slug(word: str) -> str:
    """The word as part of a column name: folded, other characters than letters and digits as `_`.

    Returns:
        For example `drug_gm`; empty where no letter or digit is left.
    """
    return re.sub(r"[^a-z0-9]+", "_", normalize_word(word)).strip("_")


SIGNIFICANT = 6
NOTHING = "\N{EN DASH}"
MILLION, THOUSAND = 1e6, 1e3


class NumberFormat(FrozenSettings):
    """The separators of a locale."""

    thousands: Literal[".", ",", " ", "'"] = "."
    decimal: Literal[",", "."] = ","

    def text(self, value: float | None, decimals: int = 0) -> str:
        """A number with separators; a dash where there is none."""
        if value is None or not math.isfinite(value):
            return NOTHING
        swap = str.maketrans({",": self.thousands, ".": self.decimal})
        return f"{value:,.{decimals}f}".translate(swap)

    def percent(self, share: float | None, decimals: int = 1) -> str:
        """A share as a percentage; a dash where there is none."""
        if share is None or not math.isfinite(share):
            return NOTHING
        return f"{self.text(100 * share, decimals)} %"

    def readable(self, value: float) -> str:
        """A number with as many decimals as its size asks for.

        Returns:
            Large numbers without decimals, others with two, small ones with two digits that say
            something; no zeros at the end.
        """
        if not math.isfinite(value) or value == int(value) or abs(value) >= THOUSAND:
            return self.text(value)
        decimals = 2 if abs(value) >= 1 else 2 - math.floor(math.log10(abs(value)))
        return self.text(value, min(decimals, SIGNIFICANT)).rstrip("0").rstrip(self.decimal)

    def word(self, value: object, missing: str) -> str:
        """A cell of any kind as people read it.

        Args:
            missing: What stands for None and NaN.
        """
        if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
            return missing
        return self.readable(float(value)) if isinstance(value, Real) else str(value)

    def short(self, value: float) -> str:
        """A number for an axis: thousands and millions abbreviated."""
        for size, word in ((MILLION, " M"), (THOUSAND * 10, " mil")):
            if abs(value) >= size:
                scaled = value / (MILLION if size == MILLION else THOUSAND)
                return self.text(scaled, 0 if scaled == int(scaled) else 1) + word
        return self.readable(value)


def round_significant(value: float) -> float | None:
    """A number as it stands in findings: six significant digits, None where there is none."""
    return float(f"{value:.{SIGNIFICANT}g}") if math.isfinite(value) else None


WINDOW = re.compile(r"_(\d+)m\b")


def format_feature_name(feature: str, labels: Mapping[str, str]) -> str:
    """A feature's name for readers: the configured one, or its own with spaces."""
    if feature in labels:
        return labels[feature]
    return WINDOW.sub(r" (\1 meses)", feature).replace("_", " ")
