"""One model: its state, its alerts, and the page that the reader chooses."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from clientela.dashboard.components import PageContext, get_content_or_explain, show_table
from clientela.dashboard.data import (
    DriftState,
    MetricValue,
    MonitoringResults,
    Performance,
    SentAlert,
)
from clientela.dashboard.pages import distributions, evolution, overview, quality
from clientela.dashboard.pages.distributions import filter_by_severity, select_drifted_columns
from clientela.dashboard.pages.evolution import filter_critical_periods
from clientela.dashboard.pages.overview import show_new_data_command
from clientela.reporting.model_health import STATES
from clientela.text import NOTHING

# What was told, whom it reached, and what was critical before.


SHOWN = ("period", "level", "state", "recommendation", "pct_red", "red_columns")


def show_alerts(model: MonitoringResults, page: PageContext) -> None:
    """Draws the alerts."""
    state = model.state
    if state is None:
        get_content_or_explain(page, model, "drift_state", None)
        return
    if state.alert is None:
        period = state.current.period if state.current else page.text("no_current_data")
        st.success(page.text("no_alert", period=period))
    else:
        _show_deliveries(state.alert, page)
    _show_critical_variables(model, page)
    _show_alert_history(model, page)


def show_alert(alert: SentAlert, page: PageContext) -> None:
    """The alert itself."""
    st.error(
        alert.sentence if page.language.code == "es" else alert.sentence_en,
        icon=":material/warning:",
    )


def _show_deliveries(alert: SentAlert, page: PageContext) -> None:
    if not alert.sent:
        st.caption(page.text("not_sent"))
        return
    st.subheader(page.text("deliveries"), anchor=False)
    show_table(
        page,
        pd.DataFrame([delivery.model_dump() for delivery in alert.sent]),
        {name: page.text(name) for name in ("channel", "delivered", "attempts", "detail")},
        {"delivered": lambda taken: page.text("yes" if taken else "no")},
    )


def _show_critical_variables(model: MonitoringResults, page: PageContext) -> None:
    if model.metrics is None:
        return
    red = filter_by_severity(model.metrics, ("ROJO",))
    if red.empty:
        return
    st.subheader(page.text("critical_variables"), anchor=False)
    numbers = page.language.numbers
    labels = {
        "severity": page.text("severity"),
        "feature": page.text("variable"),
        "psi": "PSI",
        f"sentence_{page.language.code}": page.text("explanation"),
    }
    show_table(page, red, labels, {"psi": lambda psi: numbers.text(psi, 3)})


def _show_alert_history(model: MonitoringResults, page: PageContext) -> None:
    st.subheader(page.text("alert_history"), anchor=False)
    log = get_content_or_explain(page, model, "monitoring_log", model.log)
    if log is None:
        return
    rows = filter_critical_periods(log)
    if rows.empty:
        st.success(page.text("no_history"))
        return
    numbers, of = page.language.numbers, page.language.of
    show_table(
        page,
        rows,
        {name: page.text(name) for name in SHOWN},
        {
            "level": lambda level: page.text(f"level_{level}"),
            "state": lambda state: of(STATES[state]),
            "recommendation": lambda advice: page.text(f"advice_{advice}"),
            "pct_red": lambda share: f"{numbers.text(share, 1)} %",
        },
    )


# What to do next about one model, and why.


# What to do next about one model, and why.


MOST = 5
# What to run next, where it is more than monitoring itself.
STAGES = {"retrain": "training,scoring,monitoring"}


def show_summary(model: MonitoringResults, page: PageContext) -> None:
    """Draws the summary."""
    if model.state is None:
        get_content_or_explain(page, model, "drift_state", None)
        return
    left, right = st.columns([2, 1], gap="large")
    with left:
        _show_recommendation(model, model.state, page)
        _show_largest_changes(model, page)
    with right:
        _show_performance(model.state.performance, page)


def _show_recommendation(model: MonitoringResults, state: DriftState, page: PageContext) -> None:
    st.subheader(page.text("what_to_do"), anchor=False)
    if state.current is not None:
        st.markdown(f"**{page.language.of(state.what_to_do.wording)}**")
    for reason in state.reasons:
        st.markdown(f"- {page.language.of(reason.wording)}")
    if state.current is None or state.recommendation is None:
        show_new_data_command(model, page)
        return
    st.markdown(page.text(f"steps_{state.recommendation}"))
    stages = STAGES.get(state.recommendation, "monitoring")
    st.code(page.command(stages, model.use_case), language="bash", wrap_lines=True)


def _show_largest_changes(model: MonitoringResults, page: PageContext) -> None:
    st.subheader(page.text("most_moved"), anchor=False)
    metrics = get_content_or_explain(page, model, "latest_drift_metrics", model.metrics)
    if metrics is None:
        return
    worst = select_drifted_columns(metrics).head(MOST)
    if worst.empty:
        st.success(page.text("nothing_moved"))
        return
    explanation = f"sentence_{page.language.code}"
    show_table(
        page,
        worst,
        {
            "severity": page.text("severity"),
            "feature": page.text("variable"),
            explanation: page.text("explanation"),
        },
        {},
    )


def _show_performance(performance: Performance | None, page: PageContext) -> None:
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
        _show_metric(page.text(f"kind_{kind}"), performance.measure, figure, page)


def _show_metric(title: str, measure: str, figure: MetricValue, page: PageContext) -> None:
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


# One model: its state, its alert, and the view that the reader chooses.


VIEWS: dict[str, Callable[[MonitoringResults, PageContext], None]] = {
    "summary": show_summary,
    "variables": distributions.show_variables,
    "distributions": distributions.show,
    "evolution": evolution.show,
    "quality": quality.show,
    "segments": evolution.show_segments,
    "alerts": show_alerts,
}


def show(model: MonitoringResults, page: PageContext) -> None:
    """Draws one model."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(model.use_case, anchor=False, width="content")
        overview.show_status_badge(model, page)
    if not model.exists:
        st.info(page.text("not_yet"))
        st.code(page.command("monitoring", model.use_case), language="bash")
        return
    if model.state is not None:
        st.caption(overview.describe_comparison(model.state, page))
        if model.state.alert is not None:
            show_alert(model.state.alert, page)
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
