"""Distributions of single columns: quantiles, shape, histograms, categories."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clientela.reports.columns import measured, stacked

QUANTILES = (0.01, 0.05, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.95, 0.99)
BINS = 24
"""Even bins between the 1st and 99th percentile; the tails lie in two open bins beside them."""


def quantile_name(share: float) -> str:
    """The column of a quantile.

    Args:
        share: 0..1.

    Returns:
        For example `q05`.
    """
    return f"q{round(100 * share):02d}"


def quantiles(table: ir.Table, columns: Sequence[str]) -> ir.Table:
    """One row per numeric column: exact nearest-rank quantiles, and how common the mode is.

    They are read off the counts of each value, which every engine computes the same way in any
    number of threads and can spill to disk; approximate quantiles do neither.

    Args:
        table: Any table.
        columns: Numeric columns.

    Returns:
        `column`, one `qNN` per item of `QUANTILES` (smallest value that so many rows do not
        exceed), and `top_rows` (rows of the commonest value).
    """
    if not columns:
        names = {quantile_name(share): "float64" for share in QUANTILES}
        return ibis.memtable([], schema={"column": "string", **names, "top_rows": "int64"})
    return ibis.union(*[_quantiles_of(table, column) for column in columns], distinct=False)


def _quantiles_of(table: ir.Table, column: str) -> ir.Table:
    counts = _value_counts(table, measured(table, column).cast("float64"))
    upto = counts["rows"].sum().over(order_by=counts["value"], rows=(None, 0))
    ranked = counts.mutate(upto=upto, total=counts["rows"].sum().over())
    reached = {
        quantile_name(share): ranked["value"].min(where=ranked["upto"] >= share * ranked["total"])
        for share in QUANTILES
    }
    row = ranked.agg(**reached, top_rows=ranked["rows"].max())
    return row.select(ibis.literal(column).name("column"), *row.columns)


def shapes(table: ir.Table, moments: pd.DataFrame) -> ir.Table:
    """One row per numeric column that varies: skewness and excess kurtosis of the population.

    `g1 = m3 / s^3`, `g2 = m4 / s^4 - 3` (Joanes and Gill 1998), from values standardised first:
    raw power sums lose all digits when the mean is large.

    Args:
        table: Any table.
        moments: `column`, `rows`, `missing`, `mean`, `std` of its numeric columns.

    Returns:
        `column`, `skewness`, `kurtosis`.
    """
    varying = moments[moments["std"] > 0]
    if varying.empty:
        schema = {"column": "string", "skewness": "float64", "kurtosis": "float64"}
        return ibis.memtable([], schema=schema)
    statistics = {}
    for row in varying.to_dict("records"):
        count = row["rows"] - row["missing"]
        deviation = row["std"] * ((count - 1) / count) ** 0.5
        z = (measured(table, row["column"]).cast("float64") - row["mean"]) / deviation
        statistics[f"{row['column']}\n3"] = (z * z * z).mean()
        statistics[f"{row['column']}\n4"] = (z * z * z * z).mean() - 3
    one = table.agg(**statistics)
    return stacked(one, [_shape(one, column) for column in varying["column"]])


def _shape(one: ir.Table, column: str) -> dict[str, ir.Value]:
    return {
        "column": ibis.literal(column),
        "skewness": one[f"{column}\n3"].round(4),
        "kurtosis": one[f"{column}\n4"].round(4),
    }


def histogram_edges(profile: pd.Series) -> list[float]:
    """Inner edges of a numeric column's histogram.

    Args:
        profile: `type`, `minimum`, `maximum`, `q01`, `q99` of one column.

    Returns:
        Rising edges: around each value of a short range of integers, else even between the 1st and
        99th percentile; none for a column without two values.
    """
    low, high = float(profile["q01"]), float(profile["q99"])
    if not low < high:
        low, high = float(profile["minimum"]), float(profile["maximum"])
    if not low < high:
        return []
    if str(profile["type"]).startswith(("int", "uint")) and high - low <= BINS:
        return [float(edge) for edge in np.arange(low - 0.5, high + 1)]
    return [float(f"{edge:.6g}") for edge in np.linspace(low, high, BINS + 1)]


def histograms(table: ir.Table, edges: Mapping[str, Sequence[float]]) -> ir.Table:
    """One row per numeric column and bin that holds rows.

    Args:
        table: Any table.
        edges: Numeric column to the inner edges of its bins.

    Returns:
        `column`, `bin` (0: below the first edge; k: from edge k-1 on, inclusive), `rows`.
    """
    counted = [_histogram(table, column, inner) for column, inner in edges.items() if inner]
    if not counted:
        return ibis.memtable([], schema={"column": "string", "bin": "int64", "rows": "int64"})
    return ibis.union(*counted, distinct=False).order_by("column", "bin")


def _histogram(table: ir.Table, column: str, inner: Sequence[float]) -> ir.Table:
    # values first, bins second: amounts and counts repeat, so few rows reach the long CASE
    values = _value_counts(table, measured(table, column).cast("float64"))
    binned = values.select("rows", bin=binned_value(values["value"], inner))
    counts = binned.group_by("bin").agg(rows=binned["rows"].sum())
    return counts.select(ibis.literal(column).name("column"), "bin", "rows")


def _value_counts(table: ir.Table, values: ir.Column) -> ir.Table:
    present = table.select(value=values).drop_null("value")
    return present.group_by("value").agg(rows=present.count())


def binned_value(
    values: ir.FloatingColumn, inner: Sequence[float], *, right: bool = False
) -> ir.IntegerColumn:
    """The bin of each value: one CASE, evaluated in a single pass.

    Args:
        values: Finite numbers.
        inner: Rising inner edges, one at least.
        right: Whether a bin holds its upper edge instead of its lower one.

    Returns:
        0 below the first edge, `len(inner)` beyond the last one; null where missing.
    """
    steps = [
        ((values <= edge) if right else (values < edge), ibis.literal(place, "int64"))
        for place, edge in enumerate(inner)
    ]
    beyond = ibis.literal(len(inner), "int64")
    return ibis.cases(*steps, (values >= inner[-1], beyond))


def category_counts(table: ir.Table, columns: Sequence[str], top: int, min_rows: int) -> ir.Table:
    """One row per column and one of its commonest values.

    Args:
        table: Any table.
        columns: Columns with few distinct values.
        top: Values shown per column.
        min_rows: Values with fewer rows are never shown.

    Returns:
        `column`, `value` (text), `rows`; what is left out is the column's rest.
    """
    if not columns:
        return ibis.memtable([], schema={"column": "string", "value": "string", "rows": "int64"})
    counts = [_counts(table, column, top, min_rows) for column in columns]
    everything = ibis.union(*counts, distinct=False)
    return everything.order_by("column", ibis.desc("rows"), "value")


def _counts(table: ir.Table, column: str, top: int, min_rows: int) -> ir.Table:
    counts = _value_counts(table, table[column].cast("string"))
    shown = counts.filter(counts["rows"] >= min_rows)
    commonest = shown.order_by(ibis.desc("rows"), "value").limit(top)
    return commonest.select(ibis.literal(column).name("column"), "value", "rows")
