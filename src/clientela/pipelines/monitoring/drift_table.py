"""The figures of drift, one row per watched column, and where in a column the rows moved.

The figures of older dashboards stand beside ours on request. They have known faults, which is why
nothing else uses them: values beyond the baseline's extremes and missing values are dropped, a
column that is mostly one value has too few bins to move in, and an empty bin weighs as much as the
epsilon is small.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import false_discovery_control

from clientela.exceptions import ConfigurationError, IncompatibleDataError, did_you_mean
from clientela.pipelines.monitoring.counting import Counts
from clientela.pipelines.monitoring.profile import (
    BaselineProfile,
    CategoricalProfile,
    Cells,
    DriftSettings,
    NumericProfile,
)
from clientela.pipelines.monitoring.statistical_tests import (
    Distances,
    compute_certified_distances,
    compute_js_divergence,
    compute_psi_noise,
    compute_psi_terms,
    compute_shares,
    run_chi_square_test,
)

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
    if counts.data_hash != profile.data_hash:
        raise IncompatibleDataError(
            f"The counts should be against the profile {profile.data_hash[:8]}; they are against "
            f"{counts.data_hash[:8]}. Count the current data anew."
        )
    if counts.rows == 0:
        raise IncompatibleDataError(
            "The current period should have rows; it has none. Choose another period, or check "
            "whether the extract arrived."
        )
    rows = [
        _compute_column_metrics(name, column, counts, settings, (exact or {}).get(name))
        for name, column in sorted(profile.columns.items())
    ]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "q"])
    adjusted = false_discovery_control(table["p"]) if rows else []
    table.insert(COLUMNS.index("q"), "q", adjusted)
    return table


def _compute_column_metrics(
    name: str,
    column: NumericProfile | CategoricalProfile,
    counts: Counts,
    settings: DriftSettings,
    exact: Distances | None,
) -> dict[str, Any]:
    cells = np.asarray(counts.cells[name], dtype=np.int64)
    baseline, current = compute_psi_cells(column, cells)
    tested = run_chi_square_test(baseline, current, settings.fewest_expected)
    return {
        "feature": name,
        "type": column.type,
        "psi": float(compute_psi_terms(baseline, current, settings.pseudo_count).sum()),
        "js": compute_js_divergence(baseline, current),
        "cramers_v": tested.cramers_v,
        "chi2": tested.chi2,
        "p": tested.p,
        "missing_rate": cells[-1] / counts.rows,
        "missing_rate_baseline": column.missing / column.n,
        "psi_noise": compute_psi_noise(baseline, current, settings.noise_quantile),
        "n": counts.rows,
        "n_baseline": column.n,
        **_compute_metrics_by_type(column, cells, counts, exact, name),
    }


def compute_psi_cells(
    column: NumericProfile | CategoricalProfile, cells: Cells
) -> tuple[Cells, Cells]:
    """Rows of the baseline and of the current data in the cells that PSI compares.

    Returns:
        For a number its bins, for a category its values, OTHER and NEW; then MISSING.
    """
    baseline = np.asarray(column.cells, dtype=np.int64)
    if isinstance(column, CategoricalProfile):
        return baseline, cells
    starts = column.bin_starts
    return np.add.reduceat(baseline, starts), np.add.reduceat(cells, starts)


def _compute_metrics_by_type(
    column: NumericProfile | CategoricalProfile,
    cells: Cells,
    counts: Counts,
    exact: Distances | None,
    name: str,
) -> dict[str, float]:
    if isinstance(column, CategoricalProfile):
        return {"new_rate": cells[-2] / counts.rows}
    found = exact or compute_certified_distances(
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


Label = dict[str, Any]


def bin_contributions(
    profile: BaselineProfile, counts: Counts, feature: str, settings: DriftSettings
) -> pd.DataFrame:
    """One row per cell that PSI compares, in the order of the column.

    Returns:
        `kind` (`interval`, `value`, `other`, `new`, `missing`), `lower` and `upper` (of an
        interval, NaN where open; lower excluded), `upper_included`, `value` (the category or the
        heavy number, as text; None otherwise), `baseline_rows`, `current_rows`, `baseline_share`,
        `current_share`, `psi` (what the cell adds).
    """
    if feature not in profile.columns:
        hint = did_you_mean(feature, profile.columns)
        raise ConfigurationError(f"{feature} should be a watched column; it is none. {hint}")
    column = profile.columns[feature]
    cells = np.asarray(counts.cells[feature], dtype=np.int64)
    baseline, current = compute_psi_cells(column, cells)
    return pd.DataFrame(
        [*_list_cell_labels(column), _make_cell_label("missing")],
        columns=["kind", "lower", "upper", "upper_included", "value"],
    ).assign(
        baseline_rows=baseline,
        current_rows=current,
        baseline_share=compute_shares(baseline),
        current_share=compute_shares(current),
        psi=compute_psi_terms(baseline, current, settings.pseudo_count),
    )


def _list_cell_labels(column: NumericProfile | CategoricalProfile) -> list[Label]:
    if isinstance(column, CategoricalProfile):
        own = [_make_cell_label("value", value=value) for value in column.values]  # noqa: PD011 - no frame
        return [*own, _make_cell_label("other"), _make_cell_label("new")]
    return [
        _make_cell_label("value", value=repr(upper.value))
        if lower and upper and lower.value == upper.value
        else _make_cell_label(
            "interval",
            lower=lower.value if lower else np.nan,
            upper=upper.value if upper else np.nan,
            upper_included=bool(upper and upper.included),
        )
        for lower, upper in pairwise([None, *column.edges, None])
    ]


def _make_cell_label(kind: str, **given: Any) -> Label:
    nothing = {"lower": np.nan, "upper": np.nan, "upper_included": False, "value": None}
    return {"kind": kind, **nothing, **given}


# What the share of an empty bin is raised to.
EPSILON = 1e-6


def classic_drift_table(
    profile: BaselineProfile,
    counts: Counts,
    settings: DriftSettings,
    exact: Mapping[str, Distances] | None = None,
) -> pd.DataFrame:
    """One row per watched number, in the classic definitions.

    Args:
        exact: As of the drift table; without it `ks` is the middle of its certified interval.

    Returns:
        `feature`; `psi` over the deciles of the baseline; `ks`; `js`: the Jensen-Shannon distance
        (root of the divergence in nats) over the same deciles. NaN where the deciles are all one
        value, or no current value lies between them.
    """
    table = drift_table(profile, counts, settings, exact)
    numbers = table.loc[table["type"] == "numeric", ["feature", "ks"]].reset_index(drop=True)
    figures: list[tuple[float, float]] = []
    for name in numbers["feature"]:
        shares = [compute_shares(rows) for rows in _count_rows_by_decile(profile, counts, name)]
        p, q = (np.maximum(each, EPSILON) for each in shares)
        known = len(p) > 0
        psi = float(((p - q) * np.log(p / q)).sum()) if known else np.nan
        figures.append((psi, float(jensenshannon(*shares)) if known else np.nan))
    numbers.insert(1, "psi", [psi for psi, _ in figures])
    return numbers.assign(js=[js for _, js in figures])


def _count_rows_by_decile(
    profile: BaselineProfile, counts: Counts, name: str
) -> tuple[Cells, Cells]:
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
