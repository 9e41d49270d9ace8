import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.models.ordinal_decision import (
    apply_cut_points,
    compute_midpoints,
    select_argmax_codes,
    select_median_codes,
)

VALUES = np.array([0.0, 1.0, 2.0, 4.0])


@given(st.lists(st.floats(-3, 8), min_size=1, max_size=30))
def test_midpoints_choose_the_nearest_value_and_the_lower_of_two(scores):
    nearest = [int(np.argmin([abs(score - value) for value in VALUES])) for score in scores]
    halfway = np.isin(scores, [0.5, 1.5, 3.0])
    chosen = apply_cut_points(np.array(scores), compute_midpoints(VALUES))
    # next to a midpoint the loop's distances round to a tie, and both answers are right
    unclear = np.min(np.abs(np.subtract.outer(scores, [0.5, 1.5, 3.0])), axis=1) < 1e-12
    assert (chosen == nearest)[~unclear | halfway].all()


def test_scores_on_a_midpoint_go_to_the_lower_class():
    scores = np.array([0.5, 1.5, 3.0, np.nextafter(3.0, 4.0)])
    assert apply_cut_points(scores, compute_midpoints(VALUES)).tolist() == [0, 1, 2, 3]


def test_scores_outside_the_values_go_to_the_outer_classes():
    assert apply_cut_points(np.array([-5.0, 9.0]), compute_midpoints(VALUES)).tolist() == [0, 3]


def test_argmax_takes_the_lower_of_equally_likely_classes():
    assert select_argmax_codes(np.array([[0.1, 0.4, 0.4, 0.1], [0, 0, 0, 1.0]])).tolist() == [1, 3]


def test_median_is_the_first_class_whose_cumulative_probability_reaches_one_half():
    table = np.array(
        [[0.5, 0, 0, 0.5], [0.4, 0.05, 0.05, 0.5], [0, 0, 0.2, 0.8], [0.3, 0.3, 0.4, 0]]
    )
    assert select_median_codes(table).tolist() == [0, 2, 3, 1]


@given(st.integers(0, 999))
def test_median_minimises_the_expected_distance_in_classes(seed):
    table = np.random.default_rng(seed).dirichlet(np.ones(4), size=1)
    codes = np.arange(4)
    costs = [float(table[0] @ np.abs(codes - code)) for code in codes]
    assert costs[select_median_codes(table)[0]] == pytest.approx(min(costs))
