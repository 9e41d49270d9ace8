import numpy as np
import pytest
from scipy.stats import spearmanr

from clientela.pipelines.data_generation.credit import TRENDS


def median(values):
    return float(np.median(values))


def test_medians_are_those_of_consumer_loans(borrowers):
    assert median(borrowers.age) == pytest.approx(42, abs=1)
    assert median(borrowers.salary) == pytest.approx(3_000_000, rel=0.05)
    assert median(borrowers.score) == pytest.approx(790, abs=4)
    assert median(borrowers.open_credits) == pytest.approx(5, abs=1)
    assert median(borrowers.inquiries) == pytest.approx(4, abs=1)


def test_shares_are_the_stated_ones(borrowers):
    assert borrowers.self_employed.mean() == pytest.approx(0.37, abs=0.015)
    assert (borrowers.score == 0).mean() == pytest.approx(0.014, abs=0.004)
    assert (borrowers.overdue > 0).mean() == pytest.approx(0.005, abs=0.002)
    assert (borrowers.other_loans == 0).mean() == pytest.approx(0.04, abs=0.006)
    shares = np.bincount(borrowers.trend) / len(borrowers.trend)
    assert dict(zip(TRENDS, shares, strict=True)) == pytest.approx(
        {"Creciente": 0.68, "Decreciente": 0.165, "Estable": 0.155}, abs=0.015
    )


def test_parts_never_exceed_their_whole(borrowers):
    known = borrowers.financial + borrowers.cooperative + borrowers.retail
    assert (known <= borrowers.open_credits).all()
    assert (borrowers.principal <= borrowers.balance).all()
    assert (borrowers.principal == borrowers.balance).mean() > 0.75


def test_wealth_ties_salary_and_debts_together(borrowers):
    assert spearmanr(borrowers.salary, borrowers.other_loans).statistic > 0.6
    assert spearmanr(borrowers.financial, borrowers.balance).statistic > 0.5


def test_nothing_is_negative(borrowers):
    columns = {name: values for name, values in vars(borrowers).items() if name != "wealth"}
    assert all((values >= 0).all() for values in columns.values())
