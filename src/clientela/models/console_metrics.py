"""Measures in the JSON form that the SageMaker console draws next to a registered model."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.models import binary_metrics as point
from clientela.models.binary_decision import ONE_EACH
from clientela.models.binary_metrics import (
    ScoreHistogram,
    assign_histogram_cells,
    compute_score_histogram,
    ratio,
    roc_auc,
)
from clientela.models.grading import count_bootstrap_cells, draw_bootstrap_rows
from clientela.models.tasks import Predictions

# Measures in the JSON form that the SageMaker console draws next to a registered model.
#
# The form is that of SageMaker Model Monitor's model quality statistics: each measure with its
# standard deviation over resampled rows (the text "NaN" below 200 rows), and the same measure of
# the best classifier that always answers one class.


FEWEST_ROWS_FOR_A_DEVIATION = 200
"""Below it, the console's own jobs write the text "NaN"."""


def _compute_ratio_or_zero(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _compute_accuracy(counts: Floats) -> Floats:
    right: Floats = np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))
    return right


def _compute_support_weighted_mean(by_class: Floats, counts: Floats) -> Floats:
    """Mean over the classes, weighted by their true rows."""
    support = counts.sum(axis=-1)
    mean: Floats = (by_class * support).sum(axis=-1) / support.sum(axis=-1)
    return mean


def _compute_class_recall(counts: Floats) -> Floats:
    return _compute_ratio_or_zero(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def _compute_class_precision(counts: Floats) -> Floats:
    return _compute_ratio_or_zero(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-2))


def _make_weighted_f_measure(beta: float) -> Callable[[Floats], Floats]:
    """`(1 + b^2) P R / (b^2 P + R)` (van Rijsbergen 1979), weighted over the classes."""

    def measure(counts: Floats) -> Floats:
        precision, recall = _compute_class_precision(counts), _compute_class_recall(counts)
        by_class = _compute_ratio_or_zero(
            (1 + beta**2) * precision * recall, beta**2 * precision + recall
        )
        return _compute_support_weighted_mean(by_class, counts)

    return measure


MULTICLASS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "accuracy": _compute_accuracy,
        "weighted_recall": lambda counts: _compute_support_weighted_mean(
            _compute_class_recall(counts), counts
        ),
        "weighted_precision": lambda counts: _compute_support_weighted_mean(
            _compute_class_precision(counts), counts
        ),
        "weighted_f0_5": _make_weighted_f_measure(0.5),
        "weighted_f1": _make_weighted_f_measure(1.0),
        "weighted_f2": _make_weighted_f_measure(2.0),
    }
)
"""Measures of tables of counts (..., K, K), under the console's names."""


def compute_ordinal_console_metrics(
    truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
) -> dict[str, Any]:
    """Regression measures of the expected value, and multiclass measures of the class.

    Args:
        replicates: Bootstrap samples behind the standard deviations.
    """
    generator = np.random.default_rng(seed)
    everything = np.arange(len(truth))
    # one sample at a time: all of them at once would not fit in memory for a large test part
    samples = (generator.integers(len(truth), size=len(truth)) for _ in range(replicates))
    answers = [said.codes, *(np.full_like(truth, code) for code in range(len(values)))]
    regression, tables = [], []
    for rows in (everything, *samples):
        regression.append(_compute_regression_metrics(values[truth[rows]], said.expected[rows]))
        tables.append(
            [compute_confusion_matrix(truth[rows], codes[rows], len(values)) for codes in answers]
        )
    measured = {name: np.array([row[name] for row in regression]) for name in regression[0]}
    return {
        "regression_metrics": {
            name: _make_metric_entry(series, len(truth)) for name, series in measured.items()
        },
        "multiclass_classification_metrics": _compute_multiclass_metrics(
            np.array(tables), len(truth)
        ),
    }


def _make_metric_entry(series: Floats, rows: int) -> dict[str, Any]:
    """The figure of all rows (first) with its deviation over the samples (the others)."""
    enough = rows >= FEWEST_ROWS_FOR_A_DEVIATION
    return {
        "value": float(series[0]),
        "standard_deviation": float(series[1:].std(ddof=1)) if enough else "NaN",
    }


def _compute_regression_metrics(truth: Floats, expected: Floats) -> dict[str, float]:
    errors = expected - truth
    mse, variance = float((errors**2).mean()), float(truth.var())
    return {
        "mae": float(np.abs(errors).mean()),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": 1.0 - mse / variance if variance > 0 else 0.0,
    }


def _compute_multiclass_metrics(tables: Floats, rows: int) -> dict[str, Any]:
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
        result[name] = _make_metric_entry(series[:, 0], rows)
        result[f"{name}_best_constant_classifier"] = _make_metric_entry(series[:, best], rows)
    return result


# Binary measures in the JSON form that the SageMaker console draws next to a registered model.


CURVE_POINTS = 101
"""Points of each curve: as many as a drawing shows."""


COSTS = np.asarray(ONE_EACH)
"""What every measure of classes receives; those shown here read no costs."""


def _make_f_measure(beta: float) -> Callable[[Floats, Floats], Floats]:
    """`(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)` (van Rijsbergen 1979)."""

    def measure(counts: Floats, costs: Floats) -> Floats:
        del costs
        hits = (1 + beta**2) * counts[..., 1, 1]
        return ratio(hits, hits + beta**2 * counts[..., 1, 0] + counts[..., 0, 1], empty=0.0)

    return measure


