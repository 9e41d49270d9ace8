"""The dashboard: `streamlit run src/clientela/dashboard/app.py -- --env=aws`."""

import sys
from collections.abc import Sequence

import streamlit as st
from kedro.config import MissingConfigException

from clientela.dashboard.components import PageContext, select_language
from clientela.dashboard.data import (
    MonitoringCatalog,
    MonitoringResults,
    Options,
    load_monitoring,
    open_catalog,
    parse_options,
)
from clientela.dashboard.pages import model, overview
from clientela.dashboard.texts import Language
from clientela.hooks import ENDED_BY, format_error_message

# What was read is shown so long before it is read again: a store answers slowly.
REMEMBERED_SECONDS = 60
ALL = "all"


def main() -> None:
    """Draws what the reader asks for."""
    st.set_page_config(page_title="Clientela", layout="wide")
    language = select_language()
    try:
        shown = parse_options(sys.argv[1:])
        with st.spinner(language.text("opening")):
            names = _open_cached_catalog(shown).use_cases
            models = [_load_cached_monitoring(name, shown) for name in names]
    except (*ENDED_BY, MissingConfigException) as err:
        st.error(language.text("cannot_open"))
        st.code(format_error_message(err), language=None, wrap_lines=True)
        return
    chosen = _select_model(names, shown, language)
    _render_page(models, chosen, PageContext(language, shown.run_flags))


@st.cache_resource(show_spinner=False)
def _open_cached_catalog(shown: Options) -> MonitoringCatalog:
    return open_catalog(shown)


@st.cache_data(ttl=REMEMBERED_SECONDS, show_spinner=False)
def _load_cached_monitoring(use_case: str, shown: Options) -> MonitoringResults:
    return load_monitoring(_open_cached_catalog(shown).catalog, use_case)


def _select_model(names: Sequence[str], shown: Options, language: Language) -> str:
    with st.sidebar:
        chosen = st.radio(
            language.text("model"),
            [ALL, *names],
            format_func=lambda name: language.text("all_models") if name == ALL else name,
            key="model",
        )
        if st.button(language.text("refresh"), icon=":material/refresh:", width="stretch"):
            _open_cached_catalog.clear()
            _load_cached_monitoring.clear()
            st.rerun()
        st.caption(language.text("environment", env=shown.env or "local"))
        st.caption(language.text("privacy"))
    return chosen


def _render_page(models: Sequence[MonitoringResults], chosen: str, page: PageContext) -> None:
    if not models:
        st.title(page.text("title"), anchor=False)
        st.info(page.text("no_use_cases"))
    elif chosen == ALL:
        overview.show(models, page)
    else:
        model.show(next(each for each in models if each.use_case == chosen), page)


main()
