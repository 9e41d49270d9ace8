"""Whether more missing, new or out-of-range values than before may be chance.

A chi-square test pools cells of few expected rows, so eleven values that are all missing would
look like nothing. These tests are exact, and few rows are enough where the change is plain.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, fisher_exact, nbinom

RATE_TESTS = ("q_missing", "q_new", "q_out_of_range")


def rate_significance(table: pd.DataFrame) -> pd.DataFrame:
    """One row per column of the data: how surely its rates have changed.

    All tests of a table are one family of Benjamini and Hochberg (1995).

    Args:
        table: A drift table: `n`, `n_baseline` and the rates.

    Returns:
        `q_missing`, `q_new`, `q_out_of_range` (0..1) with the index of `table`; missing where a
        rate was not measured.
    """
    p = np.array([_p_values(row) for row in table.to_dict("records")], dtype=np.float64)
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    if tested.any():
        q[tested] = false_discovery_control(p[tested])
    return pd.DataFrame(q.reshape(-1, len(RATE_TESTS)), table.index, list(RATE_TESTS))


def _p_values(row: dict[Hashable, Any]) -> tuple[float, float, float]:
    n, n_baseline = int(row["n"]), int(row["n_baseline"])
    if n == 0 or n_baseline == 0:
        return np.nan, np.nan, np.nan
    return (
        more_or_fewer(row["missing_rate"], n, row["missing_rate_baseline"], n_baseline),
        never_before(row["new_rate"], n, n_baseline),
        beyond_the_extremes(row["out_of_range_rate"], n, n_baseline),
    )


def more_or_fewer(rate: float, n: int, rate_baseline: float, n_baseline: int) -> float:
    """Probability of two shares at least as different, were they one (Fisher's exact test).

    Args:
        rate: Share now.
        n: Rows now.
        rate_baseline: Share in the baseline.
        n_baseline: Rows of the baseline.

    Returns:
        Two-sided p.
    """
    if not np.isfinite(rate + rate_baseline):
        return np.nan
    counts: NDArray[np.int64] = np.rint([rate * n, rate_baseline * n_baseline]).astype(np.int64)
    return float(fisher_exact(np.column_stack([counts, [n, n_baseline] - counts])).pvalue)


def never_before(rate: float, n: int, n_baseline: int) -> float:
    """Probability of so many values of a kind that the baseline has none of (Fisher, one-sided).

    Args:
        rate: Share of new values.
        n: Rows now.
        n_baseline: Rows of the baseline.

    Returns:
        One-sided p.
    """
    if not np.isfinite(rate):
        return np.nan
    new = round(rate * n)
    counts = [[new, n - new], [0, n_baseline]]
    return float(fisher_exact(counts, alternative="greater").pvalue)


def beyond_the_extremes(rate: float, n: int, n_baseline: int) -> float:
    """Probability of so many values below the smallest or above the largest of the baseline.

    How many of n new values exceed the largest of N old ones is geometric with ratio n / (N + n)
    for large N, whatever the distribution (exceedances: Gumbel and von Schelling 1950); both ends
    together are negative binomial. Ties make it rarer still.

    Args:
        rate: Share beyond the range.
        n: Rows now.
        n_baseline: Rows of the baseline.

    Returns:
        One-sided p.
    """
    if not np.isfinite(rate):
        return np.nan
    return float(nbinom.sf(round(rate * n) - 1, 2, n_baseline / (n + n_baseline)))
