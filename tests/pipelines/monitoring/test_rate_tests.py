from math import comb

import numpy as np
import pytest
from tests.pipelines.monitoring.decision_cases import drift_rows

from clientela.reporting.drift_findings import (
    compute_new_values_p_value,
    compute_out_of_range_p_value,
    compute_rate_change_p_value,
    compute_rate_q_values,
)


def hypergeometric(missing, n, missing_baseline, n_baseline):
    """Probability that so many of all missing rows fall into the current ones."""
    total = missing + missing_baseline
    return comb(n, missing) * comb(n_baseline, total - missing) / comb(n + n_baseline, total)


@pytest.mark.parametrize(("missing", "before"), [(3, 1), (0, 7), (11, 0), (2, 13)])
def test_a_change_of_missing_is_as_probable_as_the_sum_of_what_is_no_likelier(missing, before):
    n, n_baseline = 11, 80
    observed = hypergeometric(missing, n, before, n_baseline)
    total = missing + before
    every = [
        hypergeometric(k, n, total - k, n_baseline)
        for k in range(max(0, total - n_baseline), min(n, total) + 1)
    ]
    expected = sum(p for p in every if p <= observed * (1 + 1e-9))
    assert compute_rate_change_p_value(
        missing / n, n, before / n_baseline, n_baseline
    ) == pytest.approx(expected)


def test_new_values_are_as_probable_as_if_all_rows_had_been_shuffled():
    expected = comb(20, 3) / comb(120, 3)
    assert compute_new_values_p_value(3 / 20, 20, 100) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_rows_beyond_the_extremes_are_as_probable_as_simulated(k):
    random = np.random.default_rng(3)
    values = random.random((20_000, 130))
    old, new = values[:, :100], values[:, 100:]
    low, high = old.min(axis=1, keepdims=True), old.max(axis=1, keepdims=True)
    beyond = ((new < low) | (new > high)).sum(axis=1)
    assert compute_out_of_range_p_value(k / 30, 30, 100) == pytest.approx(
        (beyond >= k).mean(), abs=0.015
    )


def test_nothing_beyond_the_extremes_is_certain_to_be_reached():
    assert compute_out_of_range_p_value(0.0, 30, 100) == 1


def test_a_rate_that_was_not_measured_has_no_significance():
    found = compute_rate_q_values(drift_rows({}))
    assert found["q_new"].isna().all()
    assert found[["q_missing", "q_out_of_range"]].to_numpy().tolist() == [[1.0, 1.0]]


def test_no_rows_prove_nothing():
    assert compute_rate_q_values(drift_rows({"n": 0})).isna().all(axis=None)


def test_all_tests_of_a_table_are_one_family():
    # n / (N + n) = .01 for one row beyond: alone p = .0199, among 2 x 10 tests never below .01
    row = {"n": 100, "n_baseline": 9900, "out_of_range_rate": 0.02}
    alone = compute_rate_q_values(drift_rows(row))["q_out_of_range"].iloc[0]
    among = compute_rate_q_values(drift_rows(row, *[{}] * 9))["q_out_of_range"].iloc[0]
    assert among == pytest.approx(10 * alone)
