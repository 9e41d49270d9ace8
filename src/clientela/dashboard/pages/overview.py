"""All models at a glance."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import altair as alt
import pandas as pd
import streamlit as st

from clientela.dashboard.components import (
    BAR,
    STATE_COLOURS,
    STATE_SYMBOLS,
    PageContext,
    name_axis,
    severity_colour,
    severity_names,
    severity_text_colour,
    style_chart,
)
from clientela.dashboard.data import DriftState, MonitoringResults
from clientela.dashboard.pages.evolution import filter_latest_baseline
from clientela.dashboard.texts import Language
from clientela.reporting.drift_findings import SEVERITIES
from clientela.reporting.model_health import STATES
from clientela.reporting.monitoring_log import SIMULATED

# All models at a glance.


Standing: TypeAlias = Literal["alarm", "watch", "stable", "no_current_data", "not_monitored"]
# Worst first.
STANDINGS: tuple[Standing, ...] = ("alarm", "watch", "stable", "no_current_data", "not_monitored")


def get_model_status(model: MonitoringResults) -> Standing:
    """The state of a model, or why it has none.

    Returns:
        Its state; `no_current_data` where nothing was compared; `not_monitored` without any state.
    """
    if model.state is None:
        return "not_monitored"
    return model.state.state or "no_current_data"


def count_models_by_status(models: Sequence[MonitoringResults]) -> dict[Standing, int]:
    """How many models stand where."""
    found = [get_model_status(model) for model in models]
    return {each: found.count(each) for each in STANDINGS}


def count_severities(models: Sequence[MonitoringResults]) -> pd.DataFrame:
    """One row per model and severity.

    Returns:
        `use_case`, `severity`, `rank` (worst 0), `columns` (how many), zeros included.
    """
    rows = [
        (model.use_case, severity, rank, int((model.metrics["severity"] == severity).sum()))
        for model in models
        if model.metrics is not None
        for rank, severity in enumerate(SEVERITIES)
    ]
    return pd.DataFrame(rows, columns=["use_case", "severity", "rank", "columns"])


# How many columns of each model are how bad.


def plot_severity_bars(counts: pd.DataFrame, language: Language) -> alt.LayerChart:
    """One bar per model, divided by severity."""
    words = severity_names(language)
    data = counts[counts["columns"] > 0]
    data = data.assign(
        words=data["severity"].map(words),
        count=[
            f"{words[severity][0]} {columns}"
            for severity, columns in zip(data["severity"], data["columns"], strict=True)
        ],
    )
    models = list(dict.fromkeys(counts["use_case"]))
    title = language.text("variables")
    axis = alt.Axis(tickMinStep=1)
    base = alt.Chart(data).encode(
        y=name_axis("use_case", models),
        order=alt.Order("rank:Q"),
        tooltip=[
            alt.Tooltip("use_case:N", title=language.text("model")),
            alt.Tooltip("words:N", title=language.text("severity")),
            alt.Tooltip("columns:Q", title=title),
        ],
    )
    bars = base.mark_bar(size=BAR).encode(
        x=alt.X("columns:Q", title=title, axis=axis, stack="zero"),
        color=severity_colour("words", language),
    )
    figures = base.mark_text(fontSize=11).encode(
        x=alt.X("columns:Q", title=title, axis=axis, stack="zero", bandPosition=0.5),
        text="count:N",
        color=severity_text_colour(),
    )
    layers = (bars + figures).resolve_scale(color="independent")
    return style_chart(layers, len(models) * 1.5, language)


# All models: how each of them is, and what to do about it.


TILES: dict[str, tuple[Standing, ...]] = {
    "models_in_alarm": ("alarm",),
    "models_under_watch": ("watch",),
    "models_stable": ("stable",),
    "models_without": ("no_current_data", "not_monitored"),
}


def show(models: Sequence[MonitoringResults], page: PageContext) -> None:
    """Draws the overview."""
    st.title(page.text("title"), anchor=False)
    st.caption(page.text("overview_caption"))
    if not any(model.exists for model in models):
        _show_empty_state(page)
        return
    _show_status_counts(models, page)
    for model in sorted(models, key=lambda each: STANDINGS.index(get_model_status(each))):
        with st.container(border=True, key=f"model-{model.use_case}"):
            _show_model_card(model, page)
    counts = count_severities(models)
    if counts["columns"].sum():
        st.subheader(page.text("severity_counts"), anchor=False)
        st.altair_chart(plot_severity_bars(counts, page.language), theme=None)


def _show_empty_state(page: PageContext) -> None:
    st.info(page.text("nothing_yet"))
    st.markdown(page.text("run_this"))
    st.code(page.command("monitoring"), language="bash")


def _show_status_counts(models: Sequence[MonitoringResults], page: PageContext) -> None:
    counts = count_models_by_status(models)
    for column, (key, standings) in zip(st.columns(len(TILES)), TILES.items(), strict=True):
        column.metric(page.text(key), sum(counts[each] for each in standings), border=True)


def _show_model_card(model: MonitoringResults, page: PageContext) -> None:
    about, advice, course = st.columns([3, 4, 2], vertical_alignment="center")
    with about:
        st.subheader(model.use_case, anchor=False)
        show_status_badge(model, page)
        if model.state is not None:
            st.caption(describe_comparison(model.state, page))
    with advice:
        _show_advice(model, page)
    with course:
        _show_drift_trend(model, page)
        st.button(
            page.text("details"),
            key=f"open-{model.use_case}",
            on_click=st.session_state.update,
            args=({"model": model.use_case},),
            width="stretch",
        )


def show_status_badge(model: MonitoringResults, page: PageContext) -> None:
    """The state of a model: colour, symbol and word."""
    state = model.state.state if model.state else None
    if state is None:
        st.badge(f"○ {page.text(get_model_status(model))}", color="gray")
    else:
        words = page.language.of(STATES[state])
        st.badge(f"{STATE_SYMBOLS[state]} {words}", color=STATE_COLOURS[state])


def describe_comparison(state: DriftState, page: PageContext) -> str:
    """What was compared with what.

    Returns:
        Periods and numbers of rows; of the baseline alone where nothing was compared.
    """
    rows, base = page.language.numbers.text, state.baseline
    span = " \N{EN DASH} ".join(moment[:10] for moment in (base.first, base.last) if moment)
    of_base = {"base_rows": rows(base.rows), "span": f" ({span})" if span else ""}
    if state.current is None:
        return page.text("baseline_only", **of_base)
    current = state.current
    is_file = current.mode.startswith("file")
    period = page.text("of_file", period=current.period) if is_file else current.period
    if current.mode.startswith(SIMULATED):
        period = f"{period} ({current.mode})"
    return page.text("compared", period=period, rows=rows(current.rows), **of_base)


def _show_advice(model: MonitoringResults, page: PageContext) -> None:
    state = model.state
    if state is None:
        st.markdown(page.text("unreadable" if model.problems else "not_yet"))
        st.code(page.command("monitoring", model.use_case), language="bash", wrap_lines=True)
        return
    if state.recommendation is not None and state.current is not None:
        st.markdown(f"**{page.text(f'advice_{state.recommendation}')}**")
    for reason in state.reasons:
        st.markdown(f"- {page.language.of(reason.wording)}")
    if state.current is None:
        show_new_data_command(model, page)


def show_new_data_command(model: MonitoringResults, page: PageContext) -> None:
    """What to do where there is nothing to compare with the baseline."""
    st.markdown(page.text("newer_file"))
    command = page.command("ingestion,feature_engineering,scoring,monitoring", model.use_case)
    st.code(command, language="bash", wrap_lines=True)


def _show_drift_trend(model: MonitoringResults, page: PageContext) -> None:
    """The share of red columns, period after period, as a line small enough for a card."""
    if model.log is None or model.log.empty:
        return
    reds = filter_latest_baseline(model.log)["pct_red"]
    st.metric(
        page.text("pct_red"),
        f"{page.language.numbers.text(reds.iloc[-1], 1)} %",
        chart_data=reds.tolist() if len(reds) > 1 else None,
        chart_type="area",
    )
