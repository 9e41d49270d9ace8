"""What is known of a table: the kind, quality and distribution of each of its columns.

The kind decides what is asked of a column. Everything is computed in the engine that holds the
table, most of it in one pass, and comes back as small frames.
"""

import re
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

Kind: TypeAlias = Literal["key", "number", "category", "date", "flag", "other"]


def infer_column_kinds(table: ir.Table, keys: Collection[str]) -> dict[str, Kind]:
    """The kind of every column by its type, in order; `keys` identify rows or people."""
    kinds: dict[str, Kind] = {}
    for name, kind in table.schema().items():
        if name in keys:
            kinds[name] = "key"
        elif kind.is_boolean():
            kinds[name] = "flag"
        elif kind.is_numeric():
            kinds[name] = "number"
        elif kind.is_string():
            kinds[name] = "category"
        else:
            kinds[name] = "date" if kind.is_temporal() else "other"
    return kinds


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
    """The mean: exact for decimals and integers, to seven digits for floats."""
    mean = values.sum().cast("float64") / values.count().nullif(0)
    return reduce_precision(mean).cast("float64") if values.type().is_floating() else mean


def unpack_to_rows(aggregate: ir.Table, rows: Iterable[Mapping[str, ir.Value]]) -> ir.Table:
    """One row with many statistics, turned into one row per column: the source is read once.

    Args:
        rows: For each row to be, its fields as expressions over `aggregate`; the same names and
            types in each.
    """
    items = ibis.array([ibis.struct(dict(row)) for row in rows])
    return aggregate.select(row=items.unnest()).unpack("row")


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
    rows: list[dict[str, ir.Value]] = []
    for place, (name, kind) in enumerate(kinds.items()):
        row = {
            "place": ibis.literal(place, "int64"),
            "column": ibis.literal(name),
            "type": ibis.literal(str(table[name].type())),
            "kind": ibis.literal(kind),
            "rows": one["rows"],
            "missing": one["rows"] - one[f"{name}\npresent"],
        }
        for field, field_type in FIELDS.items():
            known = f"{name}\n{field}" in one.columns
            row[field] = (
                one[f"{name}\n{field}"].cast(field_type) if known else ibis.null(field_type)
            )
        rows.append(row)
    return unpack_to_rows(one, rows)


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


def count_repeated_rows(table: ir.Table, keys: Collection[str]) -> ir.Table:
    """One row: how many rows say again what another row says, the row's own key aside.

    Rows that one key alone identifies (one per customer) may share all their attributes; only
    tables with no key, or with a second one (who bought, beside the number of the ticket), are
    compared.

    Args:
        keys: Columns that identify rows or people; the first one present is the row's own key.
    """
    own = [key for key in keys if key in table.columns]
    if len(own) == 1:
        return ibis.memtable([{"repeated": None}], schema={"repeated": "int64"})
    compared = [column for column in table.columns if column not in own[:1]]
    groups = table.group_by(compared).agg(_rows=ibis._.count())
    return groups.agg(repeated=(groups["_rows"] - 1).sum().fill_null(0).cast("int64"))


QUANTILES = (0.01, 0.05, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.95, 0.99)
# Even bins between the 1st and 99th percentile; the tails lie in two open bins beside them.
BINS = 24


def quantile_name(share: float) -> str:
    """The column of a quantile."""
    return f"q{round(100 * share):02d}"


def compute_quantiles(table: ir.Table, columns: Sequence[str]) -> ir.Table:
    """One row per numeric column: exact nearest-rank quantiles, and how common the mode is.

    They are read off the counts of each value, which every engine computes the same way in any
    number of threads and can spill to disk; approximate quantiles do neither.

    Returns:
        `column`, one `qNN` per item of `QUANTILES` (smallest value that so many rows do not
        exceed), `top_rows` (rows of the commonest value), rows of the lowest and the highest value
        (`lowest_rows`, `highest_rows`) and the values beside them (`second_lowest`,
        `second_highest`).
    """
    if not columns:
        names = {quantile_name(share): "float64" for share in QUANTILES}
        counts = dict.fromkeys(("top_rows", "lowest_rows", "highest_rows"), "int64")
        seconds = dict.fromkeys(("second_lowest", "second_highest"), "float64")
        return ibis.memtable([], schema={"column": "string", **names, **counts, **seconds})
    parts = []
    for column in columns:
        counts = _count_values(table, replace_non_finite(table, column).cast("float64"))
        upto = counts["rows"].sum().over(order_by=counts["value"], rows=(None, 0))
        ranked = counts.mutate(upto=upto, total=counts["rows"].sum().over())
        value, reached = ranked["value"], ranked["upto"]
        quantiles = {
            quantile_name(share): value.min(where=reached >= share * ranked["total"])
            for share in QUANTILES
        }
        is_lowest, is_highest = reached == ranked["rows"], reached == ranked["total"]
        row = ranked.agg(
            **quantiles,
            top_rows=ranked["rows"].max(),
            lowest_rows=ranked["rows"].sum(where=is_lowest),
            highest_rows=ranked["rows"].sum(where=is_highest),
            second_lowest=value.min(where=~is_lowest),
            second_highest=value.max(where=~is_highest),
        )
        parts.append(row.select(ibis.literal(column).name("column"), *row.columns))
    return ibis.union(*parts, distinct=False)


