import numpy as np
import pytest

from clientela.pipelines.data_generation.simulation import expected_roc_auc


def by_pairs(probability):
    """Every pair of rows, one positive and one negative: the better score, ties for a half."""
    wins = pairs = 0.0
    for p in probability:
        for q in probability:
            weight = p * (1 - q)
            pairs += weight
            wins += weight * (1.0 if p > q else 0.5 if p == q else 0.0)
    return wins / pairs


def test_it_equals_the_sum_over_all_pairs():
    probability = np.array([0.9, 0.2, 0.2, 0.55, 0.01])
    assert expected_roc_auc(probability) == pytest.approx(by_pairs(probability))


def test_equal_probabilities_cannot_be_ranked():
    assert expected_roc_auc(np.full(10, 0.3)) == pytest.approx(0.5)


def test_certainty_ranks_without_a_mistake():
    assert expected_roc_auc(np.array([0.0, 1.0, 1.0])) == pytest.approx(1.0)


def test_drawn_outcomes_reach_it_on_average():
    rng = np.random.default_rng(1)
    probability = rng.beta(1, 3, 400)
    outcomes = rng.random((200, 400)) < probability
    order = np.argsort(probability)
    ranks = np.empty(400)
    ranks[order] = np.arange(1, 401)
    positives = outcomes.sum(axis=1)
    area = ((outcomes @ ranks) - positives * (positives + 1) / 2) / (positives * (400 - positives))
    assert expected_roc_auc(probability) == pytest.approx(area.mean(), abs=0.005)
