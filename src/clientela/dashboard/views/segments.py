"""Drift within segments, which a whole can hide."""

import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.charts.evolution import severity_map
from clientela.dashboard.tables.segments import latest_of
from clientela.dashboard.views.page import Page, grid, present


def show(model: Monitoring, page: Page) -> None:
    """Draws the segments of the latest period.

    Args:
        model: Whose.
        page: How they are shown.
    """
    if model.by_segment is not None and model.by_segment.empty:
        st.info(page.text("no_segments", use_case=model.use_case))
        return
    table = present(page, model, "drift_by_segment", model.by_segment)
    if table is None:
        return
    columns = sorted(table["segment_column"].unique())
    column = st.selectbox(page.text("segment_column"), columns, key="segment_column", width=520)
    rows = latest_of(table, str(column))
    st.subheader(page.text("segment_map", period=rows["period"].max()), anchor=False)
    features = list(dict.fromkeys(rows.sort_values("psi", ascending=False)["feature"]))
    chart = severity_map(rows, features, "segment", page.text("segment"), page.language)
    st.altair_chart(chart, theme=None)
    numbers = page.language.numbers
    grid(
        page,
        rows.sort_values("psi", ascending=False),
        {
            "severity": page.text("severity"),
            "segment": page.text("segment"),
            "feature": page.text("variable"),
            "psi": "PSI",
            "n": page.text("rows"),
        },
        {"psi": lambda psi: numbers.text(psi, 3), "n": numbers.text},
    )
