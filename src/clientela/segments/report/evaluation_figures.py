"""Figures of how the number of segments was chosen: elbow, chance, stability."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clientela.reports.numbers import NumberFormat
from clientela.reports.style import (
    ACCENT,
    GRID,
    INK,
    MAIN,
    MUTED,
    panels,
    titled,
    without_data,
    write_numbers,
)

NULL_SPREAD = 2
"""Standard deviations of the permuted tables within which a silhouette is chance."""
NOTHING_COMPARED = "No se compararon números de segmentos."


def elbow_figure(
    evaluation: pd.DataFrame, choice: Mapping[str, Any], numbers: NumberFormat
) -> Figure:
    """Inertia by number of segments, with the elbow and the chosen number.

    Args:
        evaluation: `k`, `inertia`.
        choice: `k`, `knee`.
        numbers: How numbers are written.

    Returns:
        One panel; it says so where there is no elbow.
    """
    if evaluation.empty:
        return without_data(NOTHING_COMPARED)
    figure, (panel,) = panels(1, 1, 3.2)
    panel.plot(evaluation["k"], evaluation["inertia"], color=MAIN, marker="o", markersize=5)
    knee = choice["knee"]
    label = "sin codo claro" if knee is None else f"codo: k = {knee}"
    where = [] if knee is None else [knee, knee]
    panel.plot(where, [0.0, 0.92][: len(where)], color=INK, linestyle=":", linewidth=1.6,
               transform=panel.get_xaxis_transform(), label=label)  # fmt: skip
    _chosen(panel, evaluation, choice)
    panel.set_ylabel("inercia (dispersión interna)")
    panel.set_ylim(bottom=0)
    write_numbers(panel, "y", numbers)
    panel.legend(loc="upper right", frameon=False, labelcolor=INK)
    return figure


def silhouette_figure(
    evaluation: pd.DataFrame, choice: Mapping[str, Any], stable_at: float, numbers: NumberFormat
) -> Figure:
    """How far each number of segments is from chance, and whether it repeats itself.

    Args:
        evaluation: `k, silhouette, null_silhouette, null_sd, stability, stability_sd`.
        choice: `k`.
        stable_at: Stability from which a number counts as stable.
        numbers: How numbers are written.

    Returns:
        Two panels side by side.
    """
    if evaluation.empty:
        return without_data(NOTHING_COMPARED)
    figure, (left, right) = panels(1, 2, 3.4)
    _against_chance(left, evaluation)
    right.axhline(stable_at, color=INK, linestyle=":", linewidth=1.4, label="mínimo para «estable»")
    right.errorbar(
        evaluation["k"], evaluation["stability"], yerr=evaluation["stability_sd"], color=MAIN,
        ecolor=MUTED, capsize=3, marker="o", markersize=5, label="media ± 1 desviación",
    )  # fmt: skip
    for panel, title in ((left, "Silueta"), (right, "Estabilidad (Rand ajustado)")):
        _chosen(panel, evaluation, choice)
        write_numbers(panel, "y", numbers)
        titled(panel, title)
        panel.grid(axis="y")
    left.set_ylim(min(0.0, left.get_ylim()[0]), 1.45 * left.get_ylim()[1])
    right.set_ylim(0, 1.45)
    right.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
    for panel in (left, right):
        panel.legend(
            loc="upper left", frameon=False, labelcolor=INK, fontsize=8, ncols=2, columnspacing=1
        )
    return figure


def _against_chance(panel: Axes, evaluation: pd.DataFrame) -> None:
    middle, spread = evaluation["null_silhouette"], NULL_SPREAD * evaluation["null_sd"]
    panel.fill_between(
        evaluation["k"], middle - spread, middle + spread, color=GRID, label="azar ± 2 desv."
    )
    panel.plot(evaluation["k"], middle, color=MUTED, linestyle="--", label="azar")
    panel.plot(
        evaluation["k"], evaluation["silhouette"], color=MAIN, marker="o", markersize=5,
        label="los datos",
    )  # fmt: skip


def _chosen(panel: Axes, evaluation: pd.DataFrame, choice: Mapping[str, Any]) -> None:
    """Marks the chosen number on an axis of numbers of segments."""
    panel.axvline(choice["k"], ymax=0.75, color=ACCENT, linewidth=7, alpha=0.3, zorder=0,
                  label=f"k usado: {choice['k']}")  # fmt: skip
    panel.set_xticks(sorted({*evaluation["k"].tolist(), choice["k"]}))
    panel.set_xlabel("número de segmentos (k)")
    panel.tick_params(length=0)
