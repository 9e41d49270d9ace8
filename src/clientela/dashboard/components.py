"""Colours that stay apart for every kind of colour vision; a word always stands beside them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import altair as alt
import pandas as pd
import streamlit as st

from clientela.dashboard.data import MonitoringResults
from clientela.dashboard.texts import LANGUAGES, Language
from clientela.reporting.drift_findings import SEVERITIES, Severity
from clientela.reporting.model_health import State
from clientela.text import NOTHING

# Colours that stay apart for every kind of colour vision; a word always stands beside them.


BadgeColour: TypeAlias = Literal["red", "orange", "green", "gray"]

# dark red, light amber, teal: they differ in lightness too, so that they survive a grey print
SEVERITY_COLOURS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "#b3261e", "AMARILLO": "#e8a317", "INSUFICIENTE": "#c3c8cf", "VERDE": "#147a78"}
)
SEVERITY_SYMBOLS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "▲", "AMARILLO": "◆", "INSUFICIENTE": "○", "VERDE": "●"}
)
# What stands on these colours.
LETTERS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "#ffffff", "AMARILLO": "#1d2025", "INSUFICIENTE": "#1d2025", "VERDE": "#ffffff"}
)
# Behind text: dark letters on them keep a contrast of 7 to 1 or more.
TINTS: Mapping[Severity, str] = MappingProxyType(
    {"ROJO": "#f9dedc", "AMARILLO": "#fdf0d0", "INSUFICIENTE": "#eceef1", "VERDE": "#dcf1ef"}
)

STATE_COLOURS: Mapping[State, BadgeColour] = MappingProxyType(
    {"alarm": "red", "watch": "orange", "stable": "green"}
)
STATE_SYMBOLS: Mapping[State, str] = MappingProxyType({"alarm": "▲", "watch": "◆", "stable": "●"})

BASELINE, CURRENT = "#a9b4c2", "#1f4e8c"
GRID, INK = "#e3e6eb", "#2b2f36"


# What all charts share: axes that can be read, bars of one height, colours of severities.


# Height of a bar with its gap, in pixels.
BAR = 22
# What legend and axes take of a chart's height, in pixels.
AROUND = 110
# Most pixels a name may take on an axis.
LABEL = 260


def style_chart(
    chart: alt.LayerChart | alt.Chart, rows: float, language: Language
) -> alt.LayerChart:
    """A chart with quiet lines, dark letters, and numbers as the reader writes them."""
    axis = {"gridColor": GRID, "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}
    numbers = alt.NumberLocale(
        decimal=language.numbers.decimal,
        thousands=language.numbers.thousands,
        grouping=[3],
        currency=["", ""],
    )
    whole = chart if isinstance(chart, alt.LayerChart) else alt.layer(chart)
    drawn: alt.LayerChart = (
        whole.properties(height=round(rows * BAR) + AROUND)
        .configure(locale=alt.Locale(number=numbers))
        .configure_axis(**axis, labelLimit=LABEL, labelFontSize=12)
        .configure_view(strokeWidth=0)
    )
    return drawn


def name_axis(field: str, order: list[str]) -> alt.Y:
    """An axis of names, from the top down."""
    return alt.Y(field, type="nominal", sort=order, title=None, axis=alt.Axis(ticks=False))


def severity_names(language: Language) -> dict[str, str]:
    """What each severity is called, with its symbol."""
    return {
        each: f"{SEVERITY_SYMBOLS[each]} {language.text(f'severity_{each}')}" for each in SEVERITIES
    }


def severity_colour(field: str, language: Language) -> alt.Color:
    """Colours of severities, with a legend that spells them out."""
    words = severity_names(language)
    scale = alt.Scale(
        domain=list(words.values()), range=[SEVERITY_COLOURS[each] for each in SEVERITIES]
    )
    legend = alt.Legend(orient="top", title=None, labelLimit=LABEL, symbolType="square", offset=24)
    return alt.Color(field, type="nominal", scale=scale, legend=legend)


def severity_text_colour() -> alt.Color:
    """Letters that can be read on the colour of their severity, from a column `severity`."""
    scale = alt.Scale(domain=list(LETTERS), range=list(LETTERS.values()))
    return alt.Color("severity", type="nominal", scale=scale, legend=None)


def plot_threshold_lines(marks: dict[str, float], vertical: bool) -> alt.LayerChart:
    """Dashed lines at the sizes that count, each with its name."""
    data = pd.DataFrame({"name": list(marks), "limit": list(marks.values())})
    if vertical:
        base = alt.Chart(data).encode(x="limit:Q")
        label = base.mark_text(align="center", dy=-6, fontSize=11, color=INK)
        words = label.encode(y=alt.value(0), text="name:N")
    else:
        base = alt.Chart(data).encode(y="limit:Q")
        label = base.mark_text(align="right", dy=-6, fontSize=11, color=INK)
        words = label.encode(x=alt.value("width"), text="name:N")
    rule = base.mark_rule(strokeDash=[4, 4], color=INK, opacity=0.7)
    layers: alt.LayerChart = rule + words
    return layers


# What every view needs: the reader's language, the commands that fill it, and empty states.


def select_language() -> Language:
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


class PageContext(NamedTuple):
    """How things are shown.

    Attributes:
        run_flags: What `kedro run` needs to write where the dashboard looks.
    """

    language: Language
    run_flags: str

    def text(self, key: str, **values: object) -> str:
        """A text of the dashboard in the reader's language."""
        return self.language.text(key, **values)

    def measure(self, name: str) -> str:
        """A measure of performance as people write it, e.g. ROC-AUC."""
        return name.upper().replace("_", "-")

    def command(self, stages: str, use_case: str | None = None) -> str:
        """A command that runs stages here."""
        only = f" --tags={use_case}" if use_case else ""
        return f"kedro run --pipelines={stages}{only}{self.run_flags}"


def get_content_or_explain(
    page: PageContext, model: MonitoringResults, dataset: str, content: pd.DataFrame | None
) -> pd.DataFrame | None:
    """A part of what monitoring wrote; where it can't be shown, why, and what to run."""
    if dataset in model.problems:
        st.error(page.text("part_unreadable", dataset=dataset))
        st.code(model.problems[dataset], language=None, wrap_lines=True)
        return None
    if content is None:
        st.info(page.text("part_missing", dataset=dataset))
        st.code(page.command("monitoring", model.use_case), language="bash")
        return None
    if content.empty:
        st.info(page.text("part_empty", dataset=dataset))
        return None
    return content


def show_table(
    page: PageContext,
    table: pd.DataFrame,
    labels: Mapping[str, str],
    formats: Mapping[str, Callable[[Any], str]],
    helps: Mapping[str, str] | None = None,
) -> None:
    """A table with headers and numbers as the reader writes them, severities in colour.

    Args:
        labels: Columns to show, in their order, and what they are called.
    """
    styled = table[list(labels)].style
    if "severity" in labels:
        formats = {"severity": severity_names(page.language).__getitem__, **formats}
        styled = styled.map(_get_severity_style, subset=["severity"])
    columns: dict[str, Any] = {
        name: st.column_config.Column(label, help=(helps or {}).get(name))
        for name, label in labels.items()
    }
    st.dataframe(
        styled.format(dict(formats)),
        placeholder=NOTHING,
        hide_index=True,
        height="content",
        column_config=columns,
    )


def _get_severity_style(severity: Any) -> str:
    return f"background-color: {TINTS[severity]}; color: #1d2025"
