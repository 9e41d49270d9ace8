"""What every view needs: the reader's language, the commands that fill it, and empty states."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from clientela.dashboard.artefacts import Monitoring
from clientela.dashboard.charts.frame import severity_names
from clientela.dashboard.language import Language
from clientela.dashboard.palette import TINTS
from clientela.reports.numbers import NOTHING


class Page(NamedTuple):
    """How things are shown.

    Attributes:
        language: Of the reader.
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
        """A command that runs stages here.

        Args:
            stages: Joined by commas.
            use_case: Only of this one; None for all.

        Returns:
            What to type.
        """
        only = f" --tags={use_case}" if use_case else ""
        return f"kedro run --pipelines={stages}{only}{self.run_flags}"


def present(
    page: Page, model: Monitoring, dataset: str, content: pd.DataFrame | None
) -> pd.DataFrame | None:
    """A part of what monitoring wrote; where it can't be shown, why, and what to run.

    Args:
        page: How it is shown.
        model: Whose it is.
        dataset: Name of the part.
        content: What was read.

    Returns:
        The part, if it has rows.
    """
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


def grid(
    page: Page,
    table: pd.DataFrame,
    labels: Mapping[str, str],
    formats: Mapping[str, Callable[[Any], str]],
    helps: Mapping[str, str] | None = None,
) -> None:
    """A table with headers and numbers as the reader writes them, severities in colour.

    Args:
        page: How it is shown.
        table: One row per row shown.
        labels: Columns to show, in their order, and what they are called.
        formats: How values of a column are written.
        helps: What a column means.
    """
    styled = table[list(labels)].style
    if "severity" in labels:
        formats = {"severity": severity_names(page.language).__getitem__, **formats}
        styled = styled.map(_tint, subset=["severity"])
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


def _tint(severity: Any) -> str:
    return f"background-color: {TINTS[severity]}; color: #1d2025"
