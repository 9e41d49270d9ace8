"""The kinds of ordinal models that configuration can name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sklearn.dummy import DummyClassifier
from xgboost import XGBClassifier, XGBRegressor

from clientela.classification.measures import PointMetric
from clientela.exceptions import ConfigurationError
from clientela.modelling.tasks import Builder, Recipe
from clientela.ordinal.cumulative_binary import CumulativeBinaryClassifier
from clientela.ordinal.decision_classifier import OrdinalDecisionClassifier
from clientela.ordinal.last_quarter import REQUIRED_LOWER_BOUNDS, LastQuarterRule
from clientela.ordinal.metrics import METRICS
from clientela.ordinal.proportional_odds import ProportionalOddsClassifier
from clientela.ordinal.regressor import OrdinalRegressor


def majority_rule(recipe: Recipe) -> OrdinalDecisionClassifier:
    """Everybody gets the commonest class."""
    recipe.check_params(())
    return OrdinalDecisionClassifier(
        DummyClassifier(strategy="prior"), values=recipe.schema.values, decision="argmax"
    )


def last_quarter_rule(recipe: Recipe) -> LastQuarterRule:
    """Everybody does what they did last quarter."""
    recipe.check_params(())
    if recipe.schema.last_quarter not in recipe.schema.features("all"):
        raise ConfigurationError(
            "A candidate of kind 'last_quarter' reads the number of purchases of the last quarter, "
            "which this model input does not have. Switch the extra features on, or remove the "
            "candidate from training.candidates."
        )
    return LastQuarterRule(
        recipe.schema.last_quarter,
        lower_bounds=recipe.schema.lower_bounds or REQUIRED_LOWER_BOUNDS,
        values=recipe.schema.values,
    )


def xgboost_regressor(recipe: Recipe) -> OrdinalRegressor:
    """Regression on the class values, then cut."""
    # one thread: folds run side by side instead, and results don't depend on the machine
    regressor = XGBRegressor(random_state=recipe.settings.seed, n_jobs=1)
    return OrdinalRegressor(recipe.given_to(regressor), **_deciding(recipe))


def xgboost_cumulative(recipe: Recipe) -> OrdinalDecisionClassifier:
    """One binary booster for each boundary between classes (Frank and Hall 2001)."""
    booster = XGBClassifier(random_state=recipe.settings.seed, n_jobs=1)
    cumulative = CumulativeBinaryClassifier(recipe.given_to(booster))
    return OrdinalDecisionClassifier(cumulative, **_deciding(recipe))


def proportional_odds(recipe: Recipe) -> OrdinalDecisionClassifier:
    """The linear cumulative logit model (McCullagh 1980)."""
    linear = recipe.given_to(ProportionalOddsClassifier())
    return OrdinalDecisionClassifier(linear, **_deciding(recipe))


CUT_POINT_METRIC = "qwk"
"""What cut points maximise when the primary metric grades probabilities."""

ORDINAL_KINDS: Mapping[str, Builder] = MappingProxyType(
    {
        "majority": majority_rule,
        "last_quarter": last_quarter_rule,
        "xgboost_regressor": xgboost_regressor,
        "xgboost_cumulative": xgboost_cumulative,
        "proportional_odds": proportional_odds,
    }
)
"""Name in configuration to what builds it."""


def _deciding(recipe: Recipe) -> dict[str, Any]:
    # cut points move classes, so a measure of probabilities gives them nothing to maximise
    settings = recipe.settings
    moved = isinstance(METRICS.named(settings.primary_metric), PointMetric)
    return {
        "values": recipe.schema.values,
        "decision": recipe.decision or "argmax",
        "metric": settings.primary_metric if moved else CUT_POINT_METRIC,
        "folds": settings.inner_folds,
        "random_state": settings.seed,
    }
