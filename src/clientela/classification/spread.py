"""How far measures spread over resampled rows."""

import pandas as pd

INTERVAL = (0.025, 0.975)
"""Quantiles of a 95 % percentile interval (Efron 1979)."""


def spread(replicates: pd.DataFrame) -> pd.DataFrame:
    """One row per measure: standard deviation and 95 % percentile interval over replicates.

    Args:
        replicates: One row per bootstrap sample, one column per measure; or the difference of two
            such frames.

    Returns:
        Index `metric`; columns `std`, `lower`, `upper`.
    """
    lower, upper = (replicates.quantile(level) for level in INTERVAL)
    frame = pd.DataFrame({"std": replicates.std(ddof=1), "lower": lower, "upper": upper})
    return frame.rename_axis("metric")
