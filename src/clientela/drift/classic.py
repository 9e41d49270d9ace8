"""The figures of older dashboards, so that theirs and ours can be read side by side.

They have known faults, which is why nothing else uses them: values beyond the baseline's extremes
and missing values are dropped, a column that is mostly one value has too few bins to move in, and
an empty bin weighs as much as the epsilon is small.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from clientela.drift.cells import Cells
from clientela.drift.counts import Counts
from clientela.drift.distances import Distances
from clientela.drift.divergence import shares
from clientela.drift.drift_table import drift_table
from clientela.drift.profile import BaselineProfile, NumericProfile
from clientela.drift.settings import DriftSettings

EPSILON = 1e-6
"""What the share of an empty bin is raised to."""


def classic_table(
    profile: BaselineProfile,
    counts: Counts,
    settings: DriftSettings,
    exact: Mapping[str, Distances] | None = None,
) -> pd.DataFrame:
    """One row per watched number, in the classic definitions.

    Args:
        profile: The baseline.
        counts: Of the current data.
        settings: As of the drift table.
        exact: As of the drift table; without it `ks` is the middle of its certified interval.

    Returns:
        `feature`; `psi` over the deciles of the baseline; `ks`; `js`: the Jensen-Shannon distance
        (root of the divergence in nats) over the same deciles. NaN where the deciles are all one
        value, or no current value lies between them.
    """
    table = drift_table(profile, counts, settings, exact)
    numbers = table.loc[table["type"] == "numeric", ["feature", "ks"]].reset_index(drop=True)
    pairs = [_decile_rows(profile, counts, name) for name in numbers["feature"]]
    numbers.insert(1, "psi", [classic_psi(*pair) for pair in pairs])
    return numbers.assign(js=[classic_js(*pair) for pair in pairs])


def classic_psi(baseline: Cells, current: Cells) -> float:
    """PSI with an epsilon in place of empty shares.

    Args:
        baseline: Rows per decile.
        current: The same.

    Returns:
        The index; NaN when a sample has no rows.
    """
    p, q = (np.maximum(shares(rows), EPSILON) for rows in (baseline, current))
    return float(((p - q) * np.log(p / q)).sum()) if len(p) else np.nan


def classic_js(baseline: Cells, current: Cells) -> float:
    """The Jensen-Shannon distance of scipy, in nats.

    Args:
        baseline: Rows per decile.
        current: The same.

    Returns:
        0 to .833; NaN when a sample has no rows.
    """
    return float(jensenshannon(shares(baseline), shares(current))) if len(baseline) else np.nan


def _decile_rows(profile: BaselineProfile, counts: Counts, name: str) -> tuple[Cells, Cells]:
    """Rows from each decile up to the next, the last one included, as `numpy.histogram` counts."""
    column = profile.columns[name]
    if not isinstance(column, NumericProfile) or len(column.deciles) < 2:  # noqa: PLR2004 - no bin
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    starts = 2 * np.searchsorted(column.points, column.deciles) + 1
    starts[-1] += 1
    baseline, current = (
        np.add.reduceat(np.asarray(cells, dtype=np.int64), starts)[:-1]
        for cells in (column.cells, counts.cells[name])
    )
    return baseline, current
