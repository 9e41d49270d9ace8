"""All models: how each of them is, and what to do about it."""

from collections.abc import Sequence

import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.charts.severity import severity_bars
from clientela.dashboard.palette import STATE_COLOURS, STATE_SYMBOLS
from clientela.dashboard.states import DriftState
from clientela.dashboard.tables.evolution import of_latest_baseline
from clientela.dashboard.tables.overview import (
    STANDINGS,
    Standing,
    severity_counts,
    standing,
    standing_counts,
)
from clientela.dashboard.views.page import Page
from clientela.drift.wording import STATES

TILES: dict[str, tuple[Standing, ...]] = {
    "models_in_alarm": ("alarm",),
    "models_under_watch": ("watch",),
    "models_stable": ("stable",),
    "models_without": ("no_current_data", "not_monitored"),
}


def show(models: Sequence[Monitoring], page: Page) -> None:
    """Draws the overview.

    Args:
        models: All of them.
        page: How they are shown.
    """
    st.title(page.text("title"), anchor=False)
    st.caption(page.text("overview_caption"))
    if not any(model.exists for model in models):
        _nothing_yet(page)
        return
    _tiles(models, page)
    for model in sorted(models, key=lambda each: STANDINGS.index(standing(each))):
        with st.container(border=True, key=f"model-{model.use_case}"):
            _model(model, page)
    counts = severity_counts(models)
    if counts["columns"].sum():
        st.subheader(page.text("severity_counts"), anchor=False)
        st.altair_chart(severity_bars(counts, page.language), theme=None)


def _nothing_yet(page: Page) -> None:
    st.info(page.text("nothing_yet"))
    st.markdown(page.text("run_this"))
    st.code(page.command("monitoring"), language="bash")


def _tiles(models: Sequence[Monitoring], page: Page) -> None:
    counts = standing_counts(models)
    for column, (key, standings) in zip(st.columns(len(TILES)), TILES.items(), strict=True):
        column.metric(page.text(key), sum(counts[each] for each in standings), border=True)


def _model(model: Monitoring, page: Page) -> None:
    about, advice, course = st.columns([3, 4, 2], vertical_alignment="center")
    with about:
        st.subheader(model.use_case, anchor=False)
        badge(model, page)
        if model.state is not None:
            st.caption(compared(model.state, page))
    with advice:
        _advice(model, page)
    with course:
        _course(model, page)
        st.button(
            page.text("details"),
            key=f"open-{model.use_case}",
            on_click=st.session_state.update,
            args=({"model": model.use_case},),
            width="stretch",
        )


def badge(model: Monitoring, page: Page) -> None:
    """The state of a model: colour, symbol and word.

    Args:
        model: Whose state.
        page: How it is shown.
    """
    state = model.state.state if model.state else None
    if state is None:
        st.badge(f"○ {page.text(standing(model))}", color="gray")
    else:
        words = page.language.of(STATES[state])
        st.badge(f"{STATE_SYMBOLS[state]} {words}", color=STATE_COLOURS[state])


def compared(state: DriftState, page: Page) -> str:
    """What was compared with what.

    Args:
        state: Of a model.
        page: How it is shown.

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
    return page.text("compared", period=period, rows=rows(current.rows), **of_base)


def _advice(model: Monitoring, page: Page) -> None:
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
        newer_file(model, page)


def newer_file(model: Monitoring, page: Page) -> None:
    """What to do where there is nothing to compare with the baseline.

    Args:
        model: Whose data.
        page: How it is shown.
    """
    st.markdown(page.text("newer_file"))
    command = page.command("ingestion,feature_engineering,scoring,monitoring", model.use_case)
    st.code(command, language="bash", wrap_lines=True)


def _course(model: Monitoring, page: Page) -> None:
    """The share of red columns, period after period, as a line small enough for a card."""
    if model.log is None or model.log.empty:
        return
    reds = of_latest_baseline(model.log)["pct_red"]
    st.metric(
        page.text("pct_red"),
        f"{page.language.numbers.text(reds.iloc[-1], 1)} %",
        chart_data=reds.tolist() if len(reds) > 1 else None,
        chart_type="area",
    )
