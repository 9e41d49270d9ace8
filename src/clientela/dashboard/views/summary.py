"""What to do next about one model, and why."""

import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.states import DriftState, Figure, Performance
from clientela.dashboard.tables.variables import moved
from clientela.dashboard.views.overview import newer_file
from clientela.dashboard.views.page import Page, grid, present
from clientela.reports.numbers import NOTHING

MOST = 5
STAGES = {"retrain": "training,scoring,monitoring"}
"""What to run next, where it is more than monitoring itself."""


def show(model: Monitoring, page: Page) -> None:
    """Draws the summary.

    Args:
        model: Whose.
        page: How it is shown.
    """
    if model.state is None:
        present(page, model, "drift_state", None)
        return
    left, right = st.columns([2, 1], gap="large")
    with left:
        _what_to_do(model, model.state, page)
        _most_moved(model, page)
    with right:
        _performance(model.state.performance, page)


def _what_to_do(model: Monitoring, state: DriftState, page: Page) -> None:
    st.subheader(page.text("what_to_do"), anchor=False)
    if state.current is not None:
        st.markdown(f"**{page.language.of(state.what_to_do.wording)}**")
    for reason in state.reasons:
        st.markdown(f"- {page.language.of(reason.wording)}")
    if state.current is None or state.recommendation is None:
        newer_file(model, page)
        return
    st.markdown(page.text(f"steps_{state.recommendation}"))
    stages = STAGES.get(state.recommendation, "monitoring")
    st.code(page.command(stages, model.use_case), language="bash", wrap_lines=True)


def _most_moved(model: Monitoring, page: Page) -> None:
    st.subheader(page.text("most_moved"), anchor=False)
    metrics = present(page, model, "latest_drift_metrics", model.metrics)
    if metrics is None:
        return
    worst = moved(metrics).head(MOST)
    if worst.empty:
        st.success(page.text("nothing_moved"))
        return
    explanation = f"sentence_{page.language.code}"
    grid(
        page,
        worst,
        {
            "severity": page.text("severity"),
            "feature": page.text("variable"),
            explanation: page.text("explanation"),
        },
        {},
    )


def _performance(performance: Performance | None, page: Page) -> None:
    st.subheader(page.text("performance"), anchor=False, help=page.text("performance_help"))
    if performance is None:
        st.info(page.text("no_performance"))
        return
    if performance.reference is not None:
        st.caption(
            page.text(
                "reference",
                measure=page.measure(performance.measure),
                value=page.language.numbers.text(performance.reference, 3),
            )
        )
    for kind, figure in (
        ("estimated", performance.estimated),
        ("realised", performance.realised),
    ):
        _figure(page.text(f"kind_{kind}"), performance.measure, figure, page)


def _figure(title: str, measure: str, figure: Figure, page: Page) -> None:
    """One figure; where a note says that it proves nothing, it is no headline."""
    numbers, rows = page.language.numbers, page.language.numbers.text(figure.n)
    value = NOTHING if figure.value is None else numbers.text(figure.value, 3)
    with st.container(border=True):
        st.metric(f"{title} ({page.measure(measure)})", value if figure.note is None else NOTHING)
        if figure.note is not None:
            why = page.language.of(figure.note.wording)
            st.caption(page.text("uncertain", value=value, rows=rows, why=why))
        elif figure.lower is not None and figure.upper is not None:
            span = f"{numbers.text(figure.lower, 3)} {NOTHING} {numbers.text(figure.upper, 3)}"
            st.caption(page.text("interval_of", span=span, rows=rows))
