"""Nodes of the training stage: thin, in the order they run."""

import logging
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from clientela.leakage.report import require_no_leak
from clientela.modelling.binary_report import BinaryFacts
from clientela.modelling.card.checks import check_card
from clientela.modelling.card.explanation import explained_rows, feature_importance
from clientela.modelling.card.facts import CardFacts
from clientela.modelling.card.figures import (
    calibration_figure,
    confusion_figure,
    importance_figure,
    leaderboard_figure,
)
from clientela.modelling.card.headline import headline
from clientela.modelling.card.markdown import markdown
from clientela.modelling.card.page import model_card
from clientela.modelling.card.statements import label_warnings
from clientela.modelling.problem import Problem, problem_of
from clientela.modelling.schema import check_model_input, class_shares
from clientela.modelling.selection.champion import champion_choice, chosen_variants
from clientela.modelling.selection.cutoff_modes import cutoff_comparison
from clientela.modelling.selection.evaluation import fold_grades
from clientela.modelling.selection.fitting import (
    champion_contender,
    competing_contender,
    fitted_model,
)
from clientela.modelling.selection.other_holdout import holdout_parts, yardsticks
from clientela.modelling.selection.test_part import (
    CHAMPION,
    REQUIRED,
    holdout_grades,
    holdout_predictions,
    said_by,
)
from clientela.modelling.selection.tuning import tuned_candidates, variants
from clientela.modelling.settings import TrainingSettings
from clientela.modelling.storage.packaging import archive_files, folder_files
from clientela.modelling.storage.required_report import (
    class_report,
    confusion_table,
    required_metrics,
)
from clientela.modelling.storage.stored_model import StoredModel
from clientela.reports.numbers import NumberFormat
from clientela.reports.page import html

logger = logging.getLogger(__name__)


def ordinal_problem(schema: dict[str, Any], settings: TrainingSettings) -> Problem:
    """What is to be learned where classes have an order; see `clientela.modelling.problem`."""
    return problem_of("ordinal", schema, settings)


