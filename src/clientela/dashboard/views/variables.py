"""Drift per variable, worst first."""

from functools import partial

import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.charts.frame import severity_names
from clientela.dashboard.charts.variables import psi_bars
from clientela.dashboard.tables.variables import DRAWN, by_severity
from clientela.dashboard.views.page import Page, grid, present
from clientela.drift.thresholds import SEVERITIES

MEASURES = ("psi", "ks", "js", "cramers_v")
SHOWN_NAMES = {"psi": "PSI", "ks": "KS", "js": "JS"}


def show(model: Monitoring, page: Page) -> None:
    """Draws the variables.

    Args:
        model: Whose.
        page: How they are shown.
    """
    metrics = present(page, model, "latest_drift_metrics", model.metrics)
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
    columns = by_severity(metrics, chosen)
    if columns.empty:
        st.info(page.text("none_of_these"))
        return
    st.subheader(page.text("psi_by_variable"), anchor=False)
    if len(columns) > DRAWN:
        st.caption(page.text("shown_of", shown=DRAWN, total=len(columns)))
    st.altair_chart(psi_bars(columns.head(DRAWN), model.psi_sizes, page.language), theme=None)
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
    grid(
        page, columns, labels, {**decimals, **shares}, {m: page.text(f"help_{m}") for m in MEASURES}
    )
