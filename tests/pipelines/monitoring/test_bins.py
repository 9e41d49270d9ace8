import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.monitoring.profile import compute_bin_edges


def test_without_heavy_values_edges_are_the_deciles():
    values = np.sort(np.random.default_rng(0).normal(size=997))
    edges = compute_bin_edges(values, 10)
    expected = np.quantile(values, np.arange(1, 10) / 10)
    np.testing.assert_allclose([value for value, _ in edges], expected, rtol=1e-15)
    assert all(included for _, included in edges)


def test_a_heavy_value_is_a_bin_of_its_own_and_the_rest_keep_theirs():
    values = np.sort(np.concatenate([np.zeros(60), np.arange(1, 41)]))
    assert compute_bin_edges(values, 10) == [
        (0.0, False),
        (0.0, True),
        (10.75, True),
        (20.5, True),
        (30.25, True),
    ]


def test_a_constant_has_a_bin_below_it_and_one_above():
    assert compute_bin_edges(np.full(30, 7.0), 10) == [(7.0, False), (7.0, True)]


def test_a_single_row_is_a_constant():
    assert compute_bin_edges(np.array([7.0]), 10) == [(7.0, False), (7.0, True)]


@given(st.lists(st.integers(-5, 5), min_size=1), st.integers(2, 12))
def test_bins_ascend_and_no_light_one_is_much_heavier_than_asked(numbers, bins):
    values = np.sort(np.array(numbers, dtype=float))
    edges = compute_bin_edges(values, bins)
    assert edges == sorted(set(edges))
    assert edges == [] or values[0] <= edges[0][0] <= edges[-1][0] <= values[-1]
