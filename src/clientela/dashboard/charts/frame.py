"""What all charts share: axes that can be read, bars of one height, colours of severities."""

import altair as alt
import pandas as pd

from clientela.dashboard.language import Language
from clientela.dashboard.palette import GRID, INK, LETTERS, SEVERITY_COLOURS, SEVERITY_SYMBOLS
from clientela.drift.thresholds import SEVERITIES

BAR = 22
"""Height of a bar with its gap, in pixels."""
AROUND = 110
"""What legend and axes take of a chart's height, in pixels."""
LABEL = 260
"""Most pixels a name may take on an axis."""


def finished(chart: alt.LayerChart | alt.Chart, rows: float, language: Language) -> alt.LayerChart:
    """A chart with quiet lines, dark letters, and numbers as the reader writes them.

    Args:
        chart: What is drawn.
        rows: How many bars high.
        language: Of the separators.

    Returns:
        The chart to hand to Streamlit.
    """
    axis = {"gridColor": GRID, "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}
    numbers = alt.NumberLocale(
        decimal=language.numbers.decimal,
        thousands=language.numbers.thousands,
        grouping=[3],
        currency=["", ""],
    )
    whole = chart if isinstance(chart, alt.LayerChart) else alt.layer(chart)
    drawn: alt.LayerChart = (
        whole.properties(height=round(rows * BAR) + AROUND)
        .configure(locale=alt.Locale(number=numbers))
        .configure_axis(**axis, labelLimit=LABEL, labelFontSize=12)
        .configure_view(strokeWidth=0)
    )
    return drawn


def names(field: str, order: list[str]) -> alt.Y:
    """An axis of names, from the top down.

    Args:
        field: Column of names.
        order: Names in their order.

    Returns:
        The vertical encoding.
    """
    return alt.Y(field, type="nominal", sort=order, title=None, axis=alt.Axis(ticks=False))


def severity_names(language: Language) -> dict[str, str]:
    """What each severity is called, with its symbol.

    Args:
        language: Of the words.

    Returns:
        Severity to words, worst first.
    """
    return {
        each: f"{SEVERITY_SYMBOLS[each]} {language.text(f'severity_{each}')}" for each in SEVERITIES
    }


def severity_colour(field: str, language: Language) -> alt.Color:
    """Colours of severities, with a legend that spells them out.

    Args:
        field: Column that holds the words of `severity_names`.
        language: Of the legend.

    Returns:
        The encoding.
    """
    words = severity_names(language)
    scale = alt.Scale(
        domain=list(words.values()), range=[SEVERITY_COLOURS[each] for each in SEVERITIES]
    )
    legend = alt.Legend(orient="top", title=None, labelLimit=LABEL, symbolType="square", offset=24)
    return alt.Color(field, type="nominal", scale=scale, legend=legend)


def on_severity() -> alt.Color:
    """Letters that can be read on the colour of their severity, from a column `severity`."""
    scale = alt.Scale(domain=list(LETTERS), range=list(LETTERS.values()))
    return alt.Color("severity", type="nominal", scale=scale, legend=None)


def limits(marks: dict[str, float], vertical: bool) -> alt.LayerChart:
    """Dashed lines at the sizes that count, each with its name.

    Args:
        marks: Words to size.
        vertical: Whether sizes run from left to right.

    Returns:
        A layer.
    """
    data = pd.DataFrame({"name": list(marks), "limit": list(marks.values())})
    if vertical:
        base = alt.Chart(data).encode(x="limit:Q")
        label = base.mark_text(align="center", dy=-6, fontSize=11, color=INK)
        words = label.encode(y=alt.value(0), text="name:N")
    else:
        base = alt.Chart(data).encode(y="limit:Q")
        label = base.mark_text(align="right", dy=-6, fontSize=11, color=INK)
        words = label.encode(x=alt.value("width"), text="name:N")
    rule = base.mark_rule(strokeDash=[4, 4], color=INK, opacity=0.7)
    layers: alt.LayerChart = rule + words
    return layers
