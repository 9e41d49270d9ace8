"""From contributions to reasons: the features that moved a score most."""

import copy
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from xgboost import DMatrix, XGBClassifier, XGBModel

from clientela.arrays import Floats
from clientela.exceptions import ConfigurationError
from clientela.models.ordinal_decision import OrdinalClassifier, OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import (
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)

# From contributions to reasons: the features that moved a score most.


def mean_absolute_contributions(table: pd.DataFrame) -> pd.Series:
    """One number per feature, largest first: its mean absolute contribution.

    Args:
        table: One row per prediction, one column per feature: what it added to the score.

    Returns:
        Index `feature`, float64; equal numbers in the order of the names.
    """
    means = table.abs().mean().sort_index()
    return means.sort_values(ascending=False, kind="stable").rename_axis("feature")


def select_reason_codes(table: pd.DataFrame, X: pd.DataFrame, n_reasons: int) -> pd.DataFrame:
    """One row per row of `X`: the features that moved its score most, either way.

    Args:
        table: One row per row of `X`, one column per feature: what it added to the score.
        X: The rows' features; one that the table lacks has no value to show.
        n_reasons: How many; fewer where there are fewer features.

    Returns:
        The index of `X`; for i = 1, 2, ...: `motivo_i` (feature), `contribucion_i` (signed, in the
        model's unit) and `valor_i` (the feature's value). Ties go to the name that sorts first.
        A feature that moved nothing is no reason: name and value are missing there.
    """
    ordered = table.sort_index(axis="columns")
    names = ordered.columns.to_numpy(dtype=object)
    amounts, values = ordered.to_numpy(), X.reindex(columns=ordered.columns).to_numpy()
    order = np.argsort(-np.abs(amounts), axis=1, kind="stable")[:, :n_reasons]
    columns: dict[str, Any] = {}
    for rank, picked in enumerate(order.T, start=1):
        amount = amounts[np.arange(len(X)), picked]
        columns[f"motivo_{rank}"] = np.where(amount != 0, names[picked], None)
        columns[f"contribucion_{rank}"] = amount
        value = values[np.arange(len(X)), picked]
        columns[f"valor_{rank}"] = np.where(amount != 0, value, np.nan)
    return pd.DataFrame(columns, index=X.index)


# Which column of the data each column of a preprocessed table comes from.
#
# A reason must name what a person can look up: `tipo_laboral`, not `nominal__tipo_laboral_Empleado`.
# The answer is read from the structure of the fitted transformers. Names would not do: `edad_x` may
# be a category of `edad`, or a column.


@singledispatch
def find_source_columns(transformer: Any, columns: Sequence[str], n_out: int) -> list[str]:
    """The source of each output column of a fitted transformer.

    Known are pipelines, column transformers, imputers with indicators, one-hot encoders, and every
    transformer that gives one column for each, or reads a single one.

    Args:
        columns: Sources of its input columns; a source may repeat.

    Raises:
        ConfigurationError: The transformer mixes columns in a way that is not known.
    """
    if n_out == len(columns):
        return list(columns)
    if len(set(columns)) == 1:
        return [columns[0]] * n_out
    raise ConfigurationError(
        f"{type(transformer).__name__} makes {n_out} columns of {len(columns)}, and nothing says "
        "which comes from which, so reasons can't be given. Give it one column at a time, or use "
        "another transformer."
    )


@find_source_columns.register
def _find_pipeline_sources(transformer: Pipeline, columns: Sequence[str], n_out: int) -> list[str]:
    sources, seen = list(columns), getattr(transformer, "feature_names_in_", None)
    names = [f"x{i}" for i in range(len(columns))] if seen is None else list(seen)
    for position, (_, step) in enumerate(transformer.steps, start=1):
        last = position == len(transformer.steps)
        width = n_out if last else len(transformer[:position].get_feature_names_out(names))
        sources = find_source_columns(step, sources, width)
    return sources


@find_source_columns.register
def _find_column_transformer_sources(
    transformer: ColumnTransformer, columns: Sequence[str], n_out: int
) -> list[str]:
    sources = [""] * n_out
    known = list(getattr(transformer, "feature_names_in_", range(len(columns))))
    for name, part, chosen in transformer.transformers_:
        place = transformer.output_indices_[name]
        if place.stop == place.start:
            continue
        given = [columns[i] for i in _find_positions(chosen, known)]
        sources[place] = find_source_columns(part, given, place.stop - place.start)
    return sources


def _find_positions(chosen: Any, known: list[Any]) -> list[int]:
    """Where the columns of one part stand, whether it names, numbers or masks them."""
    if isinstance(chosen, slice):
        return list(range(len(known))[chosen])
    entries = np.atleast_1d(np.asarray(chosen, dtype=object))
    if all(isinstance(entry, bool | np.bool_) for entry in entries):
        return np.flatnonzero(entries).tolist()
    return [entry if isinstance(entry, int) else known.index(entry) for entry in entries]


