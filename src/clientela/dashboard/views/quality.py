"""Anomalies and missing data."""

import pandas as pd
import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.charts.evolution import share_bars
from clientela.dashboard.charts.quality import foreign_bars, missing_dots
from clientela.dashboard.palette import CURRENT
from clientela.dashboard.tables.quality import anomalies, foreign_values, missing_change
from clientela.dashboard.tables.variables import DRAWN
from clientela.dashboard.views.page import Page, grid, present


def show(model: Monitoring, page: Page) -> None:
    """Draws what is odd about the values themselves.

    Args:
        model: Whose.
        page: How it is shown.
    """
    metrics = present(page, model, "latest_drift_metrics", model.metrics)
    if metrics is None:
        return
    _anomalies(metrics, page)
    left, right = st.columns(2, gap="large")
    missing = missing_change(metrics).head(DRAWN)
    with left:
        st.subheader(page.text("missing_change"), anchor=False)
        if missing.empty:
            st.success(page.text("no_missing"))
        else:
            st.altair_chart(missing_dots(missing, page.language), theme=None)
    with right:
        st.subheader(page.text("foreign_values"), anchor=False)
        foreign = foreign_values(metrics).head(DRAWN)
        if foreign.empty:
            st.success(page.text("no_foreign"))
        else:
            st.altair_chart(foreign_bars(foreign, page.language), theme=None)
    if not missing.empty and model.by_period is not None and not model.by_period.empty:
        _missing_over_time(model.by_period, list(missing["feature"]), page)


def _anomalies(metrics: pd.DataFrame, page: Page) -> None:
    st.subheader(page.text("anomalies"), anchor=False)
    odd = anomalies(metrics)
    if odd.empty:
        st.success(page.text("no_anomalies"))
        return
    grid(
        page,
        odd,
        {
            "severity": page.text("severity"),
            "feature": page.text("variable"),
            f"sentence_{page.language.code}": page.text("explanation"),
        },
        {},
    )


def _missing_over_time(by_period: pd.DataFrame, features: list[str], page: Page) -> None:
    feature = st.selectbox(page.text("variable"), features, key="missing_variable", width=520)
    st.subheader(page.text("missing_over_time", feature=feature), anchor=False)
    rows = by_period[by_period["feature"] == feature]
    chart = share_bars(rows, "missing_rate", CURRENT, page.text("share_of_rows"), page.language)
    st.altair_chart(chart, theme=None)
