import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.exceptions import IncompatibleDataError
from clientela.pipelines.monitoring.inputs import (
    assign_periods,
    build_windows,
    find_empty_periods,
    mask_baseline_rows,
)
from clientela.pipelines.monitoring.settings import BaselinePeriod

DAYS = pd.Series(pd.date_range("2024-12-28", periods=10))


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("day", ["2024-12-28", "2024-12-29", "2024-12-30"]),
        ("week", ["2024-W52", "2024-W52", "2025-W01"]),
        ("month", ["2024-12"] * 3),
        ("quarter", ["2024-Q4"] * 3),
    ],
)
def test_a_period_has_its_iso_name(unit, expected):
    assert assign_periods(DAYS[:3], unit).tolist() == expected


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter"])
def test_the_order_of_names_is_that_of_time(unit):
    names = assign_periods(pd.Series(pd.date_range("2023-12-01", "2026-02-01")), unit)
    assert names.is_monotonic_increasing


def test_the_baseline_by_share_holds_that_share_of_the_rows():
    assert mask_baseline_rows(DAYS, BaselinePeriod(share=0.7)).sum() == 7


def test_rows_of_the_last_moment_all_belong_to_the_baseline():
    moments = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]))
    assert mask_baseline_rows(moments, BaselinePeriod(share=0.5)).tolist() == [
        True,
        True,
        True,
        False,
    ]


def test_a_baseline_to_a_date_includes_that_whole_day():
    moments = pd.Series(
        pd.to_datetime(["2024-01-01 23:59", "2024-01-02 08:00", "2024-01-03 00:00"])
    )
    wanted = BaselinePeriod(first="2024-01-01", last="2024-01-02")
    assert mask_baseline_rows(moments, wanted).tolist() == [True, True, False]


def test_a_baseline_without_rows_names_the_dates_that_there_are():
    with pytest.raises(
        IncompatibleDataError, match=r"none lies between 2020.*2024-12-28.*to 2025-01-06"
    ):
        mask_baseline_rows(DAYS, BaselinePeriod(first="2020-01-01", last="2020-12-31"))


def test_a_baseline_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="first should not lie after last"):
        BaselinePeriod(first="2024-02-01", last="2024-01-01")


def test_a_sparse_period_is_measured_with_those_before_it():
    rows = {"2024-01": 50, "2024-02": 400, "2024-03": 90, "2024-04": 20}
    assert [window.pooled for window in build_windows(rows, 100)] == [
        ("2024-01",), ("2024-02",), ("2024-02", "2024-03"), ("2024-03", "2024-04"),
    ]  # fmt: skip
    assert [window.mode for window in build_windows(rows, 100)] == [
        "period", "period", "pooled since 2024-02", "pooled since 2024-03",
    ]  # fmt: skip


@given(st.lists(st.integers(1, 500), min_size=1, max_size=20), st.integers(0, 600))
def test_no_window_holds_a_period_more_than_it_needs(sizes, at_least):
    rows = {f"{place:04d}": size for place, size in enumerate(sizes)}
    for window in build_windows(rows, at_least):
        held = [rows[name] for name in window.pooled]
        assert sum(held) >= at_least or window.pooled[0] == "0000"
        assert sum(held[1:]) < at_least or len(held) == 1


@pytest.mark.parametrize("unit", ["month", "week"])
def test_a_period_that_no_row_came_in_is_a_gap(unit):
    moments = pd.Series(pd.to_datetime(["2024-01-31", "2024-04-01"]))
    known = set(assign_periods(moments, unit))
    days = pd.Series(pd.date_range("2024-01-31", "2024-04-01"))
    assert find_empty_periods(moments, unit) == sorted(set(assign_periods(days, unit)) - known)


def test_without_gaps_none_is_found():
    assert find_empty_periods(DAYS, "month") == []
