"""Every figure of an exploration: of columns, of the target, of buying."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clientela.pipelines.eda.activity import (
    plot_category_shares,
    plot_customer_distribution,
    plot_hourly_activity,
    plot_monthly_activity,
)
from clientela.pipelines.eda.association import (
    TARGET_TABLE,
    Counts,
    EdaParameters,
    Exploration,
    quintile_edges,
)
from clientela.pipelines.eda.column_profile import Profile, histogram_edges
from clientela.pipelines.eda.page import category_shares
from clientela.reporting.style import (
    DIVERGING,
    INK,
    MAIN,
    MUTED,
    SEQUENTIAL,
    SOFT,
    draw_heatmap,
    draw_ranked_bars,
    format_axis_numbers,
    make_empty_figure,
    make_panels,
    shorten_label,
    write_title,
)
from clientela.text import NumberFormat

ACROSS, MOST = 4, 32


def plot_numeric_columns(profile: Profile, numbers: NumberFormat) -> Figure:
    """A histogram per numeric column that varies.

    Returns:
        The figure; bars in the light colour hold the tails beyond the 1st and 99th percentile.
    """
    shown = [row for _, row in profile.numbers.iterrows() if histogram_edges(row)][:MOST]
    if not shown:
        return make_empty_figure("Ninguna columna numérica varía.")
    figure, axes = _make_panel_grid(len(shown), 1.75)
    for panel, row in zip(axes, shown, strict=False):
        counts = profile.histograms[profile.histograms["column"] == row["column"]]
        _draw_histogram(panel, histogram_edges(row), counts)
        write_title(panel, shorten_label(str(row["column"])), 9)
        whole = str(row["type"]).startswith(("int", "uint"))
        format_axis_numbers(panel, "x", numbers, ticks=3, whole=whole)
    return figure


def _draw_histogram(panel: Axes, edges: Sequence[float], counts: pd.DataFrame) -> None:
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


def plot_category_columns(profile: Profile, numbers: NumberFormat) -> Figure:
    """The commonest values of each category column, as shares of the rows that have one."""
    present = profile.columns.set_index("column")["present"]
    shown = [c for c in present.index if c in set(profile.categories["column"])][:MOST]
    if not shown:
        return make_empty_figure("Ninguna columna de categorías.")
    most = int(profile.categories.groupby("column").size().max()) + 1
    figure, axes = _make_panel_grid(len(shown), 0.6 + 0.2 * most, across=2)
    for panel, column in zip(axes, shown, strict=False):
        counts = profile.categories[profile.categories["column"] == column]
        labels, rows = [str(v) for v in counts["value"]], [int(r) for r in counts["rows"]]
        rest = int(present[column]) - sum(rows)
        shares = [r / int(present[column]) for r in (*rows, *([rest] if rest else []))]
        texts = [numbers.percent(share) for share in shares]
        draw_ranked_bars(panel, [*labels, *(["(resto)"] if rest else [])], shares, texts)
        write_title(panel, column)
    return figure


def _make_panel_grid(count: int, height: float, across: int = ACROSS) -> tuple[Figure, list[Axes]]:
    columns = min(across, max(count, across - 1))
    down = ceil(count / columns)
    figure, axes = make_panels(down, columns, 0.3 + height * down)
    for panel in axes[count:]:
        panel.axis("off")
    return figure, axes


STRONGEST, MOST_CORRELATED, WRITTEN = 9, 36, 16


def plot_class_counts(
    counts: Sequence[int], classes: Sequence[str], numbers: NumberFormat
) -> Figure:
    """How many rows each class has."""
    total = sum(counts)
    if not total:
        return make_empty_figure("Sin objetivo de clases.")
    figure, (panel,) = make_panels(1, 1, 0.6 + 0.36 * len(classes))
    texts = [f"{numbers.text(c)} ({numbers.percent(c / total)})" for c in counts]
    draw_ranked_bars(panel, classes, [float(c) for c in counts], texts)
    return figure


def plot_persistence(counts: Counts, classes: Sequence[str], numbers: NumberFormat) -> Figure:
    """Where customers of each class went in the window after: shares by row."""
    if not counts.sum():
        return make_empty_figure("Ningún cliente tiene transacciones antes de la última ventana.")
    of_class = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, of_class, out=np.zeros_like(counts), where=of_class > 0)
    figure, (panel,) = make_panels(1, 1, 3.1)
    texts = [
        [f"{numbers.percent(s)}\n({numbers.text(c)})" for s, c in zip(row, of_row, strict=True)]
        for row, of_row in zip(shares, counts, strict=True)
    ]
    draw_heatmap(panel, shares, texts, limits=(0, 1))
    places = range(len(classes))
    panel.set_xticks(places, classes)
    panel.set_yticks(places, classes)
    panel.set_xlabel("ventana posterior")
    panel.set_ylabel("ventana anterior")
    return figure


def plot_class_mix(
    bins: pd.DataFrame,
    order: Sequence[str],
    edges: dict[str, list[float]],
    classes: Sequence[str],
    numbers: NumberFormat,
) -> Figure:
    """Class shares in each fifth of the columns that go most with the target."""
    shown = list(order)[:STRONGEST]
    if not shown or not classes:
        return make_empty_figure("Ninguna columna numérica frente a las clases del objetivo.")
    figure, axes = make_panels(-(-len(shown) // 3), 3, 0.6 + 1.9 * -(-len(shown) // 3))
    for panel in axes[len(shown) :]:
        panel.axis("off")
    for panel, column in zip(axes, shown, strict=False):
        _draw_class_shares(panel, bins[bins["column"] == column], edges[column], classes, numbers)
        write_title(panel, shorten_label(column), 9)
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


def _draw_class_shares(
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
    ends = [numbers.short(float(f"{edge:.3g}")) for edge in edges]
    names = [*(f"≤ {end}" for end in ends), f"> {ends[-1]}"]
    panel.set_xticks(
        places, [names[min(int(place), len(edges))] for place in shares.index], fontsize=7
    )
    panel.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"], fontsize=7)
    panel.tick_params(length=0)
    panel.set_ylim(0, 1)


def plot_correlations(correlations: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Correlations of numeric columns as a table of colours.

    Returns:
        The figure, of the first columns where there are too many to read.
    """
    known = correlations.dropna(subset=["correlation"])
    if known.empty:
        return make_empty_figure("Menos de dos columnas numéricas que varíen.")
    names = list(dict.fromkeys([*known["first"], *known["second"]]))[:MOST_CORRELATED]
    values = build_correlation_matrix(correlations, names)
    figure, (panel,) = make_panels(1, 1, 1.6 + 0.26 * len(names))
    texts = [["" if np.isnan(v) else numbers.text(v, 2) for v in row] for row in values]
    draw_heatmap(panel, values, texts if len(names) <= WRITTEN else None, DIVERGING, limits=(-1, 1))
    places = range(len(names))
    panel.set_xticks(
        places, [shorten_label(n) for n in names], rotation=60, ha="right", fontsize=7.5
    )
    panel.set_yticks(places, [shorten_label(n) for n in names], fontsize=7.5)
    scale = figure.colorbar(panel.images[0], ax=panel, shrink=0.5, aspect=30, ticks=[-1, 0, 1])
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0, labelsize=8, labelcolor=MUTED)
    return figure


