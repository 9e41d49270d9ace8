"""What kind of thing a column holds decides what is asked of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

# What kind of thing a column holds decides what is asked of it.


Kind: TypeAlias = Literal["key", "number", "category", "date", "flag", "other"]


def infer_column_kinds(table: ir.Table, keys: Collection[str]) -> dict[str, Kind]:
    """The kind of every column, by its type.

    Args:
        keys: Columns that identify rows or people.

    Returns:
        Column name to kind, in the table's order.
    """
    return {
        name: "key" if name in keys else _infer_column_kind(table[name]) for name in table.columns
    }


def _infer_column_kind(column: ir.Column) -> Kind:
    kind = column.type()
    if kind.is_boolean():
        return "flag"
    if kind.is_numeric():
        return "number"
    if kind.is_string():
        return "category"
    return "date" if kind.is_temporal() else "other"


def select_columns_by_kind(kinds: Mapping[str, Kind], *wanted: Kind) -> list[str]:
    """The columns of some kinds, in the table's order."""
    return [name for name, kind in kinds.items() if kind in wanted]


def replace_non_finite(table: ir.Table, column: str) -> ir.NumericColumn:
    """A numeric column with what is not a finite number as missing.

    Returns:
        The column; its type is kept, so that sums of decimals and integers stay exact.
    """
    values = table[column]
    if not values.type().is_floating():
        return values
    return (values.isnan() | values.isinf()).ifelse(ibis.null(values.type()), values)


def reduce_precision(value: ir.NumericScalar) -> ir.FloatingScalar:
    """A statistic without the digits that depend on the order of summation.

    Sums of floats differ in their last digits with the number of threads; seven significant digits
    do not.
    """
    return value.cast("float32")


def exact_mean(values: ir.NumericColumn) -> ir.FloatingScalar:
    """The mean: exact for decimals and integers, to seven digits for floats.

    Returns:
        Sum by count; null where there are none.
    """
    mean = values.sum().cast("float64") / values.count().nullif(0)
    return reduce_precision(mean).cast("float64") if values.type().is_floating() else mean


def unpack_to_rows(aggregate: ir.Table, rows: Iterable[Mapping[str, ir.Value]]) -> ir.Table:
    """One row with many statistics, turned into one row per column: the source is read once.

    Args:
        aggregate: A table of one row per group.
        rows: For each row to be, its fields as expressions over `aggregate`; the same names and
            types in each.

    Returns:
        One row per item of `rows` (and group).
    """
    items = ibis.array([ibis.struct(dict(row)) for row in rows])
    return aggregate.select(row=items.unnest()).unpack("row")


# Quality of any table in one pass: types, missing, distinct, ranges, moments, repeated rows.


def summarize_column_quality(table: ir.Table, keys: Collection[str]) -> ir.Table:
    """One row per column of a table.

    Args:
        keys: Columns that identify rows or people: they are counted, their values never shown.

    Returns:
        `place`, `column`, `type`, `kind`, `rows`, `missing`, `distinct` (null for dates), for
        numbers `mean`, `std` (of the sample), `minimum`, `maximum`, `zeros`, `negative`, and for
        dates `first` and `last` as text.
    """
    kinds = infer_column_kinds(table, keys)
    statistics: dict[str, ir.Scalar] = {"rows": table.count()}
    for name, kind in kinds.items():
        statistics |= {f"{name}\n{s}": v for s, v in _compute_statistics(table, name, kind).items()}
    one = table.agg(**statistics)
    return unpack_to_rows(
        one,
        [_build_quality_row(one, table, place, item) for place, item in enumerate(kinds.items())],
    )


def _compute_statistics(table: ir.Table, name: str, kind: Kind) -> dict[str, ir.Scalar]:
    if kind == "date":
        column = table[name]
        dates = {"first": column.min().cast("string"), "last": column.max().cast("string")}
        return {"present": column.count(), **dates}
    if kind != "number":
        return {"present": table[name].count(), "distinct": table[name].nunique()}
    values = replace_non_finite(table, name)
    return {
        "present": values.count(),
        "distinct": values.nunique(),
        "mean": exact_mean(values),
        "std": reduce_precision(values.cast("float64").std(how="sample")).cast("float64"),
        "minimum": values.min().cast("float64"),
        "maximum": values.max().cast("float64"),
        "zeros": (values == 0).sum(),
        "negative": (values < 0).sum(),
    }


