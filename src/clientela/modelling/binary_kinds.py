"""The kinds of binary models that configuration can name.

Each learns on one thread, behind the preprocessing of the use case, and decides by a threshold.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from clientela.binary.costs import ONE_EACH
from clientela.binary.decision import Decision
from clientela.binary.decision_classifier import BinaryDecisionClassifier
from clientela.binary.rules import ThresholdRule
from clientela.binary.woe_scorecard import WoeScorecard
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.modelling.tasks import Builder, Recipe
from clientela.tabular.preprocessing import PreprocessingSettings, preprocessor

FIT_ITERATIONS = 1000
"""Steps a logistic regression may take unless configuration says otherwise: scikit-learn's 100
seldom do for one column per word."""

REWEIGHTING = ("scale_pos_weight", "class_weight")
"""Parameters that make probabilities wrong on purpose."""


def majority_rule(recipe: Recipe) -> BinaryDecisionClassifier:
    """Everybody gets the commoner class."""
    recipe.check_params(())
    return _deciding(DummyClassifier(strategy="prior"), recipe)


def threshold_rule(recipe: Recipe) -> ThresholdRule:
    """One column compared with a number that people chose."""
    if recipe.decision is not None:
        raise ConfigurationError(
            "A candidate of kind 'threshold_rule' decides by its own limit. Leave its decisions "
            f"empty; they hold {recipe.decision!r}."
        )
    rule: ThresholdRule = recipe.given_to(ThresholdRule())
    if recipe.candidate.role != "rule":
        raise ConfigurationError(
            "A candidate of kind 'threshold_rule' is a yardstick without thresholds to choose "
            f"from, but has role {recipe.candidate.role!r}. Set its role to 'rule'."
        )
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
    return _behind_preprocessing(recipe.given_to(linear), recipe)


def random_forest(recipe: Recipe) -> BinaryDecisionClassifier:
    """The mean of many deep trees (Breiman 2001)."""
    forest = RandomForestClassifier(random_state=recipe.settings.seed, n_jobs=1)
    return _behind_preprocessing(recipe.given_to(forest), recipe)


def xgboost_classifier(recipe: Recipe) -> BinaryDecisionClassifier:
    """Boosted trees."""
    booster = XGBClassifier(random_state=recipe.settings.seed, n_jobs=1)
    return _behind_preprocessing(recipe.given_to(booster), recipe)


def hist_gradient_boosting(recipe: Recipe) -> BinaryDecisionClassifier:
    """Boosted trees on binned columns, scikit-learn's own."""
    # left to itself it would stop by a validation part, which inner folds already are
    booster = HistGradientBoostingClassifier(
        random_state=recipe.settings.seed, early_stopping=False
    )
    return _behind_preprocessing(recipe.given_to(booster), recipe)


def woe_scorecard(recipe: Recipe) -> BinaryDecisionClassifier:
    """Weights of evidence of binned columns, added up: the form that lenders know."""
    card = recipe.given_to(WoeScorecard(random_state=recipe.settings.seed))
    if recipe.candidate.preprocessing is not None:
        raise ConfigurationError(
            "A candidate of kind 'woe_scorecard' bins columns as they are, missing values "
            "included, and takes no preprocessing. Remove it."
        )
    if recipe.candidate.calibrate != "none":
        raise ConfigurationError(
            "A candidate of kind 'woe_scorecard' has a table of points that add up to its score; "
            f"after calibrate: {recipe.candidate.calibrate!r} they no longer would. Remove "
            "calibrate, or choose another kind."
        )
    return _deciding(card, recipe)


BINARY_KINDS: Mapping[str, Builder] = MappingProxyType(
    {
        "majority": majority_rule,
        "threshold_rule": threshold_rule,
        "logistic_regression": logistic_regression,
        "random_forest": random_forest,
        "xgboost_classifier": xgboost_classifier,
        "hist_gradient_boosting": hist_gradient_boosting,
        "woe_scorecard": woe_scorecard,
    }
)
"""Name in configuration to what builds it."""


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
    # compared one by one: a weight may be a mapping, which can't be looked for in a set
    given = [
        name
        for name in REWEIGHTING
        if (weight := recipe.params.get(name)) is not None and weight != 1
    ]
    if given and recipe.candidate.calibrate == "none":
        raise ConfigurationError(
            f"{given[0]} makes the rare class more likely than it is: probabilities no longer mean "
            "what they say, and thresholds from costs go wrong, while the order of rows hardly "
            f"gains. Set calibrate to 'sigmoid' or 'isotonic' beside it, or remove {given[0]}."
        )


def _deciding(classifier: Any, recipe: Recipe) -> BinaryDecisionClassifier:
    settings, candidate = recipe.settings, recipe.candidate
    model = BinaryDecisionClassifier(
        classifier,
        decision=cast("Decision", recipe.decision or "half"),
        costs=ONE_EACH if settings.costs is None else settings.costs.table,
        share=candidate.share,
        calibrate=candidate.calibrate,
        folds=settings.inner_folds,
        random_state=settings.seed,
    )
    model.check_settings()
    return model
