"""Where a variable moved: its historical distribution against the current one."""

import pandas as pd
import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.charts.distributions import contribution_bars, distribution_bars, points
from clientela.dashboard.charts.frame import severity_names
from clientela.dashboard.tables.distributions import cells_of
from clientela.dashboard.views.page import Page, grid, present


def show(model: Monitoring, page: Page) -> None:
    """Draws one variable, which the reader chooses.

    Args:
        model: Whose.
        page: How it is shown.
    """
    metrics = present(page, model, "latest_drift_metrics", model.metrics)
    bins = None if metrics is None else present(page, model, "bin_shares", model.bins)
    if metrics is None or bins is None:
        return
    feature = variable(metrics, page)
    row = metrics[metrics["feature"] == feature].iloc[0]
    severity = str(row["severity"])
    sentence = row[f"sentence_{page.language.code}"]
    st.markdown(f"**{severity_names(page.language)[severity]}** · {sentence}")
    cells = cells_of(bins, feature, severity in ("ROJO", "AMARILLO"), page.language)
    if cells.empty:
        st.info(page.text("part_empty", dataset="bin_shares"))
        return
    _told(cells, page)
    shares, contributions = st.columns([3, 2], gap="large")
    shares.altair_chart(distribution_bars(cells, page.language), theme=None)
    contributions.altair_chart(contribution_bars(cells, page.language), theme=None)
    _cells(cells, page)


def variable(metrics: pd.DataFrame, page: Page) -> str:
    """The variable that the reader chooses; the worst one at first.

    Args:
        metrics: One row per column, worst first.
        page: How names are shown.

    Returns:
        Its name.
    """
    words, numbers = severity_names(page.language), page.language.numbers
    named = {
        str(feature): f"{words[severity][0]} {feature} · PSI {numbers.text(psi, 3)}"
        for feature, severity, psi in zip(
            metrics["feature"], metrics["severity"], metrics["psi"], strict=True
        )
    }
    return st.selectbox(
        page.text("variable"),
        list(named),
        format_func=named.__getitem__,
        key="variable",
        width=520,
    )


def _told(cells: pd.DataFrame, page: Page) -> None:
    moved = cells[cells["moved"]].sort_values("contribution", ascending=False)
    if moved.empty:
        return
    share = moved["contribution"].sum() / cells["contribution"].sum()
    named = ", ".join(
        f"{label} ({points(change, page.language)})"
        for label, change in zip(moved["label"], moved["change"], strict=True)
    )
    # plain text: a name in the data may hold what Markdown reads as a formula
    st.text(page.text("moved_sentence", share=page.language.numbers.percent(share), bins=named))


def _cells(cells: pd.DataFrame, page: Page) -> None:
    numbers = page.language.numbers
    grid(
        page,
        cells,
        {
            "label": page.text("bin"),
            "baseline_share": page.text("historical"),
            "current_share": page.text("current"),
            "change": page.text("change_pp"),
            "contribution": page.text("contribution"),
        },
        {
            "baseline_share": numbers.percent,
            "current_share": numbers.percent,
            "change": lambda change: numbers.text(100 * change, 1),
            "contribution": lambda psi: numbers.text(psi, 4),
        },
    )
