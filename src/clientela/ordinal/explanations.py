"""What each feature did to each prediction, in one form for every kind of model.

A contribution is additive: the contributions of a row, plus a constant of the model, are its score
before any link function or cut points. Its unit therefore depends on the model: class values for a
regressor, log-odds of being above a class (summed over the boundaries) for cumulative and linear
models. Within one model contributions compare; between models only their order does.
"""

from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from xgboost import DMatrix, XGBModel

from clientela.classification.codes import Floats
from clientela.exceptions import ConfigurationError
from clientela.ordinal.base import OrdinalClassifier
from clientela.ordinal.cumulative_binary import CumulativeBinaryClassifier
from clientela.ordinal.decision_classifier import OrdinalDecisionClassifier
from clientela.ordinal.last_quarter import LastQuarterRule
from clientela.ordinal.proportional_odds import ProportionalOddsClassifier
from clientela.ordinal.regressor import OrdinalRegressor


@singledispatch
def contributions(estimator: Any, X: pd.DataFrame) -> pd.DataFrame:
    """One row per row of `X`, one column per feature: what the feature adds to the score.

    Exact SHAP values (Lundberg et al. 2020) for XGBoost, coefficient times standardised value for
    the linear model, distance from the mean for the last-quarter rule, zero for a constant.

    Args:
        estimator: Fitted; one of ours, an XGBoost model, or a pipeline that ends in one.
        X: Features, as in `fit`.

    Returns:
        The index of `X`; float64 columns named after the features that the last step sees.

    Raises:
        ConfigurationError: Nothing exact is known for this kind of estimator.
    """
    del X
    known = sorted(kind.__name__ for kind in contributions.registry if kind is not object)
    raise ConfigurationError(
        f"No exact contributions are known for {type(estimator).__name__}; "
        f"they are for {', '.join(known)}."
    )


@contributions.register
def _of_pipeline(estimator: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    steps = estimator[:-1]
    seen = np.asarray(steps.transform(X), dtype=np.float64)
    names = steps.get_feature_names_out(X.columns)
    return contributions(estimator[-1], pd.DataFrame(seen, index=X.index, columns=names))


@contributions.register
def _of_regressor(estimator: OrdinalRegressor, X: pd.DataFrame) -> pd.DataFrame:
    return contributions(estimator.regressor_, X)


@contributions.register
def _of_decision(estimator: OrdinalDecisionClassifier, X: pd.DataFrame) -> pd.DataFrame:
    return contributions(estimator.estimator_, X)


@contributions.register
def _of_cumulative(estimator: CumulativeBinaryClassifier, X: pd.DataFrame) -> pd.DataFrame:
    """Sum over the boundaries: log-odds of being above each of them."""
    first, *others = (contributions(model, X) for model in estimator.estimators_)
    total: pd.DataFrame = sum(others, start=first)
    return total


def _as_fitted(estimator: OrdinalClassifier, X: pd.DataFrame) -> pd.DataFrame | Floats:
    """A bare array where `fit` saw one, as inside a pipeline; else scikit-learn warns."""
    return X if hasattr(estimator, "feature_names_in_") else X.to_numpy()


@contributions.register
def _of_linear(estimator: ProportionalOddsClassifier, X: pd.DataFrame) -> pd.DataFrame:
    weighted = estimator.standardised(_as_fitted(estimator, X)) * estimator.coef_
    return pd.DataFrame(weighted, index=X.index, columns=X.columns)


@contributions.register
def _of_last_quarter(estimator: LastQuarterRule, X: pd.DataFrame) -> pd.DataFrame:
    """The expected value's distance from its mean in `fit`, all due to the one column."""
    table = np.zeros(X.shape)
    expected = estimator.expected_value(_as_fitted(estimator, X))
    table[:, estimator.column_index_] = expected - estimator.mean_value_
    return pd.DataFrame(table, index=X.index, columns=X.columns)


@contributions.register
def _of_constant(estimator: DummyClassifier, X: pd.DataFrame) -> pd.DataFrame:
    del estimator
    return pd.DataFrame(0.0, index=X.index, columns=X.columns)


@contributions.register
def _of_xgboost(estimator: XGBModel, X: pd.DataFrame) -> pd.DataFrame:
    matrix = DMatrix(X, missing=estimator.missing, nthread=estimator.n_jobs)
    shap = estimator.get_booster().predict(matrix, pred_contribs=True)
    table = shap[..., :-1].astype(np.float64)
    if table.ndim == 3:  # noqa: PLR2004 - rows x classes x features: one margin per class
        table = np.tensordot(table, _contrast(table.shape[1]), axes=([1], [0]))
    return pd.DataFrame(table, index=X.index, columns=X.columns)


def _contrast(n_classes: int) -> Floats:
    """Weights that turn class margins into one: high classes against low ones."""
    codes = np.arange(n_classes, dtype=np.float64)
    centred: Floats = codes - codes.mean()
    return centred
