"""What each column of the data adds to each prediction, in one form for every kind of model.

A contribution is additive: the contributions of a row, plus a constant of the model, are its raw
score, before any calibration or cut points. The score is the log-odds of class 1 for linear models
and boosted trees, its probability for forests and business rules, class values for a regressor,
log-odds of being above a class (summed over the boundaries) for cumulative and ordinal linear
models. Within one model contributions compare; between models only their order does.

Classifiers of the project explain themselves (`BaseClassifier.contributions`); here are the
libraries' models, pipelines, and the way from columns that preprocessing made back to their source.
"""

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
from xgboost import DMatrix, XGBModel

from clientela.arrays import Floats
from clientela.exceptions import ConfigurationError
from clientela.models.base import BaseClassifier

# Rows whose paths through a forest are held in memory at once.
ROWS_AT_A_TIME = 20_000


def contributions(estimator: Any, X: pd.DataFrame) -> pd.DataFrame:
    """One row per row of `X`, one column per column of `X`: what it adds to the raw score.

    Exact SHAP values (Lundberg et al. 2020) for XGBoost, path contributions (Saabas 2014) for
    forests and histogram boosting, coefficient times value for linear models, distance from the
    mean for business rules, zero for a constant. A bare logistic regression refers to a row of
    zeros; inside a `BinaryDecisionClassifier` it refers to the mean training row.

    Args:
        estimator: Fitted; one of ours, a pipeline, or one of the models named above.

    Returns:
        The index and the columns of `X`, float64; 0 for a column that the model does not read.

    Raises:
        ConfigurationError: Nothing exact is known for this kind of estimator.
    """
    return pd.DataFrame(compute_contributions(estimator, X), index=X.index, columns=X.columns)


def mean_absolute_contributions(table: pd.DataFrame) -> pd.Series:
    """One number per feature, largest first: its mean absolute contribution.

    Returns:
        Index `feature`, float64; equal numbers in the order of the names.
    """
    means = table.abs().mean().sort_index()
    return means.sort_values(ascending=False, kind="stable").rename_axis("feature")


def select_reason_codes(table: pd.DataFrame, X: pd.DataFrame, n_reasons: int) -> pd.DataFrame:
    """One row per row of `X`: the features that moved its score most, either way.

    Args:
        X: The rows' features; one that the table lacks has no value to show.

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
    for rank, places in enumerate(order.T, start=1):
        amount = amounts[np.arange(len(X)), places]
        columns[f"motivo_{rank}"] = np.where(amount != 0, names[places], None)
        columns[f"contribucion_{rank}"] = amount
        value = values[np.arange(len(X)), places]
        columns[f"valor_{rank}"] = np.where(amount != 0, value, np.nan)
    return pd.DataFrame(columns, index=X.index)


@singledispatch
def compute_contributions(model: Any, X: Any) -> Floats:
    """Rows x columns of `X`, as `contributions` without their names.

    Args:
        X: What the model was fitted on: a DataFrame, an array, or a sparse matrix.
    """
    del X
    known = sorted(
        kind.__name__
        for kind in compute_contributions.registry
        if kind not in {object, BaseClassifier}
    )
    raise ConfigurationError(
        f"No exact contributions are known for {type(model).__name__}; "
        f"they are for {', '.join(known)}."
    )


@compute_contributions.register
def _explain_own_classifier(model: BaseClassifier, X: Any) -> Floats:
    return model.contributions(X)


@compute_contributions.register
def _explain_pipeline(model: Pipeline, X: Any) -> Floats:
    """Of the columns that the first step sees: those made of one column are summed back to it."""
    steps, last = model[:-1], model[-1]
    matrix = steps.transform(X)
    if isinstance(matrix, pd.DataFrame) and not hasattr(last, "feature_names_in_"):
        matrix = matrix.to_numpy()
    terms = compute_contributions(last, matrix)
    columns = X.columns if isinstance(X, pd.DataFrame) else pd.RangeIndex(X.shape[1])
    # a column transformer finds its columns by name: theirs is the order of fit, not that of X
    fitted = list(getattr(steps, "feature_names_in_", columns))
    table = pd.DataFrame(terms.T, index=find_source_columns(steps, fitted, terms.shape[1]))
    return table.groupby(level=0).sum().reindex(columns, fill_value=0.0).T.to_numpy()


@compute_contributions.register
def _explain_constant(model: DummyClassifier, X: Any) -> Floats:
    del model
    return np.zeros(X.shape)


@compute_contributions.register
def _explain_logistic_regression(model: LogisticRegression, X: Any) -> Floats:
    _require_two_classes(model)
    terms: Floats = _convert_to_dense(X) * model.coef_[0]
    return terms


@compute_contributions.register
def _explain_xgboost(model: XGBModel, X: Any) -> Floats:
    # sparse stays sparse: XGBoost takes an absent entry for missing, here as in fit
    matrix = DMatrix(X, missing=model.missing, nthread=model.n_jobs)
    shap = model.get_booster().predict(matrix, pred_contribs=True)
    terms: Floats = shap[..., :-1].astype(np.float64)
    if terms.ndim == 3:  # noqa: PLR2004 - rows x classes x features: one margin per class
        # one score from the margins: high classes against low ones
        codes = np.arange(terms.shape[1], dtype=np.float64)
        terms = np.tensordot(terms, codes - codes.mean(), axes=([1], [0]))
    return terms


@compute_contributions.register
def _explain_tree(model: DecisionTreeClassifier, X: Any) -> Floats:
    _require_two_classes(model)
    return compute_forest_contributions([model], _convert_to_dense(X))


@compute_contributions.register
def _explain_forest(model: RandomForestClassifier, X: Any) -> Floats:
    _require_two_classes(model)
    return compute_forest_contributions(model.estimators_, _convert_to_dense(X))


@compute_contributions.register
def compute_boosting_contributions(model: HistGradientBoostingClassifier, X: Any) -> Floats:
    """What each column adds to the log-odds of class 1 (Saabas 2014); missing values allowed.

    A node is worth the mean of its leaves, weighted by the training rows in them. At each split
    the worth changes from the node to its child, and the change belongs to the column that splits.
    Contributions and a constant, the sum of what the roots are worth, are the raw score exactly.
    """
    _require_two_classes(model)
    if model.is_categorical_ is not None:
        raise ConfigurationError(
            "No exact contributions are known for histogram boosting with categorical_features. "
            "Remove that parameter: preprocessing makes one column per word."
        )
    matrix = _convert_to_dense(X)
    total = np.zeros(matrix.shape)
    # scikit-learn keeps the trees where only it looks; the tests hold the sums against its scores
    for trees in model._predictors:  # noqa: SLF001 - see above
        nodes = trees[0].nodes
        worth, rows = _compute_node_values(nodes), np.arange(len(matrix))
        place = np.zeros(len(matrix), dtype=np.int64)
        # all rows go down one tree, level by level
        while len(rows := rows[nodes["is_leaf"][place[rows]] == 0]):
            at = nodes[place[rows]]
            value = matrix[rows, at["feature_idx"]]
            left = np.where(
                np.isnan(value), at["missing_go_to_left"] == 1, value <= at["num_threshold"]
            )
            child = np.where(left, at["left"], at["right"]).astype(np.int64)
            total[rows, at["feature_idx"]] += worth[child] - worth[place[rows]]
            place[rows] = child
    return total


def _compute_node_values(nodes: NDArray[Any]) -> Floats:
    """The mean of the leaves below each node; a child always stands behind its parent."""
    worth: Floats = nodes["value"].astype(np.float64)
    for place in np.flatnonzero(nodes["is_leaf"] == 0)[::-1]:
        children = [nodes["left"][place], nodes["right"][place]]
        worth[place] = np.average(worth[children], weights=nodes["count"][children])
    return worth


def compute_forest_contributions(trees: list[Any], matrix: Floats) -> Floats:
    """What each column adds to the mean probability of class 1 (Saabas 2014).

    At each split the share of class 1 changes from the node to its child; the change belongs to the
    column that splits. Along a path the changes add up to leaf minus root, so that contributions
    and the mean share of the roots are the forest's probability exactly. They are no Shapley
    values: of two columns that say the same, the one that splits nearer to the leaf gets more.
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


