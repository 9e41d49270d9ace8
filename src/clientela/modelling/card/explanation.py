"""Which features a model leans on, over all rows: exact contributions, never samples of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from clientela.classification.reasons import mean_absolute_contributions
from clientela.modelling.labels import readable
from clientela.modelling.problem import TASKS
from clientela.modelling.storage.stored_model import StoredModel


def explained_rows(train: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """The rows that explanations read: all, or a seeded sample of many.

    Args:
        train: Training part, sorted by key.
        most: Most rows.
        seed: Seed of the draw.

    Returns:
        Rows of `train`, in its order.
    """
    if len(train) <= most:
        return train
    chosen = np.random.default_rng(seed).choice(len(train), size=most, replace=False)
    return train.iloc[np.sort(chosen)]


def feature_importance(
    model: StoredModel, rows: pd.DataFrame, labels: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One entry per feature, largest first.

    Args:
        model: A fitted model.
        rows: Rows to explain.
        labels: Feature to its name in the readers' language.

    Returns:
        Each with `feature`, `label`, `mean_abs` (mean absolute contribution, in the unit of the
        model's score) and `direction`: the correlation of value and contribution over rows with
        a value, 0 without any, None for words.
    """
    X = rows[model.features]
    table = TASKS[model.manifest["task"]].contributions(model.estimator, X)
    return [
        {
            "feature": str(name),
            "label": readable(str(name), labels),
            "mean_abs": float(amount),
            "direction": _direction(X[str(name)], table[name]),
        }
        for name, amount in mean_absolute_contributions(table).items()
    ]


def _direction(values: "pd.Series[Any]", amounts: "pd.Series[float]") -> float | None:
    if values.dtype.kind not in "biuf":
        return None
    known = values.notna()
    return _correlation(values[known].to_numpy(), amounts[known].to_numpy())


def _correlation(one: Any, other: Any) -> float:
    if not len(one) or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
