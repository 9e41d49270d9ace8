from itertools import pairwise
from math import log, sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from tests.pipelines.monitoring.profiled_loans import SETTINGS, loans, profile_of

from clientela.pipelines.monitoring.counting import count_rows_by_cell
from clientela.pipelines.monitoring.drift_table import classic_drift_table
from clientela.pipelines.monitoring.statistical_tests import compute_exact_distances

RNG = np.random.default_rng(0)
THEN, NOW = RNG.normal(0, 1, 1000), RNG.normal(0.2, 1.1, 700)


def classic(then: np.ndarray, now: np.ndarray) -> pd.Series:
    profile = profile_of(pd.DataFrame({"monto": then}))
    found = count_rows_by_cell(pd.DataFrame({"monto": now}), profile)
    return classic_drift_table(profile, found, SETTINGS).set_index("feature").loc["monto"]


def decile_shares(values: np.ndarray) -> list[float]:
    """Between deciles of THEN, the last closed on both sides, without what lies outside."""
    edges = sorted(set(np.quantile(THEN, np.linspace(0, 1, 11)).tolist()))
    rows = [
        sum(low <= value < high or (high == edges[-1] == value) for value in values)
        for low, high in pairwise(edges)
    ]
    return [count / sum(rows) for count in rows]


def test_classic_psi_is_that_of_a_loop_over_deciles():
    pairs = zip(decile_shares(THEN), decile_shares(NOW), strict=True)
    expected = sum((p - q) * log(p / q) for p, q in pairs)
    assert classic(THEN, NOW)["psi"] == pytest.approx(expected, rel=1e-12)


def test_classic_js_is_the_distance_in_nats():
    total = 0.0
    for p, q in zip(decile_shares(THEN), decile_shares(NOW), strict=True):
        total += p * log(2 * p / (p + q)) / 2 + q * log(2 * q / (p + q)) / 2
    assert classic(THEN, NOW)["js"] == pytest.approx(sqrt(total), rel=1e-12)


def test_deciles_of_every_column_are_counted_as_numpy_does():
    then, now = loans(800), loans(300, seed=1)
    profile = profile_of(then)
    table = classic_drift_table(profile, count_rows_by_cell(now, profile), SETTINGS).set_index(
        "feature"
    )
    for name in ("salario_cliente", "plazo_meses", "promedio_ingresos"):
        before, after = then[name].dropna(), now[name].dropna()
        edges = np.unique(np.quantile(before, np.linspace(0, 1, 11)))
        p, q = (np.histogram(values, edges)[0] for values in (before, after))
        p, q = np.maximum(p / p.sum(), 1e-6), np.maximum(q / q.sum(), 1e-6)
        assert table.loc[name, "psi"] == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-12)
    assert np.isnan(table.loc["version_politica", "psi"])


def test_an_empty_bin_weighs_as_the_epsilon():
    expected = (0.1 - 1) * log(0.1) + 9 * (0.1 - 1e-6) * log(0.1 / 1e-6)
    assert classic(np.arange(100.0), np.full(3, 1.5))["psi"] == pytest.approx(expected)


@pytest.mark.parametrize("now", [np.full(5, 1e12), np.full(3, np.nan)])
def test_what_lies_outside_or_is_missing_is_dropped(now):
    assert classic(THEN, now)[["psi", "js"]].isna().all()


@pytest.mark.parametrize("then", [np.full(9, 3.0), np.full(9, np.nan)])
def test_a_baseline_without_two_values_has_no_deciles(then):
    assert classic(then, NOW)[["psi", "js"]].isna().all()


def test_ks_is_exact_with_the_values_at_hand_and_certified_without():
    profile = profile_of(pd.DataFrame({"monto": THEN}))
    found = count_rows_by_cell(pd.DataFrame({"monto": NOW}), profile)
    exact = {"monto": compute_exact_distances(THEN, NOW)}
    d = ks_2samp(THEN, NOW).statistic
    assert classic_drift_table(profile, found, SETTINGS, exact)["ks"].tolist() == [d]
    assert classic_drift_table(profile, found, SETTINGS)["ks"].tolist() == [
        pytest.approx(d, abs=1 / 400)
    ]
