"""The segments report: which sections there are, and in which order."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from clientela.reports.page import Page
from clientela.segments.identity import SIN_ACTIVIDAD
from clientela.segments.report.facts import SegmentsReport
from clientela.segments.report.sections import (
    number_section,
    projection_section,
    rubros_section,
    sizes_section,
    who_section,
)
from clientela.segments.report.steadiness import (
    limits_section,
    membership_section,
    stability_section,
)
from clientela.segments.report.summary import summary


def segments_page(report: SegmentsReport, drawn: Mapping[str, Figure]) -> Page:
    """The profile report of one run, for marketers.

    Args:
        report: The artefacts of one run.
        drawn: Its figures; see `clientela.segments.report.figures.segment_figures`.

    Returns:
        The page; it names no customer.
    """
    soft = report.membership
    parted = [] if soft is None or soft["mode"] == "none" else [membership_section(soft, report)]
    return Page(
        title="Segmentos de clientes",
        subtitle=_subtitle(report),
        summary=summary(report),
        sections=(
            sizes_section(report, drawn["sizes"]),
            who_section(report),
            rubros_section(drawn["scores"]),
            number_section(report, drawn),
            projection_section(report, drawn["projection"]),
            stability_section(report, drawn["migration"]),
            *parted,
            limits_section(report),
        ),
    )


def _subtitle(report: SegmentsReport) -> str:
    numbers, segments = report.settings.numbers, report.segments
    active = segments[segments["cluster_id"] != SIN_ACTIVIDAD]
    previous = report.migration["previous"]
    return " · ".join(
        (
            f"Modelo del {report.day.isoformat()}",
            f"{numbers.text(segments['clientes'].sum())} clientes",
            f"{len(active)} segmentos",
            f"modelo anterior: {previous or 'no hay'}",
        )
    )
