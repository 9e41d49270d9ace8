"""The model card: the run's own artefacts as a page for people who decide. In Spanish."""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd

from clientela.models.problem import Problem
from clientela.models.scoring import CHAMPION, select_model_predictions
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import class_shares
from clientela.pipelines.training.card_binary import build_binary_sections, format_learned_rows
from clientela.pipelines.training.card_labels import build_label_section, build_leakage_section
from clientela.pipelines.training.card_summary import (
    BacktestCardData,
    ModelCardData,
    build_card_statements,
    build_training_summary,
    check_card,
    format_signed_number,
)
from clientela.pipelines.training.card_tables import (
    backtest_models_table,
    backtest_shares_table,
    classes_table,
    fold_metrics_table,
    holdout_metrics_table,
    importance_table,
    leaderboard_table,
    plot_calibration,
    plot_confusion_matrix,
    plot_feature_importance,
    plot_leaderboard,
    tuning_table,
)
from clientela.pipelines.training.holdout_evaluation import BinaryCardData, find_rarer_class_code
from clientela.reporting.page import (
    Bullets,
    Image,
    Page,
    Section,
    Table,
    Text,
    render_html,
    render_markdown,
)
from clientela.text import NumberFormat

logger = logging.getLogger(__name__)

NUMBERS = NumberFormat()

LIMITS = """
La validación cruzada eligió también parámetros y decisión, así que es algo optimista; la prueba \
final no lo es, pero tiene menos {cases}.
Diferencias menores que el error indicado no significan nada.
El modelo describe a los {cases} del período de los datos. Con otra temporada, otra oferta u \
otros {cases} hay que medirlo de nuevo.
"""

LIMITS_OF_CUTOFFS = "A los clientes sin ninguna transacción no se les asigna una clase de compra."

# Measures of each task type of which less is better.
LESS_IS_BETTER = {
    "ordinal": "MAE, AMAE, RPS y error de calibración",
    "binary": "costo, Brier, pérdida logarítmica y error de calibración",
}

# How contributions are made, by task type.
EXPLAINED = {
    "ordinal": "Contribuciones exactas al puntaje (SHAP en los modelos XGBoost, coeficiente por "
    "valor estandarizado en el lineal), promediadas en valor absoluto. Dicen en qué se "
    "apoya el modelo, no qué causa la compra.",
    "binary": "Contribuciones que, con una constante del modelo, suman exactamente el puntaje de "
    "cada caso (SHAP en XGBoost, coeficiente por valor en la regresión logística y en la tabla de "
    "puntos, camino por los árboles en el bosque y los histogramas), promediadas en valor "
    "absoluto. Dicen en qué se apoya el modelo, no qué causa el resultado.",
}


def build_model_card(  # noqa: PLR0913, PLR0917 - a card tells everything that a run made
    model_input: pd.DataFrame,
    table: pd.DataFrame,
    choice: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    grades: dict[str, Any],
    predictions: pd.DataFrame,
    champion: StoredModel,
    explanations: dict[str, list[dict[str, Any]]],
    leakage: dict[str, Any],
    problem: Problem,
    **own: Any,
) -> tuple[str, str, dict[str, Any]]:
    """The model card as HTML and Markdown, and the headline figures.

    Args:
        own: What only this task type has: the fields of `BinaryCardData` or
            `BacktestCardData`; and `labels`, where they were made.
    """
    labels = own.pop("labels", None)
    facts = ModelCardData(
        problem=problem,
        table=table,
        choice=choice,
        tuned=tuned,
        grades=grades,
        predictions=predictions,
        manifest=champion.manifest,
        classes=class_shares(model_input, problem.schema),
        importance=explanations[CHAMPION],
        leakage=leakage,
        backtest=None if problem.task.name == "binary" else BacktestCardData(**own),
        binary=BinaryCardData(**own) if problem.task.name == "binary" else None,
        labels=labels,
    )
    check_card(facts, len(model_input))
    page = build_model_card_page(facts)
    summary = build_training_summary(facts, len(model_input))
    logger.log(
        logging.INFO if summary["beats_best_rule"] else logging.WARNING, "%s", summary["sentence"]
    )
    return render_html(page, NUMBERS), render_markdown(page), summary


