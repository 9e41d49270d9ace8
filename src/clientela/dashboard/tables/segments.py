"""Drift within segments, in the latest period."""

import pandas as pd


def latest_of(by_segment: pd.DataFrame, segment_column: str) -> pd.DataFrame:
    """One row per segment and column in the latest period.

    Args:
        by_segment: One row per period, segment and column.
        segment_column: By which the rows are divided.

    Returns:
        Rows of the table.
    """
    chosen = by_segment[by_segment["segment_column"] == segment_column]
    latest: pd.DataFrame = chosen[chosen["period"] == chosen["period"].max()]
    return latest.reset_index(drop=True)
