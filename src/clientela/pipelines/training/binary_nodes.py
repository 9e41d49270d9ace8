"""Nodes of the training stage that only binary use cases on tables have."""

import logging
from typing import Any

import pandas as pd

from clientela.leakage.report import LeakageRules, require_known_names
from clientela.leakage.report import leakage_report as report_of
from clientela.leakage.tables import table_concordances
from clientela.modelling.binary_report import (
    group_table,
    points_table,
    probability_tables,
    required_table,
    threshold_table,
)
from clientela.modelling.problem import Problem, problem_of
from clientela.modelling.schema import check_model_input
from clientela.modelling.selection import other_holdout
from clientela.modelling.storage.stored_model import StoredModel
from clientela.pipelines.training.params import BinaryTrainingSettings

logger = logging.getLogger(__name__)


def binary_problem(schema: dict[str, Any], settings: BinaryTrainingSettings) -> Problem:
    """What is to be learned where there are two classes; see `clientela.modelling.problem`."""
    return problem_of("binary", schema, settings)


def leakage_report(
    model_input: pd.DataFrame, problem: Problem, rules: LeakageRules
) -> dict[str, Any]:
    """Which features predict the target too well, or are not known when the decision is taken.

    Args:
        model_input: One row per case.
        problem: Its columns and classes.
        rules: Limits and allowances.

    Returns:
        See `clientela.leakage.report.leakage_report`; and `excluded`: column to the reason why it
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
    found = table_concordances(ordered[names], schema.words, schema.codes(ordered), settings.seed)
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


def other_test(
    model_input: pd.DataFrame,
    choice: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    predictions: pd.DataFrame,
    problem: Problem,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The test that was not chosen, and the requirement's table.

    Args:
        model_input: One row per case.
        choice: Who won.
        tuned: The parameters of every candidate.
        predictions: Predictions on the chosen test part.
        problem: What was learned.

    Returns:
        See `clientela.modelling.selection.other_holdout` and
        `clientela.modelling.binary_report.required_table`.
    """
    reason = other_holdout.untestable(model_input, problem)
    if reason is not None:
        logger.warning("%s", reason)
        return {"tested": False, "reason": reason}, required_table(predictions, None, problem)
    other = other_holdout.other_predictions(model_input, choice, tuned, problem)
    grades = other_holdout.other_holdout(other, problem)
    return grades, required_table(predictions, other, problem)


def decision_tables(
    champion: StoredModel, test: pd.DataFrame, predictions: pd.DataFrame, problem: Problem
) -> dict[str, pd.DataFrame]:
    """What the champion's probabilities and decisions are worth on the test part.

    Args:
        champion: The champion.
        test: Test part, sorted by key.
        predictions: Predictions on it.
        problem: What was learned.

    Returns:
        `threshold`, `calibration`, `gain`, `fairness`, `points`; see
        `clientela.modelling.binary_report`.
    """
    calibration, gains = probability_tables(predictions, problem)
    return {
        "threshold": threshold_table(champion, predictions, problem),
        "calibration": calibration,
        "gain": gains,
        "fairness": group_table(test, predictions, problem),
        "points": points_table(champion, problem),
    }


def model_files(champion: StoredModel, required: StoredModel) -> tuple[Any, dict[str, Any]]:
    """The champion as a bare estimator, for the file that the requirement names; metadata.

    Args:
        champion: The champion.
        required: The required baseline.

    Returns:
        The fitted estimator, whose `predict_proba` takes features as `scoring_features` holds
        them; the manifest of the required baseline.
    """
    return champion.estimator, required.manifest