def build_model_card_page(facts: ModelCardData) -> Page:
    """The card as a page; its first statement is the verdict against the best business rule."""
    settings, classes = facts.problem.settings, facts.problem.schema.classes
    first = [] if facts.backtest is None else [_build_backtest_section(facts, facts.backtest)]
    sections = [
        *first,
        _build_test_section(facts),
        _build_comparison_section(facts),
        _build_error_section(facts),
    ]
    if facts.binary is not None:
        truth, _ = select_model_predictions(facts.predictions, CHAMPION, facts.problem)
        sections += build_binary_sections(
            facts.binary,
            facts.problem,
            decision=str(facts.choice["champion"]["decision"]),
            rare=classes[find_rarer_class_code(truth)],
        )
    if facts.labels is not None:
        sections.append(build_label_section(facts.labels, classes, settings.cases))
    sections += [
        _build_explanation_section(facts),
        build_leakage_section(facts.leakage, settings.cases, cutoffs=facts.backtest is not None),
        _build_data_section(facts),
        _build_limits_section(facts),
    ]
    champion = facts.choice["champion"]["candidate"]
    return Page(
        title="Ficha del modelo",
        subtitle=f"Objetivo: {facts.problem.schema.target} · campeón: {champion}",
        summary=build_card_statements(facts),
        sections=tuple(sections),
    )


def _build_test_section(facts: ModelCardData) -> Section:
    note = (
        "La parte de prueba se usó una sola vez, después de elegir. Entre corchetes, el intervalo "
        f"del 95 % por remuestreo. En {LESS_IS_BETTER[facts.problem.task.name]}, menos es mejor."
    )
    measured = holdout_metrics_table(
        facts.grades, list(facts.problem.settings.filter_by_role("rule"))
    )
    table = Table("Medidas por modelo", measured, note=note)
    return Section("Prueba final", (table,))


def _build_comparison_section(facts: ModelCardData) -> Section:
    settings, champion = facts.problem.settings, facts.choice["champion"]
    metric = settings.primary_metric
    repeated = f", repetidos {settings.repeats} veces" if settings.repeats > 1 else ""
    folds = facts.table["folds"]
    given_up = (
        f" Los que tras {folds.min()} particiones quedaban muy lejos del mejor no siguieron."
        if folds.min() < folds.max()
        else ""
    )
    rule = (
        f"Cada candidato se midió con los mismos {settings.folds} pliegues{repeated}, dentro de la "
        f"parte de entrenamiento.{given_up} Gana el más simple (el "
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
            Image("Candidatos", plot_leaderboard(facts.table, metric)),
            Table("Todas las medidas, medias de los pliegues", fold_metrics_table(facts.table)),
            Text(_describe_extra_features(facts.choice["extra_features"])),
            Table("Ajuste de parámetros", tuning_table(facts.tuned, metric)),
            *_build_time_limit_warning(facts.tuned),
        ),
    )


def _describe_extra_features(extra: Mapping[str, Any]) -> str:
    if not extra["tested"]:
        return "No hay variables adicionales a las requeridas."
    gain, error = extra["gain"], NUMBERS.text(extra["gain"]["se"], 3)
    amount = f"{format_signed_number(gain['mean'])} (error estándar corregido {error})"
    if not extra["kept"] and gain["mean"] > gain["se"]:
        return (
            "Variables adicionales: el campeón está configurado sin ellas; con ellas ganaría "
            f"{amount}."
        )
    fate = "se usan" if extra["kept"] else "no se usan"
    rule = (
        "si aportan más que un error estándar"
        if not extra.get("history")
        else ("si no le quitan más que un error estándar")
    )
    return (
        f"Variables adicionales: {fate}. Al mismo campeón le aportan {amount}; se conservan solo "
        f"{rule}."
    )


