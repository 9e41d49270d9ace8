"""The figures of drift, one row per watched column."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from clientela.drift.cells import Cells
from clientela.drift.counts import Counts
from clientela.drift.distances import Distances, certified_distances
from clientela.drift.divergence import jensen_shannon, psi_noise, psi_parts
from clientela.drift.homogeneity import homogeneity
from clientela.drift.profile import BaselineProfile, CategoricalProfile, NumericProfile
from clientela.drift.settings import DriftSettings
from clientela.exceptions import CurrentDataUnfit

COLUMNS = (
    *("feature", "type", "psi", "ks", "js", "cramers_v", "ks_lower", "ks_upper", "chi2", "p", "q"),
    *("wasserstein", "wasserstein_norm", "missing_rate", "missing_rate_baseline", "new_rate"),
    *("out_of_range_rate", "psi_noise", "n", "n_baseline"),
)


def drift_table(
    profile: BaselineProfile,
    counts: Counts,
    settings: DriftSettings,
    exact: Mapping[str, Distances] | None = None,
) -> pd.DataFrame:
    """One row per watched column: how far the current data are from the baseline.

    Args:
        profile: The baseline.
        counts: Of the current data.
        settings: How distributions are compared.
        exact: Column to the distances of the raw values, where these are at hand; of the others
            KS and Wasserstein are those that the profile certifies and approximates.

    Returns:
        Sorted by column name, with
        - `feature`, `type` (`numeric`, `categorical`),
        - `psi` over the bins or values, MISSING, and NEW, in nats,
        - `ks` (0 to 1, numbers only): the middle of its certified interval, `ks_lower` and
          `ks_upper`; the values at hand make it exact,
        - `js`: Jensen-Shannon divergence in bits, 0 to 1,
        - `cramers_v` (bias-corrected), `chi2`, `p` of the test of homogeneity, and `q`: p after
          Benjamini and Hochberg (1995) over the columns of this table,
        - `wasserstein` in units of the column, `wasserstein_norm` in standard deviations of the
          baseline (numbers only; NaN for a column that did not vary),
        - `missing_rate`, `missing_rate_baseline`, `new_rate` (categories: rows whose value the
          baseline never had), `out_of_range_rate` (numbers: rows outside its extremes),
        - `psi_noise`: the PSI that is reached without drift one time in a hundred,
        - `n`, `n_baseline`: rows.

    Raises:
        CurrentDataUnfit: There are no current rows, or they were counted against another profile.
    """
    _check(profile, counts)
    rows = [
        _figures(name, column, counts, settings, (exact or {}).get(name))
        for name, column in sorted(profile.columns.items())
    ]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "q"])
    adjusted = false_discovery_control(table["p"]) if rows else []
    table.insert(COLUMNS.index("q"), "q", adjusted)
    return table


def _check(profile: BaselineProfile, counts: Counts) -> None:
    if counts.data_hash != profile.data_hash:
        raise CurrentDataUnfit(
            f"The counts should be against the profile {profile.data_hash[:8]}; they are against "
            f"{counts.data_hash[:8]}. Count the current data anew."
        )
    if counts.rows == 0:
        raise CurrentDataUnfit(
            "The current period should have rows; it has none. Choose another period, or check "
            "whether the extract arrived."
        )


def _figures(
    name: str,
    column: NumericProfile | CategoricalProfile,
    counts: Counts,
    settings: DriftSettings,
    exact: Distances | None,
) -> dict[str, Any]:
    cells = np.asarray(counts.cells[name], dtype=np.int64)
    baseline, current = compared_cells(column, cells)
    tested = homogeneity(baseline, current, settings.fewest_expected)
    return {
        "feature": name,
        "type": column.type,
        "psi": float(psi_parts(baseline, current, settings.pseudo_count).sum()),
        "js": jensen_shannon(baseline, current),
        "cramers_v": tested.cramers_v,
        "chi2": tested.chi2,
        "p": tested.p,
        "missing_rate": cells[-1] / counts.rows,
        "missing_rate_baseline": column.missing / column.n,
        "psi_noise": psi_noise(baseline, current, settings.noise_quantile),
        "n": counts.rows,
        "n_baseline": column.n,
        **_figures_of_type(column, cells, counts, exact, name),
    }


def compared_cells(
    column: NumericProfile | CategoricalProfile, cells: Cells
) -> tuple[Cells, Cells]:
    """Rows of the baseline and of the current data in the cells that PSI compares.

    Args:
        column: Of the profile.
        cells: Current rows per cell of the profile.

    Returns:
        For a number its bins, for a category its values, OTHER and NEW; then MISSING.
    """
    baseline = np.asarray(column.cells, dtype=np.int64)
    if isinstance(column, CategoricalProfile):
        return baseline, cells
    starts = column.bin_starts
    return np.add.reduceat(baseline, starts), np.add.reduceat(cells, starts)


def _figures_of_type(
    column: NumericProfile | CategoricalProfile,
    cells: Cells,
    counts: Counts,
    exact: Distances | None,
    name: str,
) -> dict[str, float]:
    if isinstance(column, CategoricalProfile):
        return {"new_rate": cells[-2] / counts.rows}
    found = exact or certified_distances(
        np.asarray(column.points), np.asarray(column.cells), cells, counts.ranges.get(name)
    )
    deviation = column.standard_deviation
    return {
        "ks": (found.ks_lower + found.ks_upper) / 2,
        "ks_lower": found.ks_lower,
        "ks_upper": found.ks_upper,
        "wasserstein": found.wasserstein,
        "wasserstein_norm": found.wasserstein / deviation if deviation else np.nan,
        "out_of_range_rate": (cells[0] + cells[-2]) / counts.rows if column.points else np.nan,
    }
