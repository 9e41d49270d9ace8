import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, truncexpon

from clientela.pipelines.data_generation.retail import (
    CATEGORIES,
    draw_purchases,
    draw_truncated_exponential,
)
from clientela.pipelines.data_generation.simulation import SECONDS_PER_HOUR


@given(st.integers(0, 2_000), st.integers(0, 100))
def test_exactly_as_many_purchases_as_asked_for(customers, calendar, count, seed):
    bought = draw_purchases(np.random.default_rng(seed), customers, calendar, count)
    assert {len(column) for column in vars(bought).values()} == {count}


def test_every_purchase_lies_in_the_active_hours_of_its_customer(customers, calendar):
    bought = draw_purchases(np.random.default_rng(1), customers, calendar, 20_000)
    hour = (bought.second - calendar.first_second) / SECONDS_PER_HOUR
    one_second = 1.01 / SECONDS_PER_HOUR  # times are cut to whole seconds
    assert (hour >= customers.active_from[bought.customer] - one_second).all()
    assert (hour <= customers.active_until[bought.customer]).all()


def test_rubros_are_bought_in_their_shares(customers, calendar):
    bought = draw_purchases(np.random.default_rng(1), customers, calendar, 50_000)
    shares = np.bincount(bought.category) / 50_000
    assert shares == pytest.approx([category.share for category in CATEGORIES], abs=0.01)


def test_tickets_have_the_median_of_their_rubro(customers, calendar):
    bought = draw_purchases(np.random.default_rng(1), customers, calendar, 50_000)
    level = bought.cents / 100 / customers.amount_factor[bought.customer]
    for position, category in enumerate(CATEGORIES):
        median = np.median(level[bought.category == position])
        assert median == pytest.approx(category.median_amount, rel=0.15)
    assert bought.cents.min() >= 100


def test_waiting_times_follow_scipys_truncated_exponential():
    draws = draw_truncated_exponential(np.random.default_rng(5), 25.0, np.full(4_000, 40.0))
    assert kstest(draws, truncexpon(b=40.0 / 25.0, scale=25.0).cdf).pvalue > 0.01


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=20), st.integers(0, 1000))
def test_waiting_times_stay_within_their_limits(limits, seed):
    limit = np.array(limits)
    draws = draw_truncated_exponential(np.random.default_rng(seed), 600.0, limit)
    assert (draws >= 0).all()
    assert (draws <= limit).all()
