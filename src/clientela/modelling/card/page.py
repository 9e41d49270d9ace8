"""The model card: the run's own artefacts as a page for people who decide. In Spanish."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clientela.modelling.card.figures import (
    calibration_figure,
    confusion_figure,
    importance_figure,
    leaderboard_figure,
)
from clientela.modelling.card.tables import (
    classes_table,
    cutoff_table,
    importance_table,
    leaderboard_table,
    measures_table,
    test_table,
    tuning_table,
)
from clientela.modelling.card.verdict import signed, verdict
from clientela.modelling.problem import Problem
from clientela.modelling.selection.test_part import CHAMPION, said_by
from clientela.reports.numbers import NumberFormat
from clientela.reports.page import Bullets, Image, Page, Section, Table, Text

NUMBERS = NumberFormat()

LIMITS = """
La validación cruzada eligió también parámetros y decisión, así que es algo optimista; la prueba \
final no lo es, pero tiene menos clientes.
Diferencias menores que el error indicado no significan nada.
El modelo describe a los clientes del período de los datos. Con otra temporada, otra oferta u \
otros clientes hay que medirlo de nuevo.
A los clientes sin ninguna transacción no se les asigna una clase de compra.
"""


@dataclass(frozen=True)
class CardFacts:
    """The artefacts of one run that a card tells.

    Attributes:
        problem: What was learned.
        table: The leaderboard.
        choice: Who won, and how.
        tuned: What tuning did.
        grades: Grades on the test part.
        predictions: Predictions on the test part.
        manifest: The champion's manifest.
        classes: Class to rows and share, of the whole model input.
        cutoffs: Both cutoff modes side by side.
        importance: What the champion leans on.
        leakage: The leakage report.
    """

    problem: Problem
    table: pd.DataFrame
    choice: Mapping[str, Any]
    tuned: Mapping[str, Any]
    grades: Mapping[str, Any]
    predictions: pd.DataFrame
    manifest: Mapping[str, Any]
    classes: Mapping[str, Any]
    cutoffs: Mapping[str, Any]
    importance: list[dict[str, Any]]
    leakage: Mapping[str, Any]


def model_card(facts: CardFacts) -> Page:
    """The card as a page; its first statement is the verdict against the best business rule.

    Args:
        facts: Artefacts of one run.

    Returns:
        The page.
    """
    champion = facts.choice["champion"]
    return Page(
        title="Ficha del modelo",
        subtitle=f"Objetivo: {facts.problem.schema.target} · campeón: {champion['candidate']}",
        summary=(
            verdict(facts.choice, facts.grades).sentence,
            _against_required(facts),
            _how_sure(facts),
        ),
        sections=(
            _test_section(facts),
            _comparison_section(facts),
            _errors_section(facts),
            _cutoff_section(facts),
            _explanation_section(facts),
            _leakage_section(facts.leakage),
            _data_section(facts),
            _limits_section(),
        ),
    )


def _against_required(facts: CardFacts) -> str:
    champion, required = facts.choice["champion"], facts.choice["required"]["candidate"]
    if champion["candidate"] == required:
        return f"El campeón es el propio modelo requerido «{required}»."
    gain, error = champion["gain_vs_required"], champion["gain_vs_required_se"]
    return (
        f"Frente al modelo requerido «{required}»: {signed(gain)} en validación cruzada "
        f"(error estándar corregido {NUMBERS.text(error, 3)})."
    )


def _how_sure(facts: CardFacts) -> str:
    metric = facts.choice["primary_metric"]
    test = facts.grades["models"][CHAMPION][metric]
    return (
        f"{metric.upper()} del campeón en la prueba final: {NUMBERS.text(test['value'], 3)} "
        f"(intervalo del 95 %: {NUMBERS.text(test['lower'], 3)} a "
        f"{NUMBERS.text(test['upper'], 3)}; {NUMBERS.text(facts.grades['rows'])} clientes)."
    )


def _test_section(facts: CardFacts) -> Section:
    note = (
        "La parte de prueba se usó una sola vez, después de elegir. Entre corchetes, el intervalo "
        "del 95 % por remuestreo. En MAE, AMAE, RPS y error de calibración, menos es mejor."
    )
    table = Table("Medidas por modelo", test_table(facts.grades), note=note)
    return Section("Prueba final", (table,))


def _comparison_section(facts: CardFacts) -> Section:
    settings, champion = facts.problem.settings, facts.choice["champion"]
    metric = settings.primary_metric
    rule = (
        f"Cada candidato se midió con los mismos {settings.folds} pliegues, repetidos "
        f"{settings.repeats} veces, dentro de la parte de entrenamiento. Gana el más simple (el "
        f"primero en la configuración) entre los que quedan a menos de un error estándar "
        f"corregido del mejor en {metric.upper()}. El mejor fue {champion['best']}; el campeón "
        f"queda a {NUMBERS.text(champion['behind_best'], 3)} (error "
        f"{NUMBERS.text(champion['behind_best_se'], 3)})."
    )
    return Section(
        "Comparación en validación cruzada",
        (
            Text(rule),
            Table("Candidatos, del mejor al peor", leaderboard_table(facts.table, metric)),
            Image("Candidatos", leaderboard_figure(facts.table, metric)),
            Table("Todas las medidas, medias de los pliegues", measures_table(facts.table)),
            Text(_extra_features(facts.choice["extra_features"])),
            Table("Ajuste de parámetros", tuning_table(facts.tuned, metric)),
            *_stopped_early(facts.tuned),
        ),
    )


def _extra_features(extra: Mapping[str, Any]) -> str:
    if not extra["tested"]:
        return "No hay variables adicionales a las requeridas."
    gain = extra["gain"]
    fate = "se usan" if extra["kept"] else "no se usan"
    return (
        f"Variables adicionales: {fate}. Al mismo campeón le aportan {signed(gain['mean'])} "
        f"(error estándar corregido {NUMBERS.text(gain['se'], 3)}); se conservan solo si aportan "
        "más que un error estándar."
    )


def _stopped_early(tuned: Mapping[str, Any]) -> tuple[Text, ...]:
    names = [name for name, entry in tuned.items() if entry.get("stopped_early")]
    if not names:
        return ()
    warning = (
        f"El ajuste de {', '.join(names)} se detuvo por el límite de tiempo: otra ejecución puede "
        "dar otro resultado."
    )
    return (Text(warning, emphasis=True),)


def _errors_section(facts: CardFacts) -> Section:
    truth, said = said_by(facts.predictions, CHAMPION, facts.problem)
    classes = facts.problem.schema.classes
    error = facts.grades["models"][CHAMPION].get("calibration_error")
    note = "" if error is None else f"Error de calibración: {NUMBERS.text(error['value'], 3)}."
    return Section(
        "Errores y calibración del campeón",
        (
            Image("Clase real y predicha", confusion_figure(truth, said.codes, classes)),
            Image(
                "Promesas y hechos", calibration_figure(truth, said.probabilities, classes), note
            ),
        ),
    )


def _cutoff_section(facts: CardFacts) -> Section:
    metric = facts.problem.settings.primary_metric
    return Section(
        "Los dos modos de corte",
        (
            Table("Clases y resultados por modo", cutoff_table(facts.cutoffs, metric)),
            Text(
                "El corte por la última transacción de cada cliente sabe que el cliente volvió: "
                "condiciona sobre el futuro, y sus clases no son las de un trimestre cualquiera. "
                "El corte por calendario no tiene ese defecto."
            ),
        ),
    )


def _explanation_section(facts: CardFacts) -> Section:
    return Section(
        "En qué se apoya el campeón",
        (
            Image("Variables", importance_figure(facts.importance)),
            Table("Variables", importance_table(facts.importance)),
            Text(
                "Contribuciones exactas al puntaje (SHAP en los modelos XGBoost, coeficiente por "
                "valor estandarizado en el lineal), promediadas en valor absoluto. Dicen en qué se "
                "apoya el modelo, no qué causa la compra."
            ),
        ),
    )


def _leakage_section(leakage: Mapping[str, Any]) -> Section:
    """Whether a feature knew the future, and what a person allowed all the same."""
    changed = leakage["sees_the_future"]
    proof = (
        f"Variables que cambiaron al alterar todo lo posterior al corte: {', '.join(changed)}."
        if changed
        else "Al alterar todo lo posterior al corte de "
        f"{NUMBERS.text(leakage['rows'])} clientes no cambió ninguna variable."
    )
    strongest, concordance = next(iter(leakage["concordance"].items()))
    alone = (
        f"La variable que por sí sola mejor ordena el objetivo es {strongest}: concordancia "
        f"{NUMBERS.text(concordance, 3)} (0,5 es azar; se rechaza por encima de "
        f"{NUMBERS.text(leakage['concordance_limit'], 2)})."
    )
    allowed = [f"Permitida: {name}. Motivo: {why}" for name, why in leakage["allowed"].items()]
    return Section("Fuga de información", (Bullets((proof, alone, *allowed)),))


def _data_section(facts: CardFacts) -> Section:
    manifest = facts.manifest
    versions = ", ".join(f"{name} {text}" for name, text in manifest["versions"].items())
    params = ", ".join(f"{name}={value}" for name, value in manifest["params"].items())
    return Section(
        "Datos y reproducción",
        (
            Table("Clases del objetivo", classes_table(facts.classes)),
            Bullets(
                (
                    f"Clientes para entrenar: {NUMBERS.text(manifest['training_rows'])}.",
                    f"Clientes para la prueba: {NUMBERS.text(facts.grades['rows'])}.",
                    f"Variables ({len(manifest['features'])}): {', '.join(manifest['features'])}.",
                    f"Modelo {manifest['kind']}, decisión {manifest['decision']}.",
                    f"Parámetros: {params or 'ninguno'}; semilla {manifest['seed']}.",
                    f"Huella de los datos: {manifest['training_data_sha256'][:16]}….",
                    f"Versiones: {versions}.",
                )
            ),
        ),
    )


def _limits_section() -> Section:
    return Section("Límites", (Bullets(tuple(LIMITS.strip().splitlines())),))