@find_source_columns.register
def _find_imputer_sources(
    transformer: SimpleImputer, columns: Sequence[str], n_out: int
) -> list[str]:
    """Columns without any value are dropped unless kept as empty; indicators come behind."""
    empty = np.asarray([_is_missing(entry) for entry in transformer.statistics_])
    kept = [name for name, gone in zip(columns, empty, strict=True) if not gone]
    values = list(columns) if transformer.keep_empty_features else kept
    flagged = transformer.indicator_.features_ if transformer.add_indicator else ()
    return [*values, *(columns[i] for i in flagged)] if n_out else []


def _is_missing(entry: Any) -> bool:
    return entry is None or entry != entry  # noqa: PLR0124 - only nan differs from itself


@find_source_columns.register
def _find_one_hot_sources(
    transformer: OneHotEncoder, columns: Sequence[str], n_out: int
) -> list[str]:
    """As many times each column as it has categories left, dropped and rare ones considered."""
    namer = copy.copy(transformer).set_params(feature_name_combiner=lambda feature, _: feature)
    names = list(getattr(transformer, "feature_names_in_", (f"x{i}" for i in range(len(columns)))))
    places = {name: place for place, name in enumerate(names)}
    return [columns[places[name]] for name in namer.get_feature_names_out(names)][:n_out]


# What each column adds along the paths of scikit-learn's boosted trees.
#
# scikit-learn has no contributions of its own, and keeps the trees where only it looks: in
# `_predictors`. The tests hold the sums against its raw scores, so that a change there is noticed.


def compute_boosting_contributions(model: HistGradientBoostingClassifier, matrix: Floats) -> Floats:
    """What each column adds to the log-odds of class 1 (Saabas 2014).

    A node is worth the mean of its leaves, weighted by the training rows in them. At each split
    the worth changes from the node to its child, and the change belongs to the column that splits.
    Contributions and a constant, the sum of what the roots are worth, are the raw score exactly.

    Args:
        matrix: Rows x columns, as the model sees them; missing values allowed.

    Raises:
        ConfigurationError: The model splits by categories.
    """
    if model.is_categorical_ is not None:
        raise ConfigurationError(
            "No exact contributions are known for histogram boosting with categorical_features. "
            "Remove that parameter: preprocessing makes one column per word."
        )
    total = np.zeros(matrix.shape)
    for trees in model._predictors:  # noqa: SLF001 - see above
        _add_path_contributions(trees[0].nodes, matrix, total)
    return total


def _add_path_contributions(nodes: NDArray[Any], matrix: Floats, total: Floats) -> None:
    """Follow all rows through one tree, level by level."""
    worth, rows = _compute_node_values(nodes), np.arange(len(matrix))
    place = np.zeros(len(matrix), dtype=np.int64)
    while len(rows := rows[nodes["is_leaf"][place[rows]] == 0]):
        at = nodes[place[rows]]
        value = matrix[rows, at["feature_idx"]]
        left = np.where(
            np.isnan(value), at["missing_go_to_left"] == 1, value <= at["num_threshold"]
        )
        child = np.where(left, at["left"], at["right"]).astype(np.int64)
        total[rows, at["feature_idx"]] += worth[child] - worth[place[rows]]
        place[rows] = child


def _compute_node_values(nodes: NDArray[Any]) -> Floats:
    """The mean of the leaves below each node; a child always stands behind its parent."""
    worth: Floats = nodes["value"].astype(np.float64)
    for place in np.flatnonzero(nodes["is_leaf"] == 0)[::-1]:
        children = [nodes["left"][place], nodes["right"][place]]
        worth[place] = np.average(worth[children], weights=nodes["count"][children])
    return worth


# What each column adds along the paths of a forest's trees.


ROWS_AT_A_TIME = 20_000
"""Rows whose paths are held in memory at once."""


