"""The distribution of one column: in the baseline and now, cell by cell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clientela.dashboard.language import Language
from clientela.reports.numbers import SIGNIFICANT

EXPLAINED = 0.8
"""Share of the PSI that the cells called moved make up together (the few that matter: Pareto)."""
NAMED = ("missing", "new", "other")
"""Cells that hold no one value or interval; shown only where they hold any row."""


def cells_of(bins: pd.DataFrame, feature: str, changed: bool, language: Language) -> pd.DataFrame:
    """One row per cell of a column, in the column's order.

    Args:
        bins: One row per column and cell.
        feature: The column.
        changed: Whether the column has drifted; of one that has not, no cell is called moved.
        language: Of the labels.

    Returns:
        `place` (0..), `label` (unique), `baseline_share`, `current_share` and `change` (shares of
        rows), `contribution` (to the PSI), `moved`.
    """
    cells = bins[bins["feature"] == feature]
    empty = cells[["baseline_share", "current_share"]].max(axis=1) == 0
    cells = cells[~(empty & cells["kind"].isin(NAMED))].reset_index(drop=True)
    return pd.DataFrame(
        {
            "place": np.arange(len(cells)),
            "label": cell_labels(cells, language),
            "baseline_share": cells["baseline_share"],
            "current_share": cells["current_share"],
            "change": cells["current_share"] - cells["baseline_share"],
            "contribution": cells["contribution"],
            "moved": _moved(cells["contribution"]) & changed,
        }
    )


def _moved(contribution: "pd.Series[float]") -> "pd.Series[bool]":
    """The fewest cells that together explain most of the PSI."""
    falling = contribution.sort_values(ascending=False, kind="stable")
    before = falling.cumsum().shift(fill_value=0.0)
    needed = (before < EXPLAINED * contribution.sum()) & (falling > 0)
    return needed.reindex(contribution.index)


def cell_labels(cells: pd.DataFrame, language: Language) -> list[str]:
    """What each cell is called; no two alike, so that no two bars merge.

    Args:
        cells: Of one column: `type`, `kind`, `lower`, `upper`, `value`.
        language: Of words and numbers.

    Returns:
        For example `≤ 1,5 M`, `1,5 M a 2 M`, `> 2 M`, `sin dato`.
    """
    numeric = cells["type"] == "numeric"
    exact = pd.to_numeric(cells["value"].where(numeric & (cells["kind"] == "value")))
    heavy = set(exact.dropna())
    numbers = sorted({*heavy, *cells["lower"].dropna(), *cells["upper"].dropna()})
    written = dict(zip(numbers, number_texts(numbers, language), strict=True))
    labels = [
        language.text(f"bin_{kind}")
        if kind in NAMED
        else _interval(written.get(lower), written.get(upper), upper in heavy, language)
        or written.get(number, str(value))
        for kind, lower, upper, number, value in zip(
            cells["kind"], cells["lower"], cells["upper"], exact, cells["value"], strict=True
        )
    ]
    return [
        f"{label} ({place})" if labels.count(label) > 1 else label
        for place, label in enumerate(labels, start=1)
    ]


def _interval(
    lower: str | None, upper: str | None, upper_apart: bool, language: Language
) -> str | None:
    """What lies between two borders; `upper_apart` when the upper one is a cell of its own."""
    if lower and upper:
        return language.text("bin_between", lower=lower, upper=upper)
    if upper:
        return f"< {upper}" if upper_apart else f"≤ {upper}"
    return f"> {lower}" if lower else None


def number_texts(numbers: Sequence[float], language: Language) -> list[str]:
    """Numbers written as short as they can be without two of them looking alike.

    Args:
        numbers: Different ones.
        language: Of separators.

    Returns:
        One text per number, all of one form.
    """
    forms = (
        [language.short(number) for number in numbers],
        [language.numbers.readable(number) for number in numbers],
        [language.numbers.text(number, SIGNIFICANT) for number in numbers],
    )
    different = (form for form in forms if len(set(form)) == len(numbers))
    return next(different, [repr(float(number)) for number in numbers])
