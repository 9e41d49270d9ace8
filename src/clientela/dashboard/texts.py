"""A reader's language: the texts of the dashboard, and the way numbers are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

import yaml

from clientela.reporting.model_health import Wording
from clientela.text import NumberFormat

# Every text stands in this file alone.
TEXTS: Mapping[str, Wording] = MappingProxyType(
    {
        key: Wording(**languages)
        for key, languages in yaml.safe_load(
            Path(__file__).with_suffix(".yml").read_text("utf-8")
        ).items()
    }
)


Code: TypeAlias = Literal["es", "en"]


@dataclass(frozen=True)
class Language:
    """How one language says what the dashboard has to say."""

    code: Code
    name: str
    numbers: NumberFormat

    def text(self, key: str, **values: object) -> str:
        """A text of the dashboard."""
        return self.of(TEXTS[key]).format(**values)

    def of(self, wording: Wording) -> str:
        """What a wording says in this language."""
        return str(getattr(wording, self.code))

    def short(self, value: float) -> str:
        """A number for an axis or a label, thousands and millions abbreviated.

        Returns:
            For example `1,5 M` or `20 mil`; `1.5 M` or `20 k`.
        """
        return self.numbers.short(value).replace(" mil", " mil" if self.code == "es" else " k")


# The first one is the default.
LANGUAGES: Mapping[Code, Language] = MappingProxyType(
    {
        "es": Language("es", "Español", NumberFormat()),
        "en": Language("en", "English", NumberFormat(thousands=",", decimal=".")),
    }
)
