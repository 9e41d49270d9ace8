"""An exploration as a page: which sections there are, and in which order."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from clientela.reports.activity_sections import activity_sections
from clientela.reports.exploration import Exploration
from clientela.reports.page import Bullets, Page, Section
from clientela.reports.parameters import EdaParameters
from clientela.reports.table_section import table_section
from clientela.reports.target_sections import persistence_section, target_sections


def exploration_page(
    exploration: Exploration,
    found: Mapping[str, Any],
    drawn: Mapping[str, Figure],
    parameters: EdaParameters,
) -> Page:
    """The report of one entry.

    Args:
        exploration: The frames.
        found: The findings.
        drawn: Its figures.
        parameters: Number format and thresholds.

    Returns:
        The page; what is most telling stands first, what to do about it last.
    """
    numbers = parameters.numbers
    sections: list[Section] = []
    if exploration.persistence is not None:
        about, figure = found["persistence"], drawn["persistence"]
        sections += [persistence_section(exploration.persistence, about, figure, numbers)]
    if exploration.target is not None:
        sections += target_sections(exploration.target, drawn)
    if exploration.activity is not None:
        sections += activity_sections(exploration.activity, drawn, parameters)
    sections += [table_section(profile, drawn, numbers) for profile in exploration.profiles]
    advice = tuple(f"{item['table']}: {item['text']}" for item in found["recommendations"])
    return Page(
        title=f"Análisis exploratorio: {exploration.entry}",
        subtitle=" · ".join(
            f"{p.name}: {numbers.text(p.rows)} filas" for p in exploration.profiles
        ),
        summary=tuple(found["summary"]),
        sections=(*sections, Section("Recomendaciones", (Bullets(advice or ("Ninguna.",)),))),
    )
