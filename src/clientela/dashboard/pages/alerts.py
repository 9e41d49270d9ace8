"""What was told, whom it reached, and what was critical before."""

import pandas as pd
import streamlit as st

from clientela.dashboard.components import PageContext, get_content_or_explain, show_table
from clientela.dashboard.data import MonitoringResults, SentAlert
from clientela.dashboard.pages.evolution import filter_critical_periods
from clientela.dashboard.pages.variables import filter_by_severity
from clientela.reporting.model_health import STATES

SHOWN = ("period", "level", "state", "recommendation", "pct_red", "red_columns")


def show(model: MonitoringResults, page: PageContext) -> None:
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
