"""How many columns of each model are how bad."""

import altair as alt
import pandas as pd

from clientela.dashboard.charts.frame import (
    BAR,
    finished,
    names,
    on_severity,
    severity_colour,
    severity_names,
)
from clientela.dashboard.language import Language


def severity_bars(counts: pd.DataFrame, language: Language) -> alt.LayerChart:
    """One bar per model, divided by severity.

    Args:
        counts: `use_case`, `severity`, `rank`, `columns`.
        language: Of the words.

    Returns:
        The chart.
    """
    words = severity_names(language)
    data = counts[counts["columns"] > 0]
    data = data.assign(
        words=data["severity"].map(words),
        count=[
            f"{words[severity][0]} {columns}"
            for severity, columns in zip(data["severity"], data["columns"], strict=True)
        ],
    )
    models = list(dict.fromkeys(counts["use_case"]))
    title = language.text("variables")
    axis = alt.Axis(tickMinStep=1)
    base = alt.Chart(data).encode(
        y=names("use_case", models),
        order=alt.Order("rank:Q"),
        tooltip=[
            alt.Tooltip("use_case:N", title=language.text("model")),
            alt.Tooltip("words:N", title=language.text("severity")),
            alt.Tooltip("columns:Q", title=title),
        ],
    )
    bars = base.mark_bar(size=BAR).encode(
        x=alt.X("columns:Q", title=title, axis=axis, stack="zero"),
        color=severity_colour("words", language),
    )
    figures = base.mark_text(fontSize=11).encode(
        x=alt.X("columns:Q", title=title, axis=axis, stack="zero", bandPosition=0.5),
        text="count:N",
        color=on_severity(),
    )
    layers = (bars + figures).resolve_scale(color="independent")
    return finished(layers, len(models) * 1.5, language)
