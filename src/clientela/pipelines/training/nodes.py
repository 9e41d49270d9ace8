"""What nobody needs to say of a first model with two classes: every setting has a default."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field

from clientela.features.leakage import (
    LeakageRules,
    compute_feature_concordances,
    require_known_names,
    require_no_leak,
)
from clientela.features.leakage import leakage_report as report_of
from clientela.features.preprocessing import PreprocessingSettings
from clientela.features.table_settings import TabularFeatureParams
from clientela.models.evaluation import (
    CHAMPION,
    REQUIRED,
    compute_holdout_metrics,
    predict_holdout,
    select_model_predictions,
)
from clientela.models.labels import LabellingSettings
from clientela.models.problem import Problem, create_problem
from clientela.models.settings import CandidateSettings, TrainingSettings
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import check_model_input, class_shares
from clientela.pipelines.training import test_evaluation
from clientela.pipelines.training.card_figures import (
    compute_feature_importance,
    plot_calibration,
    plot_confusion_matrix,
    plot_feature_importance,
    plot_leaderboard,
    sample_rows_to_explain,
)
from clientela.pipelines.training.card_labels import LabelCardData, format_label_value
from clientela.pipelines.training.card_summary import (
    ModelCardData,
    build_training_summary,
    check_card,
    list_label_warnings,
)
from clientela.pipelines.training.label_value import find_equivalent_size, learning_curve
from clientela.pipelines.training.label_value import score_against_truth as grades_of
from clientela.pipelines.training.model_card import build_model_card_page
from clientela.pipelines.training.model_selection import (
    evaluate_on_folds,
    fit_model,
    get_champion_candidate,
    get_tuned_candidate,
    select_champion_by_cv,
    select_final_candidates,
)
from clientela.pipelines.training.test_evaluation import (
    BinaryCardData,
    collect_required_metrics,
    compute_class_report,
    confusion_table,
    evaluate_cutoff_modes,
    fit_baselines,
    group_table,
    points_table,
    probability_tables,
    required_models_table,
    split_holdout,
    threshold_table,
)
from clientela.pipelines.training.tuning import list_candidate_configs, tune_hyperparameters
from clientela.registry.package import build_archive_files, build_folder_files
from clientela.reporting.page import render_html, render_markdown
from clientela.text import NumberFormat

# What nobody needs to say of a first model with two classes: every setting has a default.


FIRST_CANDIDATES: Mapping[str, CandidateSettings] = MappingProxyType(
    {
        "clase_mayor": CandidateSettings(kind="majority", role="rule", decisions=("half",)),
        "logistica": CandidateSettings(
            kind="logistic_regression",
            role="required",
            features="required",
            decisions=("cost", "half"),
            preprocessing=PreprocessingSettings(scaling="standard"),
        ),
        "bosque": CandidateSettings(
            kind="random_forest",
            role="challenger",
            decisions=("cost", "half"),
            params={"n_estimators": 60, "max_depth": 8, "min_samples_leaf": 20},
        ),
        "xgboost": CandidateSettings(
            kind="xgboost_classifier",
            role="challenger",
            decisions=("cost", "half"),
            params={"n_estimators": 150, "max_depth": 3, "learning_rate": 0.06, "subsample": 0.8},
        ),
    }
)
"""A rule without learning, the required three kinds, each as modest as a few thousand rows allow.

`cost` stands before `half`: without costs both are one rule, and with costs it is the one that
costs less. Nothing is searched, so that a first run takes a minute.
"""


class BinaryTrainingSettings(TrainingSettings):
    """Parameters of the training stage for two classes; those of `TrainingSettings`, all optional.

    Attributes:
        primary_metric: The measure that picks champion and decision rule.
        candidates: Name to candidate, simplest first; those given take the place of all defaults.
        cases: What the rows are, in the plural, in the readers' language.
    """

    primary_metric: str = "roc_auc"
    candidates: dict[str, CandidateSettings] = Field(default_factory=lambda: dict(FIRST_CANDIDATES))
    cases: str = "casos"


# Nodes of the training stage: thin, in the order they run.


logger = logging.getLogger(__name__)


def create_ordinal_problem(schema: dict[str, Any], settings: TrainingSettings) -> Problem:
    """What is to be learned where classes have an order; see `clientela.models.problem`."""
    return create_problem("ordinal", schema, settings)


def split_train_test(
    model_input: pd.DataFrame, leakage: dict[str, Any], problem: Problem
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training part and test part, each with one row per key (PII), sorted by it.

    Args:
        leakage: The leakage report: nothing is learned from features that it refuses.

    Raises:
        LeakageFound: The report refuses a feature.
    """
    require_no_leak(leakage)
    check_model_input(model_input, problem.schema, problem.settings)
    return split_holdout(model_input, problem.settings.holdout, problem)


