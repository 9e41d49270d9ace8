"""Binary measures in the JSON form that the SageMaker console draws next to a registered model."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from clientela.binary.grading import bootstrap_grades, grade
from clientela.binary.tallies import ratio
from clientela.classification.codes import Codes, Floats, class_counts
from clientela.modelling.storage.console_metrics import FEWEST_ROWS_FOR_A_DEVIATION
from clientela.modelling.tasks import Predictions

CURVE_POINTS = 101
"""Points of each curve: as many as a drawing shows."""


def _f_measure(beta: float) -> Callable[[Floats], Floats]:
    """`(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)` (van Rijsbergen 1979)."""

    def measure(counts: Floats) -> Floats:
        hits = (1 + beta**2) * counts[..., 1, 1]
        return ratio(hits, hits + beta**2 * counts[..., 1, 0] + counts[..., 0, 1], empty=0.0)

    return measure


def _share(row: int, column: int, *, of_predicted: bool = False) -> Callable[[Floats], Floats]:
    """Share of one cell among its true class, or among its predicted class."""

    def measure(counts: Floats) -> Floats:
        whole = counts[..., :, column] if of_predicted else counts[..., row, :]
        return ratio(counts[..., row, column], whole.sum(axis=-1), empty=0.0)

    return measure


def _accuracy(counts: Floats) -> Floats:
    return ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)), empty=0.0)


COMPARED: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "recall": _share(1, 1),
        "precision": _share(1, 1, of_predicted=True),
        "accuracy": _accuracy,
        "f0_5": _f_measure(0.5),
        "f1": _f_measure(1.0),
        "f2": _f_measure(2.0),
    }
)
"""Measures of counts (..., 2, 2) that the console shows beside the best constant classifier's."""

RATES: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "true_positive_rate": _share(1, 1),
        "true_negative_rate": _share(0, 0),
        "false_positive_rate": _share(0, 1),
        "false_negative_rate": _share(1, 0),
    }
)
"""Further measures of counts, under the console's names."""


def binary_console_metrics(
    truth: Codes, said: Predictions, *, replicates: int, seed: int
) -> dict[str, Any]:
    """Binary classification measures of the decided class and of the probability.

    Args:
        truth: True codes.
        said: Predictions for the same rows.
        replicates: Bootstrap samples behind the standard deviations.
        seed: Seed of the resampling.

    Returns:
        `binary_classification_metrics`.
    """
    counts = class_counts(truth, said.codes, 2)
    sampled = _sampled_counts(truth, said.codes, replicates, seed)
    enough = len(truth) >= FEWEST_ROWS_FOR_A_DEVIATION
    found: dict[str, Any] = {
        "confusion_matrix": {
            str(i): {str(j): int(counts[i, j]) for j in range(2)} for i in range(2)
        }
    }
    for name, measure in {**COMPARED, **RATES}.items():
        found[name] = _entry(measure(counts), measure(sampled), enough=enough)
    for name, measure in COMPARED.items():
        constant = [(_always(code, counts), _always(code, sampled)) for code in range(2)]
        best, best_sampled = max(constant, key=lambda pair: float(measure(pair[0])))
        found[f"{name}_best_constant_classifier"] = _entry(
            measure(best), measure(best_sampled), enough=enough
        )
    auc = _auc(truth, said, replicates, seed)
    return {
        "binary_classification_metrics": found
        | {"auc": _entry(auc[0], auc[1:], enough=enough)}
        | _drawn(truth, said.probabilities[:, 1])
    }


def _sampled_counts(truth: Codes, codes: Codes, replicates: int, seed: int) -> Floats:
    """Counts by true and predicted class of bootstrap samples: multinomial over the four cells."""
    counts = class_counts(truth, codes, 2)
    drawn = np.random.default_rng(seed).multinomial(
        len(truth), counts.ravel() / len(truth), size=replicates
    )
    return drawn.reshape(-1, 2, 2).astype(np.float64)


def _always(code: int, counts: Floats) -> Floats:
    """The counts of the classifier that answers one class."""
    constant = np.zeros_like(counts)
    constant[..., code] = counts.sum(axis=-1)
    return constant


def _auc(truth: Codes, said: Predictions, replicates: int, seed: int) -> Floats:
    """ROC-AUC of all rows, then of the bootstrap samples that hold both classes."""
    positive, costs = said.probabilities[:, 1], np.array([[0.0, 1.0], [1.0, 0.0]])
    whole = grade(truth, said.codes, positive, costs)["roc_auc"]
    sampled = bootstrap_grades(
        truth, said.codes, positive, costs, replicates=replicates, seed=seed
    )["roc_auc"]
    return np.array([whole, *sampled.dropna()])


def _entry(value: Floats, sampled: Floats, *, enough: bool) -> dict[str, Any]:
    return {
        "value": float(value),
        "standard_deviation": float(sampled.std(ddof=1)) if enough else "NaN",
    }


def _drawn(truth: Codes, probability: Floats) -> dict[str, dict[str, list[float]]]:
    """Both curves, thinned to the points that a drawing shows."""
    false_positive, true_positive, _ = roc_curve(truth, probability)
    precision, recall, _ = precision_recall_curve(truth, probability)
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": _thinned(false_positive),
            "true_positive_rates": _thinned(true_positive),
        },
        "precision_recall_curve": {
            "precisions": _thinned(precision),
            "recalls": _thinned(recall),
        },
    }


def _thinned(values: Floats) -> list[float]:
    places = np.unique(np.linspace(0, len(values) - 1, CURVE_POINTS).round().astype(np.int64))
    return [float(value) for value in values[places]]
