"""How far each column of a model moved."""

import altair as alt
import pandas as pd

from clientela.dashboard.charts.frame import (
    BAR,
    finished,
    limits,
    names,
    severity_colour,
    severity_names,
)
from clientela.dashboard.language import Language
from clientela.drift.thresholds import EffectSizes

BEYOND = 4
"""Bars end at so many times the alarm: a larger PSI says no more, and would flatten the others."""


def psi_bars(columns: pd.DataFrame, sizes: EffectSizes, language: Language) -> alt.LayerChart:
    """One bar per column, worst first, with the sizes that count.

    Args:
        columns: `feature`, `psi`, `severity`, in the order of drawing.
        sizes: From where on a PSI is watched, and an alarm.
        language: Of the words.

    Returns:
        The chart; the figure of a bar that was cut stands at its end.
    """
    longest = min(max(columns["psi"].max(), sizes.alarm), BEYOND * sizes.alarm)
    data = columns[["feature", "psi", "severity"]].assign(
        words=columns["severity"].map(severity_names(language)),
        drawn=columns["psi"].clip(upper=longest),
        written=[language.numbers.text(psi, 3) for psi in columns["psi"]],
    )
    base = alt.Chart(data).encode(
        y=names("feature", list(data["feature"])),
        x=alt.X("drawn:Q", title=language.text("psi_axis"), scale=alt.Scale(domainMin=0)),
        tooltip=[
            alt.Tooltip("feature:N", title=language.text("variable")),
            alt.Tooltip("written:N", title="PSI"),
            alt.Tooltip("words:N", title=language.text("severity")),
        ],
    )
    bars = base.mark_bar(size=BAR - 8).encode(color=severity_colour("words", language))
    figures = base.mark_text(align="left", dx=4, fontSize=11).encode(text="written:N")
    lines = limits(
        {
            language.text(f"{each}_limit", limit=language.numbers.readable(size)): size
            for each, size in (("watch", sizes.watch), ("alarm", sizes.alarm))
        },
        vertical=True,
    )
    return finished(bars + figures + lines, len(data), language)
