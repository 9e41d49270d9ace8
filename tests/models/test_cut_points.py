from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.models.metrics import ORDINAL_METRICS, get_point_metric
from clientela.models.ordinal_decision import (
    MAX_CANDIDATES,
    apply_cut_points,
    compute_midpoints,
    compute_out_of_fold_scores,
    select_argmax_codes,
    select_median_codes,
    tune_cut_points,
)

VALUES = np.array([0.0, 1.0, 2.0, 4.0])
QWK = get_point_metric("qwk")


def noisy_scores(seed, rows):
    generator = np.random.default_rng(seed)
    true = generator.integers(0, 4, size=rows)
    return np.round(0.4 * VALUES[true] + 0.6 + generator.normal(0, 0.4, size=rows), 1), true


def exhaustive_best(score, true, metric):
    distinct = np.unique(score)
    cuts = [distinct[0] - 4, *((distinct[1:] + distinct[:-1]) / 2), distinct[-1] + 4]
    sign = 1 if metric.greater_is_better else -1
    return max(
        sign * metric(true, apply_cut_points(score, np.array(three)), VALUES)
        for three in combinations_with_replacement(cuts, 3)
    )


@pytest.mark.parametrize("name", ["qwk", "mae_value", "amae", "accuracy"])
def test_cut_points_reach_nearly_the_best_of_all_combinations(name):
    metric = get_point_metric(name)
    sign = 1 if metric.greater_is_better else -1
    gaps = []
    for seed in range(6):
        score, true = noisy_scores(seed, 25)
        found = apply_cut_points(score, tune_cut_points(score, true, VALUES, metric))
        gaps.append(exhaustive_best(score, true, metric) - sign * metric(true, found, VALUES))
    assert np.median(gaps) == pytest.approx(0, abs=1e-9)
    assert max(gaps) < 0.08


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999), name=st.sampled_from(["qwk", "mae_class", "off_by_one"]))
def test_cut_points_are_ordered_finite_and_never_worse_than_midpoints(seed, name):
    metric = get_point_metric(name)
    score, true = noisy_scores(seed, 40)
    cuts = tune_cut_points(score, true, VALUES, metric)
    assert np.isfinite(cuts).all()
    assert (np.diff(cuts) >= 0).all()
    sign = 1 if metric.greater_is_better else -1
    fitted = metric(true, apply_cut_points(score, cuts), VALUES)
    literal = metric(true, apply_cut_points(score, compute_midpoints(VALUES)), VALUES)
    assert sign * fitted >= sign * literal - 1e-12


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 999))
def test_cut_points_do_not_depend_on_the_order_of_rows(seed):
    score, true = noisy_scores(seed, 60)
    order = np.random.default_rng(seed).permutation(60)
    straight = tune_cut_points(score, true, VALUES, QWK)
    assert (straight == tune_cut_points(score[order], true[order], VALUES, QWK)).all()


def test_many_distinct_scores_are_searched_on_their_quantiles():
    generator = np.random.default_rng(2)
    true = generator.integers(0, 4, size=5 * MAX_CANDIDATES)
    score = VALUES[true] * 0.2 + generator.normal(0, 0.2, size=len(true))
    cuts = tune_cut_points(score, true, VALUES, QWK)
    literal = apply_cut_points(score, compute_midpoints(VALUES))
    assert ORDINAL_METRICS["qwk"](true, apply_cut_points(score, cuts), VALUES) > 0.6
    assert ORDINAL_METRICS["qwk"](true, literal, VALUES) < 0.4


def test_a_constant_score_puts_everybody_into_one_class():
    cuts = tune_cut_points(np.full(8, 1.0), np.array([0, 0, 0, 0, 0, 1, 2, 3]), VALUES, QWK)
    assert len(np.unique(apply_cut_points(np.full(8, 1.0), cuts))) == 1
    assert np.isfinite(cuts).all()


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


CODES = np.array([0] * 12 + [1] * 6 + [2] * 4 + [3])
ROWS = np.arange(len(CODES))[:, None]


def test_no_row_is_scored_by_a_model_that_learned_from_it():
    def share_of_own_rows(learned, codes, held_out):
        assert len(learned) == len(codes)
        return np.isin(held_out[:, 0], learned[:, 0]).astype(float)

    scores = compute_out_of_fold_scores(share_of_own_rows, ROWS, CODES, folds=5, seed=1)
    assert scores.tolist() == [0.0] * len(CODES)


def test_scores_come_back_in_the_order_of_the_rows():
    scores = compute_out_of_fold_scores(
        lambda _x, _y, held_out: held_out[:, 0], ROWS, CODES, folds=5, seed=1
    )
    assert scores.tolist() == ROWS[:, 0].tolist()


@pytest.mark.parametrize(("codes", "expected"), [([0] * 9 + [1] * 9, 5), ([0, 0, 0, 1, 1, 2], 3)])
def test_folds_shrink_to_the_commonest_class(codes, expected):
    fits = []

    def count_fits(_learned, _codes, held_out):
        fits.append(len(held_out))
        return np.zeros(len(held_out))

    compute_out_of_fold_scores(
        count_fits, np.zeros((len(codes), 1)), np.array(codes), folds=5, seed=1
    )
    assert len(fits) == expected


def test_the_seed_decides_the_folds():
    def mean_of_learned(learned, _codes, held_out):
        return np.full(len(held_out), learned.mean())

    def scores(seed):
        return compute_out_of_fold_scores(mean_of_learned, ROWS, CODES, folds=4, seed=seed).tolist()

    assert scores(1) == scores(1)
    assert scores(1) != scores(2)