def build_correlation_matrix(correlations: pd.DataFrame, names: Sequence[str]) -> Counts:
    """The correlations as a symmetric matrix."""
    places = {name: place for place, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(values, 1.0)
    for row in correlations.to_dict("records"):
        if row["first"] in places and row["second"] in places:
            i, j = places[row["first"]], places[row["second"]]
            values[i, j] = values[j, i] = row["correlation"]
    return values


def plot_exploration(exploration: Exploration, parameters: EdaParameters) -> dict[str, Figure]:
    """Every figure of an exploration.

    Returns:
        Name to figure: `<table>_numbers`, `<table>_categories`, and what applies of `months`,
        `hours`, `categories`, `customers`, `classes`, `class_mix`, `correlations`, `persistence`.
    """
    numbers = parameters.numbers
    drawn: dict[str, Figure] = {}
    if exploration.activity is not None:
        activity = exploration.activity
        shares = category_shares(activity, parameters.top_categories, parameters.min_rows)
        customers = (activity["frequencies"], activity["concentration"])
        drawn |= {
            "months": plot_monthly_activity(activity["months"], numbers),
            "hours": plot_hourly_activity(activity["hours"], numbers),
            "categories": plot_category_shares(shares, numbers),
            "customers": plot_customer_distribution(*customers, numbers),
        }
    if exploration.persistence is not None:
        moved = exploration.persistence
        drawn["persistence"] = plot_persistence(moved.counts, moved.classes, numbers)
    if exploration.target is not None:
        target = exploration.target
        (profile,) = (each for each in exploration.profiles if each.name == TARGET_TABLE)
        edges = quintile_edges(profile.numbers)
        order = [str(column) for column in target.associations["column"]]
        drawn |= {
            "classes": plot_class_counts(target.counts, target.classes, numbers),
            "class_mix": plot_class_mix(target.bins, order, edges, target.classes, numbers),
            "correlations": plot_correlations(target.correlations, numbers),
        }
    for profile in exploration.profiles:
        drawn[f"{profile.name}_numbers"] = plot_numeric_columns(profile, numbers)
        drawn[f"{profile.name}_categories"] = plot_category_columns(profile, numbers)
    return drawn