def _require_two_classes(model: Any) -> None:
    if len(model.classes_) != 2:  # noqa: PLR2004 - one score needs two classes
        raise ConfigurationError(
            f"No exact contributions are known for {type(model).__name__} with "
            f"{len(model.classes_)} classes. Put it inside a CumulativeBinaryClassifier."
        )


def _convert_to_dense(matrix: Any) -> Floats:
    return np.asarray(matrix.toarray() if issparse(matrix) else matrix, dtype=np.float64)


# A reason must name what a person can look up: `tipo_laboral`, not
# `nominal__tipo_laboral_Empleado`. The answer is read from the structure of the fitted
# transformers. Names would not do: `edad_x` may be a category of `edad`, or a column.


@singledispatch
def find_source_columns(transformer: Any, columns: Sequence[str], n_out: int) -> list[str]:
    """The source of each output column of a fitted transformer.

    Known are pipelines, column transformers, imputers with indicators, one-hot encoders, and every
    transformer that gives one column for each, or reads a single one.

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
    sources, fitted = list(columns), getattr(transformer, "feature_names_in_", None)
    names = [f"x{i}" for i in range(len(columns))] if fitted is None else list(fitted)
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
    for name, part, selection in transformer.transformers_:
        place = transformer.output_indices_[name]
        if place.stop == place.start:
            continue
        inputs = [columns[i] for i in _find_positions(selection, known)]
        sources[place] = find_source_columns(part, inputs, place.stop - place.start)
    return sources


def _find_positions(selection: Any, known: list[Any]) -> list[int]:
    """Where the columns of one part stand, whether it names, numbers or masks them."""
    if isinstance(selection, slice):
        return list(range(len(known))[selection])
    entries = np.atleast_1d(np.asarray(selection, dtype=object))
    if all(isinstance(entry, bool | np.bool_) for entry in entries):
        return np.flatnonzero(entries).tolist()
    return [entry if isinstance(entry, int) else known.index(entry) for entry in entries]


@find_source_columns.register
def _find_imputer_sources(
    transformer: SimpleImputer, columns: Sequence[str], n_out: int
) -> list[str]:
    """Columns without any value are dropped unless kept as empty; indicators come behind."""
    filled = ~pd.isna(np.asarray(transformer.statistics_, dtype=object))
    filled |= transformer.keep_empty_features
    values = [name for name, has_value in zip(columns, filled, strict=True) if has_value]
    flagged = transformer.indicator_.features_ if transformer.add_indicator else ()
    return [*values, *(columns[i] for i in flagged)] if n_out else []


@find_source_columns.register
def _find_one_hot_sources(
    transformer: OneHotEncoder, columns: Sequence[str], n_out: int
) -> list[str]:
    """As many times each column as it has categories left, dropped and rare ones considered."""
    namer = copy.copy(transformer).set_params(feature_name_combiner=lambda feature, _: feature)
    names = list(getattr(transformer, "feature_names_in_", (f"x{i}" for i in range(len(columns)))))
    places = {name: place for place, name in enumerate(names)}
    return [columns[places[name]] for name in namer.get_feature_names_out(names)][:n_out]
