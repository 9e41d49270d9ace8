"""From a probability to a decision: the thresholds.

`half` is the required, literal form. `cost` is right wherever probabilities are calibrated and
needs no data; the `best_` rules and `share` are learned from rows that the model did not learn
from, and forgive a bad calibration.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

import numpy as np

from clientela.binary.costs import cheapest_threshold
from clientela.binary.metrics import METRICS
from clientela.binary.tallies import tallies
from clientela.classification.codes import Codes, Floats
from clientela.classification.measures import PointMetric

Decision: TypeAlias = Literal["half", "cost", "best_cost", "best_f1", "best_mcc", "share"]

DECISIONS: tuple[str, ...] = get_args(Decision)

HALF = 0.5

MAXIMISED: Mapping[str, str] = MappingProxyType(
    {"best_cost": "expected_cost", "best_f1": "f1", "best_mcc": "mcc"}
)
"""Learned rule to the measure that it makes as good as possible.

`best_f1` looks at class 1 alone: where that is the commoner class, taking everybody is nearly the
best. `best_mcc` treats both classes alike.
"""

LEARNED: frozenset[str] = frozenset(MAXIMISED) | {"share"}
"""Rules that need out-of-fold probabilities."""


def decided_codes(probability: Floats, threshold: float) -> Codes:
    """One code per row: 1 from the threshold on, 0 below it.

    Args:
        probability: Probability of code 1.
        threshold: Lowest probability that is decided as 1.

    Returns:
        Codes 0 or 1.
    """
    codes: Codes = (probability >= threshold).astype(np.int64)
    return codes


def fixed_thresholds(costs: Floats) -> dict[str, float]:
    """Thresholds that need no data.

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).

    Returns:
        Rule to threshold.
    """
    return {"half": HALF, "cost": cheapest_threshold(costs)}


def learned_thresholds(
    y_true: Codes, probability: Floats, costs: Floats, share: float | None
) -> dict[str, float]:
    """Thresholds under which rows that were not learned from fare best.

    Args:
        y_true: True codes, 0 or 1.
        probability: Probability of code 1, out of fold.
        costs: 2 x 2 costs by true class (row) and predicted class (column).
        share: Share of the rows to be decided as 1; None leaves the rule `share` out.

    Returns:
        Rule to threshold. Of equally good thresholds the lowest.
    """
    thresholds, counts = threshold_counts(y_true, probability)
    worth = {name: _worth(METRICS[metric], counts, costs) for name, metric in MAXIMISED.items()}
    if share is not None:
        worth["share"] = -np.abs(counts[:, :, 1].sum(axis=1) - share * len(y_true))
    return {name: float(thresholds[np.argmax(values)]) for name, values in worth.items()}


def threshold_counts(y_true: Codes, probability: Floats) -> tuple[Floats, Floats]:
    """Every threshold that decides some row differently, and the counts under it.

    Args:
        y_true: True codes, 0 or 1.
        probability: Probability of code 1.

    Returns:
        Thresholds from 0 (everybody is 1) upwards, halfway between neighbouring probabilities; and
        for each the counts by true and decided class, shape (thresholds, 2, 2).
    """
    counted = tallies(y_true, probability)
    levels = np.append(counted.levels, 1.0)
    halfway = (levels[1:] + levels[:-1]) / 2
    # neighbours may leave no number between them, and a threshold belongs to the upper one
    above = np.where(halfway > levels[:-1], halfway, levels[1:])
    zero = np.concatenate([np.zeros((1, 2)), counted.rows.cumsum(axis=0)])
    counts = np.stack([zero, counted.totals - zero], axis=-1)
    reachable = len(counts) if counted.levels[-1] < 1 else -1
    return np.concatenate([[0.0], above])[:reachable], counts[:reachable]


def _worth(metric: object, counts: Floats, costs: Floats) -> Floats:
    if not isinstance(metric, PointMetric):
        raise TypeError(f"only measures of classes can be maximised by a threshold, not {metric}")
    values = metric.of_counts(counts, costs)
    return values if metric.greater_is_better else -values
