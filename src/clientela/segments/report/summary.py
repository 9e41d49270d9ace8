"""What a marketer must know first: whether the segments are real, then who they are."""

import numpy as np
import pandas as pd

from clientela.reports.numbers import NumberFormat
from clientela.segments.identity import SIN_ACTIVIDAD
from clientela.segments.report.facts import SegmentsReport

STANDS_OUT = 1.1
"""Lift from which a rubro is worth a word."""
TERM_DECIMALS = 9
"""Terms that differ by less are ties, so that the rounding of floats decides nothing."""


def summary(report: SegmentsReport) -> tuple[str, ...]:
    """The first lines of the report, the unflattering ones first.

    Args:
        report: The artefacts of one run.

    Returns:
        Sentences: whether the grouping beats chance and repeats itself, and why there are so many
        segments; one per segment; migration.
    """
    return (
        *report.choice["sentences"],
        *(_who(row, report) for _, row in report.segments.iterrows()),
        str(report.migration["sentence"]),
    )


def in_short(report: SegmentsReport) -> tuple[str, ...]:
    """What a run ends with: whether the segments are real and stable, which there are, who moved.

    Args:
        report: The artefacts of one run.

    Returns:
        Some sentences, the unflattering ones first.
    """
    numbers = report.settings.numbers
    named = [
        f"{row['cluster_nombre']} ({numbers.text(row['clientes'])})"
        for _, row in report.segments.iterrows()
    ]
    *verdict, _knee, _reason = report.choice["sentences"]
    return *verdict, f"Segmentos: {', '.join(named)}.", str(report.migration["sentence"])


def distinctive(rubros: pd.DataFrame) -> pd.DataFrame:
    """The rubros of which each segment spends no less than everybody, the most telling first.

    Args:
        rubros: One row per segment and rubro: `cluster_id, slug, participacion, lift`.

    Returns:
        Its rows by segment, then share x log(lift): the rubro's term of the Kullback-Leibler
        divergence between the segment's spend and everybody's; ties by slug.
    """
    higher = rubros[(rubros["lift"] >= 1) & (rubros["cluster_id"] != SIN_ACTIVIDAD)]
    terms = higher["participacion"] * np.log(higher["lift"])
    told = higher.assign(_told=terms.round(TERM_DECIMALS))
    ordered = told.sort_values(
        ["cluster_id", "_told", "slug"], ascending=[True, False, True], ignore_index=True
    )
    return ordered.drop(columns="_told")


def window(report: SegmentsReport) -> str:
    """The period that features see, as it stands in a sentence.

    Args:
        report: The artefacts of one run.

    Returns:
        For example `en los 12 meses hasta el 2024-06-30`.
    """
    months = report.features.window_months
    period = "en toda la historia" if months is None else f"en los {months} meses"
    return f"{period} hasta el {report.day.isoformat()}"


def _who(segment: "pd.Series[float]", report: SegmentsReport) -> str:
    """One segment in one line."""
    numbers = report.settings.numbers
    size = (
        f"{segment['cluster_nombre']}: {_customers(segment['clientes'], numbers)} "
        f"({numbers.percent(segment['clientes_share'])}), "
        f"{numbers.percent(segment['gasto_share'])} del gasto"
    )
    if segment["cluster_id"] == SIN_ACTIVIDAD:
        return (
            f"{size}; menos de {report.clustering.minimum_transactions} compras "
            f"{window(report)}: no se agrupan."
        )
    return f"{size}; {_known_for(int(segment['cluster_id']), report, numbers)}."


def _known_for(segment: int, report: SegmentsReport, numbers: NumberFormat) -> str:
    rubros = report.profile["rubros"]
    of_segment = distinctive(rubros[rubros["cluster_id"] == segment])
    if of_segment.empty or of_segment["lift"].iloc[0] < STANDS_OUT:
        return "gastan como el conjunto, ningún rubro destaca"
    first = of_segment.iloc[0]
    return (
        f"ponen en {first['label']} el {numbers.percent(first['participacion'])} de lo que gastan, "
        f"{numbers.text(first['lift'], 1)} veces la parte que pone el conjunto"
    )


def _customers(count: float, numbers: NumberFormat) -> str:
    return f"{numbers.text(count)} {'cliente' if count == 1 else 'clientes'}"
