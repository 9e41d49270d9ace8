from math import log, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.monitoring.statistical_tests import (
    compute_js_divergence,
    compute_psi_noise,
    compute_psi_terms,
    compute_shares,
)

CELLS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8).filter(
    lambda pairs: all(sum(side) > 0 for side in zip(*pairs, strict=True))
)
# real loans, 7,534 before and 3,229 after: deciles and MISSING of the reported income
INCOME = (
    np.array([550, 640, 463, 547, 549, 550, 549, 550, 550, 550, 2036]),
    np.array([199, 91, 17, 405, 375, 230, 229, 224, 300, 265, 894]),
)
TERM = np.array([2372, 774, 1102, 2580, 706]), np.array([1533, 424, 418, 402, 452])


@pytest.mark.parametrize(
    ("cells", "psi", "js", "noise"),
    [
        (INCOME, 0.2556805270990812, 0.041055761755423366, 0.010268353412864292),
        (TERM, 0.31349308178392693, 0.054877261912638954, 0.005873946095574935),
    ],
)
def test_figures_of_real_loans(cells, psi, js, noise):
    assert compute_psi_terms(*cells, 0.5).sum() == pytest.approx(psi, rel=1e-12)
    assert compute_js_divergence(*cells) == pytest.approx(js, rel=1e-12)
    assert compute_psi_noise(*cells, 0.99) == pytest.approx(noise, rel=1e-12)


@given(CELLS)
def test_psi_is_that_of_a_loop_over_the_cells_that_are_not_empty(pairs):
    there = [(left, right) for left, right in pairs if left + right > 0]
    n, m = (sum(side) + len(there) / 2 for side in zip(*there, strict=True))
    expected = 0.0
    for left, right in there:
        p, q = (left + 0.5) / n, (right + 0.5) / m
        expected += (p - q) * log(p / q)
    found = compute_psi_terms(*np.array(pairs).T, 0.5)
    assert found.sum() == pytest.approx(expected, abs=1e-12)
    assert (found >= 0).all()


@given(CELLS)
def test_jensen_shannon_is_that_of_a_loop_in_bits(pairs):
    n, m = (sum(side) for side in zip(*pairs, strict=True))
    expected = 0.0
    for left, right in pairs:
        p, q = left / n, right / m
        for share in (p, q):
            if share > 0:
                expected += share * log2(2 * share / (p + q)) / 2
    found = compute_js_divergence(*np.array(pairs).T)
    assert found == pytest.approx(expected, abs=1e-12)
    assert 0 <= found <= 1 + 1e-12


def test_one_cell_has_no_noise():
    assert compute_psi_noise(np.array([10, 0]), np.array([5, 0]), 0.99) == 0.0


def test_noise_is_what_psi_reaches_without_drift():
    rng = np.random.default_rng(7)
    n, m, even = 5000, 3000, [0.1] * 10
    drawn = [
        compute_psi_terms(rng.multinomial(n, even), rng.multinomial(m, even), 0.5).sum()
        for _ in range(2000)
    ]
    noise = compute_psi_noise(np.full(10, n // 10), np.full(10, m // 10), 0.99)
    assert np.quantile(drawn, 0.99) == pytest.approx(noise, rel=0.1)


def test_no_rows_have_no_shares():
    assert np.isnan(compute_shares(np.array([0, 0]))).all()