def _make_complement(
    share: Callable[[Floats, Floats], Floats],
) -> Callable[[Floats, Floats], Floats]:
    """What a share leaves of one."""
    return lambda counts, costs: 1 - share(counts, costs)


COMPARED: Mapping[str, Callable[[Floats, Floats], Floats]] = MappingProxyType(
    {
        "recall": point.recall,
        "precision": point.precision,
        "accuracy": point.accuracy,
        "f0_5": _make_f_measure(0.5),
        "f1": point.f1,
        "f2": _make_f_measure(2.0),
    }
)
"""Measures of counts (..., 2, 2) that the console shows beside the best constant classifier's."""

RATES: Mapping[str, Callable[[Floats, Floats], Floats]] = MappingProxyType(
    {
        "true_positive_rate": point.recall,
        "true_negative_rate": point.specificity,
        "false_positive_rate": _make_complement(point.specificity),
        "false_negative_rate": _make_complement(point.recall),
    }
)
"""Further measures of counts, under the console's names."""


def compute_binary_console_metrics(
    truth: Codes, said: Predictions, *, replicates: int, seed: int
) -> dict[str, Any]:
    """Binary classification measures of the decided class and of the probability.

    Args:
        replicates: Bootstrap samples behind the standard deviations.
    """
    counts = compute_confusion_matrix(truth, said.codes, 2)
    sampled = _sample_confusion_matrices(truth, said.codes, replicates, seed)
    enough = len(truth) >= FEWEST_ROWS_FOR_A_DEVIATION
    found: dict[str, Any] = {
        "confusion_matrix": {
            str(i): {str(j): int(counts[i, j]) for j in range(2)} for i in range(2)
        }
    }
    for name, measure in {**COMPARED, **RATES}.items():
        found[name] = _make_binary_metric_entry(
            measure(counts, COSTS), measure(sampled, COSTS), enough=enough
        )
    for name, measure in COMPARED.items():
        constant = [
            (_count_constant_predictions(code, counts), _count_constant_predictions(code, sampled))
            for code in range(2)
        ]
        best, best_sampled = max(constant, key=lambda pair: float(measure(pair[0], COSTS)))
        found[f"{name}_best_constant_classifier"] = _make_binary_metric_entry(
            measure(best, COSTS), measure(best_sampled, COSTS), enough=enough
        )
    auc = _sample_auc(truth, said, replicates, seed)
    return {
        "binary_classification_metrics": found
        | {"auc": _make_binary_metric_entry(auc[0], auc[1:], enough=enough)}
        | _compute_curves(truth, said.probabilities[:, 1])
    }


def _sample_confusion_matrices(truth: Codes, codes: Codes, replicates: int, seed: int) -> Floats:
    """Counts by true and predicted class of bootstrap samples: multinomial over the four cells."""
    counts = compute_confusion_matrix(truth, codes, 2)
    drawn = np.random.default_rng(seed).multinomial(
        len(truth), counts.ravel() / len(truth), size=replicates
    )
    return drawn.reshape(-1, 2, 2).astype(np.float64)


def _count_constant_predictions(code: int, counts: Floats) -> Floats:
    """The counts of the classifier that answers one class."""
    constant = np.zeros_like(counts)
    constant[..., code] = counts.sum(axis=-1)
    return constant


def _sample_auc(truth: Codes, said: Predictions, replicates: int, seed: int) -> Floats:
    """ROC-AUC of all rows, then of the bootstrap samples that hold both classes."""
    positive = said.probabilities[:, 1]
    levels, cells = assign_histogram_cells(truth, positive)
    portions = (
        count_bootstrap_cells(cells, 2 * len(levels), rows).reshape(len(rows), -1, 2)
        for rows in draw_bootstrap_rows(len(cells), replicates=replicates, seed=seed)
    )
    sampled = [roc_auc(ScoreHistogram(levels, portion)) for portion in portions]
    found = np.concatenate([roc_auc(compute_score_histogram(truth, positive))[None], *sampled])
    both_classes: Floats = found[~np.isnan(found)]
    return both_classes


def _make_binary_metric_entry(value: Floats, sampled: Floats, *, enough: bool) -> dict[str, Any]:
    return {
        "value": float(value),
        "standard_deviation": float(sampled.std(ddof=1)) if enough else "NaN",
    }


def _compute_curves(truth: Codes, probability: Floats) -> dict[str, dict[str, list[float]]]:
    """Both curves, thinned to the points that a drawing shows."""
    false_positive, true_positive, _ = roc_curve(truth, probability)
    precision, recall, _ = precision_recall_curve(truth, probability)
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": _reduce_points(false_positive),
            "true_positive_rates": _reduce_points(true_positive),
        },
        "precision_recall_curve": {
            "precisions": _reduce_points(precision),
            "recalls": _reduce_points(recall),
        },
    }


def _reduce_points(values: Floats) -> list[float]:
    places = np.unique(np.linspace(0, len(values) - 1, CURVE_POINTS).round().astype(np.int64))
    return [float(value) for value in values[places]]
