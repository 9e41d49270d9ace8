"""The watched columns of one model in its latest period."""

from collections.abc import Collection
from functools import partial

import altair as alt
import pandas as pd
import streamlit as st

from clientela.dashboard.components import (
    BAR,
    PageContext,
    get_content_or_explain,
    name_axis,
    plot_threshold_lines,
    severity_colour,
    severity_names,
    show_table,
    style_chart,
)
from clientela.dashboard.data import MonitoringResults
from clientela.dashboard.texts import Language
from clientela.reporting.drift_findings import SEVERITIES, EffectSizes, sort_by_severity

# The watched columns of one model in its latest period.


DRAWN = 30
"""Bars that a person can still read; the table below them holds every column."""


def filter_by_severity(metrics: pd.DataFrame, severities: Collection[str]) -> pd.DataFrame:
    """The columns of chosen severities, worst first.

    Args:
        severities: Those to keep; none keeps all.
    """
    wanted = metrics[metrics["severity"].isin(severities)] if severities else metrics
    return sort_by_severity(wanted)


def select_drifted_columns(metrics: pd.DataFrame) -> pd.DataFrame:
    """The columns that ask for attention: ROJO, then AMARILLO."""
    return filter_by_severity(metrics, ("ROJO", "AMARILLO"))


# How far each column of a model moved.


BEYOND = 4
"""Bars end at so many times the alarm: a larger PSI says no more, and would flatten the others."""


def plot_psi_bars(columns: pd.DataFrame, sizes: EffectSizes, language: Language) -> alt.LayerChart:
    """One bar per column, worst first, with the sizes that count.

    Args:
        columns: `feature`, `psi`, `severity`, in the order of drawing.
        sizes: From where on a PSI is watched, and an alarm.

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
        y=name_axis("feature", list(data["feature"])),
        x=alt.X("drawn:Q", title=language.text("psi_axis"), scale=alt.Scale(domainMin=0)),
        tooltip=[
            alt.Tooltip("feature:N", title=language.text("variable")),
            alt.Tooltip("written:N", title="PSI"),
            alt.Tooltip("words:N", title=language.text("severity")),
        ],
    )
    bars = base.mark_bar(size=BAR - 8).encode(color=severity_colour("words", language))
    figures = base.mark_text(align="left", dx=4, fontSize=11).encode(text="written:N")
    lines = plot_threshold_lines(
        {
            language.text(f"{each}_limit", limit=language.numbers.readable(size)): size
            for each, size in (("watch", sizes.watch), ("alarm", sizes.alarm))
        },
        vertical=True,
    )
    return style_chart(bars + figures + lines, len(data), language)


# Drift per variable, worst first.


MEASURES = ("psi", "ks", "js", "cramers_v")
SHOWN_NAMES = {"psi": "PSI", "ks": "KS", "js": "JS"}


def show(model: MonitoringResults, page: PageContext) -> None:
    """Draws the variables."""
    metrics = get_content_or_explain(page, model, "latest_drift_metrics", model.metrics)
    if metrics is None:
        return
    words = severity_names(page.language)
    chosen = st.pills(
        page.text("show_all"),
        SEVERITIES,
        selection_mode="multi",
        format_func=words.__getitem__,
        key="severities",
    )
    columns = filter_by_severity(metrics, chosen)
    if columns.empty:
        st.info(page.text("none_of_these"))
        return
    st.subheader(page.text("psi_by_variable"), anchor=False)
    if len(columns) > DRAWN:
        st.caption(page.text("shown_of", shown=DRAWN, total=len(columns)))
    st.altair_chart(plot_psi_bars(columns.head(DRAWN), model.psi_sizes, page.language), theme=None)
    numbers = page.language.numbers
    decimals = dict.fromkeys(MEASURES, partial(numbers.text, decimals=3))
    shares = {"missing_rate": numbers.percent}
    labels = {
        "severity": page.text("severity"),
        "feature": page.text("variable"),
        **{name: SHOWN_NAMES.get(name) or page.text(name) for name in MEASURES},
        "missing_rate": page.text("missing_now"),
        f"sentence_{page.language.code}": page.text("explanation"),
    }
    show_table(
        page, columns, labels, {**decimals, **shares}, {m: page.text(f"help_{m}") for m in MEASURES}
    )
