"""How sure an observed share is."""

import numpy as np
from scipy.stats import binomtest

from clientela.classification.codes import Floats


def share_intervals(hits: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """Lower and upper end of 95 % intervals of shares (Wilson 1927).

    Args:
        hits: Numbers of rows that count.
        rows: Numbers of all rows.

    Returns:
        Lower and upper ends; 0 and 1 where there are no rows.
    """
    ends = [
        binomtest(int(hit), int(row)).proportion_ci(method="wilson") if row else (0.0, 1.0)
        for hit, row in zip(hits, rows, strict=True)
    ]
    lower, upper = np.asarray(ends, dtype=np.float64).reshape(-1, 2).T
    return lower, upper
