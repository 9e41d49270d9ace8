"""The segments report for marketers: its sections, their tables, and what they say in Spanish."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clientela.models.segment_profile import AGE_BANDS, MISSING, POOLED
from clientela.models.segmentation import SIN_ACTIVIDAD
from clientela.pipelines.segmentation.report_data import (
    SegmentReportData,
    build_report_summary,
    describe_clustering_input,
    describe_column,
    find_distinctive_rubros,
)
from clientela.reporting.page import Bullets, CellFormat, Image, Page, Section, Table, Text

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

MOVES = """
Se comparan los modelos del {previous} y del {current}: {compared} clientes están en ambos; de \
ellos, {still} sin actividad entonces y ahora, que no cuentan en los porcentajes.
Siguen en su segmento: {same}; sin el margen contra vaivenes ({margin} de la distancia), \
{nearest}. El margen retuvo a {held} clientes.
Acuerdo entre ambos repartos: {agreement} (índice de Rand ajustado; 1: idéntico, 0: azar).
Segmentos que nacen (id): {births}. Segmentos que terminan: {deaths}.
"""

PARTIAL = """
La mezcla y los segmentos coinciden en el {agreement} de los clientes. Cuanto menos coinciden, \
más arbitrario es el borde entre segmentos, por segura que esté la mezcla de sí misma.
Sin un segmento claro (ninguno llega al 60 %): {unclear} de los clientes activos.
Probabilidad media del segmento más probable: {highest}.
"""

LIMITS = """
Los segmentos describen qué compraron los clientes {window}. No dicen por qué, ni qué harán.
Que un segmento compre más de algo no prueba que una campaña ahí venda más: mídalo con un grupo \
de control que no la reciba.
El nombre dice lo que distingue al segmento, no todo lo que compra. Un cliente de «Farmacia» \
también va al supermercado.
Junto al borde entre dos segmentos un cliente cabe en ambos. Para que no vaya y venga, cambia \
solo si otro centro queda más cerca por más del {margin} de la distancia.
Los ids y los nombres se conservan de un modelo al siguiente; un id que termina no se vuelve a usar.
Cuántos segmentos hay es también una decisión de negocio: se puede fijar en la configuración \
(clustering.k), y los nombres también (naming.overrides).
"""


def build_segment_page(report: SegmentReportData, figures: Mapping[str, Figure]) -> Page:
    """The profile report of one run."""
    numbers, segments = report.settings.numbers, report.segments
    subtitle = (
        f"Modelo del {report.identity.fecha_modelo.isoformat()}",
        f"{numbers.text(segments['clientes'].sum())} clientes",
        f"{(segments['cluster_id'] != SIN_ACTIVIDAD).sum()} segmentos",
        f"modelo anterior: {report.migration['previous'] or 'no hay'}",
    )
    sections = [build(report, figures) for build in SECTIONS]
    return Page(
        title="Segmentos de clientes",
        subtitle=" · ".join(subtitle),
        summary=build_report_summary(report),
        sections=tuple(section for section in sections if section is not None),
    )


def build_sizes_section(report: SegmentReportData, figures: Mapping[str, Figure]) -> Section:
    """How many customers each segment has, and what they are worth."""
    frame = report.segments[list(SEGMENT_COLUMNS)].rename(columns=SEGMENT_COLUMNS)
    money = dict.fromkeys(("Gasto", "Gasto por cliente", "Ticket mediano"), "float64")
    table = Table(
        "Tamaño, valor y actividad",
        frame.astype({"Id": "str", **money}),
        {"% clientes": "percent", "% gasto": "percent"},
        f"Gasto neto de devoluciones {report.window}, en la moneda de los datos. Compras y días "
        "sin comprar: medianas. El id no cambia de un modelo al siguiente.",
    )
    image = Image("Parte de los clientes y parte del gasto", figures["sizes"])
    return Section("Segmentos", (_build_accounting_table(report), table, image))


def _build_accounting_table(report: SegmentReportData) -> Table:
    """Every known customer: in a segment, without activity, or left out, and why."""
    account = report.accounting
    few, *idle = account["sin_actividad_reasons"].values()
    before, never = idle
    rows = {
        "Clientes conocidos": account["known"],
        "En un segmento": account["in_segments"],
        f"Sin actividad: menos de {report.clustering.minimum_transactions} compras": few,
        "Sin actividad: última transacción antes de la ventana": before,
        "Sin actividad: ninguna transacción": never,
        "Fuera: primera transacción después de la fecha del modelo": account["left_out"],
    }
    frame = pd.DataFrame({"Dónde están": list(rows), "Clientes": list(rows.values())})
    note = "Las filas bajo la primera suman los clientes conocidos."
    return Table("De los clientes conocidos a los exportados", frame, note=note)


def build_description_section(report: SegmentReportData, _: Mapping[str, Figure]) -> Section:
    """What sets each segment apart, why it is called so, and who its customers are."""
    identity = report.identity
    rubros = find_distinctive_rubros(report.profile["rubros"])
    top = rubros[rubros.groupby("cluster_id").cumcount() < report.settings.top_rubros]
    repeats = top["cluster_id"].duplicated()
    named = top.assign(segment=top["cluster_id"].map(identity.titles).mask(repeats, ""))
    table = Table(
        "Los rubros que distinguen a cada segmento",
        named[list(RUBRO_COLUMNS)].rename(columns=RUBRO_COLUMNS),
        {"% de su gasto": "percent", "% que compra": "percent", "Score medio": "decimal"},
        "Veces el conjunto: la parte de su gasto que el segmento pone en el rubro, entre la que "
        "ponen todos los clientes activos. Solo rubros con 1 o más, los más distintivos primero.",
    )
    reasons = tuple(
        f"{name}. {identity.name_reasons[segment]}"
        for segment, name in sorted(identity.names.items())
    )
    demographics = _build_demographics_tables(report)
    note = (
        f"Solo se muestran grupos de {report.settings.min_customers} clientes o más; los menores "
        "se suman en «otros valores». Edad, género y estrato describen a los clientes: no se usan "
        "para agruparlos."
    )
    if not demographics:
        note = f"No hay datos demográficos que mostrar. {note}"
    why = (Text("Por qué se llaman así:"), Bullets(reasons))
    return Section("Quién es cada uno", (table, *why, *demographics, Text(note)))


def _build_demographics_tables(report: SegmentReportData) -> list[Table]:
    """Per attribute that the data have, one row per segment and one column per value."""
    tables = []
    everything = report.profile["demographics"]
    for attribute, title in ATTRIBUTES.items():
        rows = everything[everything["attribute"] == attribute]
        if rows.empty:
            continue
        wide = rows.pivot_table(index="cluster_id", columns="value", values="share", sort=False)
        order = sorted(wide.index, key=lambda segment: (segment < 0, segment))
        values = sorted(map(str, wide.columns), key=_rank_value)
        frame = wide.loc[order, values].rename_axis(columns=None)
        frame.insert(0, "Segmento", [report.identity.titles[segment] for segment in order])
        formats: dict[str, CellFormat] = dict.fromkeys(values, "percent")
        tables.append(Table(title, frame.reset_index(drop=True), formats))
    return tables


def _rank_value(value: str) -> tuple[int, float, str]:
    """Bands of age and numbers by size, then words, then what is no value."""
    if value in AGE_BANDS:
        return (0, AGE_BANDS.index(value), "")
    if value in NO_VALUE:
        return (3, NO_VALUE.index(value), "")
    return (1, float(value), "") if value.isdecimal() else (2, 0, value.casefold())


def build_rubros_section(_: SegmentReportData, figures: Mapping[str, Figure]) -> Section:
    """What each segment scores in each rubro."""
    note = (
        "El score de un cliente en un rubro va de 0 a 1: su lugar, por gasto, entre quienes "
        "compran ahí; 0 si no compra. Se muestra la media del segmento."
    )
    return Section("Rubros", (Image("Score medio por segmento y rubro", figures["scores"], note),))


def build_segment_count_section(
    report: SegmentReportData, figures: Mapping[str, Figure]
) -> Section:
    """How the number of segments was chosen."""
    decimals = list(EVALUATION_COLUMNS.values())[2:-1]
    return Section(
        "Cómo se eligió k",
        (
            Bullets((*report.choice["sentences"], describe_clustering_input(report.clustering))),
            Image(
                "Método del codo",
                figures["elbow"],
                "La inercia siempre baja al añadir segmentos; un codo es donde deja de bajar "
                "deprisa. Que no lo haya es normal: muchos datos de compra no tienen un número "
                "natural de grupos.",
            ),
            Image(
                "¿Mejor que el azar? ¿Se repite?",
                figures["silhouette"],
                "Izquierda: dentro de la banda gris, la agrupación no se distingue de la de datos "
                "barajados. Derecha: 1 es el mismo reparto con otras muestras de clientes.",
            ),
            Table(
                "Los números de segmentos comparados",
                report.evaluation[list(EVALUATION_COLUMNS)].rename(columns=EVALUATION_COLUMNS),
                {**dict.fromkeys(decimals, "decimal"), "Menor segmento": "percent"},
                "Al azar: la silueta de los mismos clientes con cada columna barajada por su lado. "
                "Estabilidad: índice de Rand ajustado entre el reparto y el de otras muestras.",
            ),
        ),
    )


def build_projection_section(report: SegmentReportData, figures: Mapping[str, Figure]) -> Section:
    """How far apart segments lie, and what the axes are made of."""
    points, axes = report.projection["points"], report.projection["axes"]
    labels, numbers = report.identity.layout.labels, report.settings.numbers
    explained = float(axes.drop_duplicates("axis")["explained"].sum())
    note = (
        f"Componentes principales de {numbers.text(len(points))} clientes activos; cada punto es "
        f"uno. El plano muestra el {numbers.percent(explained)} de la variación: lo que aquí se "
        "solapa puede estar separado en lo que no se ve."
    )
    ordered = axes.assign(_size=-axes["weight"].abs()).sort_values(["axis", "_size", "column"])
    words = ordered.assign(
        words=[describe_column(str(column), labels) for column in ordered["column"]],
        side=np.where(ordered["weight"] >= 0, *SIDES),
    )
    sides = words.pivot_table(
        index=["axis", "explained"], columns="side", values="words", aggfunc="; ".join
    )
    frame = sides.reindex(columns=list(SIDES)).rename_axis(columns=None).reset_index()
    table = Table(
        "Qué muestran los ejes",
        frame.rename(columns={"axis": "Eje", "explained": "Variación explicada"}),
        {"Variación explicada": "percent", **dict.fromkeys(SIDES, "text")},
        "Lo que más pesa en cada eje, lo más pesado primero.",
    )
    image = Image("Los clientes en un plano", figures["projection"], note)
    return Section("Proyección", (image, table))


def build_stability_section(report: SegmentReportData, figures: Mapping[str, Figure]) -> Section:
    """Who moved since the previous model."""
    numbers, migration = report.settings.numbers, report.migration
    sentence = Text(str(migration["sentence"]), emphasis=True)
    heading, title = "Estabilidad y migración", "De qué segmento vienen los clientes"
    if migration["previous"] is None:
        return Section(heading, (sentence, Image(title, figures["migration"])))
    text = MOVES.format(
        previous=migration["previous"],
        current=migration["current"],
        compared=numbers.text(migration["compared"]),
        still=numbers.text(migration["still_inactive"]),
        same=numbers.percent(migration["same_segment_share"]),
        nearest=numbers.percent(migration["nearest_share"]),
        agreement=numbers.text(migration["adjusted_rand"], 2),
        held=numbers.text(migration["held_by_margin"]),
        margin=numbers.percent(report.clustering.switch_margin),
        births=_format_segments(migration["births"]),
        deaths=_format_segments(migration["deaths"]),
    )
    note = "Cada fila suma 100 %: dónde están hoy los clientes que estaban en ese segmento."
    image = Image(title, figures["migration"], note)
    return Section(heading, (sentence, _list_lines(text), image))


def _format_segments(segments: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{segment['name']} ({segment['id']})" for segment in segments) or "ninguno"


def _list_lines(text: str) -> Bullets:
    return Bullets(tuple(text.strip().splitlines()))


def build_membership_section(report: SegmentReportData, _: Mapping[str, Figure]) -> Section | None:
    """How clear-cut the segments are when a customer may be in several; None where not known."""
    membership, percent = report.membership, report.settings.numbers.percent
    if membership is None or membership["mode"] == "none":
        return None
    text = PARTIAL.format(
        unclear=percent(membership["unclear_share"]),
        agreement=percent(membership["agreement"]),
        highest=percent(membership["mean_highest"]),
    )
    about = Text(
        "Una mezcla de gaussianas da a cada cliente una probabilidad por segmento, en vez de un "
        "solo segmento. No cambia los segmentos: es otra opinión sobre los mismos clientes."
    )
    frame = pd.DataFrame(membership["segments"], columns=["cluster_id", *MEMBERSHIP_COLUMNS])
    names = frame.pop("cluster_id").map(report.identity.titles)
    shares = frame.astype("float64").rename(columns=MEMBERSHIP_COLUMNS)
    shares.insert(0, "Segmento", names)
    formats: dict[str, CellFormat] = dict.fromkeys(MEMBERSHIP_COLUMNS.values(), "percent")
    table = Table("La mezcla, segmento por segmento", shares, formats)
    return Section("Pertenencia parcial", (about, _list_lines(text), table))


def build_limits_section(report: SegmentReportData, _: Mapping[str, Figure]) -> Section:
    """What the report does not say."""
    margin = report.settings.numbers.percent(report.clustering.switch_margin)
    text = LIMITS.format(window=report.window, margin=margin)
    return Section("Cómo leer esto y límites", (_list_lines(text),))


# In the order of the page.
SECTIONS = (
    build_sizes_section,
    build_description_section,
    build_rubros_section,
    build_segment_count_section,
    build_projection_section,
    build_stability_section,
    build_membership_section,
    build_limits_section,
)
