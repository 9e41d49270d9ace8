"""What one run of segmentation hands to its report, and what of it stands in sentences.

A marketer must first know whether the segments are real, then who they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clientela.features.segment_columns import (
    ClusteringParams,
    ColumnGroup,
    SegmentFeatureParams,
    SegmentReportParams,
)
from clientela.models.segment_profile import inactive_last_key
from clientela.models.segmentation import SIN_ACTIVIDAD, SegmentIdentity

COLUMNS = {
    "num_tx": "compras",
    "gasto_total": "gasto total",
    "ticket_promedio": "ticket promedio",
    "recencia_dias": "días desde la última compra",
    "rubros_distintos": "rubros distintos",
}
PER_RUBRO = {
    "participacion_{}": "{}: parte del gasto",
    "frecuencia_{}": "{}: compras",
    "monto_promedio_{}": "{}: monto promedio",
    "recencia_{}_dias": "{}: días desde la última compra",
    "score_{}": "{}: score",
    "gasto_{}": "{}: gasto",
}
GROUPS = {
    "participacion": "la parte del gasto que va a cada rubro",
    "frecuencia": "las compras por rubro",
    "monto_promedio": "el monto promedio por rubro",
    "recencia": "los días desde la última compra en cada rubro",
    "score": "el score por rubro",
    "totales": "los totales del cliente",
    "categoricas": "la parte de las compras por canal y otras categorías",
}
ROOT = "las partes por su raíz cuadrada, para que unos pocos extremos no decidan"
LOGARITHM = (
    "montos, compras y días por su logaritmo, para que unos pocos grandes compradores no decidan"
)
# How a group enters; scores enter as they are.
TRANSFORMS: Mapping[ColumnGroup, str] = {
    "participacion": ROOT,
    "categoricas": ROOT,
    "frecuencia": LOGARITHM,
    "monto_promedio": LOGARITHM,
    "recencia": LOGARITHM,
    "totales": LOGARITHM,
}


# Lift from which a rubro is worth a word.
STANDS_OUT = 1.1
# Terms that differ by less are ties, so that the rounding of floats decides nothing.
TERM_DECIMALS = 9


@dataclass(frozen=True)
class SegmentReportData:
    """The artefacts of one run that its report tells.

    Attributes:
        choice: How the number of segments was chosen; its `sentences` open the report.
        evaluation: One row per number of segments compared.
        migration: Where customers moved since the previous model, in figures.
        migration_matrix: One row per previous and current segment.
        accounting: Where every known customer is; see `account_for_customers`.
        membership: How clear-cut the segments are; None, or of mode `none`, where not asked for.
    """

    identity: SegmentIdentity
    choice: Mapping[str, Any]
    evaluation: pd.DataFrame
    profile: Mapping[str, pd.DataFrame]
    migration: Mapping[str, Any]
    migration_matrix: pd.DataFrame
    membership: Mapping[str, Any] | None
    projection: Mapping[str, pd.DataFrame]
    accounting: Mapping[str, Any]
    features: SegmentFeatureParams
    clustering: ClusteringParams
    settings: SegmentReportParams

    @property
    def segments(self) -> pd.DataFrame:
        """One row per segment, by id, customers without activity last."""
        return self.profile["segments"].sort_values(
            "cluster_id", key=inactive_last_key, ignore_index=True
        )

    @property
    def window(self) -> str:
        """The period that features see: `en los 12 meses hasta el 2024-06-30`."""
        months = self.features.window_months
        period = "en toda la historia" if months is None else f"en los {months} meses"
        return f"{period} hasta el {self.identity.fecha_modelo.isoformat()}"


def describe_column(column: str, labels: Mapping[str, str]) -> str:
    """A column of the matrix as people read it."""
    if column in COLUMNS:
        return COLUMNS[column]
    for slug, label in labels.items():
        for form, words in PER_RUBRO.items():
            if column == form.format(slug):
                return words.format(label)
    return column.removeprefix("participacion_").replace("_", " ") + ": parte de las compras"


def describe_clustering_input(clustering: ClusteringParams) -> str:
    """What clusters were made from, in one sentence."""
    groups = list(dict.fromkeys(clustering.columns))
    what = "; ".join(GROUPS[group] for group in groups)
    if not clustering.transformed:
        return f"Se agrupó por {what}: tal cual, estandarizado."
    ways = dict.fromkeys(TRANSFORMS[group] for group in groups if group in TRANSFORMS)
    how = "".join(f", {way}" for way in ways)
    return f"Se agrupó por {what}: estandarizado{how}."


def build_report_summary(report: SegmentReportData) -> tuple[str, ...]:
    """The first lines of the report, the unflattering ones first.

    Returns:
        Sentences: whether the grouping beats chance and repeats itself, and why there are so many
        segments; one per segment; migration.
    """
    numbers = report.settings.numbers
    rubros = find_distinctive_rubros(report.profile["rubros"])
    lines: list[str] = []
    for row in report.segments.to_dict("records"):
        segment = int(row["cluster_id"])
        described = "gastan como el conjunto, ningún rubro destaca."
        own = rubros[rubros["cluster_id"] == segment]
        if segment == SIN_ACTIVIDAD:
            described = (
                f"menos de {report.clustering.minimum_transactions} compras {report.window}: "
                "no se agrupan."
            )
        elif len(own) and own["lift"].iloc[0] >= STANDS_OUT:
            first = own.iloc[0]
            described = (
                f"ponen en {first['label']} el {numbers.percent(first['participacion'])} de lo que "
                f"gastan, {numbers.text(first['lift'], 1)} veces la parte que pone el conjunto."
            )
        noun = "cliente" if row["clientes"] == 1 else "clientes"
        lines.append(
            f"{row['cluster_nombre']}: {numbers.text(row['clientes'])} {noun} "
            f"({numbers.percent(row['clientes_share'])}), {numbers.percent(row['gasto_share'])} "
            f"del gasto; {described}"
        )
    return (*report.choice["sentences"], *lines, str(report.migration["sentence"]))


def summarize_segmentation_run(report: SegmentReportData) -> tuple[str, ...]:
    """What a run ends with: whether segments are real and stable, which there are, who moved."""
    numbers, segments = report.settings.numbers, report.segments
    sizes = zip(segments["cluster_nombre"], segments["clientes"], strict=True)
    names = ", ".join(f"{name} ({numbers.text(size)})" for name, size in sizes)
    *verdict, _elbow, _reason = report.choice["sentences"]
    return *verdict, f"Segmentos: {names}.", str(report.migration["sentence"])


def find_distinctive_rubros(rubros: pd.DataFrame) -> pd.DataFrame:
    """The rubros of which each segment spends no less than everybody, the most telling first.

    Args:
        rubros: One row per segment and rubro: `cluster_id, slug, participacion, lift`.

    Returns:
        Its rows by segment, then share x log(lift): the rubro's term of the Kullback-Leibler
        divergence between the segment's spend and everybody's; ties by slug.
    """
    higher = rubros[(rubros["lift"] >= 1) & (rubros["cluster_id"] != SIN_ACTIVIDAD)]
    terms = higher["participacion"] * np.log(higher["lift"])
    ordered = higher.assign(_term=terms.round(TERM_DECIMALS)).sort_values(
        ["cluster_id", "_term", "slug"], ascending=[True, False, True], ignore_index=True
    )
    return ordered.drop(columns="_term")
