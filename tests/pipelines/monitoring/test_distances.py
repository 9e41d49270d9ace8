import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, wasserstein_distance
from tests.pipelines.monitoring.profiled_loans import profile_of

from clientela.pipelines.monitoring.counting import count_rows_by_cell
from clientela.pipelines.monitoring.profile import ProfileSettings
from clientela.pipelines.monitoring.statistical_tests import (
    Distances,
    compute_certified_distances,
    compute_exact_distances,
)

DRAWS = 400


def certified(baseline: np.ndarray, current: np.ndarray, points: int = 200) -> Distances:
    profile = profile_of(pd.DataFrame({"monto": baseline}), ProfileSettings(points=points))
    column = profile.columns["monto"]
    found = count_rows_by_cell(pd.DataFrame({"monto": current}), profile)
    return compute_certified_distances(
        np.asarray(column.points),
        np.asarray(column.cells),
        np.asarray(found.cells["monto"]),
        found.ranges.get("monto"),
    )


def sample(rng: np.random.Generator) -> np.ndarray:
    """One of many shapes: smooth, lumpy, mostly zero, long-tailed, constant, with gaps."""
    size = int(rng.integers(1, 800))
    values = (
        rng.normal(rng.normal(), 1 + rng.random(), size),
        rng.poisson(rng.integers(1, 9), size).astype(float),
        rng.lognormal(0, 2, size) * (rng.random(size) < 0.2),
        rng.standard_t(1.5, size),
        np.full(size, rng.integers(0, 3), dtype=float),
    )[int(rng.integers(5))]
    values[rng.random(size) < rng.choice([0.0, 0.3])] = np.nan
    return values if np.isfinite(values).any() else np.ones(size)


@pytest.mark.parametrize("seed", range(4))
def test_the_certified_interval_holds_the_exact_distance(seed):
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS // 4):
        baseline, current, points = sample(rng), sample(rng), int(rng.integers(10, 250))
        d = ks_2samp(
            baseline[~np.isnan(baseline)], current[~np.isnan(current)], method="asymp"
        ).statistic
        found = certified(baseline, current, points)
        assert found.ks_lower - 1e-12 <= d <= found.ks_upper + 1e-12
        assert found.ks_upper - found.ks_lower <= 1 / points + 1e-12


def test_few_different_values_are_known_exactly():
    rng = np.random.default_rng(1)
    baseline, current = rng.poisson(4, 900).astype(float), rng.poisson(5, 400).astype(float)
    found, exact = certified(baseline, current), compute_exact_distances(baseline, current)
    assert found.ks_lower == found.ks_upper == pytest.approx(exact.ks_lower, abs=1e-12)
    assert found.wasserstein == pytest.approx(exact.wasserstein, rel=0.02)


@pytest.mark.parametrize(
    ("shift", "tolerance"),
    [(0.02, 0.001), (0.3, 0.005), (50.0, 0.5), (3.0, 0.35)],
    ids=["within the range", "mostly within", "all beyond it", "a quarter beyond it"],
)
def test_wasserstein_is_near_that_of_the_values(shift, tolerance):
    rng = np.random.default_rng(2)
    baseline, current = rng.normal(size=5000), rng.normal(shift, 1, size=3000)
    found, exact = certified(baseline, current), compute_exact_distances(baseline, current)
    assert found.wasserstein == pytest.approx(exact.wasserstein, abs=tolerance)


def test_exact_distances_are_those_of_scipy_without_the_missing():
    baseline, current = np.array([1.0, 2.0, 5.0, np.nan]), np.array([2.0, np.nan, 7.0])
    found = compute_exact_distances(baseline, current)
    assert found.ks_lower == found.ks_upper == ks_2samp([1, 2, 5], [2, 7]).statistic
    assert found.wasserstein == wasserstein_distance([1, 2, 5], [2, 7])


def test_without_values_nothing_is_known():
    nothing, something = np.array([np.nan, np.nan]), np.array([1.0, 2.0])
    for pair in ((nothing, something), (something, nothing), (nothing, nothing)):
        assert np.isnan(compute_exact_distances(*pair)).all()
        assert np.isnan(certified(*pair)).all()


def test_values_all_beyond_the_range_are_as_far_as_can_be():
    found = certified(np.arange(100.0), np.full(10, 1e12))
    assert (found.ks_lower, found.ks_upper) == (1.0, 1.0)
    assert found.wasserstein == pytest.approx(1e12)


def test_an_infinite_value_is_infinitely_far():
    assert certified(np.arange(100.0), np.array([5.0, np.inf])).wasserstein == np.inf
