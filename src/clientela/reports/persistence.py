"""Does last quarter predict this one? Buying of one category in two windows that follow each other.

The answer is the finding behind the ordinal target: "bought last quarter" already answers the
binary question as well as a simple model would, and says nothing about how much is bought.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Counts: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class BinaryRule:
    """How well "bought in the earlier window" answers "buys in the later one".

    Attributes:
        buyers: Share of customers that buy in the later window.
        accuracy: Share answered rightly.
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


def two_windows(transactions: ir.Table, months: int) -> ir.Table:
    """One row: the borders of the two windows before the end of the data.

    The later window ends with the last day of the data, so nothing here depends on today.

    Args:
        transactions: One row per transaction: `fecha`.
        months: Length of each window.

    Returns:
        `start`, `middle`, `end`: midnights; windows are half-open.
    """
    span = transactions.agg(_last=transactions["fecha"].max())
    end = span["_last"].truncate("D") + ibis.interval(days=1)
    # both borders are counted from one anchor: months subtracted twice differ at month ends
    return span.select(
        start=end - ibis.interval(months=2 * months),
        middle=end - ibis.interval(months=months),
        end=end,
    )


def purchases_in_two_windows(
    transactions: ir.Table, is_purchase: ir.BooleanValue, windows: ir.Table, bounds: Sequence[int]
) -> ir.Table:
    """One row per pair of classes: how many customers went from the one to the other.

    Counted are customers with a transaction of any category before the later window: others have
    no past to predict from.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`.
        is_purchase: Which of them are purchases of the category.
        windows: See `two_windows`.
        bounds: Fewest purchases of each class above the first.

    Returns:
        `before`, `after` (class codes from 0), `customers`.
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
        before=class_code(known["before"], bounds), after=class_code(known["after"], bounds)
    )
    counts = classed.group_by("before", "after").agg(customers=classed.count())
    return counts.order_by("before", "after")


def class_code(count: ir.IntegerColumn, bounds: Sequence[int]) -> ir.IntegerColumn:
    """The class of a number of purchases.

    Args:
        count: Purchases.
        bounds: Fewest purchases of each class above the first.

    Returns:
        Codes from 0.
    """
    steps = [(count < bound, code) for code, bound in enumerate(bounds)]
    return ibis.cases(*steps, else_=len(bounds)).cast("int64")


def contingency(pairs: pd.DataFrame, n_classes: int) -> Counts:
    """Customers by class before (row) and after (column).

    Args:
        pairs: See `purchases_in_two_windows`.
        n_classes: How many classes there are.

    Returns:
        K x K counts.
    """
    counts = np.zeros((n_classes, n_classes))
    np.add.at(
        counts, (pairs["before"].to_numpy(int), pairs["after"].to_numpy(int)), pairs["customers"]
    )
    return counts


def binary_rule(counts: Counts) -> BinaryRule:
    """What the earlier window alone says about the later one.

    Args:
        counts: See `contingency`; nan results where a window has no buyers, or only buyers.

    Returns:
        The rule's figures.
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
        auc=_auc(np.array([no[0], no[1:].sum()]), np.array([yes[0], yes[1:].sum()])),
        graded_auc=_auc(no, yes),
        repeated=float(np.trace(counts) / total),
        repeated_among_buyers=float(np.trace(both) / both.sum()) if both.sum() else float("nan"),
    )


def _auc(negatives: Counts, positives: Counts) -> float:
    """Chance that a buyer had the higher class before, ties half (Mann and Whitney 1947)."""
    pairs = negatives.sum() * positives.sum()
    below = np.cumsum(negatives) - negatives / 2
    return float((positives * below).sum() / pairs) if pairs else float("nan")
