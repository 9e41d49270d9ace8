from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.data_generation.retail import (
    _HOUR_WEIGHTS,
    CATEGORIES,
    Calendar,
    Category,
    compute_day_weight,
)

YEAR = Calendar(date(2023, 1, 1), date(2023, 12, 31))
TECHNOLOGY = [category.name for category in CATEGORIES].index("TECNOLOGÍA")


def is_event(day):
    flat = Category("FLAT", 1.0, 1.0, 1.0, 1.0)
    sold = Category("SOLD", 1.0, 1.0, 1.0, 1.0, event_factor=2.0)
    return compute_day_weight(sold, day) > compute_day_weight(flat, day)


@pytest.mark.parametrize(
    "day",
    [
        date(2022, 11, 25),
        date(2022, 11, 28),
        date(2023, 11, 24),
        date(2024, 11, 29),
        date(2024, 12, 2),  # the Monday after falls in December
        date(2023, 5, 27),
        date(2023, 5, 31),
    ],
)
def test_black_friday_cyber_monday_and_hot_sale_are_events(day):
    assert is_event(day)


@pytest.mark.parametrize(
    "day", [date(2024, 11, 22), date(2023, 11, 25), date(2023, 12, 4), date(2023, 6, 1)]
)
def test_days_around_the_events_are_none(day):
    assert not is_event(day)


def test_operational_time_is_the_share_of_the_intensity_that_has_passed():
    days = [date.fromordinal(YEAR.start.toordinal() + i) for i in range(365)]
    weights = [compute_day_weight(CATEGORIES[TECHNOLOGY], day) for day in days]
    passed = total = 0.0
    for i, weight in enumerate(weights):
        for hour, factor in enumerate(_HOUR_WEIGHTS):
            total += weight * factor
            if 24 * i + hour < 2000:
                passed += weight * factor
    got = YEAR.to_operational_time(TECHNOLOGY, np.array([0.0, 2000.0, YEAR.hours]))
    assert got == pytest.approx([0.0, YEAR.hours * passed / total, YEAR.hours])


@given(st.floats(0, YEAR.hours), st.integers(0, len(CATEGORIES) - 1))
def test_clock_time_survives_the_way_to_operational_time_and_back(hour, category):
    operational = YEAR.to_operational_time(category, np.array([hour]))
    [second] = YEAR.to_second(category, operational)
    expected = min(hour * 3600, YEAR.hours * 3600 - 1)
    assert second - YEAR.first_second == pytest.approx(expected, abs=2)


def test_the_window_covers_its_last_day_to_the_last_second():
    [last] = YEAR.to_second(0, np.array([float(YEAR.hours)]))
    assert datetime.fromtimestamp(last, UTC) == datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_leap_year_has_its_day():
    assert Calendar(date(2024, 1, 1), date(2024, 12, 31)).hours == 366 * 24
