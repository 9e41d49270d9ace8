"""Choosing the number of segments as a first run does: every candidate, chance, resamples."""

from pathlib import Path

import pandas as pd

from clientela.features.segment_columns import build_matrix, list_matrix_columns
from clientela.models.segmentation import is_active
from clientela.pipelines.segmentation.choose_k import evaluate_k_range
from segment_task import STARTS
from variants.clientela_segments import Week, clustering, loaded

__all__ = ["found", "loaded", "written"]


def found(week: Week) -> pd.DataFrame:
    """One row per number of segments.

    Args:
        week: Of last week only the layout counts.

    Returns:
        See `clientela.pipelines.segmentation.choose_k.evaluate_k_range`.
    """
    params = clustering(STARTS)
    active = week.features.loc[is_active(week.features, params)]
    columns = list_matrix_columns(week.layout, params.columns)
    return evaluate_k_range(build_matrix(active, columns, transformed=params.transformed), params)


def written(evaluation: pd.DataFrame, output: Path) -> None:
    """Writes the evaluation.

    Args:
        evaluation: One row per number of segments.
        output: Where to write.
    """
    evaluation.to_parquet(output)
