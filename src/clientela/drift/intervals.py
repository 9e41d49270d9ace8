"""Measures of counted rows with intervals: what estimated and realised performance share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from clientela.binary.metrics import METRICS as BINARY
from clientela.binary.tallies import Tallies
from clientela.classification.codes import Floats
from clientela.classification.measures import PointMetric
from clientela.ordinal.metrics import point_metric_named

BinaryMeasure: TypeAlias = Literal[
    "roc_auc", "accuracy", "brier", "log_loss", "pr_auc", "precision", "recall", "f1", "mcc"
]
OrdinalMeasure: TypeAlias = Literal["qwk", "accuracy", "mae_class", "off_by_one"]
Kind: TypeAlias = Literal["estimated", "realised"]

ONE_EACH = np.array([[0.0, 1.0], [1.0, 0.0]])
"""Costs that count mistakes; measures of classes receive some."""


class PerformanceSettings(BaseModel):
    """How performance is estimated.

    Attributes:
        confidence: Of the intervals.
        draws: Samples behind an interval; with a few hundred, 95 % intervals hold some 92 %.
        groups: Scores are pooled into so many groups of neighbours when samples are drawn.
        minimum_rows: With fewer rows nothing is said.
        tolerance: A measure has fallen when it lies this much below its reference for sure.
        seed: Of the samples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    draws: PositiveInt = 2000
    groups: PositiveInt = 1000
    minimum_rows: PositiveInt = 30
    tolerance: float = Field(default=0.02, ge=0)
    seed: NonNegativeInt = 42


@dataclass(frozen=True)
class Measured:
    """One measure of one table of counts, and of samples of it.

    Attributes:
        name: Of the measure.
        value: Of the rows.
        centre: Of the rows in the groups that samples are drawn from.
        draws: Of the samples.
    """

    name: str
    value: float
    centre: float
    draws: Floats


def pooled(counted: Tallies, groups: int) -> Tallies:
    """Neighbouring scores as one, at their mean, so that samples stay small.

    Args:
        counted: Rows by score.
        groups: About how many levels are kept, each of about as many rows.

    Returns:
        Fewer levels, the same number of rows; the argument itself where it is small already.
    """
    if len(counted.levels) <= groups:
        return counted
    rows = counted.rows.sum(axis=1)
    group = np.minimum((rows.cumsum() - rows) * groups // rows.sum(), groups - 1).astype(np.int64)
    _, start = np.unique(group, return_index=True)
    pooled = np.add.reduceat(counted.rows, start, axis=0)
    levels = np.add.reduceat(counted.levels * rows, start) / pooled.sum(axis=1)
    return Tallies(levels, pooled)


def resampled(counts: Floats, settings: PerformanceSettings) -> Floats:
    """Bootstrap samples of counted rows.

    Args:
        counts: Whole numbers of rows, of any shape.
        settings: Number of samples, and their seed.

    Returns:
        As many rows each, shape (draws, ...).
    """
    flat = counts.ravel()
    random = np.random.default_rng(settings.seed)
    drawn = random.multinomial(round(flat.sum()), flat / flat.sum(), settings.draws)
    return drawn.reshape(settings.draws, *counts.shape).astype(np.float64)


def binary_measured(
    measures: Sequence[BinaryMeasure],
    threshold: float,
    counted: Tallies,
    pooled: Tallies,
    drawn: Tallies,
) -> list[Measured]:
    """Measures of binary predictions on a table of counts and on its samples.

    Args:
        measures: Names of measures.
        threshold: Lowest probability that is decided as 1.
        counted: The rows.
        pooled: The same rows in groups.
        drawn: Samples of the groups.

    Returns:
        One item per measure.
    """
    return [
        Measured(name, float(measure(counted)), float(measure(pooled)), measure(drawn))
        for name in measures
        for measure in [_binary_measure(name, threshold)]
    ]


def _binary_measure(name: BinaryMeasure, threshold: float) -> Callable[[Tallies], Floats]:
    metric = BINARY[name]

    def of_classes(counted: Tallies) -> Floats:
        ones = counted.rows[..., counted.levels >= threshold, :].sum(axis=-2)
        by_class = np.stack([counted.totals - ones, ones], axis=-1)
        return metric.of_counts(by_class, ONE_EACH) if isinstance(metric, PointMetric) else by_class

    return of_classes if isinstance(metric, PointMetric) else metric.of_tallies


def ordinal_measured(
    measures: Sequence[OrdinalMeasure], counts: Floats, drawn: Floats
) -> list[Measured]:
    """Measures of decided classes on a table of counts and on its samples.

    Args:
        measures: Names of measures.
        counts: True class x decided class.
        drawn: Samples, shape (draws, K, K).

    Returns:
        One item per measure.
    """
    values = np.arange(counts.shape[0], dtype=np.float64)
    return [
        Measured(name, float(measure(counts, values)), float(measure(counts, values)), draws)
        for name in measures
        for measure in [point_metric_named(name).of_counts]
        for draws in [measure(drawn, values)]
    ]


def interval_table(
    found: Sequence[Measured], kind: Kind, n: int, settings: PerformanceSettings
) -> pd.DataFrame:
    """One row per measure: the interval of the samples, moved to where the ungrouped rows put it.

    Args:
        found: Measures with samples.
        kind: Estimated or realised.
        n: Rows behind them.
        settings: `confidence`.

    Returns:
        `measure, kind, value, lower, upper, n, note`.
    """
    tail = (1 - settings.confidence) / 2
    rows = []
    for each in found:
        few = not np.isfinite([each.value, *each.draws]).all()
        ends = [np.nan] * 2 if few else np.quantile(each.draws, [tail, 1 - tail])
        moved = [end + each.value - each.centre for end in ends]
        rows.append([each.name, kind, each.value, *moved, n, "few_events" if few else ""])
    return _frame(rows)


def without_figures(measures: Sequence[str], kind: Kind, n: int, note: str) -> pd.DataFrame:
    """One row per measure that can't be known.

    Args:
        measures: Names of measures.
        kind: Estimated or realised.
        n: Rows that there are.
        note: Why, as a code.

    Returns:
        The columns of `interval_table`, figures missing.
    """
    return _frame([[name, kind, np.nan, np.nan, np.nan, n, note] for name in measures])


def _frame(rows: list[list[object]]) -> pd.DataFrame:
    columns = ["measure", "kind", "value", "lower", "upper", "n", "note"]
    return pd.DataFrame(rows, columns=columns)
