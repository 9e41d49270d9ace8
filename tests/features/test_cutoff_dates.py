from datetime import date

import pytest

from clientela.exceptions import ConfigurationError
from clientela.features.settings import FeatureParams
from clientela.features.transactions import (
    Cutoff,
    TransactionPeriod,
    resolve_cutoff,
    resolve_scoring_cutoff,
)

YEAR = TransactionPeriod(date(2023, 6, 1), date(2024, 5, 31))


def test_the_period_comes_back_from_its_stored_form() -> None:
    assert TransactionPeriod.from_iso({"first": "2023-06-01", "last": "2024-05-31"}) == YEAR


def test_each_mode_has_its_cutoff() -> None:
    by_last = FeatureParams(category="ropa")
    by_date = FeatureParams(category="ropa", cutoff_mode="calendar")
    last, calendar = (
        Cutoff("last_transaction", None, 3),
        Cutoff("calendar", date(2024, 3, 1), 3),
    )
    for params, expected in ((by_last, last), (by_date, calendar)):
        assert resolve_cutoff(params.cutoff_mode, params, YEAR) == expected


@pytest.mark.parametrize(
    ("last", "months", "as_of"),
    [
        (date(2024, 5, 31), 3, date(2024, 3, 1)),
        (date(2024, 5, 30), 3, date(2024, 2, 29)),
        (date(2024, 2, 29), 1, date(2024, 2, 1)),
        (date(2024, 12, 31), 6, date(2024, 7, 1)),
    ],
)
def test_the_default_date_is_the_latest_whose_target_window_is_whole(
    last: date, months: int, as_of: date
) -> None:
    params = FeatureParams(category="ropa", cutoff_mode="calendar", target_months=months)
    period = TransactionPeriod(date(2023, 1, 1), last)
    assert resolve_cutoff("calendar", params, period) == Cutoff("calendar", as_of, months)


@pytest.mark.parametrize("as_of", [date(2023, 6, 2), date(2024, 3, 1)])
def test_a_date_inside_the_period_is_taken(as_of: date) -> None:
    params = FeatureParams(category="ropa", as_of=as_of)
    assert resolve_cutoff("calendar", params, YEAR) == Cutoff("calendar", as_of, 3)


@pytest.mark.parametrize("as_of", [date(2023, 6, 1), date(2024, 3, 2)])
def test_a_date_outside_the_period_is_refused_with_the_dates_that_would_do(as_of: date) -> None:
    params = FeatureParams(category="ropa", cutoff_mode="calendar", as_of=as_of)
    message = (
        rf"features.as_of is {as_of}, but the transactions run from 2023-06-01 to 2024-05-31: "
        "a cutoff after the first day and not after 2024-03-01 was expected, so that 3 months"
    )
    with pytest.raises(ConfigurationError, match=message):
        resolve_cutoff("calendar", params, YEAR)


def test_scoring_knows_everything_observed() -> None:
    params = FeatureParams(category="ropa", as_of=date(2024, 1, 1))
    assert resolve_scoring_cutoff(params, YEAR) == Cutoff("calendar", date(2024, 6, 1), 3)


def test_scoring_can_be_dated() -> None:
    params = FeatureParams(category="ropa", scoring_as_of=date(2024, 4, 1))
    assert resolve_scoring_cutoff(params, YEAR) == Cutoff("calendar", date(2024, 4, 1), 3)
