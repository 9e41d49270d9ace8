"""Heat maps of segments: what they score per rubro, and where their customers came from."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clientela.reports.numbers import NumberFormat
from clientela.reports.style import heat, panels, without_data
from clientela.segments.identity import SIN_ACTIVIDAD
from clientela.segments.report.lettering import beside_and_below

ROOMY = 6
"""Most columns whose cells have room for a decimal."""
LEAST_TOP = 0.01
"""Scores below it are all drawn as nothing."""
NO_CUSTOMERS = "No hay clientes activos."
FIRST_RUN = "No hay un modelo anterior con el que comparar."


def scores_figure(
    rubros: pd.DataFrame, names: Mapping[int, str], labels: Mapping[str, str], numbers: NumberFormat
) -> Figure:
    """Mean score of each segment in each rubro.

    Args:
        rubros: One row per segment and rubro: `cluster_id, slug, score_medio`.
        names: Id to name.
        labels: Slug to how people read it, in order.
        numbers: How numbers are written.

    Returns:
        A heat map of segments and rubros.
    """
    active = rubros[rubros["cluster_id"] != SIN_ACTIVIDAD]
    if active.empty:
        return without_data(NO_CUSTOMERS)
    table = active.pivot_table(index="cluster_id", columns="slug", values="score_medio")
    table = table.reindex(columns=list(labels)).fillna(0.0)
    values = table.to_numpy()
    texts = [[numbers.text(value, 2) for value in row] for row in values]
    figure, (panel,) = panels(1, 1, 1.5 + 0.42 * len(table))
    heat(panel, values, texts, limits=(0.0, max(float(values.max()), LEAST_TOP)))
    beside_and_below(panel, [names[segment] for segment in table.index], list(labels.values()))
    return figure


def migration_figure(matrix: pd.DataFrame, numbers: NumberFormat) -> Figure:
    """Where the customers of each previous segment are now.

    Args:
        matrix: One row per pair of segments: `previous_id, previous_name, current_id,
            current_name, customers`; ids are missing for customers who are new or left.
        numbers: How numbers are written.

    Returns:
        A heat map, every row adding up to its previous segment.
    """
    if matrix.empty:
        return without_data(FIRST_RUN)
    rows, before = _ordered(matrix["previous_id"], matrix["previous_name"])
    columns, after = _ordered(matrix["current_id"], matrix["current_name"])
    counts = np.zeros((len(before), len(after)))
    np.add.at(counts, (rows, columns), matrix["customers"].to_numpy(dtype="float64"))
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    decimals = 1 if len(after) <= ROOMY else 0
    texts = [[_share(s, decimals, numbers) for s in row] for row in shares]
    figure, (panel,) = panels(1, 1, 1.7 + 0.42 * len(before))
    heat(panel, shares, texts, limits=(0.0, 1.0))
    beside_and_below(panel, before, after)
    panel.set_ylabel("antes")
    panel.set_xlabel("ahora")
    return figure


def _ordered(ids: pd.Series, names: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The place of each row on an axis, and the axis' names: by id, then -1, then missing."""
    known = pd.to_numeric(ids).astype("Float64").to_numpy(dtype="float64", na_value=np.inf)
    ranks = np.where(known == SIN_ACTIVIDAD, np.finfo("float64").max, known)
    _, first, places = np.unique(ranks, return_index=True, return_inverse=True)
    return places, names.iloc[first].astype("str").tolist()


def _share(share: float, decimals: int, numbers: NumberFormat) -> str:
    return f"{numbers.text(100 * share, decimals)} %" if share > 0 else ""
