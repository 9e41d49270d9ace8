"""The findings in words, in the language of the reports' readers."""

from collections.abc import Mapping
from typing import Any

from clientela.reports.numbers import NumberFormat

MOST = 3
AGREEMENT = ((0.6, "alta"), (0.4, "moderada"), (0.2, "débil"))
"""Words for kappa after Landis and Koch 1977 (their .61, .41, .21)."""


def summary(found: Mapping[str, Any], numbers: NumberFormat) -> list[str]:
    """The three things to know, the most telling first.

    Args:
        found: The findings.
        numbers: How numbers are written.

    Returns:
        At most three statements.
    """
    statements: list[str] = []
    if "persistence" in found:
        statements += [persistence(found["persistence"], numbers)]
    if "target" in found:
        statements += [classes(found["target"], numbers)]
    if "persistence" in found:
        statements += [binary(found["persistence"], numbers)]
    if "activity" in found:
        statements += [volume(found, numbers), concentration(found["activity"], numbers)]
    statements += [strongest(found["target"], numbers)] if "target" in found else []
    return [*statements, quality(found, numbers)][:MOST]


def persistence(found: Mapping[str, Any], numbers: NumberFormat) -> str:
    """Whether last quarter predicts this one.

    Args:
        found: The findings on persistence.
        numbers: How numbers are written.

    Returns:
        One statement.
    """
    kappa, rule = found["quadratic_weighted_kappa"], found["binary_rule"]
    if rule["repeated"] is None or kappa is None:
        return f"Persistencia en {found['category']}: no hay clientes con historia suficiente."
    word = next((word for least, word in AGREEMENT if kappa >= least), "casi nula")
    return (
        f"La compra de {found['category']} tiene persistencia {word}: el "
        f"{numbers.percent(rule['repeated'])} de los clientes repite la clase de los "
        f"{found['months']} meses anteriores (QWK {numbers.text(kappa, 2)}). Repetir esa clase es "
        "la vara que todo modelo debe superar."
    )


def classes(found: Mapping[str, Any], numbers: NumberFormat) -> str:
    """How unequal the classes are.

    Args:
        found: The findings on the target.
        numbers: How numbers are written.

    Returns:
        One statement.
    """
    shares = found["shares"]
    listed = ", ".join(f"{name} {numbers.percent(share or 0)}" for name, share in shares.items())
    ratio = found["imbalance_ratio"]
    unequal = (
        f"La mayor tiene {numbers.text(ratio, 1)} veces las filas de la menor: la exactitud engaña."
        if ratio is not None
        else "Una clase está vacía: el objetivo no se puede aprender así."
    )
    return f"Clases del objetivo: {listed}. {unequal}"


def binary(found: Mapping[str, Any], numbers: NumberFormat) -> str:
    """Why "buys or not" is answered before any model, and says little.

    Args:
        found: The findings on persistence.
        numbers: How numbers are written.

    Returns:
        One statement with the rule's accuracy and AUC.
    """
    rule = found["binary_rule"]
    if rule["auc"] is None:
        return "Un objetivo binario (compra / no compra) no tiene aquí dos respuestas que comparar."
    told = (
        f"Como problema binario, saber sólo si compró los {found['months']} meses anteriores ya "
        f"acierta el {numbers.percent(rule['accuracy'])} (responder siempre lo más común: "
        f"{numbers.percent(rule['majority_accuracy'])}; AUC {numbers.text(rule['auc'], 2)}, con la "
        f"clase anterior {numbers.text(rule['graded_auc'], 2)}) sin modelo alguno."
    )
    lowest = found["buyers_in_lowest_class"]
    if lowest is None or rule["repeated_among_buyers"] is None:
        return told
    return (
        f"{told} Y dice poco: «compra» junta a la clase más baja "
        f"({numbers.percent(lowest)} de los compradores) con el cliente intenso, y de quienes "
        f"compran en ambas ventanas el {numbers.percent(rule['repeated_among_buyers'])} mantiene "
        "su clase; ese grado es lo que el objetivo ordinal distingue."
    )


def volume(found: Mapping[str, Any], numbers: NumberFormat) -> str:
    """How much buying the data holds.

    Args:
        found: The findings.
        numbers: How numbers are written.

    Returns:
        One statement.
    """
    activity, rows = found["activity"], found["tables"]["transactions"]["rows"]
    span = found["tables"]["transactions"]["columns"]["fecha"]
    dates = f" entre {span['first']} y {span['last']}" if "first" in span else ""
    return (
        f"{numbers.text(rows)} transacciones de {numbers.text(activity['customers'])} "
        f"clientes{dates}; monto comprado {numbers.text(activity['bought'] or 0)} "
        f"(moneda de los datos), {numbers.text(activity['refunds'])} devoluciones."
    )


def concentration(activity: Mapping[str, Any], numbers: NumberFormat) -> str:
    """How unequal customers and categories are.

    Args:
        activity: The findings on activity.
        numbers: How numbers are written.

    Returns:
        One statement.
    """
    best = numbers.percent(activity["best_tenth_share"] or 0)
    sentence = f"El mejor décimo de los clientes reúne el {best} del monto"
    if not activity["categories"]:
        return sentence + "."
    name, first = next(iter(activity["categories"].items()))
    share, reach = first["amount_share"] or 0, first["customer_share"] or 0
    return (
        f"{sentence}; la categoría mayor, «{name}», el {numbers.percent(share)}, y la compra el "
        f"{numbers.percent(reach)} de los clientes."
    )


def strongest(found: Mapping[str, Any], numbers: NumberFormat) -> str:
    """Which columns go most with the target.

    Args:
        found: The findings on the target.
        numbers: How numbers are written.

    Returns:
        One statement.
    """
    listed = ", ".join(
        f"{name} ({numbers.text(rho, 2)})"
        for name, rho in list(found["rank_correlation"].items())[:MOST]
        if rho is not None
    )
    return (
        f"Lo que más acompaña al objetivo (correlación de rangos): {listed or 'ninguna columna'}."
    )


def quality(found: Mapping[str, Any], numbers: NumberFormat) -> str:
    """What is wrong with the tables.

    Args:
        found: The findings.
        numbers: How numbers are written.

    Returns:
        One statement: the emptiest column, repeated rows, how many recommendations.
    """
    missing = [
        (figures["missing"] / table["rows"], f"{name}.{column}")
        for name, table in found["tables"].items()
        for column, figures in table["columns"].items()
        if table["rows"]
    ]
    share, column = max(missing, key=lambda item: (item[0], item[1]), default=(0.0, ""))
    empty = (
        f"la columna con más faltantes es {column} ({numbers.percent(share)})"
        if share
        else "no falta ningún valor"
    )
    repeated = sum(table["repeated_rows"] or 0 for table in found["tables"].values())
    return (
        f"Calidad: {empty}; {numbers.text(repeated)} filas repiten a otra salvo en su clave; "
        f"{numbers.text(len(found['recommendations']))} recomendaciones al final."
    )