FIELDS: Mapping[str, str] = {
    "distinct": "int64",
    "mean": "float64",
    "std": "float64",
    "minimum": "float64",
    "maximum": "float64",
    "zeros": "int64",
    "negative": "int64",
    "first": "string",
    "last": "string",
}


def _build_quality_row(
    one: ir.Table, table: ir.Table, place: int, item: tuple[str, Kind]
) -> dict[str, ir.Value]:
    name, kind = item
    found = {
        field: one[f"{name}\n{field}"].cast(kind_of_field)
        if f"{name}\n{field}" in one.columns
        else ibis.null(kind_of_field)
        for field, kind_of_field in FIELDS.items()
    }
    return {
        "place": ibis.literal(place, "int64"),
        "column": ibis.literal(name),
        "type": ibis.literal(str(table[name].type())),
        "kind": ibis.literal(kind),
        "rows": one["rows"],
        "missing": one["rows"] - one[f"{name}\npresent"],
        **found,
    }


def count_repeated_rows(table: ir.Table, keys: Collection[str]) -> ir.Table:
    """One row: how many rows say again what another row says, the row's own key aside.

    Rows that one key alone identifies (one per customer) may share all their attributes; only
    tables with no key, or with a second one (who bought, beside the number of the ticket), are
    compared.

    Args:
        keys: Columns that identify rows or people; the first one present is the row's own key.

    Returns:
        `repeated`: null where rows are not compared.
    """
    own = [key for key in keys if key in table.columns]
    if len(own) == 1:
        return ibis.memtable([{"repeated": None}], schema={"repeated": "int64"})
    compared = [column for column in table.columns if column not in own[:1]]
    groups = table.group_by(compared).agg(_rows=ibis._.count())
    return groups.agg(repeated=(groups["_rows"] - 1).sum().fill_null(0).cast("int64"))


# Distributions of single columns: quantiles, shape, histograms, categories.


QUANTILES = (0.01, 0.05, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.95, 0.99)
BINS = 24
"""Even bins between the 1st and 99th percentile; the tails lie in two open bins beside them."""


def quantile_name(share: float) -> str:
    """The column of a quantile."""
    return f"q{round(100 * share):02d}"


def compute_quantiles(table: ir.Table, columns: Sequence[str]) -> ir.Table:
    """One row per numeric column: exact nearest-rank quantiles, and how common the mode is.

    They are read off the counts of each value, which every engine computes the same way in any
    number of threads and can spill to disk; approximate quantiles do neither.

    Returns:
        `column`, one `qNN` per item of `QUANTILES` (smallest value that so many rows do not
        exceed), and `top_rows` (rows of the commonest value).
    """
    if not columns:
        names = {quantile_name(share): "float64" for share in QUANTILES}
        return ibis.memtable([], schema={"column": "string", **names, "top_rows": "int64"})
    return ibis.union(
        *[_compute_column_quantiles(table, column) for column in columns], distinct=False
    )


def _compute_column_quantiles(table: ir.Table, column: str) -> ir.Table:
    counts = _count_values(table, replace_non_finite(table, column).cast("float64"))
    upto = counts["rows"].sum().over(order_by=counts["value"], rows=(None, 0))
    ranked = counts.mutate(upto=upto, total=counts["rows"].sum().over())
    reached = {
        quantile_name(share): ranked["value"].min(where=ranked["upto"] >= share * ranked["total"])
        for share in QUANTILES
    }
    row = ranked.agg(**reached, top_rows=ranked["rows"].max())
    return row.select(ibis.literal(column).name("column"), *row.columns)


def compute_shape_statistics(table: ir.Table, moments: pd.DataFrame) -> ir.Table:
    """One row per numeric column that varies: skewness and excess kurtosis of the population.

    `g1 = m3 / s^3`, `g2 = m4 / s^4 - 3` (Joanes and Gill 1998), from values standardised first:
    raw power sums lose all digits when the mean is large.

    Args:
        moments: `column`, `rows`, `missing`, `mean`, `std` of its numeric columns.
    """
    varying = moments[moments["std"] > 0]
    if varying.empty:
        schema = {"column": "string", "skewness": "float64", "kurtosis": "float64"}
        return ibis.memtable([], schema=schema)
    statistics = {}
    for row in varying.to_dict("records"):
        count = row["rows"] - row["missing"]
        deviation = row["std"] * ((count - 1) / count) ** 0.5
        z = (replace_non_finite(table, row["column"]).cast("float64") - row["mean"]) / deviation
        statistics[f"{row['column']}\n3"] = (z * z * z).mean()
        statistics[f"{row['column']}\n4"] = (z * z * z * z).mean() - 3
    one = table.agg(**statistics)
    return unpack_to_rows(one, [_select_shape_row(one, column) for column in varying["column"]])


