"""Sections of a report about a target: persistence, classes, and columns against it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from clientela.reports.exploration import Persistence, Target
from clientela.reports.numbers import NumberFormat
from clientela.reports.page import Block, Image, Section, Table, Text
from clientela.reports.sentences import binary

RULE_NAMES = {
    "buyers": "Compran en la ventana posterior",
    "accuracy": "Exactitud de «compró antes»",
    "majority_accuracy": "Exactitud de la respuesta más común",
    "repeated": "Repiten la clase",
    "repeated_among_buyers": "Repiten la clase, entre quienes compran en ambas",
}
STRENGTH_NAMES = {
    "column": "Columna",
    "rank_correlation": "Correlación de rangos",
    "auc": "AUC",
    "cramers_v": "V de Cramér",
}


def persistence_section(
    persistence: Persistence, found: Mapping[str, Any], figure: Figure, numbers: NumberFormat
) -> Section:
    """Whether last quarter predicts this one, and what that means for a binary target.

    Args:
        persistence: The windows and classes.
        found: The findings on persistence.
        figure: The classes before and after.
        numbers: How numbers are written.

    Returns:
        One section.
    """
    start, middle, end = persistence.borders
    note = (
        f"Clientes según sus compras de {persistence.category} de {start} a {middle} (filas) y de "
        f"{middle} a {end} (columnas); el último día de cada ventana no cuenta. Son los clientes "
        f"que compraron algo antes de {middle}."
    )
    rule = [(name, found["binary_rule"][key]) for key, name in RULE_NAMES.items()]
    frame = pd.DataFrame(rule, columns=["Medida", "Valor"]).astype({"Valor": float})
    blocks: tuple[Block, ...] = (
        Text(binary(found, numbers), emphasis=True),
        Image("¿Predice el trimestre pasado a éste?", figure, note),
        Table("La regla «compró antes» ante la pregunta binaria", frame, {"Valor": "percent"}),
    )
    return Section("Persistencia de la compra", blocks)


def target_sections(target: Target, drawn: Mapping[str, Figure]) -> list[Section]:
    """The classes, and every column against them.

    Args:
        target: The frames.
        drawn: `classes`, `class_mix`, `correlations`.

    Returns:
        Three sections.
    """
    note = f"«{target.name}» entra por el orden de sus clases; en blanco, lo que no varía."
    correlations = Image("Correlación de Pearson", drawn["correlations"], note)
    return [
        Section("Objetivo", (Image("Filas por clase", drawn["classes"]),)),
        Section("Columnas frente al objetivo", _against_target(target, drawn["class_mix"])),
        Section("Correlaciones", (correlations,)),
    ]


def _against_target(target: Target, figure: Figure) -> tuple[Block, ...]:
    mix = Image(
        "Clases según quintos de las columnas que más acompañan al objetivo",
        figure,
        "Cada barra es un quinto de las filas; un valor que llena varios quintos los une, y donde "
        "uno solo los llena casi todos, las colas a su lado tienen barra propia.",
    )
    strength = Table(
        "Cada columna sola frente al objetivo",
        target.associations[list(STRENGTH_NAMES)].rename(columns=STRENGTH_NAMES),
        dict.fromkeys(list(STRENGTH_NAMES.values())[1:], "decimal"),
        "Sobre los quintos de la columna. AUC: cualquier clase por encima de la primera.",
    )
    if target.category_associations.empty:
        return (mix, strength, _class_means(target))
    names = {"column": "Columna", "cramers_v": "V de Cramér"}
    frame = target.category_associations[list(names)].rename(columns=names)
    categories = Table("Categorías frente al objetivo", frame, {"V de Cramér": "decimal"})
    return (mix, strength, _class_means(target), categories)


def _class_means(target: Target) -> Table:
    means = target.means.pivot_table(index="column", columns="class", values="mean")
    order = [name for name in target.associations["column"] if name in means.index]
    wide = means.reindex(index=order, columns=list(target.classes))
    wide.columns = pd.Index(target.classes, name=None)
    return Table("Media por clase", wide.rename_axis("Columna").reset_index())
