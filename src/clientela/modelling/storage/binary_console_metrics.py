"""Binary measures in the JSON form that the SageMaker console draws next to a registered model."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from clientela.binary import point_metrics as point
from clientela.binary.costs import ONE_EACH
from clientela.binary.grading import sampled_counts, sampled_rows
from clientela.binary.probability_metrics import roc_auc
from clientela.binary.tallies import Tallies, ratio, tallies, tally_cells
from clientela.classification.codes import Codes, Floats, class_counts
from clientela.modelling.storage.console_metrics import FEWEST_ROWS_FOR_A_DEVIATION
from clientela.modelling.tasks import Predictions

CURVE_POINTS = 101
"""Points of each curve: as many as a drawing shows."""


COSTS = np.asarray(ONE_EACH)
"""What every measure of classes receives; those shown here read no costs."""


def _f_measure(beta: float) -> Callable[[Floats, Floats], Floats]:
    """`(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)` (van Rijsbergen 1979)."""

    def measure(counts: Floats, costs: Floats) -> Floats:
        del costs
        hits = (1 + beta**2) * counts[..., 1, 1]
        return ratio(hits, hits + beta**2 * counts[..., 1, 0] + counts[..., 0, 1], empty=0.0)

    return measure


def _complement(share: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats], Floats]:
    """What a share leaves of one."""
    return lambda counts, costs: 1 - share(counts, costs)


COMPARED: Mapping[str, Callable[[Floats, Floats], Floats]] = MappingProxyType(
    {
        "recall": point.recall,
        "precision": point.precision,
        "accuracy": point.accuracy,
        "f0_5": _f_measure(0.5),
        "f1": point.f1,
        "f2": _f_measure(2.0),
    }
)
"""Measures of counts (..., 2, 2) that the console shows beside the best constant classifier's."""

RATES: Mapping[str, Callable[[Floats, Floats], Floats]] = MappingProxyType(
    {
        "true_positive_rate": point.recall,
        "true_negative_rate": point.specificity,
        "false_positive_rate": _complement(point.specificity),
        "false_negative_rate": _complement(point.recall),
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
        found[name] = _entry(measure(counts, COSTS), measure(sampled, COSTS), enough=enough)
    for name, measure in COMPARED.items():
        constant = [(_always(code, counts), _always(code, sampled)) for code in range(2)]
        best, best_sampled = max(constant, key=lambda pair: float(measure(pair[0], COSTS)))
        found[f"{name}_best_constant_classifier"] = _entry(
            measure(best, COSTS), measure(best_sampled, COSTS), enough=enough
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
    positive = said.probabilities[:, 1]
    levels, cells = tally_cells(truth, positive)
    portions = (
        sampled_counts(cells, 2 * len(levels), rows).reshape(len(rows), -1, 2)
        for rows in sampled_rows(len(cells), replicates=replicates, seed=seed)
    )
    sampled = [roc_auc(Tallies(levels, portion)) for portion in portions]
    found = np.concatenate([roc_auc(tallies(truth, positive))[None], *sampled])
    both_classes: Floats = found[~np.isnan(found)]
    return both_classes


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
