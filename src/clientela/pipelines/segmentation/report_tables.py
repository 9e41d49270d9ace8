"""What one run of segmentation hands to its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from clientela.features.segment_settings import (
    ClusteringParams,
    SegmentFeatureParams,
    SegmentReportParams,
)
from clientela.models.segment_profile import AGE_BANDS, MISSING, POOLED, inactive_last_key
from clientela.models.segmentation import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME, SegmentIdentity
from clientela.reporting.page import Table
from clientela.text import NumberFormat

# What one run of segmentation hands to its report.


@dataclass(frozen=True)
class SegmentReportData:
    """The artefacts of one run that its report tells.

    Attributes:
        identity: Segments, their names and why, rubros, columns.
        choice: How the number of segments was chosen; its `sentences` open the report.
        evaluation: One row per number of segments compared.
        migration: Where customers moved since the previous model, in figures.
        migration_matrix: One row per previous and current segment.
        membership: How clear-cut the segments are; None, or of mode `none`, where not
            asked for.
        projection: `points`, `axes`; see `clientela.pipelines.segmentation.report_figures`.
        clustering: How clusters were made.
        settings: How the report is written.
    """

    identity: SegmentIdentity
    choice: Mapping[str, Any]
    evaluation: pd.DataFrame
    profile: Mapping[str, pd.DataFrame]
    migration: Mapping[str, Any]
    migration_matrix: pd.DataFrame
    membership: Mapping[str, Any] | None
    projection: Mapping[str, pd.DataFrame]
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
    def names(self) -> dict[int, str]:
        """Id to name, customers without activity included."""
        return {**self.identity.names, SIN_ACTIVIDAD: SIN_ACTIVIDAD_NAME}

    @property
    def day(self) -> date:
        """The date of the model."""
        return self.identity.fecha_modelo


# Columns of the matrix in words.


TOTALS = {
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
TRANSFORMS = {
    "participacion": ROOT,
    "categoricas": ROOT,
    "frecuencia": LOGARITHM,
    "monto_promedio": LOGARITHM,
    "recencia": LOGARITHM,
    "totales": LOGARITHM,
}
"""How a group enters; scores enter as they are."""


def describe_column(column: str, labels: Mapping[str, str]) -> str:
    """A column as people read it.

    Args:
        labels: Slug of a rubro to how people read it.
    """
    if column in TOTALS:
        return TOTALS[column]
    for slug, label in labels.items():
        for form, words in PER_RUBRO.items():
            if column == form.format(slug):
                return words.format(label)
    return column.removeprefix("participacion_").replace("_", " ") + ": parte de las compras"


def describe_clustering_input(clustering: ClusteringParams) -> str:
    """What clusters were made from, in one sentence.

    Args:
        clustering: Groups of columns, and whether they were transformed.
    """
    groups = list(dict.fromkeys(clustering.columns))
    what = "; ".join(GROUPS[group] for group in groups)
    if not clustering.transformed:
        return f"Se agrupó por {what}: tal cual, estandarizado."
    ways = dict.fromkeys(TRANSFORMS[group] for group in groups if group in TRANSFORMS)
    how = "".join(f", {way}" for way in ways)
    return f"Se agrupó por {what}: estandarizado{how}."


# What a marketer must know first: whether the segments are real, then who they are.


STANDS_OUT = 1.1
"""Lift from which a rubro is worth a word."""
TERM_DECIMALS = 9
"""Terms that differ by less are ties, so that the rounding of floats decides nothing."""


def build_report_summary(report: SegmentReportData) -> tuple[str, ...]:
    """The first lines of the report, the unflattering ones first.

    Returns:
        Sentences: whether the grouping beats chance and repeats itself, and why there are so many
        segments; one per segment; migration.
    """
    return (
        *report.choice["sentences"],
        *(_describe_segment(row, report) for _, row in report.segments.iterrows()),
        str(report.migration["sentence"]),
    )


def summarize_segmentation_run(report: SegmentReportData) -> tuple[str, ...]:
    """What a run ends with: whether the segments are real and stable, which there are, who moved."""
    numbers = report.settings.numbers
    named = [
        f"{row['cluster_nombre']} ({numbers.text(row['clientes'])})"
        for _, row in report.segments.iterrows()
    ]
    *verdict, _knee, _reason = report.choice["sentences"]
    return *verdict, f"Segmentos: {', '.join(named)}.", str(report.migration["sentence"])


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
    told = higher.assign(_told=terms.round(TERM_DECIMALS))
    ordered = told.sort_values(
        ["cluster_id", "_told", "slug"], ascending=[True, False, True], ignore_index=True
    )
    return ordered.drop(columns="_told")


def format_feature_window(report: SegmentReportData) -> str:
    """The period that features see, as it stands in a sentence.

    Returns:
        For example `en los 12 meses hasta el 2024-06-30`.
    """
    months = report.features.window_months
    period = "en toda la historia" if months is None else f"en los {months} meses"
    return f"{period} hasta el {report.day.isoformat()}"


def _describe_segment(segment: "pd.Series[float]", report: SegmentReportData) -> str:
    """One segment in one line."""
    numbers = report.settings.numbers
    size = (
        f"{segment['cluster_nombre']}: {_format_customers(segment['clientes'], numbers)} "
        f"({numbers.percent(segment['clientes_share'])}), "
        f"{numbers.percent(segment['gasto_share'])} del gasto"
    )
    if segment["cluster_id"] == SIN_ACTIVIDAD:
        return (
            f"{size}; menos de {report.clustering.minimum_transactions} compras "
            f"{format_feature_window(report)}: no se agrupan."
        )
    return f"{size}; {_describe_top_rubro(int(segment['cluster_id']), report, numbers)}."


def _describe_top_rubro(segment: int, report: SegmentReportData, numbers: NumberFormat) -> str:
    rubros = report.profile["rubros"]
    of_segment = find_distinctive_rubros(rubros[rubros["cluster_id"] == segment])
    if of_segment.empty or of_segment["lift"].iloc[0] < STANDS_OUT:
        return "gastan como el conjunto, ningún rubro destaca"
    first = of_segment.iloc[0]
    return (
        f"ponen en {first['label']} el {numbers.percent(first['participacion'])} de lo que gastan, "
        f"{numbers.text(first['lift'], 1)} veces la parte que pone el conjunto"
    )


def _format_customers(count: float, numbers: NumberFormat) -> str:
    return f"{numbers.text(count)} {'cliente' if count == 1 else 'clientes'}"


# The tables of a segmentation, as they are read: Spanish headings, one meaning per column.


SEGMENT_COLUMNS = {
    "cluster_nombre": "Segmento",
    "cluster_id": "Id",
    "clientes": "Clientes",
    "clientes_share": "% clientes",
    "gasto": "Gasto",
    "gasto_share": "% gasto",
    "gasto_medio": "Gasto por cliente",
    "ticket_mediano": "Ticket mediano",
    "compras_mediana": "Compras",
    "recencia_mediana": "Días sin comprar",
}
RUBRO_COLUMNS = {
    "segment": "Segmento",
    "label": "Rubro",
    "participacion": "% de su gasto",
    "lift": "Veces el conjunto",
    "compradores_share": "% que compra",
    "score_medio": "Score medio",
}
EVALUATION_COLUMNS = {
    "k": "k",
    "inertia": "Inercia",
    "silhouette": "Silueta",
    "null_silhouette": "Silueta al azar",
    "null_sd": "Desv. al azar",
    "stability": "Estabilidad",
    "stability_sd": "Desv. estabilidad",
    "smallest_share": "Menor segmento",
}
SIDES = ("Más a la derecha o arriba", "Más a la izquierda o abajo")
MEMBERSHIP_COLUMNS = {
    "agreement": "Coincide la mezcla",
    "unclear_share": "Sin segmento claro",
    "mean_highest": "Probabilidad media",
}
NO_VALUE = (POOLED, MISSING)
ATTRIBUTES = {"edad": "Edad", "genero": "Género", "estrato_social": "Estrato social"}


def segments_table(report: SegmentReportData) -> Table:
    """One row per segment: size, value, activity."""
    frame = report.segments[list(SEGMENT_COLUMNS)].rename(columns=SEGMENT_COLUMNS)
    money = dict.fromkeys(("Gasto", "Gasto por cliente", "Ticket mediano"), "float64")
    return Table(
        "Tamaño, valor y actividad",
        frame.astype({"Id": "str", **money}),
        {"% clientes": "percent", "% gasto": "percent"},
        f"Gasto neto de devoluciones {format_feature_window(report)}, en la moneda de los datos. Compras y días "
        "sin comprar: medianas. El id no cambia de un modelo al siguiente.",
    )


def rubros_table(report: SegmentReportData) -> Table:
    """One row per segment and rubro that sets it apart."""
    told = find_distinctive_rubros(report.profile["rubros"])
    top = told[told.groupby("cluster_id").cumcount() < report.settings.top_rubros]
    named = top.assign(segment=top["cluster_id"].map(report.names))
    repeats = named["cluster_id"].duplicated()
    named = named.assign(segment=named["segment"].mask(repeats, ""))
    return Table(
        "Los rubros que distinguen a cada segmento",
        named[list(RUBRO_COLUMNS)].rename(columns=RUBRO_COLUMNS),
        {"% de su gasto": "percent", "% que compra": "percent", "Score medio": "decimal"},
        "Veces el conjunto: la parte de su gasto que el segmento pone en el rubro, entre la que "
        "ponen todos los clientes activos. Solo rubros con 1 o más, los más distintivos primero.",
    )


def demographics_tables(report: SegmentReportData) -> list[Table]:
    """Per attribute, one row per segment and one column per value.

    Returns:
        A table per attribute that the data have.
    """
    told = report.profile["demographics"]
    return [
        _build_demographics_table(told[told["attribute"] == attribute], title, report.names)
        for attribute, title in ATTRIBUTES.items()
        if (told["attribute"] == attribute).any()
    ]


def _build_demographics_table(told: pd.DataFrame, title: str, names: Mapping[int, str]) -> Table:
    wide = told.pivot_table(index="cluster_id", columns="value", values="share", sort=False)
    order = sorted(wide.index, key=lambda segment: (segment < 0, segment))
    values = sorted(map(str, wide.columns), key=_rank_value)
    frame = wide.loc[order, values].rename_axis(columns=None)
    frame.insert(0, "Segmento", [names[segment] for segment in order])
    return Table(title, frame.reset_index(drop=True), dict.fromkeys(values, "percent"))


def _rank_value(value: str) -> tuple[int, float, str]:
    """Bands of age and numbers by size, then words, then what is no value."""
    if value in AGE_BANDS:
        return (0, AGE_BANDS.index(value), "")
    if value in NO_VALUE:
        return (3, NO_VALUE.index(value), "")
    return (1, float(value), "") if value.isdecimal() else (2, 0, value.casefold())


def evaluation_table(report: SegmentReportData) -> Table:
    """One row per number of segments compared."""
    frame = report.evaluation[list(EVALUATION_COLUMNS)].rename(columns=EVALUATION_COLUMNS)
    decimals = list(EVALUATION_COLUMNS.values())[2:-1]
    return Table(
        "Los números de segmentos comparados",
        frame,
        {**dict.fromkeys(decimals, "decimal"), "Menor segmento": "percent"},
        "Al azar: la silueta de los mismos clientes con cada columna barajada por su lado. "
        "Estabilidad: índice de Rand ajustado entre el reparto y el de otras muestras.",
    )


def membership_table(membership: Mapping[str, Any], report: SegmentReportData) -> Table:
    """One row per segment: whether the mixture sees it too.

    Args:
        membership: Figures of the mixture, with `segments`.
    """
    frame = pd.DataFrame(membership["segments"], columns=["cluster_id", *MEMBERSHIP_COLUMNS])
    names = frame.pop("cluster_id").map(report.names)
    shown = frame.astype("float64").rename(columns=MEMBERSHIP_COLUMNS)
    shown.insert(0, "Segmento", names)
    return Table(
        "La mezcla, segmento por segmento",
        shown,
        dict.fromkeys(MEMBERSHIP_COLUMNS.values(), "percent"),
    )


def axes_table(report: SegmentReportData) -> Table:
    """One row per axis of the projection: what it shows, and what it is made of."""
    labels = report.identity.layout.labels
    found = report.projection["axes"]
    axes = found.assign(_size=-found["weight"].abs()).sort_values(["axis", "_size", "column"])
    words = axes.assign(
        words=[describe_column(str(column), labels) for column in axes["column"]],
        side=np.where(axes["weight"] >= 0, *SIDES),
    )
    sides = words.pivot_table(
        index=["axis", "explained"], columns="side", values="words", aggfunc="; ".join
    )
    frame = sides.reindex(columns=list(SIDES)).rename_axis(columns=None).reset_index()
    return Table(
        "Qué muestran los ejes",
        frame.rename(columns={"axis": "Eje", "explained": "Variación explicada"}),
        {"Variación explicada": "percent", **dict.fromkeys(SIDES, "text")},
        "Lo que más pesa en cada eje, lo más pesado primero.",
    )
