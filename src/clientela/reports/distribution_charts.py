"""Figures of single columns, many small panels in one figure."""

from collections.abc import Sequence
from math import ceil

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clientela.reports.distributions import histogram_edges
from clientela.reports.numbers import NumberFormat
from clientela.reports.profile import Profile
from clientela.reports.style import (
    MAIN,
    SOFT,
    panels,
    ranked,
    shortened,
    titled,
    without_data,
    write_numbers,
)

ACROSS, MOST = 4, 32


def numbers_figure(profile: Profile, numbers: NumberFormat) -> Figure:
    """A histogram per numeric column that varies.

    Args:
        profile: The table.
        numbers: How numbers are written.

    Returns:
        The figure; bars in the light colour hold the tails beyond the 1st and 99th percentile.
    """
    shown = [row for _, row in profile.numbers.iterrows() if histogram_edges(row)][:MOST]
    if not shown:
        return without_data("Ninguna columna numérica varía.")
    figure, axes = _grid(len(shown), 1.75)
    for panel, row in zip(axes, shown, strict=False):
        counts = profile.histograms[profile.histograms["column"] == row["column"]]
        _histogram(panel, histogram_edges(row), counts)
        titled(panel, shortened(str(row["column"])), 9)
        whole = str(row["type"]).startswith(("int", "uint"))
        write_numbers(panel, "x", numbers, ticks=3, whole=whole)
    return figure


def _histogram(panel: Axes, edges: Sequence[float], counts: pd.DataFrame) -> None:
    width = edges[1] - edges[0]
    rows = dict(zip(counts["bin"], counts["rows"], strict=True))
    inner = range(1, len(edges))
    lefts = [edges[place - 1] for place in inner]
    panel.bar(
        lefts, [rows.get(place, 0) for place in inner], width=0.92 * width, color=MAIN, align="edge"
    )
    tails = {edges[0] - width: rows.get(0, 0), edges[-1]: rows.get(len(edges), 0)}
    present = {left: count for left, count in tails.items() if count}
    panel.bar(list(present), list(present.values()), width=0.92 * width, color=SOFT, align="edge")
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)


def categories_figure(profile: Profile, numbers: NumberFormat) -> Figure:
    """The commonest values of each category column, as shares of the rows that have one.

    Args:
        profile: The table.
        numbers: How numbers are written.

    Returns:
        The figure.
    """
    present = profile.columns.set_index("column")["present"]
    shown = [c for c in present.index if c in set(profile.categories["column"])][:MOST]
    if not shown:
        return without_data("Ninguna columna de categorías.")
    most = int(profile.categories.groupby("column").size().max()) + 1
    figure, axes = _grid(len(shown), 0.6 + 0.2 * most, across=2)
    for panel, column in zip(axes, shown, strict=False):
        counts = profile.categories[profile.categories["column"] == column]
        labels, rows = [str(v) for v in counts["value"]], [int(r) for r in counts["rows"]]
        rest = int(present[column]) - sum(rows)
        shares = [r / int(present[column]) for r in (*rows, *([rest] if rest else []))]
        texts = [numbers.percent(share) for share in shares]
        ranked(panel, [*labels, *(["(resto)"] if rest else [])], shares, texts)
        titled(panel, column)
    return figure


def _grid(count: int, height: float, across: int = ACROSS) -> tuple[Figure, list[Axes]]:
    columns = min(across, max(count, across - 1))
    down = ceil(count / columns)
    figure, axes = panels(down, columns, 0.3 + height * down)
    for panel in axes[count:]:
        panel.axis("off")
    return figure, axes