def _build_time_limit_warning(tuned: Mapping[str, Any]) -> tuple[Text, ...]:
    names = [name for name, entry in tuned.items() if entry.get("stopped_early")]
    if not names:
        return ()
    warning = (
        f"El ajuste de {', '.join(names)} se detuvo por el límite de tiempo: otra ejecución puede "
        "dar otro resultado."
    )
    return (Text(warning, emphasis=True),)


def _build_error_section(facts: ModelCardData) -> Section:
    truth, decided = select_model_predictions(facts.predictions, CHAMPION, facts.problem)
    classes = facts.problem.schema.classes
    error = facts.grades["models"][CHAMPION].get("calibration_error")
    note = "" if error is None else f"Error de calibración: {NUMBERS.text(error['value'], 3)}."
    return Section(
        "Errores y calibración del campeón",
        (
            Image("Clase real y predicha", plot_confusion_matrix(truth, decided.codes, classes)),
            Image(
                "Promesas y hechos",
                plot_calibration(truth, decided.probabilities, classes),
                note,
            ),
        ),
    )


def _build_backtest_section(facts: ModelCardData, told: BacktestCardData) -> Section:
    dates = told.backtest["dates"]
    chosen = (
        "En cada fecha se ocultó todo lo posterior: variables, modelo y límites de clase se "
        "hicieron con lo conocido ese día, y se compararon con el trimestre que siguió. La fecha "
        "más reciente no sirvió para elegir nada; con las anteriores se comparten los parámetros."
    )
    return Section(
        "Prueba hacia atrás",
        (
            Text(chosen),
            Table("Participación prevista y real", backtest_shares_table(dates)),
            Table(
                "Medidas por fecha y modelo",
                backtest_models_table(told.backtest["dates"], facts.problem),
            ),
        ),
    )


def _build_explanation_section(facts: ModelCardData) -> Section:
    return Section(
        "En qué se apoya el campeón",
        (
            Image(
                "Variables", plot_feature_importance(facts.importance, facts.problem.schema.classes)
            ),
            Table("Variables", importance_table(facts.importance)),
            Text(EXPLAINED[facts.problem.task.name]),
        ),
    )


def _build_data_section(facts: ModelCardData) -> Section:
    manifest, cases = facts.manifest, facts.problem.settings.cases
    heading = cases.capitalize()
    versions = ", ".join(f"{name} {text}" for name, text in manifest["versions"].items())
    params = ", ".join(f"{name}={value}" for name, value in manifest["params"].items())
    lines = () if facts.binary is None else (format_learned_rows(facts.binary.rows, cases),)
    return Section(
        "Datos y reproducción",
        (
            Table("Clases del objetivo", classes_table(facts.classes, cases)),
            Bullets(
                (
                    *lines,
                    f"{_name_learned_rows(facts)}: {NUMBERS.text(manifest['training_rows'])}.",
                    f"{heading} para la prueba: {NUMBERS.text(facts.grades['rows'])}.",
                    f"Variables ({len(manifest['features'])}): {', '.join(manifest['features'])}.",
                    f"Modelo {manifest['kind']}, decisión {manifest['decision']}.",
                    f"Parámetros: {params or 'ninguno'}; semilla {manifest['seed']}.",
                    f"Huella de los datos: {manifest['training_data_sha256'][:16]}….",
                    f"Versiones: {versions}.",
                )
            ),
        ),
    )


def _name_learned_rows(facts: ModelCardData) -> str:
    cases = facts.problem.settings.cases
    if facts.backtest is None:
        return f"{cases.capitalize()} para entrenar"
    return f"Filas para entrenar ({cases} por corte)"


def _build_limits_section(facts: ModelCardData) -> Section:
    limits = LIMITS.format(cases=facts.problem.settings.cases).strip().splitlines()
    if facts.backtest is not None:
        limits.append(LIMITS_OF_CUTOFFS)
    return Section("Límites", (Bullets(tuple(limits)),))
