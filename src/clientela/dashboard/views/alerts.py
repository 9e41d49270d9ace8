"""What was told, whom it reached, and what was critical before."""

import pandas as pd
import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.states import SentAlert
from clientela.dashboard.tables.evolution import with_red
from clientela.dashboard.tables.variables import by_severity
from clientela.dashboard.views.page import Page, grid, present
from clientela.drift.wording import STATES

SHOWN = ("period", "level", "state", "recommendation", "pct_red", "red_columns")


def show(model: Monitoring, page: Page) -> None:
    """Draws the alerts.

    Args:
        model: Whose.
        page: How they are shown.
    """
    state = model.state
    if state is None:
        present(page, model, "drift_state", None)
        return
    if state.alert is None:
        period = state.current.period if state.current else page.text("no_current_data")
        st.success(page.text("no_alert", period=period))
    else:
        _deliveries(state.alert, page)
    _critical_variables(model, page)
    _history(model, page)


def banner(alert: SentAlert, page: Page) -> None:
    """The alert itself.

    Args:
        alert: What was told.
        page: How it is shown.
    """
    st.error(
        alert.sentence if page.language.code == "es" else alert.sentence_en,
        icon=":material/warning:",
    )


def _deliveries(alert: SentAlert, page: Page) -> None:
    if not alert.sent:
        st.caption(page.text("not_sent"))
        return
    st.subheader(page.text("deliveries"), anchor=False)
    grid(
        page,
        pd.DataFrame([delivery.model_dump() for delivery in alert.sent]),
        {name: page.text(name) for name in ("channel", "delivered", "attempts", "detail")},
        {"delivered": lambda taken: page.text("yes" if taken else "no")},
    )


def _critical_variables(model: Monitoring, page: Page) -> None:
    if model.metrics is None:
        return
    red = by_severity(model.metrics, ("ROJO",))
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
    grid(page, red, labels, {"psi": lambda psi: numbers.text(psi, 3)})


def _history(model: Monitoring, page: Page) -> None:
    st.subheader(page.text("alert_history"), anchor=False)
    log = present(page, model, "monitoring_log", model.log)
    if log is None:
        return
    rows = with_red(log)
    if rows.empty:
        st.success(page.text("no_history"))
        return
    numbers, of = page.language.numbers, page.language.of
    grid(
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
