"""The figures of a trained model: who won, how it errs, whether its promises hold, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clientela.binary.curves import calibration_table
from clientela.classification.codes import Codes, Floats, class_counts
from clientela.reports.numbers import NumberFormat
from clientela.reports.style import ACCENT, GRID, MAIN, MUTED, heat, panels, ranked, shortened

NUMBERS = NumberFormat()
MOST_FEATURES = 15
LINE_COLORS = (MAIN, ACCENT, "#6b4c9a", "#3f7d20", "#8a5a44")


def leaderboard_figure(table: pd.DataFrame, metric: str) -> Figure:
    """Each contender's mean over the folds, with its standard deviation.

    Args:
        table: The leaderboard, best first.
        metric: The primary metric.

    Returns:
        One panel.
    """
    figure, (panel,) = panels(1, 1, 0.9 + 0.34 * len(table))
    names = [contender_name(row) for _, row in table.iterrows()]
    colors = [MUTED if role == "rule" else MAIN for role in table["role"]]
    places = np.arange(len(table))
    panel.barh(places, table[metric], color=colors, height=0.66)
    panel.errorbar(
        table[metric], places, xerr=table[f"{metric}_sd"], fmt="none", ecolor=ACCENT, capsize=3
    )
    panel.set_yticks(places, [shortened(name, 52) for name in names])
    panel.invert_yaxis()
    panel.grid(axis="x")
    panel.set_xlabel(f"{metric.upper()}: media y desviación entre pliegues (gris: reglas)")
    return figure


def contender_name(row: "pd.Series[Any] | Mapping[str, Any]") -> str:
    """A contender in words: candidate, decision rule, features.

    Args:
        row: A leaderboard row.

    Returns:
        For example `lineal (thresholds, all)`.
    """
    return f"{row['candidate']} ({row['decision']}, {row['features']})"


def confusion_figure(truth: Codes, codes: Codes, classes: Sequence[str]) -> Figure:
    """Customers by true and predicted class; the colour is the share of the true class.

    Args:
        truth: True codes.
        codes: Predicted codes.
        classes: Names in order.

    Returns:
        One panel.
    """
    counts = class_counts(truth, codes, len(classes))
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    texts = [[NUMBERS.text(count) for count in row] for row in counts]
    figure, (panel,) = panels(1, 1, 3.6)
    heat(panel, shares, texts, limits=(0.0, 1.0))
    panel.set_xticks(range(len(classes)), classes)
    panel.set_yticks(range(len(classes)), classes)
    panel.set_xlabel("clase predicha")
    panel.set_ylabel("clase real")
    return figure


def calibration_figure(truth: Codes, probabilities: Floats, classes: Sequence[str]) -> Figure:
    """Promised against observed shares of customers above each boundary between classes.

    Args:
        truth: True codes.
        probabilities: Rows x K.
        classes: Names in order.

    Returns:
        One panel, one line per boundary.
    """
    figure, (panel,) = panels(1, 1, 3.8)
    above = 1.0 - probabilities.cumsum(axis=1)[:, :-1]
    for boundary, promised in enumerate(above.T):
        points = calibration_table((truth > boundary).astype(np.int64), promised)
        color = LINE_COLORS[boundary % len(LINE_COLORS)]
        label = f"más que {classes[boundary]}" if above.shape[1] > 1 else classes[1]
        panel.plot(
            points["promised"],
            points["observed"],
            marker="o",
            markersize=4,
            color=color,
            label=label,
        )
        panel.vlines(points["promised"], points["lower"], points["upper"], color=color, alpha=0.4)
    # the diagonal must not widen what the points span
    panel.set(xlim=panel.get_xlim(), ylim=panel.get_ylim())
    panel.axline((0, 0), slope=1, color=GRID, linestyle="--", zorder=0)
    panel.set_xlabel("probabilidad prometida")
    panel.set_ylabel("proporción observada")
    panel.grid()
    panel.legend(loc="upper left")
    return figure


def importance_figure(entries: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Figure:
    """The features that a model leans on most.

    Args:
        entries: See `clientela.modelling.card.explanation.feature_importance`.
        classes: Names in order.

    Returns:
        One panel.
    """
    top = entries[:MOST_FEATURES]
    figure, (panel,) = panels(1, 1, 0.8 + 0.3 * len(top))
    arrows = [_arrow(entry["direction"]) for entry in top]
    ranked(
        panel,
        [str(entry["label"]) for entry in top],
        [float(entry["mean_abs"]) for entry in top],
        [f"{NUMBERS.text(e['mean_abs'], 3)} {a}" for e, a in zip(top, arrows, strict=True)],
    )
    towards = "clases altas" if classes[2:] else f"«{classes[1]}»"
    panel.set_xlabel(f"contribución media absoluta (↑ valores altos empujan hacia {towards})")
    return figure


def _arrow(correlation: float | None) -> str:
    """Where high values push; nothing for words."""
    if correlation is None:
        return ""
    return "↑" if correlation >= 0 else "↓"