def compute_shape_statistics(table: ir.Table, moments: pd.DataFrame) -> ir.Table:
    """One row per numeric column that varies: skewness and excess kurtosis of the population.

    `g1 = m3 / s^3`, `g2 = m4 / s^4 - 3` (Joanes and Gill 1998), from values standardised first:
    raw power sums lose all digits when the mean is large.
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
    rows = [
        {
            "column": ibis.literal(column),
            "skewness": one[f"{column}\n3"].round(4),
            "kurtosis": one[f"{column}\n4"].round(4),
        }
        for column in varying["column"]
    ]
    return unpack_to_rows(one, rows)


def histogram_edges(profile: pd.Series) -> list[float]:
    """Inner edges of a numeric column's histogram.

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

    Returns:
        `column`, `bin` (0: below the first edge; k: from edge k-1 on, inclusive), `rows`.
    """
    parts = []
    for column, inner in edges.items():
        if not inner:
            continue
        # values first, bins second: amounts and counts repeat, so few rows reach the long CASE
        values = _count_values(table, replace_non_finite(table, column).cast("float64"))
        binned = values.select("rows", bin=assign_bin(values["value"], inner))
        counts = binned.group_by("bin").agg(rows=binned["rows"].sum())
        parts.append(counts.select(ibis.literal(column).name("column"), "bin", "rows"))
    if not parts:
        return ibis.memtable([], schema={"column": "string", "bin": "int64", "rows": "int64"})
    return ibis.union(*parts, distinct=False).order_by("column", "bin")


def _count_values(table: ir.Table, values: ir.Column) -> ir.Table:
    present = table.select(value=values).drop_null("value")
    return present.group_by("value").agg(rows=present.count())


def assign_bin(
    values: ir.FloatingColumn, inner: Sequence[float], *, right: bool = False
) -> ir.IntegerColumn:
    """The bin of each value: one CASE, evaluated in a single pass.

    Args:
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

    Returns:
        `column`, `value` (text), `rows`; what is left out is the column's rest.
    """
    if not columns:
        return ibis.memtable([], schema={"column": "string", "value": "string", "rows": "int64"})
    parts = []
    for column in columns:
        counts = _count_values(table, table[column].cast("string"))
        shown = counts.filter(counts["rows"] >= min_rows)
        commonest = shown.order_by(ibis.desc("rows"), "value").limit(top)
        parts.append(commonest.select(ibis.literal(column).name("column"), "value", "rows"))
    everything = ibis.union(*parts, distinct=False)
    return everything.order_by("column", ibis.desc("rows"), "value")


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


# Distinct values beside a code, below which numbers are levels and may lie anywhere.
FEWEST_VALUES = 5
# A value all of nines, as 999; one with any other digits has to lie further away to be a code.
NINES = re.compile("9+")
# A code lies so many quartile ranges from the next value.
QUARTILE_RANGES = 3


def is_special_code(row: Mapping[Hashable, Any], side: str, special_above: float) -> bool:
    """Whether the lowest or highest value of a column is no quantity, by how it lies.

    Args:
        row: Of `Profile.columns`.
        side: `lowest` or `highest`.
        special_above: Share of the rows that a code fills.
    """
    if row[f"{side}_rows"] <= special_above * row["present"]:
        return False
    ends = (row["minimum"], row["maximum"])
    code, furthest = ends if side == "lowest" else ends[::-1]
    nearest, others = row[f"second_{side}"], row["distinct"] - 1
    if code < 0 <= nearest:  # alone below zero
        return bool(others > 2)  # noqa: PLR2004 - a yes or no may be written so
    gap, span = abs(nearest - code), abs(furthest - nearest)
    far = others >= FEWEST_VALUES and gap > QUARTILE_RANGES * (row["q75"] - row["q25"])
    return bool(far and gap > (span / 2 if NINES.fullmatch(f"{abs(code):.15g}") else 3 * span))


def choose_bound(code: float, nearest: float) -> float:
    """A round number between a code and the values that are quantities."""
    middle = float(f"{(code + nearest) / 2:.2g}")
    if code < 0 <= nearest:
        return 0.0
    return middle if min(code, nearest) < middle < max(code, nearest) else (code + nearest) / 2
