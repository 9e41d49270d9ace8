"""Columns of the matrix in words."""

from collections.abc import Mapping

from clientela.segments.params import ClusteringParams

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


def column_words(column: str, labels: Mapping[str, str]) -> str:
    """A column as people read it.

    Args:
        column: Of the matrix.
        labels: Slug of a rubro to how people read it.

    Returns:
        For example `Farmacia: parte del gasto`.
    """
    if column in TOTALS:
        return TOTALS[column]
    for slug, label in labels.items():
        for form, words in PER_RUBRO.items():
            if column == form.format(slug):
                return words.format(label)
    return column.removeprefix("participacion_").replace("_", " ") + ": parte de las compras"


def made_from(clustering: ClusteringParams) -> str:
    """What clusters were made from, in one sentence.

    Args:
        clustering: Groups of columns, and whether they were transformed.

    Returns:
        The sentence.
    """
    groups = list(dict.fromkeys(clustering.columns))
    what = "; ".join(GROUPS[group] for group in groups)
    if not clustering.transformed:
        return f"Se agrupó por {what}: tal cual, estandarizado."
    ways = dict.fromkeys(TRANSFORMS[group] for group in groups if group in TRANSFORMS)
    how = "".join(f", {way}" for way in ways)
    return f"Se agrupó por {what}: estandarizado{how}."
