"""Nodes at both ends of the training stage: the problem, the two parts, leakage, and model files.

The nodes between them lie with their subject: `tuning`, `model_selection`, `test_evaluation`,
`label_value`, `card_figures` and `model_card`.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
from pydantic import Field

from clientela.features.leakage import (
    LeakageRules,
    compute_feature_concordances,
    require_known_names,
    require_no_leak,
)
from clientela.features.leakage import leakage_report as report_of
from clientela.features.preprocessing import PreprocessingSettings
from clientela.models.problem import Problem, create_problem
from clientela.models.settings import CandidateSettings, TrainingSettings
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import check_model_input
from clientela.pipelines.training.test_evaluation import split_holdout
from clientela.registry.package import build_archive_files, build_folder_files

logger = logging.getLogger(__name__)

# A rule without learning, the required three kinds, each as modest as a few thousand rows allow.
#
# The baseline of the card reads every feature; `features: required` are the columns that every file
# brings, which says nothing of how much they tell. `cost` stands before `half`: without costs both
# are one rule, and with costs it is the one that costs less. Nothing is searched, so that a first
# run takes a minute.
FIRST_CANDIDATES: Mapping[str, CandidateSettings] = MappingProxyType(
    {
        "clase_mayor": CandidateSettings(kind="majority", role="rule", decisions=("half",)),
        "logistica": CandidateSettings(
            kind="logistic_regression",
            role="challenger",
            features="required",
            decisions=("cost", "half"),
            preprocessing=PreprocessingSettings(scaling="standard"),
        ),
        "logistica_completa": CandidateSettings(
            kind="logistic_regression",
            role="required",
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


def package_required_model(
    required: StoredModel,
) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, Any]]:
    """The required model's archive, folder, and metadata."""
    return build_archive_files(required), build_folder_files(required), required.manifest


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


def extract_model_files(champion: StoredModel, required: StoredModel) -> tuple[Any, dict[str, Any]]:
    """The champion as a bare estimator, for the file that the requirement names; metadata.

    Returns:
        The fitted estimator, whose `predict_proba` takes features as `scoring_features` holds
        them; the manifest of the required baseline.
    """
    return champion.estimator, required.manifest
