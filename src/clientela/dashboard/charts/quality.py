"""Missing and unknown values."""

import altair as alt
import pandas as pd

from clientela.dashboard.charts.frame import BAR, finished, names
from clientela.dashboard.language import Language
from clientela.dashboard.palette import BASELINE, CURRENT, INK, SEVERITY_COLOURS


def missing_dots(table: pd.DataFrame, language: Language) -> alt.LayerChart:
    """Per column where the share of missing values was, and where it is.

    Args:
        table: `feature`, `baseline`, `current`, in the order of drawing.
        language: Of the words.

    Returns:
        The chart: two dots and the way between them.
    """
    words = {"baseline": language.text("baseline"), "current": language.text("current")}
    long = table.melt("feature", list(words), var_name="data", value_name="share")
    long = long.assign(
        data=long["data"].map(words), written=[language.numbers.percent(x) for x in long["share"]]
    )
    order = list(table["feature"])
    axis = alt.Axis(format="%", tickCount=5)
    way = (
        alt.Chart(table)
        .mark_rule(strokeWidth=2, color=INK, opacity=0.5)
        .encode(
            y=names("feature", order),
            x=alt.X("baseline:Q", title=language.text("share_of_rows"), axis=axis),
            x2="current:Q",
        )
    )
    dots = (
        alt.Chart(long)
        .mark_point(size=110, filled=True, opacity=1)
        .encode(
            y=names("feature", order),
            x=alt.X("share:Q", title=language.text("share_of_rows"), axis=axis),
            color=alt.Color(
                "data:N",
                scale=alt.Scale(domain=list(words.values()), range=[BASELINE, CURRENT]),
                legend=alt.Legend(orient="top", title=None),
            ),
            shape=alt.Shape(
                "data:N",
                scale=alt.Scale(domain=list(words.values()), range=["circle", "diamond"]),
            ),
            tooltip=[
                alt.Tooltip("feature:N", title=language.text("variable")),
                alt.Tooltip("data:N", title=language.text("data")),
                alt.Tooltip("written:N", title=language.text("share_of_rows")),
            ],
        )
    )
    return finished(way + dots, len(order), language)


def foreign_bars(table: pd.DataFrame, language: Language) -> alt.LayerChart:
    """Per column the share of rows with values that the baseline did not know.

    Args:
        table: `feature`, `kind`, `share`, in the order of drawing.
        language: Of the words.

    Returns:
        The chart.
    """
    kinds = {each: language.text(f"kind_{each}") for each in ("new", "out_of_range")}
    data = table.assign(
        kind=table["kind"].map(kinds),
        written=[language.numbers.percent(x) for x in table["share"]],
    )
    base = alt.Chart(data).encode(
        y=names("feature", list(table["feature"])),
        x=alt.X("share:Q", title=language.text("share_of_rows"), axis=alt.Axis(format="%")),
        tooltip=[
            alt.Tooltip("feature:N", title=language.text("variable")),
            alt.Tooltip("kind:N", title=language.text("kind")),
            alt.Tooltip("written:N", title=language.text("share_of_rows")),
        ],
    )
    scale = alt.Scale(domain=list(kinds.values()), range=[CURRENT, SEVERITY_COLOURS["AMARILLO"]])
    bars = base.mark_bar(size=BAR - 8).encode(
        color=alt.Color("kind:N", scale=scale, legend=alt.Legend(orient="top", title=None))
    )
    figures = base.mark_text(align="left", dx=4, fontSize=11).encode(text="written:N")
    return finished(bars + figures, len(table), language)
