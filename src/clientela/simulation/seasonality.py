"""When people buy: the intensity of each rubro over the hours of the window.

Purchases are drawn in operational time, in which customers buy at an even pace, and carried to the
clock by the inverse of the cumulative intensity (Cinlar, 1975, time change of a Poisson process).
That makes a seasonal process as cheap as an even one, without rejected draws.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clientela.simulation.categories import CATEGORIES, Category

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOURS_PER_DAY: Final = 24
SECONDS_PER_HOUR: Final = 3600

# Invented, shaped like the opening hours of a shopping centre with an online shop at night.
_HOUR_WEIGHTS: Final = np.array(
    [2, 1, 1, 1, 1, 2, 4, 8, 18, 35, 52, 64, 72, 68, 58, 54, 58, 70, 86, 92, 78, 48, 22, 8], float
)
_WEEKDAY_WEIGHTS: Final = np.array([0.85, 0.85, 0.9, 0.95, 1.15, 1.35, 1.1])


def _is_sales_event(day: date) -> bool:
    """Whether a day is Black Friday, its Cyber Monday, or in the Hot Sale of late May."""
    first_of_november = date(day.year, 11, 1)
    thanksgiving = first_of_november + timedelta(days=(3 - first_of_november.weekday()) % 7 + 21)
    black_friday = thanksgiving + timedelta(days=1)
    hot_sale_begins = date(day.year, 5, 27)
    return day in {black_friday, black_friday + timedelta(days=3)} or (
        hot_sale_begins <= day < hot_sale_begins + timedelta(days=5)
    )


def _day_weights(category: Category, days: list[date]) -> Floats:
    return np.array(
        [
            category.month_factors.get(day.month, 1.0)
            * (category.event_factor if _is_sales_event(day) else 1.0)
            * _WEEKDAY_WEIGHTS[day.weekday()]
            for day in days
        ]
    )


@dataclass(frozen=True)
class Calendar:
    """The window of the simulation and the pace of sales in it.

    Attributes:
        start: First day.
        end: Last day, included.
    """

    start: date
    end: date

    @property
    def hours(self) -> int:
        """Length of the window in hours."""
        return ((self.end - self.start).days + 1) * HOURS_PER_DAY

    @property
    def first_second(self) -> int:
        """First second of the window, counted from 1970 in local time."""
        return (self.start - date(1970, 1, 1)).days * HOURS_PER_DAY * SECONDS_PER_HOUR

    @cached_property
    def _clock(self) -> Floats:
        return np.arange(self.hours + 1, dtype=np.float64)

    @cached_property
    def _cumulative(self) -> tuple[Floats, ...]:
        """Operational time at each full hour, per rubro; scaled so that it ends at `hours`."""
        first = self.start.toordinal()
        days = [date.fromordinal(first + i) for i in range(self.hours // HOURS_PER_DAY)]
        curves = []
        for category in CATEGORIES:
            weights = np.outer(_day_weights(category, days), _HOUR_WEIGHTS).ravel()
            total = np.concatenate([[0.0], np.cumsum(weights)])
            curves.append(total * (self.hours / total[-1]))
        return tuple(curves)

    def operational(self, category: int, hour: Floats) -> Floats:
        """Operational time of clock hours since the start, for the rubro at this position."""
        return np.interp(hour, self._clock, self._cumulative[category])

    def second(self, category: int, operational: Floats) -> Ints:
        """Second since 1970 of operational times, for the rubro at this position."""
        hour = np.interp(operational, self._cumulative[category], self._clock)
        offset = np.minimum(hour * SECONDS_PER_HOUR, self.hours * SECONDS_PER_HOUR - 1)
        return self.first_second + offset.astype(np.int64)
