import numpy as np
import pandas as pd
import pytest

from clientela.pipelines.data_generation.credit import (
    MONTHS,
    PRODUCTS,
    CreditSimulation,
    draw_loan_terms,
)


@pytest.fixture(scope="module")
def terms(block, borrowers):
    return draw_loan_terms(CreditSimulation(), block, borrowers)


def test_instalments_repay_the_capital_within_the_term(terms):
    ratio = terms.capital / terms.months / terms.instalment
    assert ((ratio > 0.69) & (ratio < 1.31)).all()
    assert np.mean(ratio) == pytest.approx(1.1, abs=0.01)


def test_products_and_terms_are_the_known_ones(terms):
    assert set(terms.product) == set(PRODUCTS)
    assert set(terms.months) == set(MONTHS)


def test_capital_is_skewed_and_above_its_minimum(terms):
    assert terms.capital.min() >= 360_000
    assert np.median(terms.capital) == pytest.approx(1_900_000, rel=0.05)
    assert pd.Series(terms.capital).skew() > 1.5


def test_loans_are_made_in_opening_hours_of_the_window(terms):
    moment = pd.to_datetime(terms.second, unit="s")
    assert moment.min() >= pd.Timestamp("2024-11-26 07:00")
    assert moment.max() < pd.Timestamp("2026-04-26 21:00")
    assert set(moment.hour) <= set(range(7, 21))


def test_most_loans_are_old(terms):
    assert (terms.elapsed < 0.5).mean() > 0.8


def test_a_window_of_one_day_holds_all_loans(block, borrowers):
    day = CreditSimulation(start="2025-03-01", end="2025-03-01")
    moment = pd.to_datetime(draw_loan_terms(day, block, borrowers).second, unit="s")
    assert set(moment.strftime("%Y-%m-%d")) == {"2025-03-01"}
