"""Rows with dates, cut into periods, and periods joined into windows that hold enough of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import pandas as pd

from clientela.exceptions import CurrentDataUnfit
from clientela.monitoring.settings import BaselinePeriod, PeriodUnit

Moments: TypeAlias = "pd.Series[pd.Timestamp]"
DAY = pd.Timedelta(days=1)


def _iso_week(moments: Moments) -> "pd.Series[str]":
    parts = moments.dt.isocalendar()
    return parts["year"].astype("str") + "-W" + parts["week"].astype("str").str.zfill(2)


def _quarter(moments: Moments) -> "pd.Series[str]":
    return moments.dt.year.astype("str") + "-Q" + moments.dt.quarter.astype("str")


NAMES: Mapping[PeriodUnit, Callable[[Moments], "pd.Series[str]"]] = MappingProxyType(
    {
        "day": lambda moments: moments.dt.strftime("%Y-%m-%d"),
        "week": _iso_week,
        "month": lambda moments: moments.dt.strftime("%Y-%m"),
        "quarter": _quarter,
    }
)


def period_names(moments: Moments, unit: PeriodUnit) -> "pd.Series[str]":
    """The period of each row: `2025-05-17`, `2025-W20`, `2025-05` or `2025-Q2`.

    Args:
        moments: When each row happened; none missing.
        unit: How long a period is.

    Returns:
        Names whose order is that of time.
    """
    return NAMES[unit](moments).astype("str")


def baseline_rows(moments: Moments, wanted: BaselinePeriod) -> "pd.Series[bool]":
    """Which rows are the baseline.

    By share it ends with the moment of the last row that the share holds; rows of that very moment
    all belong to it, so that a later run, which knows the moment alone, cuts as this one did.

    Args:
        moments: When each row happened; none missing.
        wanted: First and last moment, or the share.

    Returns:
        True where a row is in it.

    Raises:
        CurrentDataUnfit: No row is.
    """
    first, last = wanted.first or moments.min(), wanted.last
    if last is None:
        known = np.sort(moments[moments >= first].to_numpy())
        last = known[max(int(len(known) * wanted.share) - 1, 0)] if len(known) else first
    elif pd.Timestamp(last) == pd.Timestamp(last).normalize():
        last = pd.Timestamp(last) + DAY - pd.Timedelta(microseconds=1)
    chosen = (moments >= first) & (moments <= last)
    if not chosen.any():
        raise CurrentDataUnfit(
            f"A baseline should have rows; none lies between {first} and {last}, and the data go "
            f"from {moments.min()} to {moments.max()}. Set monitoring.baseline to dates among them."
        )
    return chosen


@dataclass(frozen=True)
class Window:
    """One period as it is measured.

    Attributes:
        period: Its name.
        pooled: The periods that are measured together, itself the last.
        mode: How it is measured, as the log says it.
    """

    period: str
    pooled: tuple[str, ...]
    mode: str


def windows(rows: Mapping[str, int], at_least: int) -> list[Window]:
    """Each period with as many of those before it as it takes to hold enough rows.

    Args:
        rows: Period to its rows, in the order of time.
        at_least: Enough rows.

    Returns:
        One window per period; at the beginning it may hold fewer rows.
    """
    names = list(rows)
    return [_window(names[: place + 1], rows, at_least) for place in range(len(names))]


def _window(names: Sequence[str], rows: Mapping[str, int], at_least: int) -> Window:
    start, held = len(names) - 1, rows[names[-1]]
    while held < at_least and start > 0:
        start -= 1
        held += rows[names[start]]
    alone = start == len(names) - 1
    mode = "period" if alone else f"pooled since {names[start]}"
    return Window(names[-1], tuple(names[start:]), mode)


def gaps(moments: Moments, unit: PeriodUnit) -> list[str]:
    """Periods without any row between the first and the last one.

    Args:
        moments: When each current row happened.
        unit: How long a period is.

    Returns:
        Names of those that a source did not deliver, or where nothing happened.
    """
    days = pd.Series(pd.date_range(moments.min().normalize(), moments.max().normalize()))
    return sorted(set(period_names(days, unit)) - set(period_names(moments, unit)))
