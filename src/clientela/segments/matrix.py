"""From customer features to the matrix that clusters are made from."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clientela.exceptions import ModelFileError
from clientela.segments.layout import Layout
from clientela.segments.params import ColumnGroup

if TYPE_CHECKING:
    # a served model places customers without an engine, and starts without loading one
    import ibis.expr.types as ir

TOTALS = ("num_tx", "gasto_total", "ticket_promedio", "recencia_dias", "rubros_distintos")
SHARE, SCORE = "participacion_", "score_"

EVERYBODY = slice(None)


def matrix_columns(layout: Layout, groups: Sequence[ColumnGroup]) -> list[str]:
    """The columns of the groups, in the order of the groups and of the layout.

    Args:
        layout: Rubros and values.
        groups: Which kinds of features.

    Returns:
        Column names.
    """
    per_rubro = {
        "participacion": f"{SHARE}{{}}",
        "frecuencia": "frecuencia_{}",
        "monto_promedio": "monto_promedio_{}",
        "recencia": "recencia_{}_dias",
        "score": f"{SCORE}{{}}",
    }
    values = [f"{SHARE}{column}_{slug}" for column, of in layout.value_slugs.items() for slug in of]
    columns: list[str] = []
    for group in dict.fromkeys(groups):
        if group in per_rubro:
            columns += [per_rubro[group].format(slug) for slug in layout.slugs]
        else:
            columns += TOTALS if group == "totales" else values
    return columns


def clustering_columns(layout: Layout, groups: Sequence[ColumnGroup]) -> list[str]:
    """What segments are made from and named by: purchases, the matrix, and shares.

    Args:
        layout: Rubros and values.
        groups: Which kinds of features the matrix has.

    Returns:
        Column names, some of them maybe twice.
    """
    return ["num_tx", *matrix_columns(layout, groups), *(f"{SHARE}{s}" for s in layout.slugs)]


def matrix(
    features: pd.DataFrame,
    columns: Sequence[str],
    *,
    transformed: bool,
    where: np.ndarray | slice = EVERYBODY,
) -> np.ndarray:
    """The columns as numbers, one row per customer.

    Args:
        features: One row per customer.
        columns: Which columns, in which order.
        transformed: Whether shares enter as their square root, and counts, amounts and days as
            their logarithm. The root of shares makes the distance the Hellinger distance (Rao
            1995), to which rare rubros do not matter more than frequent ones.
        where: Which customers; taking their rows out of the whole table first would copy columns
            that nobody asked for.

    Returns:
        Customers x columns, float64.

    Raises:
        ModelFileError: Columns are absent: the features are of another layout than the model.
    """
    _require(columns, features.columns)
    values = np.empty((len(features.index[where]), len(columns)))
    for place, name in enumerate(columns):
        column = features[name].to_numpy(dtype="float64")[where]
        values[:, place] = transform_of(name)(column) if transformed else column
    return values


def selected(features: "ir.Table", columns: Sequence[str]) -> "ir.Table":
    """The features with some columns alone: at a million customers all of them fill gigabytes.

    Args:
        features: One row per customer (PII).
        columns: Which ones; repeated ones count once.

    Returns:
        The same rows.

    Raises:
        ModelFileError: Columns are absent: the features are of another layout than the model.
    """
    _require(columns, features.columns)
    return features.select(*dict.fromkeys(columns))


def _require(columns: Sequence[str], found: Iterable[str]) -> None:
    known = set(found)
    absent = [name for name in columns if name not in known]
    if absent:
        raise ModelFileError(
            f"The segments were made from columns that the features no longer have: "
            f"{', '.join(absent)}. Run kedro run "
            "--pipelines=feature_engineering,segmentation,scoring to make segments from today's "
            "rubros."
        )


def transform_of(column: str) -> Callable[[np.ndarray], np.ndarray]:
    """How a column enters the matrix where columns are transformed; see `matrix`.

    Args:
        column: Its name.

    Returns:
        From its values to those of the matrix.
    """
    if column.startswith(SHARE):
        return np.sqrt
    if column.startswith(SCORE):
        return np.asarray
    return lambda values: np.log1p(np.maximum(values, 0.0))
