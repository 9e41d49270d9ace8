"""A reader's language: texts and the way numbers are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from clientela.dashboard.texts import TEXTS
from clientela.drift.wording import Wording
from clientela.reports.numbers import NumberFormat

Code: TypeAlias = Literal["es", "en"]


@dataclass(frozen=True)
class Language:
    """How one language says what the dashboard has to say.

    Attributes:
        code: ISO 639-1.
        name: In the language itself.
        numbers: Separators of numbers.
    """

    code: Code
    name: str
    numbers: NumberFormat

    def text(self, key: str, **values: object) -> str:
        """A text of the dashboard.

        Args:
            key: Its key.
            **values: What its places are filled with.

        Returns:
            The text in this language.
        """
        return self.of(TEXTS[key]).format(**values)

    def of(self, wording: Wording) -> str:
        """What a wording says in this language.

        Args:
            wording: In both languages.

        Returns:
            The one of this language.
        """
        return str(getattr(wording, self.code))

    def short(self, value: float) -> str:
        """A number for an axis or a label, thousands and millions abbreviated.

        Args:
            value: The number.

        Returns:
            For example `1,5 M` or `20 mil`; `1.5 M` or `20 k`.
        """
        return self.numbers.short(value).replace(" mil", " mil" if self.code == "es" else " k")


LANGUAGES: Mapping[Code, Language] = MappingProxyType(
    {
        "es": Language("es", "Español", NumberFormat()),
        "en": Language("en", "English", NumberFormat(thousands=",", decimal=".")),
    }
)
"""The first one is the default."""
