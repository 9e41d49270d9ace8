"""Measures in the JSON form that the SageMaker console draws next to a registered model.

The form is that of SageMaker Model Monitor's model quality statistics: each measure with its
standard deviation over resampled rows, and the same measure of the best classifier that always
answers one class.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.models.base import Predictions
from clientela.models.metrics import (
    accuracy,
    compute_score_histogram,
    draw_bootstrap_rows,
    f1,
    precision,
    ratio,
    recall,
    roc_auc,
    sample_confusion_matrices,
    sample_score_histograms,
    specificity,
)

# From tables of counts, shape (..., K, K), to one number for each.
Measure: TypeAlias = Callable[[Floats], Floats]

# Below it, the console's own jobs write the text "NaN".
FEWEST_ROWS_FOR_A_DEVIATION = 200

# Points of each curve: as many as a drawing shows.
CURVE_POINTS = 101

# What measures of classes take as costs; those shown here read none.
NO_COSTS = np.zeros((2, 2))


def _compute_f_measure(counts: Floats, *, beta: float) -> Floats:
    """`(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)` (van Rijsbergen 1979)."""
    hits = (1 + beta**2) * counts[..., 1, 1]
    return ratio(hits, hits + beta**2 * counts[..., 1, 0] + counts[..., 0, 1], empty=0.0)


def _compute_class_shares(counts: Floats, *, axis: int) -> Floats:
    """Rows on the diagonal among those of each true (axis -1) or predicted (axis -2) class."""
    return ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=axis), empty=0.0)


def _weigh_by_support(by_class: Floats, counts: Floats) -> Floats:
    """Mean over the classes, weighted by their true rows."""
    support = counts.sum(axis=-1)
    mean: Floats = (by_class * support).sum(axis=-1) / support.sum(axis=-1)
    return mean


def _compute_weighted_share(counts: Floats, *, axis: int) -> Floats:
    return _weigh_by_support(_compute_class_shares(counts, axis=axis), counts)


def _compute_weighted_f_measure(counts: Floats, *, beta: float) -> Floats:
    """`(1 + b^2) P R / (b^2 P + R)` (van Rijsbergen 1979), weighted over the classes."""
    precisions = _compute_class_shares(counts, axis=-2)
    recalls = _compute_class_shares(counts, axis=-1)
    weighted = (1 + beta**2) * precisions * recalls
    by_class = ratio(weighted, beta**2 * precisions + recalls, empty=0.0)
    return _weigh_by_support(by_class, counts)


# Binary measures that the console shows beside the best constant classifier's.
BINARY_COMPARED: Mapping[str, Measure] = MappingProxyType(
    {
        "recall": partial(recall, costs=NO_COSTS),
        "precision": partial(precision, costs=NO_COSTS),
        "accuracy": partial(accuracy, scale=NO_COSTS),
        "f0_5": partial(_compute_f_measure, beta=0.5),
        "f1": partial(f1, costs=NO_COSTS),
        "f2": partial(_compute_f_measure, beta=2.0),
    }
)

# Further binary measures, under the console's names.
BINARY_RATES: Mapping[str, Measure] = MappingProxyType(
    {
        "true_positive_rate": partial(recall, costs=NO_COSTS),
        "true_negative_rate": partial(specificity, costs=NO_COSTS),
        "false_positive_rate": lambda counts: 1 - specificity(counts, NO_COSTS),
        "false_negative_rate": lambda counts: 1 - recall(counts, NO_COSTS),
    }
)

# Measures of K classes, under the console's names.
MULTICLASS: Mapping[str, Measure] = MappingProxyType(
    {
        "accuracy": partial(accuracy, scale=NO_COSTS),
        "weighted_recall": partial(_compute_weighted_share, axis=-1),
        "weighted_precision": partial(_compute_weighted_share, axis=-2),
        "weighted_f0_5": partial(_compute_weighted_f_measure, beta=0.5),
        "weighted_f1": partial(_compute_weighted_f_measure, beta=1.0),
        "weighted_f2": partial(_compute_weighted_f_measure, beta=2.0),
    }
)


def compute_binary_console_metrics(
    truth: Codes, predictions: Predictions, *, replicates: int, seed: int
) -> dict[str, Any]:
    """Binary classification measures of the decided class and of the probability."""
    n_rows, positive = len(truth), predictions.probabilities[:, 1]
    counts = compute_confusion_matrix(truth, predictions.codes, 2)
    # a bootstrap sample of the rows is a multinomial draw over the four cells
    drawn = np.random.default_rng(seed).multinomial(n_rows, counts.ravel() / n_rows, replicates)
    sampled = drawn.reshape(-1, 2, 2).astype(np.float64)
    auc = roc_auc(compute_score_histogram(truth, positive))
    histograms = sample_score_histograms(truth, positive, replicates=replicates, seed=seed)
    sampled_auc = np.concatenate([roc_auc(portion) for portion in histograms])
    both_classes = sampled_auc[~np.isnan(sampled_auc)]
    false_positive, true_positive, _ = roc_curve(truth, positive)
    precisions, recalls, _ = precision_recall_curve(truth, positive)
    measures = {**BINARY_COMPARED, **BINARY_RATES}
    return {
        "binary_classification_metrics": {
            "confusion_matrix": _describe_counts(counts),
            **_measure_classes(measures, counts, sampled),
            **_measure_best_constant(BINARY_COMPARED, counts, sampled),
            "auc": _make_metric_entry(auc, both_classes, n_rows),
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": _reduce_points(false_positive),
                "true_positive_rates": _reduce_points(true_positive),
            },
            "precision_recall_curve": {
                "precisions": _reduce_points(precisions),
                "recalls": _reduce_points(recalls),
            },
        }
    }


def compute_ordinal_console_metrics(
    truth: Codes, predictions: Predictions, values: Floats, *, replicates: int, seed: int
) -> dict[str, Any]:
    """Regression measures of the expected value, and multiclass measures of the class."""
    n_rows, codes = len(truth), predictions.codes
    whole = _compute_regression_metrics(values[truth], predictions.expected)
    regression = [
        _compute_regression_metrics(values[truth[rows]], predictions.expected[rows])
        for portion in draw_bootstrap_rows(n_rows, replicates=replicates, seed=seed)
        for rows in portion
    ]
    counts = compute_confusion_matrix(truth, codes, len(values))
    sampled = sample_confusion_matrices(truth, codes, len(values), replicates=replicates, seed=seed)
    multiclass: dict[str, Any] = {"confusion_matrix": _describe_counts(counts)}
    for name, measure in MULTICLASS.items():
        multiclass |= _measure_classes({name: measure}, counts, sampled)
        multiclass |= _measure_best_constant({name: measure}, counts, sampled)
    return {
        "regression_metrics": {
            name: _make_metric_entry(value, np.array([row[name] for row in regression]), n_rows)
            for name, value in whole.items()
        },
        "multiclass_classification_metrics": multiclass,
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


def _describe_counts(counts: Floats) -> dict[str, dict[str, int]]:
    return {
        str(i): {str(j): int(count) for j, count in enumerate(row)} for i, row in enumerate(counts)
    }


def _measure_classes(
    measures: Mapping[str, Measure], counts: Floats, sampled: Floats
) -> dict[str, dict[str, Any]]:
    return {
        name: _make_metric_entry(measure(counts), measure(sampled), counts.sum())
        for name, measure in measures.items()
    }


def _measure_best_constant(
    measures: Mapping[str, Measure], counts: Floats, sampled: Floats
) -> dict[str, dict[str, Any]]:
    """Each measure of the classifier that always answers the class for which it is best."""
    entries: dict[str, dict[str, Any]] = {}
    for name, measure in measures.items():
        codes = range(counts.shape[-1])
        best = max(codes, key=lambda code: float(measure(_answer_always(code, counts))))
        value = measure(_answer_always(best, counts))
        spread = measure(_answer_always(best, sampled))
        entry = _make_metric_entry(value, spread, counts.sum())
        entries[f"{name}_best_constant_classifier"] = entry
    return entries


def _answer_always(code: int, counts: Floats) -> Floats:
    """The counts of the classifier that answers one class."""
    constant = np.zeros_like(counts)
    constant[..., code] = counts.sum(axis=-1)
    return constant


def _make_metric_entry(
    value: Floats | float, sampled: Floats, n_rows: float
) -> dict[str, float | str]:
    """The figure of all rows with its deviation over the samples."""
    enough = n_rows >= FEWEST_ROWS_FOR_A_DEVIATION
    return {
        "value": float(value),
        "standard_deviation": float(sampled.std(ddof=1)) if enough else "NaN",
    }


def _reduce_points(values: Floats) -> list[float]:
    """A curve thinned to the points that a drawing shows."""
    places = np.unique(np.linspace(0, len(values) - 1, CURVE_POINTS).round().astype(np.int64))
    return [float(value) for value in values[places]]
