"""How columns go together and with the target, and all that one exploration found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt

from clientela.exceptions import InvalidTargetError, did_you_mean
from clientela.models.metrics import quadratic_weighted_kappa
from clientela.pipelines.eda.column_profile import (
    Profile,
    assign_bin,
    reduce_precision,
    replace_non_finite,
    unpack_to_rows,
)
from clientela.settings_base import FrozenSettings
from clientela.text import NumberFormat

# How columns go together, and whether a past purchase predicts the next one.
#
# Columns are correlated with one another and held against the target. The two windows of buying are
# the finding behind the ordinal target: "bought last quarter" already answers the binary question
# as well as a simple model would, and says nothing about how much is bought.


QUINTILES = ("q20", "q40", "q60", "q80")
TAILS = ("q01", "q05", "q95", "q99")


def compute_correlations(table: ir.Table, columns: Sequence[str]) -> ir.Table:
    """One row per pair of numeric columns: Pearson's r over the rows that have both.

    Returns:
        `first`, `second` (in the order of `columns`), `correlation` to four decimals; null where
        one of them does not vary.
    """
    pairs = list(combinations(columns, 2))
    if not pairs:
        schema = {"first": "string", "second": "string", "correlation": "float64"}
        return ibis.memtable([], schema=schema)
    values = table.select(**{c: replace_non_finite(table, c).cast("float64") for c in columns})
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

    Returns:
        Column name to rising edges; bins hold their upper edge. Columns with one bin are left out.
    """
    edges: dict[str, list[float]] = {}
    for row in quantiles.to_dict("records"):
        for names in (QUINTILES, (*QUINTILES, *TAILS)):
            inner = sorted({float(row[name]) for name in names if not pd.isna(row[name])})
            if len(inner) != 1:
                break
        if inner:
            edges[str(row["column"])] = inner
    return edges


def target_bins(
    table: ir.Table, edges: Mapping[str, Sequence[float]], target: str, classes: Sequence[str]
) -> ir.Table:
    """One row per numeric column, bin and class of the target.

    Args:
        classes: Its classes; none for a target that is a number.

    Returns:
        `column`, `bin`, `class` (null for a numeric target), `rows`, `target_mean` (null for
        classes).
    """
    counts = []
    for column, inner in edges.items():
        values = replace_non_finite(table, column).cast("float64")
        bins = assign_bin(values, inner, right=True)
        counts.append(_count_by_target(table, bins, column, target, classes))
    return _merge_counts(counts)


def target_categories(
    table: ir.Table, columns: Sequence[str], target: str, classes: Sequence[str], min_rows: int
) -> ir.Table:
    """One row per category column, value and class of the target; as `target_bins`.

    Args:
        classes: Its classes; none for a target that is a number.
    """
    counted = [
        _count_by_target(table, table[column].cast("string"), column, target, classes)
        for column in columns
    ]
    together = _merge_counts(counted, bins="string")
    of_value = together["rows"].sum().over(group_by=["column", "bin"])
    return together.filter(of_value >= min_rows).order_by("column", "bin", "class")


def _merge_counts(counted: Sequence[ir.Table], bins: str = "int64") -> ir.Table:
    if counted:
        return ibis.union(*counted, distinct=False).order_by("column", "bin", "class")
    schema = {"column": "string", "bin": bins, "class": "string", "rows": "int64"}
    return ibis.memtable([], schema={**schema, "target_mean": "float64"})


def _count_by_target(
    table: ir.Table, bins: ir.Column, column: str, target: str, classes: Sequence[str]
) -> ir.Table:
    kept = table.select(bin=bins, target=table[target]).drop_null(["bin", "target"])
    label = ibis.literal(column).name("column")
    if not classes:
        counts = kept.group_by("bin").agg(
            rows=kept.count(), target_mean=reduce_precision(kept["target"].mean()).cast("float64")
        )
        return counts.select(label, "bin", ibis.null("string").name("class"), "rows", "target_mean")
    named = kept.select("bin", **{"class": kept["target"].cast("string")})
    counts = named.group_by("bin", "class").agg(rows=named.count())
    return counts.select(label, "bin", "class", "rows", ibis.null("float64").name("target_mean"))


