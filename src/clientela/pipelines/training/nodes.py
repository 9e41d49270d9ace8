"""Nodes of training: the problem, its two parts, the scoring and the required model, model files.

Other nodes lie with their subject: `model_selection`, `holdout_evaluation`, `label_value`,
`card_tables` and `model_card`.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.features.leakage import (
    LeakageRules,
    compute_feature_concordances,
    require_known_names,
    require_no_leak,
)
from clientela.features.leakage import leakage_report as report_of
from clientela.features.preprocessing import PreprocessingSettings
from clientela.models.ordinal_decision import DecisionRuleClassifier
from clientela.models.problem import Candidate, Problem, create_problem
from clientela.models.reasons import group_features
from clientela.models.scoring import (
    CHAMPION,
    NO_HISTORY,
    REQUIRED,
    compute_holdout_metrics,
    predict_holdout,
    select_model_predictions,
)
from clientela.models.settings import CandidateSettings, TrainingSettings
from clientela.models.stored_model import StoredModel, build_model_manifest
from clientela.models.training_data import check_model_input, run_in_threads
from clientela.pipelines.training.card_tables import explain_models
from clientela.pipelines.training.holdout_evaluation import split_holdout
from clientela.pipelines.training.model_selection import (
    IDENTITY,
    YARDSTICKS,
    build_leaderboard,
    evaluate_on_folds,
    find_best_of_role,
    fit_model,
    fit_models,
    get_champion_candidate,
    get_configured_candidate,
    get_tuned_candidate,
    list_candidate_configs,
    tune_candidates,
)
from clientela.registry.package import build_archive_files, build_folder_files
from clientela.text import NumberFormat

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


# Shares of the scored customers this far from what came are those of other customers.
FAR_APART = 0.15

# Share of the scored customers with a value that no learned row came near to.
FAR_OUTSIDE = 0.25

# What one more quarter may add to a feature that grows with time, as a part of its range.
ROOM = 0.5

MEND = "Revisar features.scoring_cutoffs (learn: calendar, más cortes) y features.scoring_as_of."

NUMBERS = NumberFormat()

# The model that scores customers: learned on past days, tested on what came later, then learned
# anew up to today. The required model lives beside it, on the rows of its own cutoff.


def select_learning_rows(
    rows: pd.DataFrame,
    plan: dict[str, Any],
    leakage: dict[str, Any],
    problem: Problem,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What candidates are tuned and compared on, and the test; both sorted by key (PII).

    Args:
        rows: One row per customer, past day and mode.
        plan: See `clientela.pipelines.feature_engineering.nodes.plan_scoring_cutoffs`.

    Returns:
        One row per customer as known before the most recent backtest, on one of the days to learn
        from, drawn by key so that no fold holds a customer whom it learned from; and one row per
        customer on the day of that backtest.

    Raises:
        LeakageError: The report refuses a feature.
        TrainingDataError: All rows have one class.
    """
    require_no_leak(leakage)
    schema, test = problem.schema, plan["backtests"][0]
    known = _select_learned_rows(rows, test, plan["learn"]).sort_values([schema.key, "corte"])
    of_customer = known.groupby(schema.key)[schema.key]
    days = of_customer.transform("size").to_numpy(dtype=np.uint64)
    drawn = pd.util.hash_pandas_object(known[schema.key], index=False).to_numpy(np.uint64) % days
    learning = known[of_customer.cumcount().to_numpy(np.uint64) == drawn]
    classes = learning[schema.target].unique().tolist()
    if len(classes) < 2:  # noqa: PLR2004 - one class tells nothing
        raise TrainingDataError(
            f"Every one of the {len(learning)} customers who are learned from before "
            f"{test['day']} has the class {classes[0]!r}, so there is nothing to tell apart. "
            "Choose a category that is bought more often (features.category) or another business "
            "rule (target.classes)."
        )
    return learning.reset_index(drop=True), _select_test_rows(rows, test, problem)


def _select_learned_rows(rows: pd.DataFrame, test: Mapping[str, Any], learn: str) -> pd.DataFrame:
    """The rows that could be learned from on the day of a backtest."""
    chosen = (rows["modo"] == "calendar") & rows["corte"].isin(test["learned"])
    if learn == "required":
        chosen = (rows["modo"] == "required") & (rows["corte"] == test["day"])
    return rows.loc[chosen]


def _select_test_rows(
    rows: pd.DataFrame, test: Mapping[str, Any], problem: Problem
) -> pd.DataFrame:
    part: pd.DataFrame = rows.loc[(rows["modo"] == "calendar") & (rows["corte"] == test["day"])]
    return part.sort_values(problem.schema.key, ignore_index=True)