def compute_forest_contributions(trees: list[Any], matrix: Floats) -> Floats:
    """What each column adds to the mean probability of class 1 (Saabas 2014).

    At each split the share of class 1 changes from the node to its child; the change belongs to the
    column that splits. Along a path the changes add up to leaf minus root, so that contributions
    and the mean share of the roots are the forest's probability exactly. They are no Shapley
    values: of two columns that say the same, the one that splits nearer to the leaf gets more.

    Args:
        matrix: Rows x columns, as the trees see them.
    """
    values = np.asarray(matrix, dtype=np.float32)
    total = np.zeros(values.shape)
    for start in range(0, len(values), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        for tree in trees:
            paths = tree.tree_.decision_path(values[rows])
            total[rows] += (paths @ _compute_node_changes(tree.tree_, values.shape[1])).toarray()
    return total / len(trees)


def _compute_node_changes(tree: Any, n_columns: int) -> csr_matrix:
    """Change of the share of class 1 on entering each node, in the column that led there."""
    split = np.flatnonzero(tree.children_left >= 0)
    children = np.concatenate([tree.children_left[split], tree.children_right[split]])
    parents = np.concatenate([split, split])
    shares = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
    return csr_matrix(
        (shares[children] - shares[parents], (children, tree.feature[parents])),
        shape=(tree.node_count, n_columns),
    )


# What each column of the data did to each prediction, in one form for every kind of model.
#
# A contribution is additive: the contributions of a row, plus a constant of the model, are its raw
# score. The score is the log-odds of class 1 for linear models and boosted trees, its probability for
# forests and rules. Columns that preprocessing makes of one column are summed back to it. Within one
# model contributions compare; between models only their order does.


@singledispatch
def binary_contributions(estimator: Any, X: pd.DataFrame) -> pd.DataFrame:
    """One row per row of `X`, one column per column of `X`: what it adds to the raw score.

    Exact SHAP values (Lundberg et al. 2020) for XGBoost, path contributions (Saabas 2014) for
    forests and histogram boosting, coefficient times value for logistic regression: its bare form
    refers to a row of zeros, inside a `BinaryDecisionClassifier` to the mean training row.

    Args:
        estimator: Fitted; one of ours, a pipeline, or one of the models named above.

    Returns:
        The index and the columns of `X`, float64; 0 for a column that the model does not read.

    Raises:
        ConfigurationError: Nothing exact is known for this kind of estimator.
    """
    return pd.DataFrame(_explain_matrix(estimator, X), index=X.index, columns=X.columns)


@binary_contributions.register
def _explain_pipeline(estimator: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    steps = estimator[:-1]
    terms = _explain_matrix(estimator[-1], steps.transform(X))
    # a column transformer finds its columns by name: theirs is the order of fit, not that of X
    seen = list(getattr(steps, "feature_names_in_", X.columns))
    sources = find_source_columns(steps, seen, terms.shape[1])
    table = pd.DataFrame(terms.T, index=pd.Index(sources), columns=X.index)
    return table.groupby(level=0).sum().reindex(X.columns, fill_value=0.0).T


def compute_reference_contributions(estimator: Any, X: Any) -> Floats:
    """The mean contributions of the training rows, for a model that refers to a row of zeros.

    Returns:
        One number per column; none for all other models, and where columns have no names.
    """
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, LogisticRegression) or not isinstance(X, pd.DataFrame):
        return np.empty(0)
    return binary_contributions(estimator, X).mean().to_numpy()


@singledispatch
def _explain_matrix(model: Any, matrix: Any) -> Floats:
    """Contributions of the columns that the last step sees."""
    del matrix
    known = {*_explain_matrix.registry, *binary_contributions.registry} - {object}
    raise ConfigurationError(
        f"No exact contributions are known for {type(model).__name__}; "
        f"they are for {', '.join(sorted(kind.__name__ for kind in known))}."
    )


@_explain_matrix.register
def _explain_logistic_regression(model: LogisticRegression, matrix: Any) -> Floats:
    terms: Floats = _convert_to_dense(matrix) * model.coef_[0]
    return terms


@_explain_matrix.register
def _explain_tree(model: DecisionTreeClassifier, matrix: Any) -> Floats:
    return compute_forest_contributions([model], _convert_to_dense(matrix))


@_explain_matrix.register
def _explain_forest(model: RandomForestClassifier, matrix: Any) -> Floats:
    return compute_forest_contributions(model.estimators_, _convert_to_dense(matrix))


@_explain_matrix.register
def _explain_xgboost(model: XGBClassifier, matrix: Any) -> Floats:
    # sparse stays sparse: XGBoost takes an absent entry for missing, here as in fit
    data = DMatrix(matrix, missing=model.missing, nthread=model.n_jobs)
    shap = model.get_booster().predict(data, pred_contribs=True)
    terms: Floats = shap[:, :-1].astype(np.float64)
    return terms


@_explain_matrix.register
def _explain_histogram_boosting(model: HistGradientBoostingClassifier, matrix: Any) -> Floats:
    return compute_boosting_contributions(model, _convert_to_dense(matrix))


@_explain_matrix.register
def _explain_dummy(model: DummyClassifier, matrix: Any) -> Floats:
    del model
    return np.zeros(matrix.shape)


def _convert_to_dense(matrix: Any) -> Floats:
    return np.asarray(matrix.toarray() if issparse(matrix) else matrix, dtype=np.float64)


# What each feature did to each prediction, in one form for every kind of model.
#
# A contribution is additive: the contributions of a row, plus a constant of the model, are its score
# before any link function or cut points. Its unit therefore depends on the model: class values for a
# regressor, log-odds of being above a class (summed over the boundaries) for cumulative and linear
# models. Within one model contributions compare; between models only their order does.


@singledispatch
def ordinal_contributions(estimator: Any, X: pd.DataFrame) -> pd.DataFrame:
    """One row per row of `X`, one column per feature: what the feature adds to the score.

    Exact SHAP values (Lundberg et al. 2020) for XGBoost, coefficient times standardised value for
    the linear model, distance from the mean for the last-quarter rule, zero for a constant.

    Args:
        estimator: Fitted; one of ours, an XGBoost model, or a pipeline that ends in one.

    Returns:
        The index of `X`; float64 columns named after the features that the last step sees.

    Raises:
        ConfigurationError: Nothing exact is known for this kind of estimator.
    """
    del X
    known = sorted(kind.__name__ for kind in ordinal_contributions.registry if kind is not object)
    raise ConfigurationError(
        f"No exact contributions are known for {type(estimator).__name__}; "
        f"they are for {', '.join(known)}."
    )


@ordinal_contributions.register
def _explain_ordinal_pipeline(estimator: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    steps = estimator[:-1]
    seen = np.asarray(steps.transform(X), dtype=np.float64)
    names = steps.get_feature_names_out(X.columns)
    return ordinal_contributions(estimator[-1], pd.DataFrame(seen, index=X.index, columns=names))


@ordinal_contributions.register
def _explain_regressor(estimator: OrdinalRegressor, X: pd.DataFrame) -> pd.DataFrame:
    return ordinal_contributions(estimator.regressor_, X)


@ordinal_contributions.register
def _explain_decision_classifier(
    estimator: OrdinalDecisionClassifier, X: pd.DataFrame
) -> pd.DataFrame:
    return ordinal_contributions(estimator.estimator_, X)


@ordinal_contributions.register
def _explain_cumulative_binary(
    estimator: CumulativeBinaryClassifier, X: pd.DataFrame
) -> pd.DataFrame:
    """Sum over the boundaries: log-odds of being above each of them."""
    first, *others = (ordinal_contributions(model, X) for model in estimator.estimators_)
    total: pd.DataFrame = sum(others, start=first)
    return total


def _match_fit_input(estimator: OrdinalClassifier, X: pd.DataFrame) -> pd.DataFrame | Floats:
    """A bare array where `fit` saw one, as inside a pipeline; else scikit-learn warns."""
    return X if hasattr(estimator, "feature_names_in_") else X.to_numpy()


@ordinal_contributions.register
def _explain_proportional_odds(
    estimator: ProportionalOddsClassifier, X: pd.DataFrame
) -> pd.DataFrame:
    weighted = estimator.scale_features(_match_fit_input(estimator, X)) * estimator.coef_
    return pd.DataFrame(weighted, index=X.index, columns=X.columns)


@ordinal_contributions.register
def _explain_last_quarter(estimator: LastQuarterRule, X: pd.DataFrame) -> pd.DataFrame:
    """The expected value's distance from its mean in `fit`, all due to the one column."""
    table = np.zeros(X.shape)
    expected = estimator.expected_value(_match_fit_input(estimator, X))
    table[:, estimator.column_index_] = expected - estimator.mean_value_
    return pd.DataFrame(table, index=X.index, columns=X.columns)


@ordinal_contributions.register
def _explain_ordinal_dummy(estimator: DummyClassifier, X: pd.DataFrame) -> pd.DataFrame:
    del estimator
    return pd.DataFrame(0.0, index=X.index, columns=X.columns)


@ordinal_contributions.register
def _explain_ordinal_xgboost(estimator: XGBModel, X: pd.DataFrame) -> pd.DataFrame:
    matrix = DMatrix(X, missing=estimator.missing, nthread=estimator.n_jobs)
    shap = estimator.get_booster().predict(matrix, pred_contribs=True)
    table = shap[..., :-1].astype(np.float64)
    if table.ndim == 3:  # noqa: PLR2004 - rows x classes x features: one margin per class
        table = np.tensordot(table, _make_class_contrast(table.shape[1]), axes=([1], [0]))
    return pd.DataFrame(table, index=X.index, columns=X.columns)


def _make_class_contrast(n_classes: int) -> Floats:
    """Weights that turn class margins into one: high classes against low ones."""
    codes = np.arange(n_classes, dtype=np.float64)
    centred: Floats = codes - codes.mean()
    return centred
