import math

import pytest

from clientela.text import NumberFormat, round_significant


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234567.0, "1.234.567"), (12.5, "12,5"), (0.0432, "0,0432"), (-1500.0, "-1.500"), (0.0, "0")],
)
def test_readable_numbers_carry_the_locale_and_no_trailing_zeros(value, expected):
    assert NumberFormat().readable(value) == expected


def test_another_locale_swaps_both_separators():
    assert NumberFormat(thousands=",", decimal=".").text(1234.5, 1) == "1,234.5"


@pytest.mark.parametrize(
    ("value", "expected"), [(1_500_000, "1,5 M"), (20_000, "20 mil"), (999, "999"), (-2e6, "-2 M")]
)
def test_axis_numbers_are_short(value, expected):
    assert NumberFormat().short(value) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_a_dash_for_people_and_nothing_for_machines(value):
    assert NumberFormat().text(value) == NumberFormat().percent(value) == "\N{EN DASH}"
    assert round_significant(value) is None


def test_findings_keep_six_significant_digits():
    assert round_significant(1234567.89) == 1234570.0
    assert round_significant(0.000123456789) == 0.000123457
