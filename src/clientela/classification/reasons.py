"""From contributions to reasons: the features that moved a score most."""

from typing import Any

import numpy as np
import pandas as pd


def mean_absolute_contributions(table: pd.DataFrame) -> pd.Series:
    """One number per feature, largest first: its mean absolute contribution.

    Args:
        table: One row per prediction, one column per feature: what it added to the score.

    Returns:
        Index `feature`, float64; equal numbers in the order of the names.
    """
    means = table.abs().mean().sort_index()
    return means.sort_values(ascending=False, kind="stable").rename_axis("feature")


def top_reasons(table: pd.DataFrame, X: pd.DataFrame, n_reasons: int) -> pd.DataFrame:
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
