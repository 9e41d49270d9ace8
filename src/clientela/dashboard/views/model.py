"""One model: its state, its alert, and the view that the reader chooses."""

from collections.abc import Callable

import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.views import (
    alerts,
    distributions,
    evolution,
    overview,
    quality,
    segments,
    summary,
    variables,
)
from clientela.dashboard.views.page import Page

VIEWS: dict[str, Callable[[Monitoring, Page], None]] = {
    "summary": summary.show,
    "variables": variables.show,
    "distributions": distributions.show,
    "evolution": evolution.show,
    "quality": quality.show,
    "segments": segments.show,
    "alerts": alerts.show,
}


def show(model: Monitoring, page: Page) -> None:
    """Draws one model.

    Args:
        model: Which one.
        page: How it is shown.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(model.use_case, anchor=False, width="content")
        overview.badge(model, page)
    if not model.exists:
        st.info(page.text("not_yet"))
        st.code(page.command("monitoring", model.use_case), language="bash")
        return
    if model.state is not None:
        st.caption(overview.compared(model.state, page))
        if model.state.alert is not None:
            alerts.banner(model.state.alert, page)
    chosen = st.segmented_control(
        page.text("view"),
        list(VIEWS),
        default="summary",
        required=True,
        format_func=lambda view: page.text(f"view_{view}"),
        key="view",
        label_visibility="collapsed",
    )
    VIEWS[chosen or "summary"](model, page)
