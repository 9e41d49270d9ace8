"""Where a column moved: its bins or values in the baseline and now."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from clientela.drift.counts import Counts
from clientela.drift.divergence import psi_parts, shares
from clientela.drift.drift_table import compared_cells
from clientela.drift.profile import BaselineProfile, CategoricalProfile, Edge, NumericProfile
from clientela.drift.settings import DriftSettings
from clientela.exceptions import ConfigurationError, did_you_mean

Label = dict[str, Any]


def bin_contributions(
    profile: BaselineProfile, counts: Counts, feature: str, settings: DriftSettings
) -> pd.DataFrame:
    """One row per cell that PSI compares, in the order of the column.

    Args:
        profile: The baseline.
        counts: Of the current data.
        feature: The column.
        settings: How distributions are compared.

    Returns:
        `kind` (`interval`, `value`, `other`, `new`, `missing`), `lower` and `upper` (of an
        interval, NaN where open; lower excluded), `upper_included`, `value` (the category or the
        heavy number, as text; None otherwise), `baseline_rows`, `current_rows`, `baseline_share`,
        `current_share`, `psi` (what the cell adds).

    Raises:
        ConfigurationError: The profile has no such column.
    """
    if feature not in profile.columns:
        hint = did_you_mean(feature, profile.columns)
        raise ConfigurationError(f"{feature} should be a watched column; it is none. {hint}")
    column = profile.columns[feature]
    cells = np.asarray(counts.cells[feature], dtype=np.int64)
    baseline, current = compared_cells(column, cells)
    labels = _bins(column) if isinstance(column, NumericProfile) else _values(column)
    return pd.DataFrame(
        [*labels, _label("missing")], columns=["kind", "lower", "upper", "upper_included", "value"]
    ).assign(
        baseline_rows=baseline,
        current_rows=current,
        baseline_share=shares(baseline),
        current_share=shares(current),
        psi=psi_parts(baseline, current, settings.pseudo_count),
    )


def _bins(column: NumericProfile) -> list[Label]:
    return [_bin(lower, upper) for lower, upper in pairwise([None, *column.edges, None])]


def _bin(lower: Edge | None, upper: Edge | None) -> Label:
    if lower and upper and lower.value == upper.value:
        return _label("value", value=repr(upper.value))
    return _label(
        "interval",
        lower=lower.value if lower else np.nan,
        upper=upper.value if upper else np.nan,
        upper_included=bool(upper and upper.included),
    )


def _values(column: CategoricalProfile) -> list[Label]:
    own = [_label("value", value=value) for value in column.values]  # noqa: PD011 - no frame
    return [*own, _label("other"), _label("new")]


def _label(kind: str, **given: Any) -> Label:
    nothing = {"lower": np.nan, "upper": np.nan, "upper_included": False, "value": None}
    return {"kind": kind, **nothing, **given}
