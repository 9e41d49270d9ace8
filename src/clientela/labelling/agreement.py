"""How far two sets of labels agree: those made here with those of people, or with themselves."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from clientela.binary.costs import ONE_EACH, checked_costs
from clientela.binary.point_metrics import (
    accuracy,
    matthews_correlation,
    precision,
    recall,
    specificity,
)
from clientela.classification.codes import Codes, Floats, class_counts
from clientela.ordinal.metrics import quadratic_weighted_kappa

TWO_CLASSES = np.array([0.0, 1.0])
LOWER, UPPER = 0.025, 0.975


def agreement(truth: Codes, labels: Codes, *, replicates: int, seed: int) -> dict[str, Any]:
    """How far labels agree with what people judged.

    Args:
        truth: What people judged, 0 or 1.
        labels: The labels of the same rows.
        replicates: Bootstrap samples behind the intervals.
        seed: Of the samples.

    Returns:
        `rows`, `counts` (truth by label), and `measures`: name to `value`, `lower`, `upper` (95 %,
        percentile bootstrap over rows): `accuracy`, `kappa` (Cohen 1960), `mcc` (Matthews 1975),
        and recall and precision of each class.
    """
    counts = class_counts(truth, labels, 2)
    rng = np.random.default_rng(seed)
    # rows drawn anew with replacement: only how often each cell comes up matters
    drawn = rng.multinomial(len(truth), counts.ravel() / len(truth), size=replicates)
    whole, samples = measures(counts), measures(drawn.reshape(-1, 2, 2).astype(np.float64))
    return {
        "rows": len(truth),
        "counts": counts.astype(np.int64).tolist(),
        "measures": {
            name: dict(zip(("value", "lower", "upper"), _spread(whole[name], found), strict=True))
            for name, found in samples.items()
        },
    }


def measures(counts: Floats) -> dict[str, Floats]:
    """Measures of agreement from tables of counts.

    Args:
        counts: Truth by label, shape (..., 2, 2).

    Returns:
        Name to values of shape (...).
    """
    costs = checked_costs(ONE_EACH)
    flipped = counts[..., ::-1, ::-1]
    return {
        "accuracy": accuracy(counts, costs),
        # with two classes the weights of the quadratic kappa are those of Cohen's
        "kappa": quadratic_weighted_kappa(counts, TWO_CLASSES),
        "mcc": matthews_correlation(counts, costs),
        "recall_positive": recall(counts, costs),
        "precision_positive": precision(counts, costs),
        "recall_negative": specificity(counts, costs),
        "precision_negative": precision(flipped, costs),
    }


def stability(opinions: Sequence[Sequence[str | None]]) -> dict[str, Any]:
    """How often a labeller says the same again.

    Args:
        opinions: The labels of the same rows, asked anew each time; missing ones count as an
            answer of their own.

    Returns:
        `rows`, `repeats`, `unanimous` (share of rows with one answer throughout) and `pairwise`
        (share of equal answers over all pairs of repeats).
    """
    answers = pd.DataFrame(list(zip(*opinions, strict=True)), dtype=object).fillna("")
    pairs = [
        float((answers[one] == answers[other]).mean())
        for one, other in combinations(answers.columns, 2)
    ]
    return {
        "rows": len(answers),
        "repeats": len(opinions),
        "unanimous": float(answers.eq(answers[0], axis=0).all(axis=1).mean()),
        "pairwise": float(np.mean(pairs)),
    }


def _spread(whole: Floats, samples: Floats) -> tuple[float, ...]:
    return (float(whole), *(float(end) for end in np.quantile(samples, (LOWER, UPPER))))
