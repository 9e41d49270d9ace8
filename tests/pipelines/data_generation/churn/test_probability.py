import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from clientela.pipelines.data_generation.churn import (
    INTERCEPT,
    NOISE,
    Behaviour,
    churn_probability,
    draw_churn,
)
from clientela.pipelines.data_generation.simulation import RowBlock, expected_roc_auc


@pytest.mark.parametrize(
    ("visits", "session", "complaints", "expected"),
    [(30, 120.0, 10, 0.0), (0, 0.0, 0, 0.0), (15, 60.0, 0, -2.0), (3, 12.0, 5, 1.6)],
)
def test_the_log_odds_follow_the_stated_law(visits, session, complaints, expected):
    habits = Behaviour(np.array([visits]), np.array([session]), np.array([complaints]))
    assert habits.logit() == pytest.approx([INTERCEPT + expected])


@pytest.mark.parametrize(("visits", "complaints"), [(1, 10), (30, 0), (12, 4)])
def test_the_probability_is_the_integral_over_the_noise(visits, complaints):
    habits = Behaviour(np.array([visits]), np.array([50.0]), np.array([complaints]))
    logit = habits.logit()[0]
    integral, _ = quad(
        lambda z: norm.pdf(z) / (1 + np.exp(-(logit + NOISE * z))), -12, 12, epsabs=1e-12
    )
    assert churn_probability(habits) == pytest.approx([integral], abs=1e-9)


def test_even_distributions_without_intercept_have_the_ceiling_that_was_stated():
    rng = np.random.default_rng(0)
    habits = Behaviour(
        rng.integers(1, 31, 200_000), rng.uniform(5, 120, 200_000), rng.integers(0, 11, 200_000)
    )
    logit = habits.logit() - INTERCEPT
    probability = 1 / (1 + np.exp(-logit / np.sqrt(1 + np.pi * NOISE**2 / 8)))
    assert expected_roc_auc(probability) == pytest.approx(0.8132, abs=0.001)
    assert probability.mean() == pytest.approx(0.488, abs=0.003)


def test_outcomes_occur_as_often_as_their_probability_says():
    habits = Behaviour(np.full(100_000, 8), np.full(100_000, 40.0), np.full(100_000, 6))
    share = draw_churn(RowBlock(0, 2, 0, 100_000), habits).mean()
    assert share == pytest.approx(churn_probability(habits)[0], abs=0.006)
