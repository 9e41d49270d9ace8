"""Columns made from columns of a request; the twin of `clientela.tabular.enrichment`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clientela.classification.codes import Floats
from clientela.inference.features import Words
from clientela.tabular.rules import PART_NAMES, Band, Enrichment, Part

Moments: TypeAlias = NDArray[np.datetime64]

THURSDAY = 3
"""Weekday of the first day that NumPy counts from, Monday being 0."""


def _sum(out: Floats, *addends: Floats) -> None:
    np.add(addends[0], addends[1], out=out)
    for addend in addends[2:]:
        np.add(out, addend, out=out)


def _difference(out: Floats, one: Floats, other: Floats) -> None:
    np.subtract(one, other, out=out)


def _product(out: Floats, one: Floats, other: Floats) -> None:
    np.multiply(one, other, out=out)


def _ratio(out: Floats, one: Floats, other: Floats) -> None:
    np.divide(one, other, out=out)
    out[other == 0] = np.nan


def _log(out: Floats, number: Floats) -> None:
    np.log(np.maximum(number, 0.0) + 1.0, out=out)


@dataclass(frozen=True)
class Step:
    """How one new number is made from others.

    Attributes:
        make: Writes it into its first argument.
        name: Of the new number.
        operands: Names of the others.
    """

    make: Callable[..., None]
    name: str
    operands: tuple[str, ...]


def number_steps(made: Enrichment) -> Iterator[Step]:
    """How each number that is made from numbers is made, in an order in which operands exist.

    Args:
        made: Which columns are made.

    Yields:
        One step for each.
    """
    groups: list[tuple[Callable[..., None], Any]] = [
        (_sum, made.sums),
        (_difference, made.differences),
        (_product, made.products),
        (_ratio, made.ratios),
    ]
    for make, group in groups:
        if group.enabled:
            yield from (Step(make, name, of) for name, of in group.columns.items())
    if made.logs.enabled:
        yield from (Step(_log, f"log_{name}", (name,)) for name in made.logs.columns)


def bands_of(numbers: Floats, band: Band) -> Words:
    """The band of each number.

    Args:
        numbers: One for each case.
        band: Its edges.

    Returns:
        Names; None where the number is missing.
    """
    names = (*band.names, None)
    places = np.searchsorted(np.array(band.edges), numbers, side="right")
    places[np.isnan(numbers)] = len(names) - 1
    return [names[place] for place in places.tolist()]


def _month(moments: Moments) -> NDArray[np.int64]:
    return moments.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _weekday(moments: Moments) -> NDArray[np.int64]:
    return (moments.astype("datetime64[D]").astype(np.int64) + THURSDAY) % 7


def _hour(moments: Moments) -> NDArray[np.int64]:
    return moments.astype("datetime64[h]").astype(np.int64) % 24


PARTS: Mapping[Part, Callable[[Moments], NDArray[np.int64]]] = {
    "month": _month,
    "weekday": _weekday,
    "hour": _hour,
}


def _part(out: Floats, part: Part, moments: Moments) -> None:
    out[:] = PARTS[part](moments)
    out[np.isnat(moments)] = np.nan


def _days(out: Floats, earlier: Moments, later: Moments) -> None:
    days = later.astype("datetime64[D]") - earlier.astype("datetime64[D]")
    out[:] = days.astype(np.int64)
    out[np.isnat(days)] = np.nan


def date_steps(made: Enrichment) -> Iterator[Step]:
    """How each number that is made from dates is made.

    Args:
        made: Which columns are made.

    Yields:
        One step for each.
    """
    if not made.dates.enabled:
        return
    for name, parts in made.dates.parts.items():
        for part in parts:
            yield Step(_of_part(part), f"{name}_{PART_NAMES[part]}", (name,))
    yield from (Step(_days, name, pair) for name, pair in made.dates.days.items())


def _of_part(part: Part) -> Callable[[Floats, Moments], None]:
    def make(out: Floats, moments: Moments) -> None:
        _part(out, part, moments)

    return make
