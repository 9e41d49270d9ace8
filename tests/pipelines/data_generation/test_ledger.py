from collections import defaultdict

import numpy as np
import pytest

from clientela.pipelines.data_generation.retail import draw_purchases
from clientela.pipelines.data_generation.transactions import (
    CENTS_PER_POINT,
    EARNING,
    POINT_VALUE_CENTS,
    REDEEMING,
    REFUNDING,
    build_ledger,
    count_refunds,
)


@pytest.fixture(scope="module", params=range(4))
def ledger(request, customers, calendar):
    rng = np.random.default_rng(request.param)
    purchases = draw_purchases(rng, customers, calendar, 6_000)
    return build_ledger(rng, purchases, 600, calendar)  # many refunds: the hard case for balances


def entries(ledger):
    return zip(*(column.tolist() for column in vars(ledger).values()), strict=True)


def test_no_balance_is_ever_negative_and_the_last_one_is_reported(ledger, customers):
    held = defaultdict(int)
    for customer, _category, _second, _cents, points, _kind in entries(ledger):
        held[customer] += points
        assert held[customer] >= 0
    count = len(customers.number)
    assert ledger.balance(count).tolist() == [held[customer] for customer in range(count)]


def test_entries_are_in_order_of_time(ledger):
    assert (np.diff(ledger.second) >= 0).all()


def test_every_refund_reverses_one_earlier_purchase(ledger):
    open_purchases = defaultdict(int)
    refunds = 0
    for customer, category, _second, cents, points, kind in entries(ledger):
        if kind == REFUNDING:
            refunds += 1
            key = (customer, category, -cents, -points)
            assert open_purchases[key] > 0
            open_purchases[key] -= 1
        else:
            open_purchases[customer, category, cents, points] += 1
    assert refunds == 600


def test_points_follow_the_kind_of_the_entry(ledger):
    earning, redeeming = ledger.kind == EARNING, ledger.kind == REDEEMING
    assert (ledger.points[earning] == ledger.cents[earning] // CENTS_PER_POINT).all()
    assert (ledger.points[redeeming] < 0).all()
    worth = -ledger.points[redeeming] * POINT_VALUE_CENTS
    assert (worth <= ledger.cents[redeeming]).all()
    assert redeeming.sum() > 100


def test_only_refunds_are_negative_amounts(ledger):
    assert ((ledger.cents < 0) == (ledger.kind == REFUNDING)).all()


def test_a_share_of_the_rows_are_refunds():
    assert count_refunds(1_000) == 15
    assert count_refunds(1) == 0
