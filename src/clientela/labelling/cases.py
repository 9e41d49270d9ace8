"""Rows as a labeller sees them: a few named values, and nothing that tells whose they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

Value: TypeAlias = str | int | float
Fields: TypeAlias = Mapping[str, Value]

MISSING = "unknown"
"""What a labeller reads where a value is missing, as the requirement has it."""


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        key: Its key; no labeller sees it (PII).
        fields: The shown columns in their order, missing values filled.
    """

    key: Value
    fields: Fields


def cases_of(rows: pd.DataFrame, key: str, columns: Sequence[str]) -> list[Case]:
    """The rows in the order of their keys.

    Args:
        rows: One row per case.
        key: Its key.
        columns: What is shown.

    Returns:
        One case per row; whole numbers without a decimal point, missing values as `unknown`.
    """
    ordered = rows.sort_values(key, ignore_index=True)
    shown = ordered[list(columns)].astype(object)
    values = shown.where(shown.notna(), MISSING).to_dict("records")
    return [
        Case(_plain(key_), {str(name): _plain(value) for name, value in row.items()})
        for key_, row in zip(ordered[key], values, strict=True)
    ]


def _plain(value: object) -> Value:
    """Python's own form of a value, which prints the same on every machine."""
    item = value.item() if hasattr(value, "item") else value
    if isinstance(item, bool) or not isinstance(item, int | float):
        return str(item)
    return int(item) if item == int(item) else item
