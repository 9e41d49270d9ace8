"""How far made labels can be trusted: against people's, against themselves, and by groups."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from clientela.arrays import Codes, Floats, compute_confusion_matrix
from clientela.features.table_settings import BinaryTarget
from clientela.models.binary_decision import ONE_EACH, validate_costs
from clientela.models.fairness import FairnessSettings, fairness_table
from clientela.models.metrics import (
    accuracy,
    matthews_correlation,
    precision,
    quadratic_weighted_kappa,
    recall,
    specificity,
)
from clientela.models.settings import TRUTH, LabellingSettings, encode_labels
from clientela.pipelines.labelling.run import KEPT

TWO_CLASSES = np.array([0.0, 1.0])
LOWER, UPPER = 0.025, 0.975


def measure_agreement(truth: Codes, labels: Codes, *, replicates: int, seed: int) -> dict[str, Any]:
    """How far labels agree with what people judged.

    Returns:
        `rows`, `counts` (truth by label), and `measures`: name to `value`, `lower`, `upper` (95 %,
        percentile bootstrap over rows): `accuracy`, `kappa` (Cohen 1960), `mcc` (Matthews 1975),
        and recall and precision of each class.
    """
    counts = compute_confusion_matrix(truth, labels, 2)
    rng = np.random.default_rng(seed)
    # rows drawn anew with replacement: only how often each cell comes up matters
    drawn = rng.multinomial(len(truth), counts.ravel() / len(truth), size=replicates)
    whole = compute_agreement_metrics(counts)
    samples = compute_agreement_metrics(drawn.reshape(-1, 2, 2).astype(np.float64))
    measures = {}
    for name, values in samples.items():
        lower, upper = np.quantile(values, (LOWER, UPPER))
        measures[name] = {
            "value": float(whole[name]),
            "lower": float(lower),
            "upper": float(upper),
        }
    return {
        "rows": len(truth),
        "counts": counts.astype(np.int64).tolist(),
        "measures": measures,
    }


def compute_agreement_metrics(counts: Floats) -> dict[str, Floats]:
    """Measures of agreement from tables of counts, truth by label, shape (..., 2, 2)."""
    costs = validate_costs(ONE_EACH)
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


def measure_stability(opinions: Sequence[Sequence[str | None]]) -> dict[str, Any]:
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


# What the fairness table says where there is one answer per row, and no second one to compare.
SHARES = [
    "column",
    "group",
    "rows",
    "selection_rate",
    "selection_lower",
    "selection_upper",
    "selection_ratio",
    "verdict",
]


def group_shares(
    labels: pd.DataFrame, people: pd.DataFrame, target: BinaryTarget, settings: LabellingSettings
) -> pd.DataFrame:
    """One row per group of people: how many got the favourable label.

    Returns:
        `column`, `group`, `rows`, `selection_rate` (share with the favourable label) with its
        95 % interval, `selection_ratio` against the most favoured group, and `verdict`; see
        `clientela.models.fairness`. Empty where nobody was labelled.
    """
    labelled = labels["label"].notna().to_numpy()
    if not labelled.any():
        return pd.DataFrame(columns=SHARES)
    codes = encode_labels(labels["label"][labelled], target)
    rules = FairnessSettings(columns=settings.audit.groups, favourable=settings.audit.favourable)
    table = fairness_table(codes, codes, people[labelled].reset_index(drop=True), rules)
    return table[SHARES]


def audit_labels(
    labels: pd.DataFrame,
    stability: Mapping[str, Any],
    target: BinaryTarget,
    settings: LabellingSettings,
) -> dict[str, Any]:
    """Everything that was checked about the labels of one run.

    Returns:
        JSON-ready: `source`, `rows`, `status` (rows by status), `shares` (label to share of the
        labelled rows), `truth_shares` (the same of the judged ones), `audited` (whether enough
        rows were judged), `judged` (rows with a truth and a label), `least_judged`,
        `commonest_share` (what the commonest label alone would hit), `favourable` (label),
        `agreement` (see there; null without), `stability`, `faithfulness`
        (`described`, `unfaithful` rows, `numbers` invented), `hostile` (rows), `learn_from`.
    """
    compared = labels.dropna(subset=["label", TRUTH])
    enough = len(compared) >= settings.audit.least_judged
    described = labels["description"].notna()
    sources = labels["label_source"].dropna()
    status = labels["status"].value_counts().sort_index()
    return {
        "source": "nobody" if sources.empty else str(sources.iloc[0]),
        "provider": settings.provider,
        "learn_from": settings.learn_from,
        "rows": len(labels),
        "status": {str(name): int(rows) for name, rows in status.items()},
        "shares": labels["label"].value_counts(normalize=True).sort_index().to_dict(),
        "truth_shares": labels[TRUTH].value_counts(normalize=True).sort_index().to_dict(),
        "judged": len(compared),
        "least_judged": settings.audit.least_judged,
        "commonest_share": float(compared[TRUTH].value_counts(normalize=True).max())
        if enough
        else None,
        "favourable": (target.negative, target.positive)[settings.audit.favourable].label,
        "audited": enough,
        "agreement": measure_agreement(
            encode_labels(compared[TRUTH], target),
            encode_labels(compared["label"], target),
            replicates=settings.audit.bootstrap,
            seed=settings.seed,
        )
        if enough
        else None,
        "stability": dict(stability),
        "faithfulness": {
            "described": int(described.sum()),
            "unfaithful": int((labels["invented"] > 0).sum()),
            "numbers": int(labels["invented"].sum()),
        },
        "hostile": int((labels["hostile"] != "").sum()),
        "lost": int((~labels["status"].isin(KEPT)).sum()),
    }
