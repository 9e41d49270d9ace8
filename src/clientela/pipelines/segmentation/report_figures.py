"""The figures of a segmentation, for eyes of every kind and from two segments to many."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from clientela.features.segment_columns import ClusteringParams
from clientela.models.segmentation import SIN_ACTIVIDAD
from clientela.pipelines.segmentation.report_data import SegmentReportData
from clientela.reporting.style import (
    ACCENT,
    GRID,
    INK,
    MAIN,
    MUTED,
    draw_heatmap,
    format_axis_label,
    format_axis_numbers,
    label_heatmap_axes,
    make_empty_figure,
    make_panels,
    write_title,
)

# More points hide one another.
MOST_POINTS = 2_000
# Columns that are named per axis.
HEAVIEST = 3
# Most columns whose cells have room for a decimal.
ROOMY = 6
# Scores below it are all drawn as nothing.
LEAST_TOP = 0.01
# Standard deviations of the permuted tables within which a silhouette is chance.
NULL_SPREAD = 2
NO_CUSTOMERS = "No hay clientes activos."
FIRST_RUN = "No hay un modelo anterior con el que comparar."
NOTHING_COMPARED = "No se compararon números de segmentos."
# "muted", a palette for colour-blind readers: Tol, "Colour Schemes", SRON/EPS/TN/09-002 (2021)
COLORS = (
    "#332288", "#cc6677", "#117733", "#ddcc77", "#88ccee", "#882255", "#44aa99", "#999933",
    "#aa4499",
)  # fmt: skip
MARKERS = ("o", "^", "s", "D")


def compute_projection(
    matrix: np.ndarray, labels: np.ndarray, columns: Sequence[str], params: ClusteringParams
) -> dict[str, pd.DataFrame]:
    """Principal components of the standardised columns, on a sample of the active customers.

    Returns:
        `points`: one row per sampled customer, `x, y, cluster_id`, in order of these, without a
        key; `axes`: one row per axis and one of its heaviest columns, `axis` (1, 2), `explained`
        (share of the variance), `column`, `weight` (signed, of a vector of length one).
    """
    drawn = np.arange(len(matrix))
    if len(matrix) > MOST_POINTS:
        chosen = np.random.default_rng(params.seed).choice(len(matrix), MOST_POINTS, replace=False)
        drawn = np.sort(chosen)
    scaled = StandardScaler().fit_transform(matrix[drawn])
    plane = PCA(min(2, scaled.shape[1]), svd_solver="full")
    places = np.zeros((len(scaled), 2))
    with np.errstate(invalid="ignore"):  # a sample of equal customers has no variance to explain
        places[:, : plane.n_components] = plane.fit_transform(scaled)
    points = pd.DataFrame(places, columns=["x", "y"]).assign(cluster_id=labels[drawn])
    explained = np.nan_to_num(plane.explained_variance_ratio_)
    axes = [
        {
            "axis": axis + 1,
            "explained": float(explained[axis]),
            "column": columns[place],
            "weight": float(weights[place]),
        }
        for axis, weights in enumerate(plane.components_)
        for place in np.argsort(-np.abs(weights).round(9), kind="stable")[:HEAVIEST]
    ]
    return {
        "points": points.sort_values(["cluster_id", "x", "y"], ignore_index=True),
        "axes": pd.DataFrame(axes, columns=["axis", "explained", "column", "weight"]),
    }


def plot_segments(report: SegmentReportData) -> dict[str, Figure]:
    """Every figure of a report, by name."""
    return {name: plot(report) for name, plot in PLOTS.items()}


def plot_sizes(report: SegmentReportData) -> Figure:
    """Each segment's part of the customers and of their spend."""
    segments, numbers = report.segments, report.settings.numbers
    if segments.empty:
        return make_empty_figure(NO_CUSTOMERS)
    figure, (panel,) = make_panels(1, 1, 0.9 + 0.52 * len(segments))
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
    panel.set_yticks(places, [format_axis_label(name) for name in segments["cluster_nombre"]])
    panel.invert_yaxis()
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.tick_params(length=0)
    panel.margins(x=0.12)
    panel.legend(loc="lower right", frameon=False, labelcolor=INK)
    return figure


