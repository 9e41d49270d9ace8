"""Figures of a target: its classes, its persistence, and the columns against it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clientela.reports.numbers import NumberFormat
from clientela.reports.persistence import Counts
from clientela.reports.style import (
    DIVERGING,
    INK,
    MUTED,
    SEQUENTIAL,
    heat,
    panels,
    ranked,
    shortened,
    titled,
    without_data,
)

STRONGEST, MOST_CORRELATED, WRITTEN = 9, 36, 16


def classes_figure(counts: Sequence[int], classes: Sequence[str], numbers: NumberFormat) -> Figure:
    """How many rows each class has.

    Args:
        counts: Rows per class.
        classes: Their names, in order.
        numbers: How numbers are written.

    Returns:
        The figure.
    """
    total = sum(counts)
    if not total:
        return without_data("Sin objetivo de clases.")
    figure, (panel,) = panels(1, 1, 0.6 + 0.36 * len(classes))
    texts = [f"{numbers.text(c)} ({numbers.percent(c / total)})" for c in counts]
    ranked(panel, classes, [float(c) for c in counts], texts)
    return figure


def persistence_figure(counts: Counts, classes: Sequence[str], numbers: NumberFormat) -> Figure:
    """Where customers of each class went in the window after: shares by row.

    Args:
        counts: Customers by class before (row) and after (column).
        classes: Names of the classes.
        numbers: How numbers are written.

    Returns:
        The figure.
    """
    if not counts.sum():
        return without_data("Ningún cliente tiene transacciones antes de la última ventana.")
    of_class = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, of_class, out=np.zeros_like(counts), where=of_class > 0)
    figure, (panel,) = panels(1, 1, 3.1)
    texts = [
        [f"{numbers.percent(s)}\n({numbers.text(c)})" for s, c in zip(row, of_row, strict=True)]
        for row, of_row in zip(shares, counts, strict=True)
    ]
    heat(panel, shares, texts, limits=(0, 1))
    places = range(len(classes))
    panel.set_xticks(places, classes)
    panel.set_yticks(places, classes)
    panel.set_xlabel("ventana posterior")
    panel.set_ylabel("ventana anterior")
    return figure


def class_mix_figure(
    bins: pd.DataFrame,
    order: Sequence[str],
    edges: dict[str, list[float]],
    classes: Sequence[str],
    numbers: NumberFormat,
) -> Figure:
    """Class shares in each fifth of the columns that go most with the target.

    Args:
        bins: See `clientela.reports.association.target_bins`.
        order: Columns, strongest first.
        edges: Inner edges of each column's fifths.
        classes: The classes in order.
        numbers: How numbers are written.

    Returns:
        The figure.
    """
    shown = list(order)[:STRONGEST]
    if not shown or not classes:
        return without_data("Ninguna columna numérica frente a las clases del objetivo.")
    figure, axes = panels(-(-len(shown) // 3), 3, 0.6 + 1.9 * -(-len(shown) // 3))
    for panel in axes[len(shown) :]:
        panel.axis("off")
    for panel, column in zip(axes, shown, strict=False):
        _mix(panel, bins[bins["column"] == column], edges[column], classes, numbers)
        titled(panel, shortened(column), 9)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=len(classes),
        fontsize=8.5,
        frameon=False,
        labelcolor=INK,
    )
    return figure


def _mix(
    panel: Axes,
    bins: pd.DataFrame,
    edges: Sequence[float],
    classes: Sequence[str],
    numbers: NumberFormat,
) -> None:
    counts = bins.pivot_table(index="bin", columns="class", values="rows", aggfunc="sum")
    shares = counts.reindex(columns=list(classes)).fillna(0)
    shares = shares.div(shares.sum(axis=1), axis=0)
    colors = SEQUENTIAL(np.linspace(0.12, 0.95, len(classes)))
    places = np.arange(len(shares))
    below = np.zeros(len(shares))
    for name, color in zip(classes, colors, strict=True):
        panel.bar(places, shares[name], bottom=below, color=color, width=0.9, label=name)
        below = below + shares[name].to_numpy(float)
    panel.set_xticks(places, [_bin_name(int(b), edges, numbers) for b in shares.index], fontsize=7)
    panel.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"], fontsize=7)
    panel.tick_params(length=0)
    panel.set_ylim(0, 1)


def _bin_name(place: int, edges: Sequence[float], numbers: NumberFormat) -> str:
    if place < len(edges):
        return f"≤ {numbers.short(float(f'{edges[place]:.3g}'))}"
    return f"> {numbers.short(float(f'{edges[-1]:.3g}'))}"


def correlations_figure(correlations: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Correlations of numeric columns as a table of colours.

    Args:
        correlations: See `clientela.reports.association.correlations`.
        numbers: How numbers are written.

    Returns:
        The figure, of the first columns where there are too many to read.
    """
    known = correlations.dropna(subset=["correlation"])
    if known.empty:
        return without_data("Menos de dos columnas numéricas que varíen.")
    names = list(dict.fromkeys([*known["first"], *known["second"]]))[:MOST_CORRELATED]
    values = matrix(correlations, names)
    figure, (panel,) = panels(1, 1, 1.6 + 0.26 * len(names))
    texts = [["" if np.isnan(v) else numbers.text(v, 2) for v in row] for row in values]
    heat(panel, values, texts if len(names) <= WRITTEN else None, DIVERGING, limits=(-1, 1))
    places = range(len(names))
    panel.set_xticks(places, [shortened(n) for n in names], rotation=60, ha="right", fontsize=7.5)
    panel.set_yticks(places, [shortened(n) for n in names], fontsize=7.5)
    scale = figure.colorbar(panel.images[0], ax=panel, shrink=0.5, aspect=30, ticks=[-1, 0, 1])
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0, labelsize=8, labelcolor=MUTED)
    return figure


def matrix(correlations: pd.DataFrame, names: Sequence[str]) -> Counts:
    """The correlations as a symmetric matrix.

    Args:
        correlations: One row per pair.
        names: Columns and rows of the matrix, in order.

    Returns:
        Ones on the diagonal, nan where unknown.
    """
    places = {name: place for place, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(values, 1.0)
    for row in correlations.to_dict("records"):
        if row["first"] in places and row["second"] in places:
            i, j = places[row["first"]], places[row["second"]]
            values[i, j] = values[j, i] = row["correlation"]
    return values
