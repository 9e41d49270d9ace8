from datetime import date

import pytest
from pydantic import ValidationError

from clientela.pipelines.data_generation.retail import TransactionDirtShares, TransactionSimulation


def test_unknown_parameters_are_refused_by_name():
    with pytest.raises(ValidationError, match="customer_count"):
        TransactionSimulation(customer_count=10)


def test_unknown_kinds_of_dirt_are_refused_by_name():
    with pytest.raises(ValidationError, match="typos"):
        TransactionDirtShares(typos=0.01)


@pytest.mark.parametrize("share", [-0.001, 0.051, float("nan")])
def test_a_share_of_dirt_outside_its_bounds_is_refused(share):
    with pytest.raises(ValidationError, match="missing_amount"):
        TransactionDirtShares(missing_amount=share)


def test_a_window_that_ends_before_it_starts_is_refused_with_both_dates():
    with pytest.raises(ValidationError, match="start=2024-01-02 and end=2024-01-01"):
        TransactionSimulation(start=date(2024, 1, 2), end=date(2024, 1, 1))


def test_only_kinds_with_a_share_above_zero_count():
    nothing_but = dict.fromkeys(TransactionDirtShares.model_fields, 0.0)
    dirt = TransactionDirtShares(**(nothing_but | {"missing_amount": 0.01}))
    assert TransactionSimulation(dirt=dirt).dirt_shares == {"missing_amount": 0.01}


def test_null_dirt_means_none():
    assert TransactionSimulation(dirt=None).dirt_shares == {}


def test_the_largest_shares_together_leave_clean_rows():
    assert 0.05 * len(TransactionDirtShares.model_fields) < 1