def parts(
    model_input: pd.DataFrame, leakage: dict[str, Any], problem: Problem
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training part and test part, each with one row per key (PII), sorted by it.

    Args:
        model_input: One row per key.
        leakage: The leakage report: nothing is learned from features that it refuses.
        problem: What is learned.

    Returns:
        Training part, test part.

    Raises:
        LeakageFound: The report refuses a feature.
    """
    require_no_leak(leakage)
    check_model_input(model_input, problem.schema, problem.settings)
    return holdout_parts(model_input, problem.settings.holdout, problem)


def tuned(train: pd.DataFrame, problem: Problem) -> dict[str, dict[str, Any]]:
    """Candidate to the parameters it competes with; see `clientela.modelling.selection.tuning`."""
    return tuned_candidates(train, problem)


def graded_folds(
    train: pd.DataFrame, tuned: dict[str, dict[str, Any]], problem: Problem
) -> pd.DataFrame:
    """One row per contender and fold; see `clientela.modelling.selection.evaluation`."""
    return fold_grades(train, variants(tuned, problem), problem, "comparing candidates")


def chosen(
    train: pd.DataFrame,
    grades: pd.DataFrame,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The leaderboard and the choice; see `clientela.modelling.selection.champion`."""
    table, choice = champion_choice(train, grades, tuned, problem)
    metric, champion = problem.settings.primary_metric, choice["champion"]
    logger.info(
        "champion: %s (%s), %s %.3f in cross-validation; best rule %s %.3f, required %s %.3f",
        champion["candidate"],
        champion["decision"],
        metric,
        champion[metric],
        choice["best_rule"]["candidate"],
        choice["best_rule"][metric],
        choice["required"]["candidate"],
        choice["required"][metric],
    )
    return table, choice


def final_models(
    train: pd.DataFrame, choice: dict[str, Any], tuned: dict[str, dict[str, Any]], problem: Problem
) -> tuple[StoredModel, StoredModel]:
    """Champion and required baseline, fitted on the whole training part as they competed."""
    required = competing_contender(problem.settings.required, tuned, problem)
    return (
        fitted_model(train, champion_contender(choice), problem),
        fitted_model(train, required, problem),
    )


def test_predictions(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    train: pd.DataFrame,
    test: pd.DataFrame,
    champion: StoredModel,
    required: StoredModel,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> pd.DataFrame:
    """One row per model and test row (PII); see `clientela.modelling.selection.test_part`."""
    models = {CHAMPION: champion, REQUIRED: required} | yardsticks(train, tuned, problem)
    return holdout_predictions(test, models, problem)


def test_grades(predictions: pd.DataFrame, problem: Problem) -> dict[str, Any]:
    """Measures with intervals on the test part; see `clientela.modelling.selection.test_part`."""
    return holdout_grades(predictions, problem)


def compared_cutoffs(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    train: pd.DataFrame,
    test: pd.DataFrame,
    other_input: pd.DataFrame,
    choice: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> dict[str, Any]:
    """Both cutoff modes side by side; see `clientela.modelling.selection.cutoff_modes`."""
    contenders = chosen_variants(choice, tuned, problem)
    return cutoff_comparison(train, test[problem.schema.key], other_input, contenders, problem)


def explanations(
    train: pd.DataFrame, champion: StoredModel, required: StoredModel, problem: Problem
) -> dict[str, list[dict[str, Any]]]:
    """What champion and required baseline lean on; see `clientela.modelling.card.explanation`."""
    settings = problem.settings
    rows = explained_rows(train, settings.explained_rows, settings.seed)
    return {
        name: feature_importance(model, rows, settings.labels)
        for name, model in ((CHAMPION, champion), (REQUIRED, required))
    }


def required_files(
    required: StoredModel,
) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, Any]]:
    """The required model's archive, folder, and metadata."""
    return archive_files(required), folder_files(required), required.manifest


def required_reports(
    predictions: pd.DataFrame, choice: dict[str, Any], grades: dict[str, Any], problem: Problem
) -> dict[str, Any]:
    """What the requirement wants to know about its model, by artefact.

    Args:
        predictions: Predictions on the test part.
        choice: Who won.
        grades: Grades on the test part.
        problem: What was learned.

    Returns:
        `metrics`, `console_metrics`, `report`, `report_text`, `confusion`, `confusion_plot`.
    """
    truth, said = said_by(predictions, REQUIRED, problem)
    schema, settings = problem.schema, problem.settings
    report, text = class_report(truth, said, problem)
    return {
        "metrics": required_metrics(choice, grades),
        "console_metrics": problem.task.console_metrics(
            truth,
            said,
            schema.value_array,
            replicates=settings.bootstrap,
            seed=settings.seed,
        ),
        "report": report,
        "report_text": text,
        "confusion": confusion_table(truth, said, problem),
        "confusion_plot": confusion_figure(truth, said.codes, schema.classes),
    }


def plots(
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    explanations: dict[str, list[dict[str, Any]]],
    problem: Problem,
) -> dict[str, Figure]:
    """The figures of a training run, by name.

    Args:
        table: The leaderboard.
        predictions: Predictions on the test part.
        explanations: What the models lean on.
        problem: What was learned.

    Returns:
        `leaderboard`, `confusion`, `calibration`, `importance`, `importance_required`.
    """
    truth, said = said_by(predictions, CHAMPION, problem)
    classes = problem.schema.classes
    return {
        "leaderboard": leaderboard_figure(table, problem.settings.primary_metric),
        "confusion": confusion_figure(truth, said.codes, classes),
        "calibration": calibration_figure(truth, said.probabilities, classes),
        "importance": importance_figure(explanations[CHAMPION], classes),
        "importance_required": importance_figure(explanations[REQUIRED], classes),
    }


def card(  # noqa: PLR0913, PLR0917 - a card tells everything that a run made
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
        model_input: One row per key.
        table: The leaderboard.
        choice: Who won.
        tuned: What tuning did.
        grades: Grades on the test part.
        predictions: Predictions on the test part.
        champion: The champion.
        explanations: What the models lean on.
        leakage: The leakage report.
        problem: What was learned.
        own: What only this task type has: the fields of `BinaryFacts`, or `cutoffs`; and `labels`,
            where they were made.

    Raises:
        CardContradiction: The artefacts do not belong together.
    """
    labels = own.pop("labels", None)
    facts = CardFacts(
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
        cutoffs=own.get("cutoffs"),
        binary=BinaryFacts(**own) if problem.task.name == "binary" else None,
        labels=labels,
    )
    check_card(facts, len(model_input))
    page = model_card(facts)
    found = headline(choice, grades, len(model_input), label_warnings(facts))
    logger.info(found["sentence"])
    return html(page, NumberFormat()), markdown(page), found
