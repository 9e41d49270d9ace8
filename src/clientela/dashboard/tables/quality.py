"""Missing values, and values that the baseline did not know."""

import pandas as pd

ANOMALIES = frozenset(
    {
        *("all_missing", "more_missing", "fewer_missing"),
        *("new_values", "out_of_range", "constant_changed"),
    }
)
"""Reasons that speak of the values themselves rather than of their mix."""
ATTENTION = ("ROJO", "AMARILLO")


def anomalies(metrics: pd.DataFrame) -> pd.DataFrame:
    """The columns whose values themselves are odd, worst first.

    Args:
        metrics: One row per column, worst first.

    Returns:
        Rows of the metrics.
    """
    odd = metrics["reason"].isin(ANOMALIES) & metrics["severity"].isin(ATTENTION)
    return metrics[odd].reset_index(drop=True)


def missing_change(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per column that misses values now or did in the baseline.

    Args:
        metrics: One row per column.

    Returns:
        `feature`, `severity`, `baseline` and `current` (shares of rows), by falling change.
    """
    chosen = metrics[(metrics["missing_rate"] > 0) | (metrics["missing_rate_baseline"] > 0)]
    table = chosen[["feature", "severity"]].assign(
        baseline=chosen["missing_rate_baseline"], current=chosen["missing_rate"]
    )
    change = (table["current"] - table["baseline"]).abs()
    return (
        table.assign(change=change)
        .sort_values(["change", "feature"], ascending=[False, True], ignore_index=True)
        .drop(columns="change")
    )


def foreign_values(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per column with rows that the baseline did not know.

    Args:
        metrics: One row per column.

    Returns:
        `feature`, `severity`, `kind` (`new`, `out_of_range`), `share` (of rows), largest first.
    """
    rates = {"new_rate": "new", "out_of_range_rate": "out_of_range"}
    long = metrics.rename(columns=rates).melt(
        ["feature", "severity"], list(rates.values()), var_name="kind", value_name="share"
    )
    return long[long["share"] > 0].sort_values(
        ["share", "feature"], ascending=[False, True], ignore_index=True
    )
