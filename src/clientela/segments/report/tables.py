"""The tables of a segmentation, as they are read: Spanish headings, one meaning per column."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from clientela.reports.page import Table
from clientela.segments.profile import AGE_BANDS, MISSING, POOLED
from clientela.segments.report.columns import column_words
from clientela.segments.report.facts import SegmentsReport
from clientela.segments.report.summary import distinctive, window

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


def segments_table(report: SegmentsReport) -> Table:
    """One row per segment: size, value, activity.

    Args:
        report: The artefacts of one run.

    Returns:
        The table.
    """
    frame = report.segments[list(SEGMENT_COLUMNS)].rename(columns=SEGMENT_COLUMNS)
    money = dict.fromkeys(("Gasto", "Gasto por cliente", "Ticket mediano"), "float64")
    return Table(
        "Tamaño, valor y actividad",
        frame.astype({"Id": "str", **money}),
        {"% clientes": "percent", "% gasto": "percent"},
        f"Gasto neto de devoluciones {window(report)}, en la moneda de los datos. Compras y días "
        "sin comprar: medianas. El id no cambia de un modelo al siguiente.",
    )


def rubros_table(report: SegmentsReport) -> Table:
    """One row per segment and rubro that sets it apart.

    Args:
        report: The artefacts of one run.

    Returns:
        The table.
    """
    told = distinctive(report.profile["rubros"])
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


def demographics_tables(report: SegmentsReport) -> list[Table]:
    """Per attribute, one row per segment and one column per value.

    Args:
        report: The artefacts of one run.

    Returns:
        A table per attribute that the data have.
    """
    told = report.profile["demographics"]
    return [
        _shares(told[told["attribute"] == attribute], title, report.names)
        for attribute, title in ATTRIBUTES.items()
        if (told["attribute"] == attribute).any()
    ]


def _shares(told: pd.DataFrame, title: str, names: Mapping[int, str]) -> Table:
    wide = told.pivot_table(index="cluster_id", columns="value", values="share", sort=False)
    order = sorted(wide.index, key=lambda segment: (segment < 0, segment))
    values = sorted(map(str, wide.columns), key=_value_order)
    frame = wide.loc[order, values].rename_axis(columns=None)
    frame.insert(0, "Segmento", [names[segment] for segment in order])
    return Table(title, frame.reset_index(drop=True), dict.fromkeys(values, "percent"))


def _value_order(value: str) -> tuple[int, float, str]:
    """Bands of age and numbers by size, then words, then what is no value."""
    if value in AGE_BANDS:
        return (0, AGE_BANDS.index(value), "")
    if value in NO_VALUE:
        return (3, NO_VALUE.index(value), "")
    return (1, float(value), "") if value.isdecimal() else (2, 0, value.casefold())


def evaluation_table(report: SegmentsReport) -> Table:
    """One row per number of segments compared.

    Args:
        report: The artefacts of one run.

    Returns:
        The table.
    """
    frame = report.evaluation[list(EVALUATION_COLUMNS)].rename(columns=EVALUATION_COLUMNS)
    decimals = list(EVALUATION_COLUMNS.values())[2:-1]
    return Table(
        "Los números de segmentos comparados",
        frame,
        {**dict.fromkeys(decimals, "decimal"), "Menor segmento": "percent"},
        "Al azar: la silueta de los mismos clientes con cada columna barajada por su lado. "
        "Estabilidad: índice de Rand ajustado entre el reparto y el de otras muestras.",
    )


def membership_table(membership: Mapping[str, Any], report: SegmentsReport) -> Table:
    """One row per segment: whether the mixture sees it too.

    Args:
        membership: Figures of the mixture, with `segments`.
        report: The artefacts of one run.

    Returns:
        The table.
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


def axes_table(report: SegmentsReport) -> Table:
    """One row per axis of the projection: what it shows, and what it is made of.

    Args:
        report: The artefacts of one run.

    Returns:
        The table.
    """
    labels = report.identity.layout.labels
    found = report.projection["axes"]
    axes = found.assign(_size=-found["weight"].abs()).sort_values(["axis", "_size", "column"])
    words = axes.assign(
        words=[column_words(str(column), labels) for column in axes["column"]],
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
