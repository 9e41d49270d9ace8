"""Sections on how steady segments are: who moved, who could be in several, what not to conclude."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from clientela.reports.numbers import NOTHING, NumberFormat
from clientela.reports.page import Bullets, Image, Section, Text
from clientela.segments.report.facts import SegmentsReport
from clientela.segments.report.summary import window
from clientela.segments.report.tables import membership_table

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


def stability_section(report: SegmentsReport, figure: Figure) -> Section:
    """Who moved since the previous model.

    Args:
        report: The artefacts of one run.
        figure: `migration`.

    Returns:
        One section.
    """
    said = Text(str(report.migration["sentence"]), emphasis=True)
    title = "De qué segmento vienen los clientes"
    if report.migration["previous"] is None:
        return Section("Estabilidad y migración", (said, Image(title, figure)))
    note = "Cada fila suma 100 %: dónde están hoy los clientes que estaban en ese segmento."
    moves = Bullets(_moves(report))
    return Section("Estabilidad y migración", (said, moves, Image(title, figure, note)))


def _moves(report: SegmentsReport) -> tuple[str, ...]:
    numbers, told = report.settings.numbers, report.migration
    agreement = told["adjusted_rand"]
    text = MOVES.format(
        previous=told["previous"],
        current=told["current"],
        compared=numbers.text(told["compared"]),
        still=numbers.text(told["still_inactive"]),
        same=_percent(told["same_segment_share"], numbers),
        nearest=_percent(told["nearest_share"], numbers),
        agreement=NOTHING if agreement is None else numbers.text(agreement, 2),
        held=numbers.text(told["held_by_margin"]),
        margin=numbers.percent(report.clustering.switch_margin),
        births=_listed(told["births"]),
        deaths=_listed(told["deaths"]),
    )
    return tuple(text.strip().splitlines())


def _percent(share: float | None, numbers: NumberFormat) -> str:
    return NOTHING if share is None else numbers.percent(share)


def _listed(segments: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{entry['name']} ({entry['id']})" for entry in segments) or "ninguno"


def membership_section(membership: Mapping[str, Any], report: SegmentsReport) -> Section:
    """How clear-cut the segments are when a customer may belong to several.

    Args:
        membership: Figures of the mixture.
        report: The artefacts of one run.

    Returns:
        One section.
    """
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


def limits_section(report: SegmentsReport) -> Section:
    """What the report does not say.

    Args:
        report: The artefacts of one run.

    Returns:
        One section.
    """
    margin = report.settings.numbers.percent(report.clustering.switch_margin)
    text = LIMITS.format(window=window(report), margin=margin)
    return Section("Cómo leer esto y límites", (Bullets(tuple(text.strip().splitlines())),))
