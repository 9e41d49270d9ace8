"""What a card says about leakage: how it was looked for, what was found, what was allowed."""

from collections.abc import Mapping
from typing import Any

from clientela.reports.numbers import NumberFormat
from clientela.reports.page import Bullets, Section

NUMBERS = NumberFormat()


def leakage_section(leakage: Mapping[str, Any], cases: str, *, cutoffs: bool) -> Section:
    """Whether a feature knew the future, and what a person allowed all the same.

    Args:
        leakage: The leakage report.
        cases: What the rows are, in the plural.
        cutoffs: Whether features have cutoffs, so that what follows could be scrambled.

    Returns:
        The section.
    """
    strongest, concordance = next(iter(leakage["concordance"].items()))
    alone = (
        f"La variable que por sí sola mejor ordena el objetivo es {strongest}: concordancia "
        f"{NUMBERS.text(concordance, 3)} (0,5 es azar; se rechaza por encima de "
        f"{NUMBERS.text(leakage['concordance_limit'], 2)})."
    )
    allowed = [f"Permitida: {name}. Motivo: {why}" for name, why in leakage["allowed"].items()]
    excluded = [
        f"Excluida: {name}. Motivo: {why}" for name, why in leakage.get("excluded", {}).items()
    ]
    proof = _scrambled(leakage, cases) if cutoffs else _not_scrambled(leakage)
    return Section("Fuga de información", (Bullets((proof, alone, *allowed, *excluded)),))


def _scrambled(leakage: Mapping[str, Any], cases: str) -> str:
    changed = leakage["sees_the_future"]
    if changed:
        names = ", ".join(changed)
        return f"Variables que cambiaron al alterar todo lo posterior al corte: {names}."
    return (
        "Al alterar todo lo posterior al corte de "
        f"{NUMBERS.text(leakage['rows'])} {cases} no cambió ninguna variable."
    )


def _not_scrambled(leakage: Mapping[str, Any]) -> str:
    late = leakage.get("after_decision", {})
    if late:
        told = "; ".join(f"{name} ({why})" for name, why in late.items())
        return f"Variables permitidas aunque no se conocen al decidir: {told}."
    return (
        "La tabla trae una fila por caso y no dice cuándo se conoció cada dato: que las variables "
        "existan al decidir lo garantiza quien las configuró, no esta ficha."
    )
