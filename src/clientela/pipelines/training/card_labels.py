"""What a card says of leakage, and of labels that were made: who made them, what they are worth."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clientela.models.scoring import CHAMPION
from clientela.pipelines.training.card_tables import format_with_interval
from clientela.pipelines.training.label_value import find_equivalent_size
from clientela.reporting.page import Bullets, Section, Table, Text
from clientela.text import NumberFormat

logger = logging.getLogger(__name__)

NUMBERS = NumberFormat()

UNAUDITED = (
    "ETIQUETAS SIN AUDITAR: las hizo {source} y solo {judged} {cases} tienen juicio de una persona "
    "(hacen falta {least}). Toda cifra de esta ficha mide el acuerdo con esas etiquetas, no con la "
    "realidad."
)

TWO_FIGURES = (
    "El {metric} del campeón es {label} frente a las etiquetas y {truth} frente a la verdad (las "
    "dos cifras, en {rows} {cases} de la prueba). La primera cifra es alta porque las etiquetas se "
    "hicieron con las mismas columnas que ve el modelo: aprende a imitarlas. La que cuenta es la "
    "segunda."
)

LEARNED_TRUTH = (
    "El modelo aprendió lo que juzgaron personas ({learned}). Su {metric} es {truth} frente a la "
    "verdad, y {label} frente a las etiquetas hechas (las dos cifras, en {rows} {cases} de la "
    "prueba)."
)

ABSTAINED = (
    " No están en estas cifras {rows} {cases} en las que el etiquetador se abstuvo, que suelen ser "
    "las más difíciles: con ellas la verdad da una cifra menor (abajo, la curva)."
)

LEARNED_FROM = {
    "truth": "solo de los juicios de personas",
    "mixed": "de los juicios de personas donde los hay, y de las etiquetas en los demás",
    "labels": "solo de las etiquetas",
}

STATUSES = {
    "labelled": "etiquetado",
    "abstained": "el etiquetador se abstuvo",
    "throttled": "el modelo de lenguaje estaba ocupado",
    "timeout": "sin respuesta a tiempo",
    "unavailable": "sin servicio",
    "refused": "el modelo de lenguaje se negó",
    "guardrail": "intervino una barrera",
    "truncated": "respuesta cortada",
    "malformed": "respuesta con otra forma",
    "rejected": "pregunta no aceptada",
    "suspicious_text": "texto sospechoso, no se envió",
}

MEASURES = {
    "accuracy": "Exactitud",
    "kappa": "Kappa de Cohen",
    "mcc": "MCC",
    "recall_positive": "Sensibilidad, «{positive}»",
    "precision_positive": "Precisión, «{positive}»",
    "recall_negative": "Sensibilidad, «{negative}»",
    "precision_negative": "Precisión, «{negative}»",
}


@dataclass(frozen=True)
class LabelCardData:
    """What a card tells of made labels."""

    audit: Mapping[str, Any]
    shares: pd.DataFrame
    grades: Mapping[str, Any]
    curve: pd.DataFrame
    equivalent: tuple[float, float] | None


def collect_label_facts(
    audit: dict[str, Any], shares: pd.DataFrame, grades: dict[str, Any], curve: pd.DataFrame
) -> LabelCardData:
    """What the card tells of labels that were made."""
    facts = LabelCardData(audit, shares, grades, curve, find_equivalent_size(curve))
    value = format_label_value(facts)
    if value is not None:
        logger.info("%s", value)
    return facts


def format_unaudited_warning(facts: LabelCardData, cases: str) -> str | None:
    """What a card says first where too few rows were judged by people."""
    if facts.audit["audited"]:
        return None
    return UNAUDITED.format(
        source=facts.audit["source"],
        judged=NUMBERS.text(facts.audit["judged"]),
        least=NUMBERS.text(facts.audit["least_judged"]),
        cases=cases,
    )


def format_truth_comparison(facts: LabelCardData, cases: str) -> str | None:
    """The champion's figure against the labels beside that against the truth, and why they differ.

    Returns:
        Sentences; None where too few rows of the test were judged.
    """
    if not facts.grades["judged"]:
        return None
    found = facts.grades["models"][CHAMPION]
    learned = facts.audit["learn_from"]
    form = TWO_FIGURES if learned == "labels" else LEARNED_TRUTH
    left_out = facts.audit["status"].get("abstained", 0)
    sentences = form.format(
        metric=facts.grades["metric"].upper(),
        label=format_with_interval(found["label"]),
        truth=format_with_interval(found["truth"]),
        rows=NUMBERS.text(facts.grades["rows"]),
        learned=LEARNED_FROM[learned],
        cases=cases,
    )
    return sentences + (
        ABSTAINED.format(rows=NUMBERS.text(left_out), cases=cases) if left_out else ""
    )


def format_label_value(facts: LabelCardData) -> str | None:
    """How many true labels are worth as much as the made ones."""
    if facts.equivalent is None:
        return None
    low, high = facts.equivalent
    made = facts.curve[facts.curve["learned_from"] == "labels"].iloc[0]
    opening = (
        f"{NUMBERS.text(made['size'])} etiquetas hechas valen tanto como "
        f"{{amount}} juicios de personas ({facts.grades['metric'].upper()} "
        f"{_format_mean_and_sd(made)} frente a la verdad)."
    )
    if np.isinf(high):
        return opening.format(amount=f"más de {NUMBERS.text(low)}")
    if low == 0:
        return opening.format(amount=f"menos de {NUMBERS.text(high)}")
    return opening.format(amount=f"entre {NUMBERS.text(low)} y {NUMBERS.text(high)}")


def build_label_section(facts: LabelCardData, classes: tuple[str, ...], cases: str) -> Section:
    """The section of the labels.

    Returns:
        Who labelled, agreement, stability, shares by group, faithfulness, and the learning curve.
    """
    audit = facts.audit
    statements = (
        f"Etiquetó {audit['source']}; el modelo aprende {LEARNED_FROM[audit['learn_from']]}. "
        f"{_format_faithfulness(audit)}{_format_stability(audit, cases)}"
    )
    status = pd.DataFrame(
        [
            {"Resultado": STATUSES[name], cases.capitalize(): NUMBERS.text(rows)}
            for name, rows in audit["status"].items()
        ]
    )
    return Section(
        "Etiquetas",
        (
            Text(statements),
            Table("Qué fue de cada fila", status),
            *_build_agreement_table(audit, classes),
            *_build_group_table(facts.shares, audit["favourable"]),
            *_build_learning_curve_table(facts),
        ),
    )


def _build_agreement_table(audit: Mapping[str, Any], classes: tuple[str, ...]) -> tuple[Table, ...]:
    found = audit["agreement"]
    if found is None:
        return ()
    negative, positive = classes
    rows = [
        {
            "Medida": title.format(negative=negative, positive=positive),
            "Valor": format_with_interval(figures),
        }
        for name, title in MEASURES.items()
        if (figures := found["measures"].get(name)) is not None
    ]
    common = NUMBERS.percent(audit["commonest_share"])
    note = (
        f"Etiquetas frente a {NUMBERS.text(found['rows'])} juicios de personas, que ningún "
        f"etiquetador vio. Dar a todos la clase más común acertaría en el {common}."
    )
    return (Table("Acuerdo con las personas", pd.DataFrame(rows), note=note),)


def _build_group_table(shares: pd.DataFrame, favourable: str) -> tuple[Table, ...]:
    if shares.empty:
        return ()
    rows = [
        {
            "Columna": row["column"],
            "Grupo": str(row["group"]),
            "Filas": NUMBERS.text(row["rows"]),
            f"Etiqueta «{favourable}»": NUMBERS.percent(row["selection_rate"]),
            "Razón": NUMBERS.text(row["selection_ratio"], 3),
        }
        for _, row in shares.iterrows()
    ]
    note = "Un modelo que aprende de etiquetas desiguales repite la desigualdad."
    return (Table("Etiquetas por grupo", pd.DataFrame(rows), note=note),)


def _build_learning_curve_table(facts: LabelCardData) -> tuple[Table | Text, ...]:
    sentence = format_label_value(facts)
    if sentence is None:
        return ()
    names = {"truth": "juicios de personas", "labels": "etiquetas hechas"}
    rows = [
        {
            "Aprende de": names[row["learned_from"]],
            "Cuántos": NUMBERS.text(row["size"]),
            facts.grades["metric"].upper(): _format_mean_and_sd(row),
        }
        for _, row in facts.curve.sort_values(["learned_from", "size"]).iterrows()
    ]
    note = (
        f"El tipo y los parámetros del campeón, en {NUMBERS.text(facts.curve['splits'].iloc[0])} "
        "divisiones al azar; siempre se prueba con juicios de personas que el modelo no vio. "
        "Media ± desviación entre divisiones."
    )
    table = Table("Cuánto valen las etiquetas", pd.DataFrame(rows), note=note)
    return (Text(sentence, emphasis=True), table)


def _format_faithfulness(audit: Mapping[str, Any]) -> str:
    found = audit["faithfulness"]
    if not found["unfaithful"]:
        return (
            f"Las {NUMBERS.text(found['described'])} descripciones no traen ningún número que no "
            "esté en su fila. "
        )
    return (
        f"{NUMBERS.text(found['unfaithful'])} de {NUMBERS.text(found['described'])} descripciones "
        "traen números que no están en su fila: sus etiquetas se apoyan en algo inventado. "
    )


def _format_stability(audit: Mapping[str, Any], cases: str) -> str:
    found = audit["stability"]
    if not found:
        return "No se midió si repite lo que dice."
    return (
        f"Preguntado {NUMBERS.text(found['repeats'])} veces por {NUMBERS.text(found['rows'])} "
        f"{cases}, dijo lo mismo en el {NUMBERS.percent(found['unanimous'])}."
    )


def _format_mean_and_sd(row: "pd.Series[Any]") -> str:
    return f"{NUMBERS.text(row['mean'], 3)} ± {NUMBERS.text(row['sd'], 3)}"


# What a card says about leakage: how it was looked for, what was found, what was allowed.


def build_leakage_section(leakage: Mapping[str, Any], cases: str, *, cutoffs: bool) -> Section:
    """Whether a feature knew the future, and what a person allowed all the same.

    Args:
        cutoffs: Whether features have cutoffs, so that what follows could be scrambled.
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
    proof = _describe_scrambling(leakage, cases) if cutoffs else _describe_late_features(leakage)
    return Section("Fuga de información", (Bullets((proof, alone, *allowed, *excluded)),))


def _describe_scrambling(leakage: Mapping[str, Any], cases: str) -> str:
    changed = leakage["sees_the_future"]
    if changed:
        names = ", ".join(changed)
        return f"Variables que cambiaron al alterar todo lo posterior al corte: {names}."
    return (
        "Al alterar todo lo posterior al corte de "
        f"{NUMBERS.text(leakage['rows'])} {cases} no cambió ninguna variable."
    )


def _describe_late_features(leakage: Mapping[str, Any]) -> str:
    late = leakage.get("after_decision", {})
    if late:
        names = "; ".join(f"{name} ({why})" for name, why in late.items())
        return f"Variables permitidas aunque no se conocen al decidir: {names}."
    return (
        "La tabla trae una fila por caso y no dice cuándo se conoció cada dato: que las variables "
        "existan al decidir lo garantiza quien las configuró, no esta ficha."
    )
