import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from clientela.pipelines.monitoring.statistical_tests import (
    compute_cramers_v,
    merge_sparse_cells,
    run_chi_square_test,
)

# real loans: Creciente, Decreciente, Estable, MISSING, OTHER of tendencia_ingresos
TREND = np.array([3602, 919, 931, 2037, 45]), np.array([1692, 372, 257, 895, 13])


def test_figures_of_real_loans():
    found = run_chi_square_test(*TREND, 5)
    assert found.chi2 == pytest.approx(52.132515842171415, rel=1e-12)
    assert found.p == pytest.approx(1.294184627792699e-10, rel=1e-9)
    assert found.cramers_v == pytest.approx(0.06687612678198344, rel=1e-9)


def test_47_raw_categories_of_real_loans_have_the_stated_cramers_v():
    table = np.zeros((2, 47))
    table[:, 0] = 7534, 3229  # only size and shape enter beside the statistic
    assert compute_cramers_v(89.44712642509096, table) == pytest.approx(
        0.06353494715150679, rel=1e-9
    )


TABLES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12
).filter(lambda pairs: all(sum(side) > 0 for side in zip(*pairs, strict=True)))


@given(TABLES)
def test_pooling_loses_no_row_and_leaves_enough_in_each_cell(pairs):
    table = np.array(pairs).T
    found = merge_sparse_cells(table[:, table.sum(axis=0) > 0], 5)
    assert found.sum(axis=1).tolist() == table.sum(axis=1).tolist()
    assert found.shape[1] == 1 or chi2_contingency(found).expected_freq.min() >= 5


@given(TABLES)
def test_a_sample_and_its_double_do_not_differ(pairs):
    cells = np.array(pairs)[:, 0]
    found = run_chi_square_test(cells, 2 * cells, 5)
    assert found.chi2 == pytest.approx(0)
    assert found.p == pytest.approx(1)
    assert found.cramers_v == 0


def test_neighbours_are_pooled():
    table = np.array([[100, 3, 4, 100], [100, 3, 4, 100]])
    assert merge_sparse_cells(table, 5).tolist() == [[100, 7, 100], [100, 7, 100]]


def test_what_is_left_over_joins_the_last_cell():
    assert merge_sparse_cells(np.array([[100, 50, 2], [100, 50, 2]]), 5).tolist() == [
        [100, 52],
        [100, 52],
    ]


@pytest.mark.parametrize("rows", [4, 11, 100])
def test_few_rows_that_left_a_constant_are_noticed(rows):
    assert run_chi_square_test(np.array([0, 5000, 0]), np.array([0, 0, rows]), 5).p < 1e-6


def test_one_row_beyond_a_constant_may_be_chance():
    assert run_chi_square_test(np.array([0, 200, 0]), np.array([0, 40, 1]), 5).p > 0.1


def test_few_rows_of_a_common_column_show_nothing():
    assert run_chi_square_test(np.full(10, 700), np.ones(10, dtype=int), 5).p == pytest.approx(1)


def test_p_is_uniform_enough_without_drift():
    rng = np.random.default_rng(3)
    mix = [0.5, 0.3, 0.15, 0.045, 0.005]
    for rows in (20, 200):
        drawn = [
            run_chi_square_test(rng.multinomial(5000, mix), rng.multinomial(rows, mix), 5).p
            for _ in range(1000)
        ]
        assert np.mean(np.array(drawn) < 0.05) < 0.07
