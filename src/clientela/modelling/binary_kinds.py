"""The kinds of binary models that configuration can name.

Each learns on one thread, behind the preprocessing of the use case, and decides by a threshold.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from clientela.binary.costs import ONE_EACH
from clientela.binary.decision import Decision, check_decision
from clientela.binary.decision_classifier import BinaryDecisionClassifier
from clientela.binary.rules import ThresholdRule
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.modelling.settings import checked_names
from clientela.modelling.tasks import Builder, Recipe
from clientela.tabular.preprocessing import PreprocessingSettings, preprocessor

FIT_ITERATIONS = 1000
"""Steps a logistic regression may take unless configuration says otherwise: scikit-learn's 100
seldom do for one column per word."""

REWEIGHTING = ("scale_pos_weight", "class_weight")
"""Parameters that make probabilities wrong on purpose."""


def majority_rule(recipe: Recipe) -> BinaryDecisionClassifier:
    """Everybody gets the commoner class."""
    checked_names(recipe.params, {}, "kind 'majority'")
    return _deciding(DummyClassifier(strategy="prior"), recipe)


def threshold_rule(recipe: Recipe) -> ThresholdRule:
    """One column compared with a number that people chose."""
    if recipe.decision is not None:
        raise ConfigurationError(
            "A candidate of kind 'threshold_rule' decides by its own limit. Leave its decisions "
            f"empty; they hold {recipe.decision!r}."
        )
    rule: ThresholdRule = _with(ThresholdRule(), recipe, "threshold_rule")
    words = set(recipe.schema.words)
    columns = [name for name in recipe.schema.features("all") if name not in words]
    if rule.column not in columns:
        raise ConfigurationError(
            f"A candidate of kind 'threshold_rule' needs params.column, a numeric feature, but has "
            f"{rule.column!r}. {did_you_mean(str(rule.column), columns)}"
        )
    return rule


def logistic_regression(recipe: Recipe) -> BinaryDecisionClassifier:
    """The linear model of the log-odds."""
    linear = LogisticRegression(random_state=recipe.settings.seed, max_iter=FIT_ITERATIONS)
    return _behind_preprocessing(_with(linear, recipe, "logistic_regression"), recipe)


def random_forest(recipe: Recipe) -> BinaryDecisionClassifier:
    """The mean of many deep trees (Breiman 2001)."""
    forest = RandomForestClassifier(random_state=recipe.settings.seed, n_jobs=1)
    return _behind_preprocessing(_with(forest, recipe, "random_forest"), recipe)


def xgboost_classifier(recipe: Recipe) -> BinaryDecisionClassifier:
    """Boosted trees."""
    booster = XGBClassifier(random_state=recipe.settings.seed, n_jobs=1)
    return _behind_preprocessing(_with(booster, recipe, "xgboost_classifier"), recipe)


BINARY_KINDS: Mapping[str, Builder] = MappingProxyType(
    {
        "majority": majority_rule,
        "threshold_rule": threshold_rule,
        "logistic_regression": logistic_regression,
        "random_forest": random_forest,
        "xgboost_classifier": xgboost_classifier,
    }
)
"""Name in configuration to what builds it."""


def _with(estimator: Any, recipe: Recipe, kind: str) -> Any:
    # set_params would accept anything: XGBoost takes unknown names and ignores them
    checked_names(recipe.params, estimator.get_params(deep=False), f"kind {kind!r}")
    return estimator.set_params(**recipe.params)


def _behind_preprocessing(model: Any, recipe: Recipe) -> BinaryDecisionClassifier:
    """The model in one pipeline with its preprocessing, so that nothing else can be fitted."""
    if recipe.schema.tabular is None:
        raise ConfigurationError(
            "The task type 'binary' learns from tables, and this feature schema does not say which "
            "features are numbers and which are words. Run the feature_engineering stage of a use "
            "case of kind 'table'."
        )
    _require_recalibration(recipe)
    settings = recipe.candidate.preprocessing or PreprocessingSettings()
    steps = [("preprocess", preprocessor(recipe.schema.tabular, settings)), ("model", model)]
    return _deciding(Pipeline(steps), recipe)


def _require_recalibration(recipe: Recipe) -> None:
    given = [name for name in REWEIGHTING if recipe.params.get(name) not in {None, 1}]
    if given and recipe.candidate.calibrate == "none":
        raise ConfigurationError(
            f"{given[0]} makes the rare class more likely than it is: probabilities no longer mean "
            "what they say, and thresholds from costs go wrong, while the order of rows hardly "
            f"gains. Set calibrate to 'sigmoid' or 'isotonic' beside it, or remove {given[0]}."
        )


def _deciding(classifier: Any, recipe: Recipe) -> BinaryDecisionClassifier:
    settings, candidate = recipe.settings, recipe.candidate
    check_decision(decision := recipe.decision or "half")
    return BinaryDecisionClassifier(
        classifier,
        decision=cast("Decision", decision),
        costs=ONE_EACH if settings.costs is None else settings.costs.table,
        share=candidate.share,
        calibrate=candidate.calibrate,
        folds=settings.inner_folds,
        random_state=settings.seed,
    )
