"""The dashboard: `streamlit run src/clientela/dashboard/app.py -- --env=aws`."""

import sys
from collections.abc import Sequence

import streamlit as st
from kedro.config import MissingConfigException

from clientela.cli import ENDED_BY, readable
from clientela.dashboard.artefacts import Monitoring, monitoring
from clientela.dashboard.language import LANGUAGES, Language
from clientela.dashboard.options import Options, options
from clientela.dashboard.source import Source, opened
from clientela.dashboard.views import model, overview
from clientela.dashboard.views.page import Page

REMEMBERED_SECONDS = 60
"""What was read is shown so long before it is read again: a store answers slowly."""
ALL = "all"


def main() -> None:
    """Draws what the reader asks for."""
    st.set_page_config(page_title="Clientela", layout="wide")
    language = _language()
    try:
        shown = options(sys.argv[1:])
        with st.spinner(language.text("opening")):
            names = _source(shown).use_cases
            models = [_monitoring(name, shown) for name in names]
    except (*ENDED_BY, MissingConfigException) as err:
        st.error(language.text("cannot_open"))
        st.code(readable(err), language=None, wrap_lines=True)
        return
    chosen = _choice(names, shown, language)
    _draw(models, chosen, Page(language, shown.run_flags))


def _language() -> Language:
    """The reader's, which is chosen where every page has it."""
    st.sidebar.header("Clientela", anchor=False)
    chosen = st.sidebar.segmented_control(
        "Idioma / Language",
        list(LANGUAGES),
        default=next(iter(LANGUAGES)),
        required=True,
        format_func=lambda code: LANGUAGES[code].name,
        key="language",
        label_visibility="collapsed",
    )
    return LANGUAGES[chosen or "es"]


@st.cache_resource(show_spinner=False)
def _source(shown: Options) -> Source:
    return opened(shown)


@st.cache_data(ttl=REMEMBERED_SECONDS, show_spinner=False)
def _monitoring(use_case: str, shown: Options) -> Monitoring:
    return monitoring(_source(shown).catalog, use_case)


def _choice(names: Sequence[str], shown: Options, language: Language) -> str:
    with st.sidebar:
        chosen = st.radio(
            language.text("model"),
            [ALL, *names],
            format_func=lambda name: language.text("all_models") if name == ALL else name,
            key="model",
        )
        if st.button(language.text("refresh"), icon=":material/refresh:", width="stretch"):
            _source.clear()
            _monitoring.clear()
            st.rerun()
        st.caption(language.text("environment", env=shown.env or "local"))
        st.caption(language.text("privacy"))
    return chosen


def _draw(models: Sequence[Monitoring], chosen: str, page: Page) -> None:
    if not models:
        st.title(page.text("title"), anchor=False)
        st.info(page.text("no_use_cases"))
    elif chosen == ALL:
        overview.show(models, page)
    else:
        model.show(next(each for each in models if each.use_case == chosen), page)


main()
