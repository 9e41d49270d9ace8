"""Measures in the JSON form that the SageMaker console draws next to a registered model.

The form is that of SageMaker Model Monitor's model quality statistics: each measure with its
standard deviation over resampled rows (the text "NaN" below 200 rows), and the same measure of
the best classifier that always answers one class.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from clientela.classification.codes import Codes, Floats, class_counts
from clientela.modelling.tasks import Predictions

FEWEST_ROWS_FOR_A_DEVIATION = 200
"""Below it, the console's own jobs write the text "NaN"."""


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _accuracy(counts: Floats) -> Floats:
    right: Floats = np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))
    return right


def _weighted(by_class: Floats, counts: Floats) -> Floats:
    """Mean over the classes, weighted by their true rows."""
    support = counts.sum(axis=-1)
    mean: Floats = (by_class * support).sum(axis=-1) / support.sum(axis=-1)
    return mean


def _recall_by_class(counts: Floats) -> Floats:
    return _divided(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def _precision_by_class(counts: Floats) -> Floats:
    return _divided(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-2))


def _f_measure(beta: float) -> Callable[[Floats], Floats]:
    """`(1 + b^2) P R / (b^2 P + R)` (van Rijsbergen 1979), weighted over the classes."""

    def measure(counts: Floats) -> Floats:
        precision, recall = _precision_by_class(counts), _recall_by_class(counts)
        by_class = _divided((1 + beta**2) * precision * recall, beta**2 * precision + recall)
        return _weighted(by_class, counts)

    return measure


MULTICLASS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "accuracy": _accuracy,
        "weighted_recall": lambda counts: _weighted(_recall_by_class(counts), counts),
        "weighted_precision": lambda counts: _weighted(_precision_by_class(counts), counts),
        "weighted_f0_5": _f_measure(0.5),
        "weighted_f1": _f_measure(1.0),
        "weighted_f2": _f_measure(2.0),
    }
)
"""Measures of tables of counts (..., K, K), under the console's names."""


def ordinal_console_metrics(
    truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
) -> dict[str, Any]:
    """Regression measures of the expected value, and multiclass measures of the class.

    Args:
        truth: True codes.
        said: Predictions for the same rows.
        values: Class values.
        replicates: Bootstrap samples behind the standard deviations.
        seed: Seed of the resampling.

    Returns:
        `regression_metrics` and `multiclass_classification_metrics`.
    """
    generator = np.random.default_rng(seed)
    everything = np.arange(len(truth))
    # one sample at a time: all of them at once would not fit in memory for a large test part
    samples = (generator.integers(len(truth), size=len(truth)) for _ in range(replicates))
    answers = [said.codes, *(np.full_like(truth, code) for code in range(len(values)))]
    regression, tables = [], []
    for rows in (everything, *samples):
        regression.append(_regression(values[truth[rows]], said.expected[rows]))
        tables.append([class_counts(truth[rows], codes[rows], len(values)) for codes in answers])
    measured = {name: np.array([row[name] for row in regression]) for name in regression[0]}
    return {
        "regression_metrics": {
            name: _entry(series, len(truth)) for name, series in measured.items()
        },
        "multiclass_classification_metrics": _multiclass(np.array(tables), len(truth)),
    }


def _entry(series: Floats, rows: int) -> dict[str, Any]:
    """The figure of all rows (first) with its deviation over the samples (the others)."""
    enough = rows >= FEWEST_ROWS_FOR_A_DEVIATION
    return {
        "value": float(series[0]),
        "standard_deviation": float(series[1:].std(ddof=1)) if enough else "NaN",
    }


def _regression(truth: Floats, expected: Floats) -> dict[str, float]:
    errors = expected - truth
    mse, variance = float((errors**2).mean()), float(truth.var())
    return {
        "mae": float(np.abs(errors).mean()),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": 1.0 - mse / variance if variance > 0 else 0.0,
    }


def _multiclass(tables: Floats, rows: int) -> dict[str, Any]:
    """Measures of (sample x answer x K x K) counts; answer 0 is the model's, k+1 always says k."""
    confusion = tables[0, 0].astype(np.int64)
    result: dict[str, Any] = {
        "confusion_matrix": {
            str(i): {str(j): int(count) for j, count in enumerate(row)}
            for i, row in enumerate(confusion)
        }
    }
    for name, measure in MULTICLASS.items():
        series = measure(tables)
        best = 1 + int(np.argmax(series[0, 1:]))
        result[name] = _entry(series[:, 0], rows)
        result[f"{name}_best_constant_classifier"] = _entry(series[:, best], rows)
    return result
