"""Columns made from the cleaned columns of the same row."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from clientela.arrays import Floats
from clientela.features.columns import Words
from clientela.features.settings import PART_NAMES, Band, Enrichment, Part

# Columns made from the cleaned columns of the same row.


def add_derived_columns(cleaned: ir.Table, made: Enrichment) -> ir.Table:
    """The table with every new column.

    Args:
        cleaned: One row per case: numbers as float64, words as text, dates as timestamps.

    Returns:
        The same rows; new numbers as float64, new categories as text.
    """
    table = cleaned
    for group in (
        _compute_sums,
        _compute_differences,
        _compute_products,
        _compute_ratios,
        _compute_logs,
    ):
        table = table.mutate(**group(table, made))
    return table.mutate(
        **_assign_bands(table, made),
        **_compute_date_features(table, made),
        **_compute_missing_flags(table, made),
    )


def _compute_sums(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    if not made.sums.enabled:
        return {}
    return {
        name: sum((table[addend] for addend in rest), start=table[first])
        for name, (first, *rest) in made.sums.columns.items()
    }


def _compute_differences(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    pairs = made.differences.columns if made.differences.enabled else {}
    return {name: table[one] - table[other] for name, (one, other) in pairs.items()}


def _compute_products(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    pairs = made.products.columns if made.products.enabled else {}
    return {name: table[one] * table[other] for name, (one, other) in pairs.items()}


def _compute_ratios(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    pairs = made.ratios.columns if made.ratios.enabled else {}
    return {name: table[one] / table[other].nullif(0.0) for name, (one, other) in pairs.items()}


def _compute_logs(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    names = made.logs.columns if made.logs.enabled else ()
    # an engine's greatest() may skip nulls, and a missing amount must stay missing
    floored = {name: (table[name] < 0).ifelse(0.0, table[name]) for name in names}
    return {f"log_{name}": (number + 1.0).ln() for name, number in floored.items()}


def _assign_bands(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    bands = made.bands.columns if made.bands.enabled else {}
    return {name: _assign_band(table[band.column], band) for name, band in bands.items()}


def _assign_band(number: ir.FloatingValue, band: Band) -> ir.StringValue:
    *lower, highest = band.names
    return ibis.cases(
        *((number < edge, ibis.literal(n)) for edge, n in zip(band.edges, lower, strict=True)),
        (number >= band.edges[-1], ibis.literal(highest)),
        else_=ibis.null("string"),
    )


def _compute_date_features(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    if not made.dates.enabled:
        return {}
    parts = {
        f"{name}_{PART_NAMES[part]}": _extract_date_part(table[name], part)
        for name, parts in made.dates.parts.items()
        for part in parts
    }
    days = {
        name: table[later].date().delta(table[earlier].date(), unit="day").cast("float64")
        for name, (earlier, later) in made.dates.days.items()
    }
    return {**parts, **days}


def _extract_date_part(moment: ir.TimestampValue, part: Part) -> ir.FloatingValue:
    match part:
        case "month":
            found = moment.month()
        case "weekday":
            found = moment.date().day_of_week.index()
        case "hour":
            found = moment.hour()
    return found.cast("float64")


def _compute_missing_flags(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    return {flag: table[name].isnull().cast("float64") for flag, (name,) in made.flags().items()}


# Columns made from columns of a request; the twin of `clientela.features.derived_columns`.


Moments: TypeAlias = NDArray[np.datetime64]

THURSDAY = 3
"""Weekday of the first day that NumPy counts from, Monday being 0."""


def _write_sum(out: Floats, *addends: Floats) -> None:
    np.add(addends[0], addends[1], out=out)
    for addend in addends[2:]:
        np.add(out, addend, out=out)


def _write_difference(out: Floats, one: Floats, other: Floats) -> None:
    np.subtract(one, other, out=out)


def _write_product(out: Floats, one: Floats, other: Floats) -> None:
    np.multiply(one, other, out=out)


def _write_ratio(out: Floats, one: Floats, other: Floats) -> None:
    np.divide(one, other, out=out)
    out[other == 0] = np.nan


def _write_log(out: Floats, number: Floats) -> None:
    np.log(np.maximum(number, 0.0) + 1.0, out=out)


@dataclass(frozen=True)
class DerivedColumnStep:
    """How one new number is made from others.

    Attributes:
        make: Writes it into its first argument.
        name: Of the new number.
        operands: Names of the others.
    """

    make: Callable[..., None]
    name: str
    operands: tuple[str, ...]


def iter_number_steps(made: Enrichment) -> Iterator[DerivedColumnStep]:
    """How each number that is made from numbers is made, in an order in which operands exist."""
    groups: list[tuple[Callable[..., None], Any]] = [
        (_write_sum, made.sums),
        (_write_difference, made.differences),
        (_write_product, made.products),
        (_write_ratio, made.ratios),
    ]
    for make, group in groups:
        if group.enabled:
            yield from (DerivedColumnStep(make, name, of) for name, of in group.columns.items())
    if made.logs.enabled:
        yield from (
            DerivedColumnStep(_write_log, f"log_{name}", (name,)) for name in made.logs.columns
        )


def assign_bands(numbers: Floats, band: Band) -> Words:
    """The band of each number.

    Returns:
        Names; None where the number is missing.
    """
    names = (*band.names, None)
    places = np.searchsorted(np.array(band.edges), numbers, side="right")
    places[np.isnan(numbers)] = len(names) - 1
    return [names[place] for place in places.tolist()]


def _extract_month(moments: Moments) -> NDArray[np.int64]:
    return moments.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _extract_weekday(moments: Moments) -> NDArray[np.int64]:
    return (moments.astype("datetime64[D]").astype(np.int64) + THURSDAY) % 7


def _extract_hour(moments: Moments) -> NDArray[np.int64]:
    return moments.astype("datetime64[h]").astype(np.int64) % 24


PARTS: Mapping[Part, Callable[[Moments], NDArray[np.int64]]] = {
    "month": _extract_month,
    "weekday": _extract_weekday,
    "hour": _extract_hour,
}


def _write_date_part(out: Floats, part: Part, moments: Moments) -> None:
    out[:] = PARTS[part](moments)
    out[np.isnat(moments)] = np.nan


def _write_days_between(out: Floats, earlier: Moments, later: Moments) -> None:
    days = later.astype("datetime64[D]") - earlier.astype("datetime64[D]")
    out[:] = days.astype(np.int64)
    out[np.isnat(days)] = np.nan


def iter_date_steps(made: Enrichment) -> Iterator[DerivedColumnStep]:
    """How each number that is made from dates is made."""
    if not made.dates.enabled:
        return
    for name, parts in made.dates.parts.items():
        for part in parts:
            yield DerivedColumnStep(
                _make_date_part_writer(part), f"{name}_{PART_NAMES[part]}", (name,)
            )
    yield from (
        DerivedColumnStep(_write_days_between, name, pair) for name, pair in made.dates.days.items()
    )


def _make_date_part_writer(part: Part) -> Callable[[Floats, Moments], None]:
    def make(out: Floats, moments: Moments) -> None:
        _write_date_part(out, part, moments)

    return make
