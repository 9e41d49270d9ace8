"""The watched columns of one model in its latest period."""

from collections.abc import Collection

import pandas as pd

from clientela.drift.severity import worst_first

DRAWN = 30
"""Bars that a person can still read; the table below them holds every column."""


def by_severity(metrics: pd.DataFrame, severities: Collection[str]) -> pd.DataFrame:
    """The columns of chosen severities, worst first.

    Args:
        metrics: One row per column.
        severities: Those to keep; none keeps all.

    Returns:
        Rows of the metrics.
    """
    wanted = metrics[metrics["severity"].isin(severities)] if severities else metrics
    return worst_first(wanted)


def moved(metrics: pd.DataFrame) -> pd.DataFrame:
    """The columns that ask for attention: ROJO, then AMARILLO.

    Args:
        metrics: One row per column.

    Returns:
        Rows of the metrics.
    """
    return by_severity(metrics, ("ROJO", "AMARILLO"))