def _select_shape_row(one: ir.Table, column: str) -> dict[str, ir.Value]:
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


def compute_histograms(table: ir.Table, edges: Mapping[str, Sequence[float]]) -> ir.Table:
    """One row per numeric column and bin that holds rows.

    Args:
        edges: Numeric column to the inner edges of its bins.

    Returns:
        `column`, `bin` (0: below the first edge; k: from edge k-1 on, inclusive), `rows`.
    """
    counted = [_compute_histogram(table, column, inner) for column, inner in edges.items() if inner]
    if not counted:
        return ibis.memtable([], schema={"column": "string", "bin": "int64", "rows": "int64"})
    return ibis.union(*counted, distinct=False).order_by("column", "bin")


def _compute_histogram(table: ir.Table, column: str, inner: Sequence[float]) -> ir.Table:
    # values first, bins second: amounts and counts repeat, so few rows reach the long CASE
    values = _count_values(table, replace_non_finite(table, column).cast("float64"))
    binned = values.select("rows", bin=assign_bin(values["value"], inner))
    counts = binned.group_by("bin").agg(rows=binned["rows"].sum())
    return counts.select(ibis.literal(column).name("column"), "bin", "rows")


def _count_values(table: ir.Table, values: ir.Column) -> ir.Table:
    present = table.select(value=values).drop_null("value")
    return present.group_by("value").agg(rows=present.count())


def assign_bin(
    values: ir.FloatingColumn, inner: Sequence[float], *, right: bool = False
) -> ir.IntegerColumn:
    """The bin of each value: one CASE, evaluated in a single pass.

    Args:
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


def count_categories(table: ir.Table, columns: Sequence[str], top: int, min_rows: int) -> ir.Table:
    """One row per column and one of its commonest values.

    Args:
        min_rows: Values with fewer rows are never shown.

    Returns:
        `column`, `value` (text), `rows`; what is left out is the column's rest.
    """
    if not columns:
        return ibis.memtable([], schema={"column": "string", "value": "string", "rows": "int64"})
    counts = [_count_top_values(table, column, top, min_rows) for column in columns]
    everything = ibis.union(*counts, distinct=False)
    return everything.order_by("column", ibis.desc("rows"), "value")


def _count_top_values(table: ir.Table, column: str, top: int, min_rows: int) -> ir.Table:
    counts = _count_values(table, table[column].cast("string"))
    shown = counts.filter(counts["rows"] >= min_rows)
    commonest = shown.order_by(ibis.desc("rows"), "value").limit(top)
    return commonest.select(ibis.literal(column).name("column"), "value", "rows")


# The frames of one table's exploration, put together for those who read them.


@dataclass(frozen=True)
class Profile:
    """What is known of one table, in small frames.

    Attributes:
        columns: One row per column: `quality`, `quantiles` and `shapes` side by side.
        repeated: Rows that say again what another says; None where rows are not compared.
    """

    name: str
    columns: pd.DataFrame
    repeated: int | None
    histograms: pd.DataFrame
    categories: pd.DataFrame

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self.columns["rows"].iloc[0])

    @property
    def numbers(self) -> pd.DataFrame:
        """The numeric columns."""
        return self.columns[self.columns["kind"] == "number"]


def build_profile(
    name: str, quality: Mapping[str, pd.DataFrame], distributions: Mapping[str, pd.DataFrame]
) -> Profile:
    """One table's profile.

    Returns:
        The frames side by side, columns in the table's order.
    """
    columns = quality["quality"].merge(quality["quantiles"], on="column", how="left")
    columns = columns.merge(distributions["shapes"], on="column", how="left")
    columns["present"] = columns["rows"] - columns["missing"]
    repeated = quality["repeated_rows"]["repeated"].iloc[0]
    return Profile(
        name=name,
        columns=columns.sort_values("place").reset_index(drop=True),
        repeated=None if pd.isna(repeated) else int(repeated),
        histograms=distributions["histograms"],
        categories=distributions["categories"],
    )


def select_category_columns(quality: pd.DataFrame, max_categories: int) -> list[str]:
    """Text columns with few enough values to be categories; others may name people."""
    text = quality[(quality["kind"] == "category") & (quality["distinct"] <= max_categories)]
    return [str(name) for name in text.sort_values("place")["column"]]