def count_classes(table: ir.Table, target: str) -> ir.Table:
    """One row per class of the target."""
    named = table.select(**{"class": table[target].cast("string")}).drop_null("class")
    return named.group_by("class").agg(rows=named.count()).order_by("class")


def compute_class_means(table: ir.Table, columns: Sequence[str], target: str) -> ir.Table:
    """One row per class and numeric column: its mean."""
    values = table.select(
        **{c: replace_non_finite(table, c) for c in columns},
        **{"class\n": table[target].cast("string")},
    )
    means = {c: reduce_precision(values[c].cast("float64").mean()).cast("float64") for c in columns}
    one = values.drop_null("class\n").group_by("class\n").agg(**means)
    rows = [{"class": one["class\n"], "column": ibis.literal(c), "mean": one[c]} for c in columns]
    return unpack_to_rows(one, rows).order_by("column", "class")


def rank_associations(bins: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """One row per column: how strongly its bins go with the classes.

    Returns:
        `column`, `rank_correlation` (Spearman's rho of bin and class, ties at mid-rank), `auc` (of
        the bins for any class above the first one, direction aside), `cramers_v` (uncorrected);
        strongest first.
    """
    rows = []
    for column, group in bins.groupby("column", sort=True):
        table = group.pivot_table(index="bin", columns="class", values="rows", aggfunc="sum")
        counts = table.reindex(columns=list(classes)).fillna(0).to_numpy(float)
        rows.append({"column": column, **_measure_association(counts)})
    frame = pd.DataFrame(rows, columns=["column", "rank_correlation", "auc", "cramers_v"])
    strength = frame["rank_correlation"].abs()
    order = np.lexsort((frame["column"].to_numpy(str), -strength.to_numpy(float)))
    return frame.iloc[order].reset_index(drop=True)


def _measure_association(counts: np.ndarray) -> dict[str, float]:
    by_bin, by_class, total = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    # Spearman's rho is Pearson's r of mid-ranks
    x, y = (np.cumsum(margin) - margin / 2 for margin in (by_bin, by_class))
    x, y = x - (x * by_bin).sum() / total, y - (y * by_class).sum() / total
    spread = (x**2 * by_bin).sum() * (y**2 * by_class).sum()
    rho = (counts * np.outer(x, y)).sum() / np.sqrt(spread) if spread > 0 else np.nan
    auc = _compute_auc(counts[:, 0], counts[:, 1:].sum(axis=1))
    cells = counts[by_bin > 0][:, by_class > 0]
    cramers_v, smaller = float("nan"), min(cells.shape) - 1
    if smaller >= 1:
        expected = np.outer(cells.sum(axis=1), cells.sum(axis=0)) / cells.sum()
        chi2 = ((cells - expected) ** 2 / expected).sum()
        cramers_v = float(np.sqrt(chi2 / (cells.sum() * smaller)))
    return {"rank_correlation": rho, "auc": max(auc, 1 - auc), "cramers_v": cramers_v}


def _compute_auc(negatives: np.ndarray, positives: np.ndarray) -> float:
    """Chance that a positive is in a higher bin, ties half (Mann and Whitney 1947)."""
    pairs = negatives.sum() * positives.sum()
    below = np.cumsum(negatives) - negatives / 2
    return float((positives * below).sum() / pairs) if pairs else float("nan")


Counts: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class BinaryRule:
    """How well "bought in the earlier window" answers "buys in the later one".

    Attributes:
        buyers: Share of customers that buy in the later window.
        majority_accuracy: Share answered rightly by the commoner answer for everybody.
        auc: AUC of the yes-or-no rule: mean of its sensitivity and specificity.
        graded_auc: AUC of the class of the earlier window.
        repeated: Share of customers whose class stays the same.
        repeated_among_buyers: The same among customers that buy in both windows.
    """

    buyers: float
    accuracy: float
    majority_accuracy: float
    auc: float
    graded_auc: float
    repeated: float
    repeated_among_buyers: float


def compute_two_windows(transactions: ir.Table, months: int) -> ir.Table:
    """One row: the borders of the two windows before the end of the data.

    The later window ends with the last day of the data, so nothing here depends on today.
    """
    span = transactions.agg(_last=transactions["fecha"].max())
    end = span["_last"].truncate("D") + ibis.interval(days=1)
    # both borders are counted from one anchor: months subtracted twice differ at month ends
    return span.select(
        start=end - ibis.interval(months=2 * months),
        middle=end - ibis.interval(months=months),
        end=end,
    )


def count_class_transitions(
    transactions: ir.Table, is_purchase: ir.BooleanValue, windows: ir.Table, bounds: Sequence[int]
) -> ir.Table:
    """One row per pair of classes: how many customers went from the one to the other.

    Counted are customers with a transaction of any category before the later window: others have
    no past to predict from.
    """
    marked = transactions.mutate(_purchase=is_purchase.fill_null(False))
    rows = marked.cross_join(windows)
    after = rows["fecha"] >= rows["middle"]
    before = (rows["fecha"] >= rows["start"]) & ~after
    people = rows.group_by("id_cliente").agg(
        known=(~after).any(),
        before=(rows["_purchase"] & before).sum(),
        after=(rows["_purchase"] & after).sum(),
    )
    known = people.filter(people["known"])
    classed = known.select(
        before=assign_class_code(known["before"], bounds),
        after=assign_class_code(known["after"], bounds),
    )
    counts = classed.group_by("before", "after").agg(customers=classed.count())
    return counts.order_by("before", "after")


def assign_class_code(count: ir.IntegerColumn, bounds: Sequence[int]) -> ir.IntegerColumn:
    """The class of a number of purchases."""
    steps = [(count < bound, code) for code, bound in enumerate(bounds)]
    return ibis.cases(*steps, else_=len(bounds)).cast("int64")


def build_contingency_matrix(pairs: pd.DataFrame, n_classes: int) -> Counts:
    """Customers by class before (row) and after (column)."""
    counts = np.zeros((n_classes, n_classes))
    np.add.at(
        counts, (pairs["before"].to_numpy(int), pairs["after"].to_numpy(int)), pairs["customers"]
    )
    return counts


def evaluate_binary_rule(counts: Counts) -> BinaryRule:
    """What the earlier window alone says about the later one.

    Args:
        counts: See `contingency`; nan results where a window has no buyers, or only buyers.
    """
    total = counts.sum()
    if total == 0:
        return BinaryRule(*[float("nan")] * 7)
    no, yes = counts[:, 0], counts[:, 1:].sum(axis=1)
    buyers = yes.sum() / total
    both = counts[1:, 1:]
    return BinaryRule(
        buyers=float(buyers),
        accuracy=float((no[0] + yes[1:].sum()) / total),
        majority_accuracy=float(max(buyers, 1 - buyers)),
        auc=_compute_auc(np.array([no[0], no[1:].sum()]), np.array([yes[0], yes[1:].sum()])),
        graded_auc=_compute_auc(no, yes),
        repeated=float(np.trace(counts) / total),
        repeated_among_buyers=float(np.trace(both) / both.sum()) if both.sum() else float("nan"),
    )


# What an exploration looks at, and everything that was learned about one entry.


class EdaParameters(FrozenSettings):
    """What the exploration of one entry looks at, and when it says something.

    Attributes:
        keys: Columns that identify rows or people; they are counted and never shown. The first one
            that a table has is its own key.
        leave_out: Columns that are not explored, as patterns such as `recencia_*`: a wide table
            says the same thing many times.
        codes: Columns of numbers that name something, and are explored as categories.
        top_categories: Categories shown by name; the rest is summed up.
        max_categories: Text with more distinct values than this is no category and is not listed.
        min_rows: Values with fewer rows are never shown by name.
        skewed_above: Absolute skewness from which a logarithm is recommended.
        heavy_tailed_above: Excess kurtosis from which robust scaling and checks of ranges are
            recommended.
        constant_above: Share of the commonest value from which a column is near-constant.
        correlated_above: Absolute correlation from which two columns say the same.
        missing_above: Share of missing values worth a warning.
        suspicious_auc: AUC of one column alone from which it may know the target.
        special_above: Share of one value, far from all others, from which it may be a code.
    """

    keys: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    top_categories: PositiveInt = 12
    max_categories: PositiveInt = 200
    min_rows: PositiveInt = 5
    skewed_above: float = Field(default=2.0, gt=0)
    heavy_tailed_above: float = Field(default=30.0, gt=0)
    constant_above: float = Field(default=0.99, gt=0, le=1)
    correlated_above: float = Field(default=0.95, gt=0, le=1)
    missing_above: float = Field(default=0.2, ge=0, le=1)
    suspicious_auc: float = Field(default=0.95, gt=0.5, le=1)
    special_above: float = Field(default=0.01, ge=0, le=1)
    numbers: NumberFormat = NumberFormat()


Frames = Mapping[str, pd.DataFrame]

# How the table is called whose columns are held against the target.
TARGET_TABLE = "model_input"


class TargetSchema(BaseModel, frozen=True, extra="ignore"):
    """What the model input's schema says of the target; the rest of it is not asked for here.

    Attributes:
        classes: Its classes in order; none for a target that is a number.
    """

    target: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """A target of classes, and the columns against it.

    Attributes:
        category_associations: Category columns, strongest first by Cramér's V.
    """

    name: str
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    bins: pd.DataFrame
    means: pd.DataFrame
    correlations: pd.DataFrame
    associations: pd.DataFrame
    category_associations: pd.DataFrame


@dataclass(frozen=True)
class Persistence:
    """Buying of one category in two windows that follow each other.

    Attributes:
        borders: First day of the earlier window, of the later one, and the day after it.
        counts: Customers by class before (row) and after (column).
    """

    category: str
    months: int
    borders: tuple[str, str, str]
    classes: tuple[str, ...]
    counts: Counts
    kappa: float


@dataclass(frozen=True)
class Exploration:
    """What the report of one entry is made from.

    Attributes:
        activity: See `aggregate_activity`; None where it has no transactions.
        target: None where there is none, or it is a number.
    """

    entry: str
    profiles: tuple[Profile, ...]
    activity: Frames | None = None
    target: Target | None = None
    persistence: Persistence | None = None


def build_target(frames: Frames, meaning: TargetSchema) -> Target | None:
    """The target's frames put together.

    Raises:
        UnusableTarget: The data holds a class that nobody named.
    """
    if not meaning.classes:
        return None
    rows = dict(zip(frames["class_counts"]["class"], frames["class_counts"]["rows"], strict=True))
    unknown = sorted(set(rows) - set(meaning.classes))
    if unknown:
        raise InvalidTargetError(
            f"{meaning.target!r} should hold the classes {', '.join(meaning.classes)}, but also "
            f"holds {', '.join(unknown)}. {did_you_mean(unknown[0], meaning.classes)} Run "
            "the stage that writes the model input again, or name the class in its configuration."
        )
    by_category = rank_associations(frames["categories"], meaning.classes)
    return Target(
        name=meaning.target,
        classes=meaning.classes,
        counts=tuple(int(rows.get(name, 0)) for name in meaning.classes),
        bins=frames["bins"],
        means=frames["means"],
        correlations=frames["correlations"],
        associations=rank_associations(frames["bins"], meaning.classes),
        category_associations=by_category.sort_values(
            ["cramers_v", "column"], ascending=[False, True]
        ),
    )


def build_persistence(frames: Frames, classes: tuple[str, ...]) -> Persistence:
    """The frames of persistence put together, and how far the two windows agree."""
    question = frames["question"].iloc[0]
    start, middle, end = (
        str(pd.Timestamp(question[name]).date()) for name in ("start", "middle", "end")
    )
    counts = build_contingency_matrix(frames["pairs"], len(classes))
    scale = np.arange(len(counts), dtype=np.float64)
    return Persistence(
        category=str(question["category"]),
        months=int(question["months"]),
        borders=(start, middle, end),
        classes=classes,
        counts=counts,
        kappa=float(quadratic_weighted_kappa(counts, scale)) if counts.sum() else float("nan"),
    )
