"""Drift, period after period."""

import altair as alt
import pandas as pd

from clientela.dashboard.charts.frame import (
    BAR,
    finished,
    limits,
    names,
    on_severity,
    severity_colour,
    severity_names,
)
from clientela.dashboard.language import Language
from clientela.dashboard.palette import CURRENT
from clientela.drift.thresholds import EffectSizes

HIGH = 9
"""Of a chart over periods, in bars."""
SECOND = "#c2571a"
"""A second line: apart from the first for every kind of colour vision, and dashed."""


def period_lines(
    table: pd.DataFrame, value: str, kind: str, title: str, language: Language
) -> alt.LayerChart:
    """One line per kind, over periods.

    Args:
        table: `period`, `n` (rows), and the two columns named next.
        value: Column of figures.
        kind: Column that holds the name of the line.
        title: Of the vertical axis.
        language: Of the separators.

    Returns:
        A layer of lines and points.
    """
    data = table.assign(written=[language.numbers.text(x, 3) for x in table[value]])
    kinds = list(dict.fromkeys(table[kind]))
    legend = alt.Legend(orient="top", title=None) if len(kinds) > 1 else None
    base = alt.Chart(data).encode(
        x=periods(language),
        y=alt.Y(f"{value}:Q", title=title, scale=alt.Scale(zero=False, nice=True)),
        color=alt.Color(
            f"{kind}:N",
            scale=alt.Scale(domain=kinds, range=[CURRENT, SECOND]),
            legend=legend,
        ),
        tooltip=[
            alt.Tooltip("period:N", title=language.text("period")),
            alt.Tooltip(f"{kind}:N", title=language.text("kind")),
            alt.Tooltip("written:N", title=title),
            alt.Tooltip("n:Q", title=language.text("rows"), format=","),
        ],
    )
    dash = alt.StrokeDash(
        f"{kind}:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [6, 3]]), legend=legend
    )
    line = base.mark_line(strokeWidth=2.5).encode(strokeDash=dash)
    layers: alt.LayerChart = line + base.mark_circle(size=70, opacity=1)
    return layers


def psi_lines(
    table: pd.DataFrame, kind: str, sizes: EffectSizes, title: str, language: Language
) -> alt.LayerChart:
    """PSI over periods, with the sizes that count.

    Args:
        table: `period`, `psi`, `n`, and the column named next.
        kind: Column that holds the name of the line.
        sizes: From where on a PSI is watched, and an alarm.
        title: Of the vertical axis.
        language: Of the words.

    Returns:
        The chart.
    """
    lines = limits(
        {
            language.text(f"{each}_limit", limit=language.numbers.readable(size)): size
            for each, size in (("watch", sizes.watch), ("alarm", sizes.alarm))
        },
        vertical=False,
    )
    chart = period_lines(table, "psi", kind, title, language) + lines
    return finished(chart, HIGH, language)


def performance_lines(table: pd.DataFrame, title: str, language: Language) -> alt.LayerChart:
    """Estimated and realised performance over periods.

    Args:
        table: `period`, `kind` (in words), `value`, `n`.
        title: Name of the measure.
        language: Of the words.

    Returns:
        The chart.
    """
    return finished(period_lines(table, "value", "kind", title, language), HIGH, language)


def share_bars(
    table: pd.DataFrame, value: str, colour: str, title: str, language: Language
) -> alt.LayerChart:
    """A share per period.

    Args:
        table: `period` and the column named next.
        value: Column of shares, 0..1.
        colour: Of the bars.
        title: Of the vertical axis.
        language: Of the words.

    Returns:
        The chart.
    """
    data = table.assign(
        written=[language.numbers.percent(x) for x in table[value]],
        short=[f"{language.numbers.text(100 * x)} %" for x in table[value]],
    )
    base = alt.Chart(data).encode(
        x=periods(language),
        y=alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format="%", tickCount=5)),
        tooltip=[
            alt.Tooltip("period:N", title=language.text("period")),
            alt.Tooltip("written:N", title=title),
        ],
    )
    bars = base.mark_bar(size=BAR, color=colour)
    figures = base.mark_text(dy=-7, fontSize=11).encode(text="short:N")
    return finished(bars + figures, HIGH, language)


def severity_map(
    table: pd.DataFrame, features: list[str], column: str, title: str, language: Language
) -> alt.LayerChart:
    """One square per column of the data and period (or segment), coloured by severity.

    Args:
        table: `feature`, `severity`, `psi`, and the column named next.
        features: From the top down.
        column: What runs from left to right.
        title: Of it.
        language: Of the words.

    Returns:
        The chart; a symbol in each square says the severity without its colour.
    """
    words = severity_names(language)
    data = table.assign(
        words=table["severity"].map(words),
        symbol=table["severity"].map({each: text[0] for each, text in words.items()}),
        written=[language.numbers.text(x, 3) for x in table["psi"]],
    )
    base = alt.Chart(data).encode(
        x=alt.X(column, type="nominal", title=title, axis=alt.Axis(labelAngle=-35, ticks=False)),
        y=names("feature", features),
        tooltip=[
            alt.Tooltip("feature:N", title=language.text("variable")),
            alt.Tooltip(f"{column}:N", title=title),
            alt.Tooltip("words:N", title=language.text("severity")),
            alt.Tooltip("written:N", title="PSI"),
        ],
    )
    squares = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=severity_colour("words", language)
    )
    symbols = base.mark_text(fontSize=11).encode(text="symbol:N", color=on_severity())
    layers = (squares + symbols).resolve_scale(color="independent")
    return finished(layers, len(features) + 1, language)


def periods(language: Language) -> alt.X:
    """The axis of periods, whose names are in the order of time.

    Args:
        language: Of its title.

    Returns:
        The horizontal encoding.
    """
    return alt.X(
        "period:N", title=language.text("period"), sort="ascending", axis=alt.Axis(labelAngle=-35)
    )
