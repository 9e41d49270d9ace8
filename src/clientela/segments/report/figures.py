"""The figures of a segmentation, for eyes of every kind and from two segments to many."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clientela.reports.numbers import NumberFormat
from clientela.reports.style import ACCENT, INK, MAIN, MUTED, panels, without_data
from clientela.segments.report.evaluation_figures import elbow_figure, silhouette_figure
from clientela.segments.report.facts import SegmentsReport
from clientela.segments.report.heat_figures import NO_CUSTOMERS, migration_figure, scores_figure
from clientela.segments.report.lettering import plain

# "muted", a palette for colour-blind readers: Tol, "Colour Schemes", SRON/EPS/TN/09-002 (2021)
COLORS = (
    "#332288", "#cc6677", "#117733", "#ddcc77", "#88ccee", "#882255", "#44aa99", "#999933",
    "#aa4499",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D")


def segment_figures(report: SegmentsReport) -> dict[str, Figure]:
    """Every figure of a report.

    Args:
        report: The artefacts of one run.

    Returns:
        `sizes`, `scores`, `elbow`, `silhouette`, `projection`, `migration`.
    """
    numbers, profile = report.settings.numbers, report.profile
    labels, stable_at = report.identity.layout.labels, report.clustering.stable_at
    moved = report.migration_matrix
    return {
        "sizes": sizes_figure(report.segments, numbers),
        "scores": scores_figure(profile["rubros"], report.names, labels, numbers),
        "elbow": elbow_figure(report.evaluation, report.choice, numbers),
        "silhouette": silhouette_figure(report.evaluation, report.choice, stable_at, numbers),
        "projection": projection_figure(report.projection, report.names, numbers),
        "migration": migration_figure(moved, numbers),
    }


def sizes_figure(segments: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Each segment's part of the customers and of their spend.

    Args:
        segments: One row per segment: `cluster_nombre, clientes_share, gasto_share`.
        numbers: How numbers are written.

    Returns:
        Pairs of lying bars.
    """
    if segments.empty:
        return without_data(NO_CUSTOMERS)
    figure, (panel,) = panels(1, 1, 0.9 + 0.52 * len(segments))
    places = np.arange(len(segments))
    pairs = (
        ("clientes_share", -0.2, MAIN, "% de los clientes"),
        ("gasto_share", 0.2, ACCENT, "% del gasto"),
    )
    for column, shift, color, label in pairs:
        shares = segments[column]
        panel.barh(places + shift, shares.fillna(0.0), height=0.36, color=color, label=label)
        for place, share in zip(places, shares, strict=True):
            text = f" {numbers.percent(share)}"
            panel.text(max(0.0, share), place + shift, text, va="center", fontsize=8, color=MUTED)
    panel.set_yticks(places, [plain(name) for name in segments["cluster_nombre"]])
    panel.invert_yaxis()
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.tick_params(length=0)
    panel.margins(x=0.12)
    panel.legend(loc="lower right", frameon=False, labelcolor=INK)
    return figure


def projection_figure(
    projection: Mapping[str, pd.DataFrame], names: Mapping[int, str], numbers: NumberFormat
) -> Figure:
    """Customers on the plane of most variance; each segment has a colour, a mark and a number.

    Args:
        projection: `points`, `axes`.
        names: Id to name; an id keeps its colour from one model to the next.
        numbers: How numbers are written.

    Returns:
        One panel.
    """
    axes = projection["axes"]
    points = projection["points"].sort_values(["cluster_id", "x", "y"])
    if points.empty:
        return without_data(NO_CUSTOMERS)
    figure, (panel,) = panels(1, 1, 5.0)
    sizes = (
        points.groupby("cluster_id").size().sort_index().sort_values(ascending=False, kind="stable")
    )
    for segment in sizes.index:
        here = points[points["cluster_id"] == segment]
        color, marker = _look(int(segment))
        label = f"{segment} · {plain(names[segment])}"
        panel.scatter(here["x"], here["y"], s=13, color=color, marker=marker, alpha=0.75,
                      linewidths=0, label=label)  # fmt: skip
    for segment in sizes.index:
        middle = points.loc[points["cluster_id"] == segment, ["x", "y"]].median()
        _badge(panel, int(segment), middle["x"], middle["y"])
    _explained(panel, axes, numbers)
    handles, labels = panel.get_legend_handles_labels()
    ordered = [place for _, place in sorted(zip(sizes.index, range(len(sizes)), strict=True))]
    panel.legend(
        [handles[place] for place in ordered], [labels[place] for place in ordered],
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, labelcolor=INK, markerscale=2,
    )  # fmt: skip
    return figure


def _look(segment: int) -> tuple[str, str]:
    """Colour and mark, the same from one model to the next; 36 ids pass before a pair repeats."""
    return COLORS[segment % len(COLORS)], MARKERS[segment % len(MARKERS)]


def _badge(panel: Axes, segment: int, x: float, y: float) -> None:
    box = {"boxstyle": "circle,pad=0.3", "facecolor": "white", "edgecolor": _look(segment)[0]}
    panel.text(x, y, str(segment), ha="center", va="center", fontsize=9, fontweight="bold",
               color=INK, bbox=box, zorder=5)  # fmt: skip


def _explained(panel: Axes, axes: pd.DataFrame, numbers: NumberFormat) -> None:
    shares = axes.drop_duplicates("axis").set_index("axis")["explained"]
    for axis, write in ((1, panel.set_xlabel), (2, panel.set_ylabel)):
        share = numbers.percent(float(shares.get(axis, 0.0)))
        write(f"eje {axis}: {share} de la variación")
    panel.set_xticks([])
    panel.set_yticks([])
