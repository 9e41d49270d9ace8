"""What a script does: both samples in pandas, and one scipy call after another per column."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from drift_task import CATEGORIES, NUMBERS, WATCHED, written

DECILES = np.linspace(0, 1, 11)
EPSILON = 1e-6


def save(current: Path, baseline: Path, profile: Path, output: Path) -> None:  # noqa: ARG001
    """Scores the rows against those of the baseline.

    Args:
        current: The rows.
        baseline: The baseline's rows.
        profile: Not read.
        output: Where to write.
    """
    then, now = (pd.read_parquet(place, columns=WATCHED) for place in (baseline, current))
    numbers = [_number(name, then[name].dropna(), now[name].dropna()) for name in NUMBERS]
    categories = [_category(name, then[name], now[name]) for name in CATEGORIES]
    written(pd.DataFrame([*numbers, *categories]), output)


def _number(name: str, then: pd.Series, now: pd.Series) -> dict[str, object]:
    edges = np.unique(np.quantile(then, DECILES))
    p, q = (np.histogram(values, edges)[0] / len(values) for values in (then, now))
    p, q = np.maximum(p, EPSILON), np.maximum(q, EPSILON)
    return {
        "feature": name,
        "ks": ks_2samp(then, now).statistic,
        "psi": float(((p - q) * np.log(p / q)).sum()),
        "js": float(jensenshannon(p, q)),
        "wasserstein": wasserstein_distance(then, now),
    }


def _category(name: str, then: pd.Series, now: pd.Series) -> dict[str, object]:
    table = pd.DataFrame({"then": then.value_counts(), "now": now.value_counts()}).fillna(0)
    return {"feature": name, "chi2": chi2_contingency(table.T.to_numpy()).statistic}
