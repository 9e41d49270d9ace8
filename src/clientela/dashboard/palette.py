"""Colours that stay apart for every kind of colour vision; a word always stands beside them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from clientela.drift.state import State
from clientela.drift.thresholds import Severity

BadgeColour: TypeAlias = Literal["red", "orange", "green", "gray"]

# dark red, light amber, teal: they differ in lightness too, so that they survive a grey print
SEVERITY_COLOURS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "#b3261e", "AMARILLO": "#e8a317", "INSUFICIENTE": "#c3c8cf", "VERDE": "#147a78"}
)
SEVERITY_SYMBOLS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "▲", "AMARILLO": "◆", "INSUFICIENTE": "○", "VERDE": "●"}
)
LETTERS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "#ffffff", "AMARILLO": "#1d2025", "INSUFICIENTE": "#1d2025", "VERDE": "#ffffff"}
)
"""What stands on these colours."""
TINTS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "#f9dedc", "AMARILLO": "#fdf0d0", "INSUFICIENTE": "#eceef1", "VERDE": "#dcf1ef"}
)
"""Behind text: dark letters on them keep a contrast of 7 to 1 or more."""

STATE_COLOURS: Mapping[State, BadgeColour] = MappingProxyType(
    {"alarm": "red", "watch": "orange", "stable": "green"}
)
STATE_SYMBOLS: Mapping[State, str] = MappingProxyType({"alarm": "▲", "watch": "◆", "stable": "●"})

BASELINE, CURRENT = "#a9b4c2", "#1f4e8c"
GRID, INK = "#e3e6eb", "#2b2f36"
