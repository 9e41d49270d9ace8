import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.arrays import compute_confusion_matrix
from clientela.models.binary_decision import (
    apply_threshold,
    count_by_threshold,
    tune_thresholds,
)
from clientela.models.metrics import BINARY_METRICS

COSTS = np.array([[0.0, 4.0], [1.0, 0.0]])

rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda step: step / 20)),
    min_size=1,
    max_size=30,
)


@given(rows=rows)
def test_counts_belong_to_their_threshold(rows):
    true, probability = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    thresholds, counts = count_by_threshold(true, probability)
    for threshold, table in zip(thresholds, counts, strict=True):
        assert (
            table == compute_confusion_matrix(true, apply_threshold(probability, threshold), 2)
        ).all()


@given(rows=rows)
def test_no_threshold_at_all_is_better_than_the_learned_one(rows):
    true, probability = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    learned = tune_thresholds(true, probability, COSTS, None)

    def worth(name, threshold):
        value = BINARY_METRICS[name](true, apply_threshold(probability, threshold), COSTS)
        return value if BINARY_METRICS[name].greater_is_better else -value

    for rule, name in {"best_cost": "expected_cost", "best_f1": "f1", "best_mcc": "mcc"}.items():
        best = max(worth(name, threshold) for threshold in np.arange(0, 41) / 40)
        assert worth(name, learned[rule]) == pytest.approx(best)


def test_share_is_met_as_nearly_as_ties_allow():
    true, probability = np.array([0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.4])
    thresholds = {
        share: tune_thresholds(true, probability, COSTS, share)["share"]
        for share in (0.25, 0.4, 0.6, 0.99)
    }
    taken = {share: apply_threshold(probability, t).sum() for share, t in thresholds.items()}
    assert taken == {0.25: 2, 0.4: 2, 0.6: 3, 0.99: 5}


def test_probabilities_without_a_number_between_them_are_still_told_apart():
    low = 0.5
    high = np.nextafter(low, 1)
    thresholds, counts = count_by_threshold(np.array([0, 1]), np.array([low, high]))
    assert thresholds[1] == high
    assert counts[1].tolist() == [[1, 0], [0, 1]]


def test_a_row_on_the_threshold_is_decided_as_1():
    assert apply_threshold(np.array([0.49, 0.5]), 0.5).tolist() == [0, 1]