def fit_on_cutoffs(rows: pd.DataFrame, candidate: Candidate, problem: Problem) -> StoredModel:
    """A model that learned from one row per customer and past day, with its manifest.

    The level of its probabilities and its class limits come from the latest day, out of fold.
    """
    schema = problem.schema
    ordered = rows.sort_values(["corte", schema.key], ignore_index=True)
    estimator = problem.build_estimator(candidate.candidate, candidate.params, candidate.decision)
    dated: dict[str, Any] = {}
    if isinstance(estimator, DecisionRuleClassifier) and candidate.decision not in {
        None,
        "nearest",
    }:
        latest = ordered["corte"] == ordered["corte"].max()
        dated = {"groups": ordered[schema.key].to_numpy(), "latest": latest.to_numpy()}
    features = schema.features(candidate.features)
    fitted = estimator.fit(ordered[features], schema.codes(ordered), **dated)
    manifest = build_model_manifest(ordered, candidate, problem)
    return StoredModel(fitted, manifest | {"cutoffs": sorted(ordered["corte"].unique())})


def run_backtest(
    rows: pd.DataFrame,
    plan: dict[str, Any],
    choice: dict[str, Any],
    problem: Problem,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Scores as they would have been made on past days, beside what came.

    On each day the champion's form, the required model and the rules learn from what was known
    then. Parameters were chosen before the most recent day only.

    Returns:
        Predictions on the most recent day (see `predict_holdout`), and `dates`: for each day its
        facts, see `describe_backtest`.
    """
    champion = get_champion_candidate(choice)
    settings = problem.settings
    names = [*settings.filter_by_role("required"), *settings.filter_by_role("rule")]
    predictions, dates = [], []
    for test in plan["backtests"]:
        learned = _select_learned_rows(rows, test, plan["learn"])
        required = rows[(rows["modo"] == "required") & (rows["corte"] == test["day"])]
        calls = [(learned, champion, problem)] + [
            (
                required if settings.candidates[name].role == "required" else learned,
                get_configured_candidate(name, problem),
                problem,
            )
            for name in names
        ]
        roles = [CHAMPION, *(REQUIRED if name == settings.required else name for name in names)]
        fitted = run_in_threads(fit_on_cutoffs, calls, settings.workers)
        models = dict(zip(roles, fitted, strict=True))
        predictions.append(predict_holdout(_select_test_rows(rows, test, problem), models, problem))
        facts = describe_backtest(predictions[-1], problem)
        dates.append(
            {"day": test["day"], "cutoffs": test["learned"], "learned_rows": len(learned)} | facts
        )
    return predictions[0], {"learn": plan["learn"], "dates": dates}


def describe_backtest(predictions: pd.DataFrame, problem: Problem) -> dict[str, Any]:
    """What was predicted on one day, beside what came.

    Returns:
        `rows`; `realized`: class shares; `gains`: model to the champion's gain in the primary
        metric with its interval; `models`: name to `expected` (mean probabilities), `decided`
        (class shares), `gap` and `decided_gap` (largest distances to the realized shares), the
        primary metric, `log_loss` and `calibration_error`.
    """
    classes, metric = problem.schema.classes, problem.settings.primary_metric
    grades = compute_holdout_metrics(predictions, problem, [metric])
    models, realized = {}, np.zeros(len(classes))
    for name in dict.fromkeys(predictions["model"]):
        truth, predicted = select_model_predictions(predictions, str(name), problem)
        realized = np.bincount(truth, minlength=len(classes)) / len(truth)
        decided = np.bincount(predicted.codes, minlength=len(classes)) / len(truth)
        expected = predicted.probabilities.mean(axis=0)
        figures = problem.task.grade(truth, predicted, problem.schema.value_array)
        models[str(name)] = {
            "expected": dict(zip(classes, expected.tolist(), strict=True)),
            "decided": dict(zip(classes, decided.tolist(), strict=True)),
            "gap": float(np.abs(expected - realized).max()),
            "decided_gap": float(np.abs(decided - realized).max()),
            metric: figures[metric],
            "log_loss": float(log_loss(truth, predicted.probabilities, labels=range(len(classes)))),
            "calibration_error": figures["calibration_error"],
        }
    return {
        "rows": grades["rows"],
        "realized": dict(zip(classes, realized.tolist(), strict=True)),
        "gains": grades["champion_gains"],
        "models": models,
    }


def fit_scoring_model(
    rows: pd.DataFrame,
    model_input: pd.DataFrame,
    plan: dict[str, Any],
    choice: dict[str, Any],
    problem: Problem,
) -> StoredModel:
    """The champion that scores customers, learned anew from everything up to today."""
    if plan["learn"] == "required":
        learned = model_input.assign(corte=plan["backtests"][0]["day"], modo="required")
    else:
        learned = rows[(rows["modo"] == "calendar") & rows["corte"].isin(plan["learned"])]
    with threadpool_limits(limits=1):
        return fit_on_cutoffs(learned, get_champion_candidate(choice), problem)


def describe_scored_customers(
    champion: StoredModel,
    features: pd.DataFrame,
    rows: pd.DataFrame,
    backtest: dict[str, Any],
    problem: Problem,
) -> dict[str, Any]:
    """How the customers to be scored look to the champion, and what is odd about that.

    Args:
        features: One row per known customer; those without a past are left out.

    Returns:
        `rows`, `expected` (mean probabilities), `decided` (class shares) and `warnings`, in the
        readers' language and with the setting that mends each.
    """
    classes, decision = problem.schema.classes, champion.manifest["decision"]
    known = features[features[NO_HISTORY] == 0] if NO_HISTORY in features else features
    predicted = problem.task.predictions(champion.estimator, known[champion.features], decision)
    decided = np.bincount(predicted.codes, minlength=len(classes)) / max(len(known), 1)
    expected = predicted.probabilities.mean(axis=0)
    realized = np.array(list(backtest["dates"][0]["realized"].values()))
    warnings = []
    apart = np.maximum(np.abs(decided - realized), np.abs(expected - realized))
    if apart.max() > FAR_APART:
        place = int(apart.argmax())
        warnings.append(
            "Los clientes por puntuar no se parecen a lo que pasó: "
            f"{NUMBERS.percent(decided[place])} son «{classes[place]}» (probabilidad media "
            f"{NUMBERS.percent(expected[place])}), y el {backtest['dates'][0]['day']} lo fue "
            f"{NUMBERS.percent(realized[place])}. {MEND}"
        )
    outside = _measure_outside(known, rows, champion)
    if outside.max() > FAR_OUTSIDE:
        warnings.append(
            f"{outside.idxmax()} está fuera de lo que la prueba hacia atrás mostró en "
            f"{NUMBERS.percent(outside.max())} de los clientes por puntuar. {MEND}"
        )
    for sentence in warnings:
        logger.warning("%s", sentence)
    return {
        "rows": len(known),
        "expected": dict(zip(classes, expected.tolist(), strict=True)),
        "decided": dict(zip(classes, decided.tolist(), strict=True)),
        "warnings": warnings,
    }


def _measure_outside(
    scored: pd.DataFrame, rows: pd.DataFrame, champion: StoredModel
) -> "pd.Series[float]":
    """For each feature, the share of the scored customers whom no tested or learned row is like.

    Time itself moves features, so what is shown on the tested days counts as known too.
    """
    shown = rows.loc[rows["modo"] == "calendar", champion.features]
    spread = shown.max() - shown.min()
    below, above = shown.min() - ROOM * spread, shown.max() + ROOM * spread
    values = scored[champion.features]
    shares: pd.Series[float] = ((values < below) | (values > above)).mean()
    return shares


def fit_required_model(train: pd.DataFrame, problem: Problem) -> tuple[StoredModel, dict[str, Any]]:
    """The required model on the rows of its own cutoff, and how it and the rules do in folds.

    Returns:
        The model; `primary_metric`, and the leaderboard's rows of `required` and `best_rule`.
    """
    schema, settings = problem.schema, problem.settings
    names = [*settings.filter_by_role("rule"), settings.required]
    # what only the scores learn from is no part of these rows
    described = train.drop(columns=list(schema.history))
    extra = tuple(name for name in schema.extra if name not in schema.history)
    own = replace(
        problem,
        schema=schema.model_copy(update={"extra": extra, "history": ()}),
        settings=settings.model_copy(
            update={
                "candidates": {name: settings.candidates[name] for name in names},
                "repeats": settings.required_repeats or settings.repeats,
            }
        ),
    )
    tuned = tune_candidates(described, own)
    metrics = evaluate_on_folds(
        described, list_candidate_configs(tuned, own), own, "required model"
    )
    board = build_leaderboard(metrics, own)
    best = {role: find_best_of_role(metrics, role, own).split("|") for role in YARDSTICKS}
    choice = {"primary_metric": settings.primary_metric} | {
        called: board[(board[IDENTITY] == best[role]).all(axis=1)].iloc[0].to_dict()
        for called, role in (("required", "required"), ("best_rule", "rule"))
    }
    model = fit_model(described, get_tuned_candidate(settings.required, tuned, own), own)
    return model, choice


def evaluate_required_model(
    train: pd.DataFrame, test: pd.DataFrame, required: StoredModel, problem: Problem
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Predictions of the required model and the rules on its own test part, and their grades."""
    names = list(problem.settings.filter_by_role("rule"))
    rules = fit_models(train, [get_configured_candidate(name, problem) for name in names], problem)
    models = {REQUIRED: required} | dict(zip(names, rules, strict=True))
    predictions = predict_holdout(test, models, problem)
    return predictions, compute_holdout_metrics(predictions, problem)


def explain_scoring_and_required(
    learning: pd.DataFrame,
    train: pd.DataFrame,
    champion: StoredModel,
    required: StoredModel,
    problem: Problem,
) -> dict[str, list[dict[str, Any]]]:
    """What champion and required model lean on, each on the rows that it learned from."""
    return {
        CHAMPION: explain_models(learning, champion, champion, problem)[CHAMPION],
        REQUIRED: explain_models(train, required, required, problem)[REQUIRED],
    }


def package_required_model(
    required: StoredModel,
) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, Any]]:
    """The required model's archive, folder, and metadata."""
    return build_archive_files(required), build_folder_files(required), required.manifest


def create_binary_problem(schema: dict[str, Any], settings: BinaryTrainingSettings) -> Problem:
    """What is to be learned where there are two classes; see `clientela.models.problem`."""
    problem = create_problem("binary", schema, settings)
    if settings.reason_codes:
        group_features(problem)
    return problem


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
