"""Columns made from the cleaned columns of the same row."""

import ibis
import ibis.expr.types as ir

from clientela.tabular.rules import PART_NAMES, Band, Enrichment, Part


def enriched(cleaned: ir.Table, made: Enrichment) -> ir.Table:
    """The table with every new column.

    Args:
        cleaned: One row per case: numbers as float64, words as text, dates as timestamps.
        made: Which columns to make.

    Returns:
        The same rows; new numbers as float64, new categories as text.
    """
    table = cleaned
    for group in (_sums, _differences, _products, _ratios, _logs):
        table = table.mutate(**group(table, made))
    return table.mutate(**_bands(table, made), **_from_dates(table, made), **_flags(table, made))


def _sums(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    if not made.sums.enabled:
        return {}
    return {
        name: sum((table[addend] for addend in rest), start=table[first])
        for name, (first, *rest) in made.sums.columns.items()
    }


def _differences(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    pairs = made.differences.columns if made.differences.enabled else {}
    return {name: table[one] - table[other] for name, (one, other) in pairs.items()}


def _products(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    pairs = made.products.columns if made.products.enabled else {}
    return {name: table[one] * table[other] for name, (one, other) in pairs.items()}


def _ratios(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    pairs = made.ratios.columns if made.ratios.enabled else {}
    return {name: table[one] / table[other].nullif(0.0) for name, (one, other) in pairs.items()}


def _logs(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    names = made.logs.columns if made.logs.enabled else ()
    # an engine's greatest() may skip nulls, and a missing amount must stay missing
    floored = {name: (table[name] < 0).ifelse(0.0, table[name]) for name in names}
    return {f"log_{name}": (number + 1.0).ln() for name, number in floored.items()}


def _bands(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    bands = made.bands.columns if made.bands.enabled else {}
    return {name: _band_of(table[band.column], band) for name, band in bands.items()}


def _band_of(number: ir.FloatingValue, band: Band) -> ir.StringValue:
    *lower, highest = band.names
    return ibis.cases(
        *((number < edge, ibis.literal(n)) for edge, n in zip(band.edges, lower, strict=True)),
        (number >= band.edges[-1], ibis.literal(highest)),
        else_=ibis.null("string"),
    )


def _from_dates(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    if not made.dates.enabled:
        return {}
    parts = {
        f"{name}_{PART_NAMES[part]}": _part(table[name], part)
        for name, parts in made.dates.parts.items()
        for part in parts
    }
    days = {
        name: table[later].date().delta(table[earlier].date(), unit="day").cast("float64")
        for name, (earlier, later) in made.dates.days.items()
    }
    return {**parts, **days}


def _part(moment: ir.TimestampValue, part: Part) -> ir.FloatingValue:
    match part:
        case "month":
            found = moment.month()
        case "weekday":
            found = moment.date().day_of_week.index()
        case "hour":
            found = moment.hour()
    return found.cast("float64")


def _flags(table: ir.Table, made: Enrichment) -> dict[str, ir.Value]:
    return {flag: table[name].isnull().cast("float64") for flag, (name,) in made.flags().items()}
