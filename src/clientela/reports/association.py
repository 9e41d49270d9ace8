"""How columns go together: correlations, and each column against the target."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clientela.reports.columns import measured, stable, stacked
from clientela.reports.distributions import binned_value

QUINTILES = ("q20", "q40", "q60", "q80")
TAILS = ("q01", "q05", "q95", "q99")


def correlations(table: ir.Table, columns: Sequence[str]) -> ir.Table:
    """One row per pair of numeric columns: Pearson's r over the rows that have both.

    Args:
        table: Any table.
        columns: Numeric columns.

    Returns:
        `first`, `second` (in the order of `columns`), `correlation` to four decimals; null where
        one of them does not vary.
    """
    pairs = list(combinations(columns, 2))
    if not pairs:
        schema = {"first": "string", "second": "string", "correlation": "float64"}
        return ibis.memtable([], schema=schema)
    values = table.select(**{c: measured(table, c).cast("float64") for c in columns})
    # one array of all, for thousands of columns take an engine's compiler longer than their sums
    one = values.agg(found=ibis.array([values[a].corr(values[b], how="pop") for a, b in pairs]))
    placed = one.select("found", place=ibis.range(len(pairs)).unnest())
    first, second = (ibis.literal(list(names)) for names in zip(*pairs, strict=True))
    found = placed["found"][placed["place"]].round(4)
    return placed.select(
        first=first[placed["place"]],
        second=second[placed["place"]],
        correlation=found.isnan().ifelse(ibis.null("float64"), found),
    )


def quintile_edges(quantiles: pd.DataFrame) -> dict[str, list[float]]:
    """Inner edges of each numeric column's fifths; a value that fills several takes one bin.

    Where one value fills nearly all of them, what a column has to say lies beside that value: the
    outer twentieths and hundredths are then bins too.

    Args:
        quantiles: See `clientela.reports.distributions.quantiles`.

    Returns:
        Column name to rising edges; bins hold their upper edge. Columns with one bin are left out.
    """
    edges = {str(row["column"]): _inner_edges(row) for row in quantiles.to_dict("records")}
    return {column: inner for column, inner in edges.items() if inner}


def _inner_edges(row: Mapping[Hashable, Any]) -> list[float]:
    fifths = _rising(row, QUINTILES)
    return fifths if len(fifths) != 1 else _rising(row, (*QUINTILES, *TAILS))


def _rising(row: Mapping[Hashable, Any], names: Sequence[str]) -> list[float]:
    return sorted({float(row[name]) for name in names if not pd.isna(row[name])})


def target_bins(
    table: ir.Table, edges: Mapping[str, Sequence[float]], target: str, classes: Sequence[str]
) -> ir.Table:
    """One row per numeric column, bin and class of the target.

    Args:
        table: Any table.
        edges: Numeric column to the inner edges of its bins.
        target: The target's column.
        classes: Its classes; none for a target that is a number.

    Returns:
        `column`, `bin`, `class` (null for a numeric target), `rows`, `target_mean` (null for
        classes).
    """
    counted = [
        _against_target(table, _fifth(table, column, inner), column, target, classes)
        for column, inner in edges.items()
    ]
    return _all_of(counted)


def _fifth(table: ir.Table, column: str, inner: Sequence[float]) -> ir.IntegerColumn:
    return binned_value(measured(table, column).cast("float64"), inner, right=True)


def target_categories(
    table: ir.Table, columns: Sequence[str], target: str, classes: Sequence[str], min_rows: int
) -> ir.Table:
    """One row per category column, value and class of the target; as `target_bins`.

    Args:
        table: Any table.
        columns: Columns with few distinct values.
        target: The target's column.
        classes: Its classes; none for a target that is a number.
        min_rows: Values with fewer rows are left out.

    Returns:
        `column`, `bin` (the value, as text), `class`, `rows`, `target_mean`.
    """
    counted = [
        _against_target(table, table[column].cast("string"), column, target, classes)
        for column in columns
    ]
    together = _all_of(counted, bins="string")
    of_value = together["rows"].sum().over(group_by=["column", "bin"])
    return together.filter(of_value >= min_rows).order_by("column", "bin", "class")


def _all_of(counted: Sequence[ir.Table], bins: str = "int64") -> ir.Table:
    if counted:
        return ibis.union(*counted, distinct=False).order_by("column", "bin", "class")
    schema = {"column": "string", "bin": bins, "class": "string", "rows": "int64"}
    return ibis.memtable([], schema={**schema, "target_mean": "float64"})


def _against_target(
    table: ir.Table, bins: ir.Column, column: str, target: str, classes: Sequence[str]
) -> ir.Table:
    kept = table.select(bin=bins, target=table[target]).drop_null(["bin", "target"])
    label = ibis.literal(column).name("column")
    if not classes:
        counts = kept.group_by("bin").agg(
            rows=kept.count(), target_mean=stable(kept["target"].mean()).cast("float64")
        )
        return counts.select(label, "bin", ibis.null("string").name("class"), "rows", "target_mean")
    named = kept.select("bin", **{"class": kept["target"].cast("string")})
    counts = named.group_by("bin", "class").agg(rows=named.count())
    return counts.select(label, "bin", "class", "rows", ibis.null("float64").name("target_mean"))


def class_counts(table: ir.Table, target: str) -> ir.Table:
    """One row per class of the target.

    Args:
        table: Any table.
        target: The target's column.

    Returns:
        `class` (text), `rows`.
    """
    named = table.select(**{"class": table[target].cast("string")}).drop_null("class")
    return named.group_by("class").agg(rows=named.count()).order_by("class")


def class_means(table: ir.Table, columns: Sequence[str], target: str) -> ir.Table:
    """One row per class and numeric column: its mean.

    Args:
        table: Any table.
        columns: Numeric columns.
        target: The target's column, of classes.

    Returns:
        `class`, `column`, `mean`.
    """
    values = table.select(
        **{c: measured(table, c) for c in columns}, **{"class\n": table[target].cast("string")}
    )
    means = {c: stable(values[c].cast("float64").mean()).cast("float64") for c in columns}
    one = values.drop_null("class\n").group_by("class\n").agg(**means)
    rows = [{"class": one["class\n"], "column": ibis.literal(c), "mean": one[c]} for c in columns]
    return stacked(one, rows).order_by("column", "class")


def associations(bins: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """One row per column: how strongly its bins go with the classes.

    Args:
        bins: See `target_bins`.
        classes: The target's classes in their order.

    Returns:
        `column`, `rank_correlation` (Spearman's rho of bin and class, ties at mid-rank), `auc` (of
        the bins for any class above the first one, direction aside), `cramers_v` (uncorrected);
        strongest first.
    """
    rows = [
        {"column": column, **_association(_contingency(group, classes))}
        for column, group in bins.groupby("column", sort=True)
    ]
    frame = pd.DataFrame(rows, columns=["column", "rank_correlation", "auc", "cramers_v"])
    strength = frame["rank_correlation"].abs()
    order = np.lexsort((frame["column"].to_numpy(str), -strength.to_numpy(float)))
    return frame.iloc[order].reset_index(drop=True)


def _contingency(group: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    table = group.pivot_table(index="bin", columns="class", values="rows", aggfunc="sum")
    return table.reindex(columns=list(classes)).fillna(0).to_numpy(float)


def _association(counts: np.ndarray) -> dict[str, float]:
    by_bin, by_class, total = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    x, y = _mid_ranks(by_bin), _mid_ranks(by_class)
    x, y = x - (x * by_bin).sum() / total, y - (y * by_class).sum() / total
    spread = (x**2 * by_bin).sum() * (y**2 * by_class).sum()
    rho = (counts * np.outer(x, y)).sum() / np.sqrt(spread) if spread > 0 else np.nan
    return {"rank_correlation": rho, "auc": _auc(counts), "cramers_v": _cramers_v(counts)}


def _mid_ranks(counts: np.ndarray) -> np.ndarray:
    return np.asarray(np.cumsum(counts) - counts / 2)


def _auc(counts: np.ndarray) -> float:
    negative, positive = counts[:, 0], counts[:, 1:].sum(axis=1)
    pairs = negative.sum() * positive.sum()
    if pairs == 0:
        return float("nan")
    below = np.cumsum(negative) - negative / 2
    auc = float((positive * below).sum() / pairs)
    return max(auc, 1 - auc)


def _cramers_v(counts: np.ndarray) -> float:
    seen = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    smaller = min(seen.shape) - 1
    if smaller < 1:
        return float("nan")
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / seen.sum()
    chi2 = ((seen - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi2 / (seen.sum() * smaller)))
