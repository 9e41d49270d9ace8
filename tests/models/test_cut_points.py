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