def plot_scores(report: SegmentReportData) -> Figure:
    """Mean score of each segment in each rubro."""
    rubros, numbers = report.profile["rubros"], report.settings.numbers
    labels, titles = report.identity.layout.labels, report.identity.titles
    active = rubros[rubros["cluster_id"] != SIN_ACTIVIDAD]
    if active.empty:
        return make_empty_figure(NO_CUSTOMERS)
    table = active.pivot_table(index="cluster_id", columns="slug", values="score_medio")
    table = table.reindex(columns=list(labels)).fillna(0.0)
    values = table.to_numpy()
    texts = [[numbers.text(value, 2) for value in row] for row in values]
    figure, (panel,) = make_panels(1, 1, 1.5 + 0.42 * len(table))
    draw_heatmap(panel, values, texts, limits=(0.0, max(float(values.max()), LEAST_TOP)))
    label_heatmap_axes(panel, [titles[segment] for segment in table.index], list(labels.values()))
    return figure


def plot_migration(report: SegmentReportData) -> Figure:
    """Where the customers of each previous segment are now: shares by row."""
    matrix, numbers = report.migration_matrix, report.settings.numbers
    if matrix.empty:
        return make_empty_figure(FIRST_RUN)
    rows, before = _order_axis(matrix["previous_id"], matrix["previous_name"])
    columns, after = _order_axis(matrix["current_id"], matrix["current_name"])
    counts = np.zeros((len(before), len(after)))
    np.add.at(counts, (rows, columns), matrix["customers"].to_numpy(dtype="float64"))
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    decimals = 1 if len(after) <= ROOMY else 0
    texts = [[numbers.percent(s, decimals) if s > 0 else "" for s in row] for row in shares]
    figure, (panel,) = make_panels(1, 1, 1.7 + 0.42 * len(before))
    draw_heatmap(panel, shares, texts, limits=(0.0, 1.0))
    label_heatmap_axes(panel, before, after)
    panel.set_ylabel("antes")
    panel.set_xlabel("ahora")
    return figure


