"""Sections on who the segments are and how they were found."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from clientela.models.segmentation import SIN_ACTIVIDAD
from clientela.pipelines.segmentation.report_tables import (
    SegmentReportData,
    axes_table,
    build_report_summary,
    demographics_tables,
    describe_clustering_input,
    evaluation_table,
    format_feature_window,
    membership_table,
    rubros_table,
    segments_table,
)
from clientela.reporting.page import Block, Bullets, Image, Page, Section, Text
from clientela.text import NOTHING, NumberFormat

# Sections on who the segments are and how they were found.


def build_sizes_section(report: SegmentReportData, figure: Figure) -> Section:
    """How many customers each segment has, and what they are worth."""
    image = Image("Parte de los clientes y parte del gasto", figure)
    return Section("Segmentos", (segments_table(report), image))


def build_description_section(report: SegmentReportData) -> Section:
    """What sets each segment apart, why it is called so, and who its customers are."""
    reasons = tuple(
        f"{name}. {report.identity.name_reasons[segment]}"
        for segment, name in sorted(report.identity.names.items())
    )
    demographics: list[Block] = [*demographics_tables(report)]
    note = (
        f"Solo se muestran grupos de {report.settings.min_customers} clientes o más; los menores "
        "se suman en «otros valores». Edad, género y estrato describen a los clientes: no se usan "
        "para agruparlos."
    )
    if not demographics:
        note = f"No hay datos demográficos que mostrar. {note}"
    return Section(
        "Quién es cada uno",
        (
            rubros_table(report),
            Text("Por qué se llaman así:"),
            Bullets(reasons),
            *demographics,
            Text(note),
        ),
    )


def build_rubros_section(figure: Figure) -> Section:
    """What each segment scores in each rubro."""
    note = (
        "El score de un cliente en un rubro va de 0 a 1: su lugar, por gasto, entre quienes "
        "compran ahí; 0 si no compra. Se muestra la media del segmento."
    )
    return Section("Rubros", (Image("Score medio por segmento y rubro", figure, note),))


def build_segment_count_section(report: SegmentReportData, drawn: Mapping[str, Figure]) -> Section:
    """How the number of segments was chosen."""
    return Section(
        "Cómo se eligió k",
        (
            Bullets((*report.choice["sentences"], describe_clustering_input(report.clustering))),
            Image(
                "Método del codo",
                drawn["elbow"],
                "La inercia siempre baja al añadir segmentos; un codo es donde deja de bajar "
                "deprisa. Que no lo haya es normal: muchos datos de compra no tienen un número "
                "natural de grupos.",
            ),
            Image(
                "¿Mejor que el azar? ¿Se repite?",
                drawn["silhouette"],
                "Izquierda: dentro de la banda gris, la agrupación no se distingue de la de datos "
                "barajados. Derecha: 1 es el mismo reparto con otras muestras de clientes.",
            ),
            evaluation_table(report),
        ),
    )


def build_projection_section(report: SegmentReportData, figure: Figure) -> Section:
    """How far apart segments lie."""
    points, axes = report.projection["points"], report.projection["axes"]
    numbers = report.settings.numbers
    shown = float(axes.drop_duplicates("axis")["explained"].sum())
    note = (
        f"Componentes principales de {numbers.text(len(points))} clientes activos; cada punto es "
        f"uno. El plano muestra el {numbers.percent(shown)} de la variación: lo que aquí se solapa "
        "puede estar separado en lo que no se ve."
    )
    image = Image("Los clientes en un plano", figure, note)
    return Section("Proyección", (image, axes_table(report)))


# Sections on how steady segments are: who moved, who could be in several, what not to conclude.


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


def build_stability_section(report: SegmentReportData, figure: Figure) -> Section:
    """Who moved since the previous model."""
    said = Text(str(report.migration["sentence"]), emphasis=True)
    title = "De qué segmento vienen los clientes"
    if report.migration["previous"] is None:
        return Section("Estabilidad y migración", (said, Image(title, figure)))
    note = "Cada fila suma 100 %: dónde están hoy los clientes que estaban en ese segmento."
    moves = Bullets(_list_moves(report))
    return Section("Estabilidad y migración", (said, moves, Image(title, figure, note)))


def _list_moves(report: SegmentReportData) -> tuple[str, ...]:
    numbers, told = report.settings.numbers, report.migration
    agreement = told["adjusted_rand"]
    text = MOVES.format(
        previous=told["previous"],
        current=told["current"],
        compared=numbers.text(told["compared"]),
        still=numbers.text(told["still_inactive"]),
        same=_format_percent_or_missing(told["same_segment_share"], numbers),
        nearest=_format_percent_or_missing(told["nearest_share"], numbers),
        agreement=NOTHING if agreement is None else numbers.text(agreement, 2),
        held=numbers.text(told["held_by_margin"]),
        margin=numbers.percent(report.clustering.switch_margin),
        births=_format_segment_list(told["births"]),
        deaths=_format_segment_list(told["deaths"]),
    )
    return tuple(text.strip().splitlines())


def _format_percent_or_missing(share: float | None, numbers: NumberFormat) -> str:
    return NOTHING if share is None else numbers.percent(share)


def _format_segment_list(segments: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{entry['name']} ({entry['id']})" for entry in segments) or "ninguno"


def build_membership_section(membership: Mapping[str, Any], report: SegmentReportData) -> Section:
    """How clear-cut the segments are when a customer may belong to several."""
    percent = report.settings.numbers.percent
    text = PARTIAL.format(
        unclear=percent(membership["unclear_share"]),
        agreement=percent(membership["agreement"]),
        highest=percent(membership["mean_highest"]),
    )
    about = Text(
        "Una mezcla de gaussianas da a cada cliente una probabilidad por segmento, en vez de un "
        "solo segmento. No cambia los segmentos: es otra opinión sobre los mismos clientes."
    )
    said = text.strip().splitlines()
    table = membership_table(membership, report)
    return Section("Pertenencia parcial", (about, Bullets(tuple(said)), table))


def build_segment_limits_section(report: SegmentReportData) -> Section:
    """What the report does not say."""
    margin = report.settings.numbers.percent(report.clustering.switch_margin)
    text = LIMITS.format(window=format_feature_window(report), margin=margin)
    return Section("Cómo leer esto y límites", (Bullets(tuple(text.strip().splitlines())),))


# The segments report: which sections there are, and in which order.


def build_segment_page(report: SegmentReportData, drawn: Mapping[str, Figure]) -> Page:
    """The profile report of one run, for marketers."""
    soft = report.membership
    parted = (
        [] if soft is None or soft["mode"] == "none" else [build_membership_section(soft, report)]
    )
    return Page(
        title="Segmentos de clientes",
        subtitle=_format_subtitle(report),
        summary=build_report_summary(report),
        sections=(
            build_sizes_section(report, drawn["sizes"]),
            build_description_section(report),
            build_rubros_section(drawn["scores"]),
            build_segment_count_section(report, drawn),
            build_projection_section(report, drawn["projection"]),
            build_stability_section(report, drawn["migration"]),
            *parted,
            build_segment_limits_section(report),
        ),
    )


def _format_subtitle(report: SegmentReportData) -> str:
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
