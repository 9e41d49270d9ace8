"""Sections on who the segments are and how they were found."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from clientela.reports.page import Block, Bullets, Image, Section, Text
from clientela.segments.report.columns import made_from
from clientela.segments.report.facts import SegmentsReport
from clientela.segments.report.tables import (
    axes_table,
    demographics_tables,
    evaluation_table,
    rubros_table,
    segments_table,
)


def sizes_section(report: SegmentsReport, figure: Figure) -> Section:
    """How many customers each segment has, and what they are worth.

    Args:
        report: The artefacts of one run.
        figure: `sizes`.

    Returns:
        One section.
    """
    image = Image("Parte de los clientes y parte del gasto", figure)
    return Section("Segmentos", (segments_table(report), image))


def who_section(report: SegmentsReport) -> Section:
    """What sets each segment apart, why it is called so, and who its customers are.

    Args:
        report: The artefacts of one run.

    Returns:
        One section.
    """
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


def rubros_section(figure: Figure) -> Section:
    """What each segment scores in each rubro.

    Args:
        figure: `scores`.

    Returns:
        One section.
    """
    note = (
        "El score de un cliente en un rubro va de 0 a 1: su lugar, por gasto, entre quienes "
        "compran ahí; 0 si no compra. Se muestra la media del segmento."
    )
    return Section("Rubros", (Image("Score medio por segmento y rubro", figure, note),))


def number_section(report: SegmentsReport, drawn: Mapping[str, Figure]) -> Section:
    """How the number of segments was chosen.

    Args:
        report: The artefacts of one run.
        drawn: `elbow`, `silhouette`.

    Returns:
        One section.
    """
    return Section(
        "Cómo se eligió k",
        (
            Bullets((*report.choice["sentences"], made_from(report.clustering))),
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


def projection_section(report: SegmentsReport, figure: Figure) -> Section:
    """How far apart segments lie.

    Args:
        report: The artefacts of one run.
        figure: `projection`.

    Returns:
        One section.
    """
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