def _order_axis(ids: pd.Series, names: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The place of each row on an axis, and the axis' names: by id, then -1, then missing."""
    known = pd.to_numeric(ids).astype("Float64").to_numpy(dtype="float64", na_value=np.inf)
    ranks = np.where(known == SIN_ACTIVIDAD, np.finfo("float64").max, known)
    _, first, places = np.unique(ranks, return_index=True, return_inverse=True)
    return places, names.iloc[first].astype("str").tolist()


def plot_elbow(report: SegmentReportData) -> Figure:
    """Inertia by number of segments, with the elbow, where there is one, and the chosen number."""
    evaluation, knee = report.evaluation, report.choice["knee"]
    if evaluation.empty:
        return make_empty_figure(NOTHING_COMPARED)
    figure, (panel,) = make_panels(1, 1, 3.2)
    panel.plot(evaluation["k"], evaluation["inertia"], color=MAIN, marker="o", markersize=5)
    label = "sin codo claro" if knee is None else f"codo: k = {knee}"
    where = [] if knee is None else [knee, knee]
    panel.plot(where, [0.0, 0.92][: len(where)], color=INK, linestyle=":", linewidth=1.6,
               transform=panel.get_xaxis_transform(), label=label)  # fmt: skip
    _plot_chosen_k(panel, report)
    panel.set_ylabel("inercia (dispersión interna)")
    panel.set_ylim(bottom=0)
    format_axis_numbers(panel, "y", report.settings.numbers)
    panel.legend(loc="upper right", frameon=False, labelcolor=INK)
    return figure


def plot_silhouette(report: SegmentReportData) -> Figure:
    """How far each number of segments is from chance, and whether it repeats itself."""
    evaluation = report.evaluation
    if evaluation.empty:
        return make_empty_figure(NOTHING_COMPARED)
    figure, (left, right) = make_panels(1, 2, 3.4)
    middle, spread = evaluation["null_silhouette"], NULL_SPREAD * evaluation["null_sd"]
    left.fill_between(
        evaluation["k"], middle - spread, middle + spread, color=GRID, label="azar ± 2 desv."
    )
    left.plot(evaluation["k"], middle, color=MUTED, linestyle="--", label="azar")
    left.plot(
        evaluation["k"], evaluation["silhouette"], color=MAIN, marker="o", markersize=5,
        label="los datos",
    )  # fmt: skip
    right.axhline(
        report.clustering.stable_at,
        color=INK,
        linestyle=":",
        linewidth=1.4,
        label="mínimo para «estable»",
    )
    right.errorbar(
        evaluation["k"], evaluation["stability"], yerr=evaluation["stability_sd"], color=MAIN,
        ecolor=MUTED, capsize=3, marker="o", markersize=5, label="media ± 1 desviación",
    )  # fmt: skip
    for panel, title in ((left, "Silueta"), (right, "Estabilidad (Rand ajustado)")):
        _plot_chosen_k(panel, report)
        format_axis_numbers(panel, "y", report.settings.numbers)
        write_title(panel, title)
        panel.grid(axis="y")
    left.set_ylim(min(0.0, left.get_ylim()[0]), 1.45 * left.get_ylim()[1])
    right.set_ylim(0, 1.45)
    right.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
    for panel in (left, right):
        panel.legend(
            loc="upper left", frameon=False, labelcolor=INK, fontsize=8, ncols=2, columnspacing=1
        )
    return figure


def _plot_chosen_k(panel: Axes, report: SegmentReportData) -> None:
    """Marks the chosen number on an axis of numbers of segments."""
    k = report.choice["k"]
    panel.axvline(k, ymax=0.75, color=ACCENT, linewidth=7, alpha=0.3, zorder=0,
                  label=f"k usado: {k}")  # fmt: skip
    panel.set_xticks(sorted({*report.evaluation["k"].tolist(), k}))
    panel.set_xlabel("número de segmentos (k)")
    panel.tick_params(length=0)


def plot_projection(report: SegmentReportData) -> Figure:
    """Customers on the plane of most variance; each segment has a colour, a mark and a number."""
    axes, titles = report.projection["axes"], report.identity.titles
    points = report.projection["points"].sort_values(["cluster_id", "x", "y"])
    if points.empty:
        return make_empty_figure(NO_CUSTOMERS)
    figure, (panel,) = make_panels(1, 1, 5.0)
    sizes = points.groupby("cluster_id").size().sort_index()
    # the largest first, so that it hides nobody
    for segment in sizes.sort_values(ascending=False, kind="stable").index:
        here = points[points["cluster_id"] == segment]
        # the same from one model to the next; 36 ids pass before a pair repeats
        color, marker = COLORS[segment % len(COLORS)], MARKERS[segment % len(MARKERS)]
        label = f"{segment} · {format_axis_label(titles[segment])}"
        panel.scatter(here["x"], here["y"], s=13, color=color, marker=marker, alpha=0.75,
                      linewidths=0, label=label)  # fmt: skip
        box = {"boxstyle": "circle,pad=0.3", "facecolor": "white", "edgecolor": color}
        panel.text(here["x"].median(), here["y"].median(), str(segment), ha="center", va="center",
                   fontsize=9, fontweight="bold", color=INK, bbox=box, zorder=5)  # fmt: skip
    shares = axes.drop_duplicates("axis").set_index("axis")["explained"]
    for axis, write in ((1, panel.set_xlabel), (2, panel.set_ylabel)):
        share = report.settings.numbers.percent(float(shares.get(axis, 0.0)))
        write(f"eje {axis}: {share} de la variación")
    panel.set_xticks([])
    panel.set_yticks([])
    handles = dict(
        zip(
            sizes.sort_values(ascending=False, kind="stable").index,
            panel.get_legend_handles_labels()[0],
            strict=True,
        )
    )
    panel.legend(
        handles=[handles[segment] for segment in sizes.index],
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, labelcolor=INK, markerscale=2,
    )  # fmt: skip
    return figure


PLOTS: Mapping[str, Callable[[SegmentReportData], Figure]] = {
    "sizes": plot_sizes,
    "scores": plot_scores,
    "elbow": plot_elbow,
    "silhouette": plot_silhouette,
    "projection": plot_projection,
    "migration": plot_migration,
}