def tune_candidates(train: pd.DataFrame, problem: Problem) -> dict[str, dict[str, Any]]:
    """Candidate to the parameters it competes with; see `clientela.pipelines.training.tuning`."""
    return tune_hyperparameters(train, problem)


def evaluate_candidates(
    train: pd.DataFrame, tuned: dict[str, dict[str, Any]], problem: Problem
) -> pd.DataFrame:
    """One row per contender and fold; see `clientela.pipelines.training.model_selection`."""
    return evaluate_on_folds(
        train, list_candidate_configs(tuned, problem), problem, "comparing candidates"
    )


def select_champion(
    train: pd.DataFrame,
    grades: pd.DataFrame,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The leaderboard and the choice; see `clientela.pipelines.training.model_selection`."""
    table, choice = select_champion_by_cv(train, grades, tuned, problem)
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


def fit_final_models(
    train: pd.DataFrame, choice: dict[str, Any], tuned: dict[str, dict[str, Any]], problem: Problem
) -> tuple[StoredModel, StoredModel]:
    """Champion and required baseline, fitted on the whole training part as they competed."""
    required = get_tuned_candidate(problem.settings.required, tuned, problem)
    return (
        fit_model(train, get_champion_candidate(choice), problem),
        fit_model(train, required, problem),
    )


def predict_test_part(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    train: pd.DataFrame,
    test: pd.DataFrame,
    champion: StoredModel,
    required: StoredModel,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> pd.DataFrame:
    """One row per model and test row (PII); see `clientela.models.evaluation`."""
    models = {CHAMPION: champion, REQUIRED: required} | fit_baselines(train, tuned, problem)
    return predict_holdout(test, models, problem)


def evaluate_test_part(predictions: pd.DataFrame, problem: Problem) -> dict[str, Any]:
    """Measures with intervals on the test part; see `clientela.models.evaluation`."""
    return compute_holdout_metrics(predictions, problem)


def compare_cutoff_modes(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    train: pd.DataFrame,
    test: pd.DataFrame,
    other_input: pd.DataFrame,
    choice: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> dict[str, Any]:
    """Both cutoff modes side by side; see `clientela.pipelines.training.test_evaluation`."""
    contenders = select_final_candidates(choice, tuned, problem)
    return evaluate_cutoff_modes(train, test[problem.schema.key], other_input, contenders, problem)


def explain_models(
    train: pd.DataFrame, champion: StoredModel, required: StoredModel, problem: Problem
) -> dict[str, list[dict[str, Any]]]:
    """What champion and required baseline lean on; see `clientela.pipelines.training.card_figures`."""
    settings = problem.settings
    rows = sample_rows_to_explain(train, settings.explained_rows, settings.seed)
    return {
        name: compute_feature_importance(model, rows, settings.labels)
        for name, model in ((CHAMPION, champion), (REQUIRED, required))
    }


def package_required_model(
    required: StoredModel,
) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, Any]]:
    """The required model's archive, folder, and metadata."""
    return build_archive_files(required), build_folder_files(required), required.manifest


def build_required_reports(
    predictions: pd.DataFrame, choice: dict[str, Any], grades: dict[str, Any], problem: Problem
) -> dict[str, Any]:
    """What the requirement wants to know about its model, by artefact."""
    truth, said = select_model_predictions(predictions, REQUIRED, problem)
    schema, settings = problem.schema, problem.settings
    report, text = compute_class_report(truth, said, problem)
    return {
        "metrics": collect_required_metrics(choice, grades),
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
        "confusion_plot": plot_confusion_matrix(truth, said.codes, schema.classes),
    }


def plot_training_results(
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    explanations: dict[str, list[dict[str, Any]]],
    problem: Problem,
) -> dict[str, Figure]:
    """The figures of a training run, by name."""
    truth, said = select_model_predictions(predictions, CHAMPION, problem)
    classes = problem.schema.classes
    return {
        "leaderboard": plot_leaderboard(table, problem.settings.primary_metric),
        "confusion": plot_confusion_matrix(truth, said.codes, classes),
        "calibration": plot_calibration(truth, said.probabilities, classes),
        "importance": plot_feature_importance(explanations[CHAMPION], classes),
        "importance_required": plot_feature_importance(explanations[REQUIRED], classes),
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
        own: What only this task type has: the fields of `BinaryFacts`, or `cutoffs`; and `labels`,
            where they were made.

    Raises:
        CardContradiction: The artefacts do not belong together.
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
        cutoffs=own.get("cutoffs"),
        binary=BinaryCardData(**own) if problem.task.name == "binary" else None,
        labels=labels,
    )
    check_card(facts, len(model_input))
    page = build_model_card_page(facts)
    found = build_training_summary(choice, grades, len(model_input), list_label_warnings(facts))
    logger.info(found["sentence"])
    return render_html(page, NumberFormat()), render_markdown(page), found


# Nodes of the training stage that only binary use cases on tables have.


def create_binary_problem(schema: dict[str, Any], settings: BinaryTrainingSettings) -> Problem:
    """What is to be learned where there are two classes; see `clientela.models.problem`."""
    return create_problem("binary", schema, settings)


def build_binary_leakage_report(
    model_input: pd.DataFrame, problem: Problem, rules: LeakageRules
) -> dict[str, Any]:
    """Which features predict the target too well, or are not known when the decision is taken.

    Returns:
        See `clientela.features.leakage.leakage_report`; and `excluded`: column to the reason why it
        is no feature.

    Raises:
        ConfigurationError: A rule names a feature or a column that does not exist.
        TrainingDataError: The model input can't be learned from.
    """
    schema, settings = problem.schema, problem.settings
    check_model_input(model_input, schema, settings)
    excluded = {} if schema.tabular is None else schema.tabular.excluded
    inputs = () if schema.tabular is None else schema.tabular.inputs
    names = schema.features("all")
    require_known_names(rules, features=names, columns=[*inputs, *excluded])
    ordered = model_input.sort_values(schema.key, ignore_index=True)
    found = compute_feature_concordances(
        ordered[names], schema.codes(ordered), schema.words, settings.seed
    )
    sources = {} if schema.tabular is None else schema.tabular.sources
    late = {
        name: rules.after_decision[column]
        for name, columns in sources.items()
        for column in columns
        if column in rules.after_decision
    }
    report = report_of(found, None, len(ordered), [], rules, late)
    logger.info("Leakage: %s", report["sentence"])
    return report | {"excluded": excluded}


def evaluate_secondary_holdout(
    model_input: pd.DataFrame,
    choice: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    predictions: pd.DataFrame,
    problem: Problem,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The test that was not chosen, and the requirement's table.

    Args:
        predictions: Predictions on the chosen test part.
    """
    reason = test_evaluation.explain_missing_holdout(model_input, problem)
    if reason is not None:
        logger.warning("%s", reason)
        return {"tested": False, "reason": reason}, required_models_table(
            predictions, None, problem
        )
    other = test_evaluation.predict_secondary_holdout(model_input, choice, tuned, problem)
    grades = test_evaluation.compute_secondary_metrics(other, problem)
    return grades, required_models_table(predictions, other, problem)


def build_decision_tables(
    champion: StoredModel, test: pd.DataFrame, predictions: pd.DataFrame, problem: Problem
) -> dict[str, pd.DataFrame]:
    """What the champion's probabilities and decisions are worth on the test part.

    Returns:
        `threshold`, `calibration`, `gain`, `fairness`, `points`; see
        `clientela.pipelines.training.test_evaluation`.
    """
    calibration, gains = probability_tables(predictions, problem)
    return {
        "threshold": threshold_table(champion, predictions, problem),
        "calibration": calibration,
        "gain": gains,
        "fairness": group_table(test, predictions, problem),
        "points": points_table(champion, problem),
    }


def extract_model_files(champion: StoredModel, required: StoredModel) -> tuple[Any, dict[str, Any]]:
    """The champion as a bare estimator, for the file that the requirement names; metadata.

    Returns:
        The fitted estimator, whose `predict_proba` takes features as `scoring_features` holds
        them; the manifest of the required baseline.
    """
    return champion.estimator, required.manifest


# Nodes of the training stage that only use cases with made labels have.


def evaluate_against_truth(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    problem: Problem,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> dict[str, Any]:
    """Figures against labels and truth; see `clientela.pipelines.training.label_value`."""
    return grades_of(predictions, labels, features.target, problem, settings.audit.least_judged)


def compute_label_curve(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    features_of_cases: pd.DataFrame,
    labels: pd.DataFrame,
    choice: dict[str, Any],
    problem: Problem,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> pd.DataFrame:
    """True labels beside made ones; see `clientela.pipelines.training.label_value`."""
    return learning_curve(
        features_of_cases, labels, choice, features.target, problem, settings.audit
    )


def collect_label_facts(
    audit: dict[str, Any], shares: pd.DataFrame, grades: dict[str, Any], curve: pd.DataFrame
) -> LabelCardData:
    """What the card tells of made labels."""
    facts = LabelCardData(audit, shares, grades, curve, find_equivalent_size(curve))
    worth = format_label_value(facts)
    if worth is not None:
        logger.info("%s", worth)
    return facts
