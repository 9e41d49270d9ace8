"""Exact distances on request, while the rows of the baseline are still at hand beside its profile.

The profile alone certifies an interval for KS that is half a percent wide; that stays what every
later run can rely on. Rows are believed to be the baseline's where they give the same profile.
"""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.drift.cells import Numbers
from clientela.drift.columns import batches, numbers
from clientela.drift.distances import Distances, exact_distances
from clientela.drift.profile import NumericProfile
from clientela.drift.profiling import numeric_profile
from clientela.monitoring.baseline import Baseline
from clientela.monitoring.rows import MonitoredRows

logger = logging.getLogger(__name__)


def baseline_values(rows: MonitoredRows, baseline: Baseline) -> dict[str, Numbers]:
    """The values of the baseline's numbers, of those columns that still hold what was profiled.

    Args:
        rows: Today's rows.
        baseline: The frozen baseline.

    Returns:
        Column to its values, ascending, NaN last; without those that changed since, which a
        warning names.
    """
    watched = {
        name: column
        for name, column in baseline.whole.columns.items()
        if isinstance(column, NumericProfile) and name != rows.target
    }
    held = _rows_of(rows, baseline)
    columns = [name for name in watched if held is not None and name in held]
    found = {} if held is None else _ordered(held, columns)
    settings = baseline.whole.settings
    same = {
        name: values
        for name, values in found.items()
        if len(values) and numeric_profile(values, name, settings) == watched[name]
    }
    if lost := sorted(set(watched) - set(same)):
        logger.warning(
            "No exact KS of %s: the rows of the baseline are gone or were changed since. The "
            "interval that the profile certifies stands instead.",
            ", ".join(lost),
        )
    return same


def exact_columns(values: Mapping[str, Numbers], current: pd.DataFrame) -> dict[str, Distances]:
    """The distances of current rows from the baseline's values.

    Args:
        values: See `baseline_values`.
        current: Rows of one period.

    Returns:
        Column to its distances.
    """
    now = _ordered(current, list(values))
    return {name: exact_distances(values[name], now[name]) for name in values}


def _rows_of(rows: MonitoredRows, baseline: Baseline) -> pd.DataFrame | None:
    """The rows that may be the baseline's; None where none are at hand."""
    period = baseline.whole.period
    if rows.moment is None or period is None:
        return rows.baseline
    moments = rows.current[rows.moment]
    return rows.current[(moments >= period.first) & (moments <= period.last)]


def _ordered(frame: pd.DataFrame, columns: list[str]) -> dict[str, Numbers]:
    if not columns:
        return {}
    table = pa.Table.from_batches(list(batches(frame, columns)))
    return {name: np.sort(numbers(table[name])) for name in columns}
