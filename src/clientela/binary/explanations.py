"""What each column of the data did to each prediction, in one form for every kind of model.

A contribution is additive: the contributions of a row, plus a constant of the model, are its raw
score. The score is the log-odds of class 1 for linear models and boosted trees, its probability for
forests and rules. Columns that preprocessing makes of one column are summed back to it. Within one
model contributions compare; between models only their order does.
"""

from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from xgboost import DMatrix, XGBClassifier

from clientela.binary.boosted_paths import boosted_contributions
from clientela.binary.forest_paths import path_contributions
from clientela.binary.provenance import source_columns
from clientela.classification.codes import Floats
from clientela.exceptions import ConfigurationError


@singledispatch
def contributions(estimator: Any, X: pd.DataFrame) -> pd.DataFrame:
    """One row per row of `X`, one column per column of `X`: what it adds to the raw score.

    Exact SHAP values (Lundberg et al. 2020) for XGBoost, path contributions (Saabas 2014) for
    forests and histogram boosting, coefficient times value for logistic regression: its bare form
    refers to a row of zeros, inside a `BinaryDecisionClassifier` to the mean training row.

    Args:
        estimator: Fitted; one of ours, a pipeline, or one of the models named above.
        X: Features, as in `fit`.

    Returns:
        The index and the columns of `X`, float64; 0 for a column that the model does not read.

    Raises:
        ConfigurationError: Nothing exact is known for this kind of estimator.
    """
    return pd.DataFrame(_terms(estimator, X), index=X.index, columns=X.columns)


@contributions.register
def _of_pipeline(estimator: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    steps = estimator[:-1]
    terms = _terms(estimator[-1], steps.transform(X))
    # a column transformer finds its columns by name: theirs is the order of fit, not that of X
    seen = list(getattr(steps, "feature_names_in_", X.columns))
    sources = source_columns(steps, seen, terms.shape[1])
    table = pd.DataFrame(terms.T, index=pd.Index(sources), columns=X.index)
    return table.groupby(level=0).sum().reindex(X.columns, fill_value=0.0).T


def reference_contributions(estimator: Any, X: Any) -> Floats:
    """The mean contributions of the training rows, for a model that refers to a row of zeros.

    Args:
        estimator: A fitted classifier or pipeline.
        X: The training rows.

    Returns:
        One number per column; none for all other models, and where columns have no names.
    """
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, LogisticRegression) or not isinstance(X, pd.DataFrame):
        return np.empty(0)
    return contributions(estimator, X).mean().to_numpy()


@singledispatch
def _terms(model: Any, matrix: Any) -> Floats:
    """Contributions of the columns that the last step sees."""
    del matrix
    known = {*_terms.registry, *contributions.registry} - {object}
    raise ConfigurationError(
        f"No exact contributions are known for {type(model).__name__}; "
        f"they are for {', '.join(sorted(kind.__name__ for kind in known))}."
    )


@_terms.register
def _of_linear(model: LogisticRegression, matrix: Any) -> Floats:
    terms: Floats = _dense(matrix) * model.coef_[0]
    return terms


@_terms.register
def _of_tree(model: DecisionTreeClassifier, matrix: Any) -> Floats:
    return path_contributions([model], _dense(matrix))


@_terms.register
def _of_forest(model: RandomForestClassifier, matrix: Any) -> Floats:
    return path_contributions(model.estimators_, _dense(matrix))


@_terms.register
def _of_xgboost(model: XGBClassifier, matrix: Any) -> Floats:
    # sparse stays sparse: XGBoost takes an absent entry for missing, here as in fit
    data = DMatrix(matrix, missing=model.missing, nthread=model.n_jobs)
    shap = model.get_booster().predict(data, pred_contribs=True)
    terms: Floats = shap[:, :-1].astype(np.float64)
    return terms


@_terms.register
def _of_histogram_boosting(model: HistGradientBoostingClassifier, matrix: Any) -> Floats:
    return boosted_contributions(model, _dense(matrix))


@_terms.register
def _of_constant(model: DummyClassifier, matrix: Any) -> Floats:
    del model
    return np.zeros(matrix.shape)


def _dense(matrix: Any) -> Floats:
    return np.asarray(matrix.toarray() if issparse(matrix) else matrix, dtype=np.float64)
