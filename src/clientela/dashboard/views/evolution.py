"""Drift, period after period."""

import pandas as pd
import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.charts.evolution import (
    performance_lines,
    psi_lines,
    severity_map,
    share_bars,
)
from clientela.dashboard.palette import SEVERITY_COLOURS
from clientela.dashboard.tables.evolution import (
    average_psi,
    of_latest_baseline,
    performance,
)
from clientela.dashboard.tables.evolution import severity_map as map_rows
from clientela.dashboard.tables.variables import DRAWN
from clientela.dashboard.views.distributions import variable
from clientela.dashboard.views.page import Page, present


def show(model: Monitoring, page: Page) -> None:
    """Draws the periods.

    Args:
        model: Whose.
        page: How they are shown.
    """
    whole = present(page, model, "monitoring_log", model.log)
    if whole is not None:
        _models_course(of_latest_baseline(whole), model, page)
    by_period = present(page, model, "drift_by_period", model.by_period)
    if by_period is not None and model.metrics is not None:
        _variables_course(by_period, model.metrics, model, page)


def _models_course(log: pd.DataFrame, model: Monitoring, page: Page) -> None:
    if len(log) == 1:
        st.caption(page.text("one_period"))
    lines = average_psi(log)
    lines = lines.assign(line=lines["line"].map(lambda each: page.text(f"line_{each}")))
    title = page.text("average_psi")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(title, anchor=False)
        chart = psi_lines(lines, "line", model.psi_sizes, "PSI", page.language)
        st.altair_chart(chart, theme=None)
    with right:
        st.subheader(page.text("pct_red"), anchor=False)
        shares = log[["period"]].assign(share=log["pct_red"] / 100)
        chart = share_bars(
            shares, "share", SEVERITY_COLOURS["ROJO"], page.text("pct_red"), page.language
        )
        st.altair_chart(chart, theme=None)
    for measure, figures in performance(log).groupby("measure"):
        name = page.measure(str(measure))
        st.subheader(
            page.text("performance_over_time", measure=name),
            anchor=False,
            help=page.text("performance_help"),
        )
        kinds = figures.assign(kind=figures["kind"].map(lambda each: page.text(f"kind_{each}")))
        st.altair_chart(performance_lines(kinds, name, page.language), theme=None)


def _variables_course(
    by_period: pd.DataFrame, metrics: pd.DataFrame, model: Monitoring, page: Page
) -> None:
    st.subheader(page.text("map_title"), anchor=False)
    features = list(metrics["feature"].head(DRAWN))
    if len(metrics) > DRAWN:
        st.caption(page.text("shown_of", shown=DRAWN, total=len(metrics)))
    rows = map_rows(by_period, features)
    chart = severity_map(rows, features, "period", page.text("period"), page.language)
    st.altair_chart(chart, theme=None)
    feature = variable(metrics, page)
    one = by_period[by_period["feature"] == feature].assign(line=feature)
    st.subheader(page.text("variable_over_time", feature=feature), anchor=False)
    st.altair_chart(psi_lines(one, "line", model.psi_sizes, "PSI", page.language), theme=None)
