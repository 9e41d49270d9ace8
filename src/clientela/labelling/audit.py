"""How far made labels can be trusted: one record of everything that was checked about them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from clientela.binary.fairness import FairnessSettings, fairness_table
from clientela.labelling.agreement import agreement
from clientela.labelling.outcomes import KEPT
from clientela.labelling.settings import LabellingSettings
from clientela.labelling.truth import TRUTH, codes
from clientela.tabular.params import BinaryTarget

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
"""What the fairness table says where there is one answer per row, and no second one to compare."""


def group_shares(
    labels: pd.DataFrame, people: pd.DataFrame, target: BinaryTarget, settings: LabellingSettings
) -> pd.DataFrame:
    """One row per group of people: how many got the favourable label.

    Args:
        labels: The label table.
        people: The sensitive columns of the same rows.
        target: The two labels.
        settings: Columns and bands.

    Returns:
        `column`, `group`, `rows`, `selection_rate` (share with the favourable label) with its
        95 % interval, `selection_ratio` against the most favoured group, and `verdict`; see
        `clientela.binary.fairness`. Empty where nobody was labelled.
    """
    labelled = labels["label"].notna().to_numpy()
    if not labelled.any():
        return pd.DataFrame(columns=SHARES)
    said = codes(labels["label"][labelled], target)
    rules = FairnessSettings(columns=settings.audit.groups, favourable=settings.audit.favourable)
    table = fairness_table(said, said, people[labelled].reset_index(drop=True), rules)
    return table[SHARES]


def audit(
    labels: pd.DataFrame,
    stability: Mapping[str, Any],
    target: BinaryTarget,
    settings: LabellingSettings,
) -> dict[str, Any]:
    """Everything that was checked about the labels of one run.

    Args:
        labels: The label table with `truth`.
        stability: See `clientela.labelling.agreement.stability`; empty where not measured.
        target: The two labels.
        settings: What is asked of them.

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
    return {
        "source": _source(labels),
        "provider": settings.provider,
        "learn_from": settings.learn_from,
        "rows": len(labels),
        "status": _counts(labels["status"]),
        "shares": labels["label"].value_counts(normalize=True).sort_index().to_dict(),
        "truth_shares": labels[TRUTH].value_counts(normalize=True).sort_index().to_dict(),
        "judged": len(compared),
        "least_judged": settings.audit.least_judged,
        "commonest_share": float(compared[TRUTH].value_counts(normalize=True).max())
        if enough
        else None,
        "favourable": (target.negative, target.positive)[settings.audit.favourable].label,
        "audited": enough,
        "agreement": agreement(
            codes(compared[TRUTH], target),
            codes(compared["label"], target),
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


def _source(labels: pd.DataFrame) -> str:
    said = labels["label_source"].dropna().unique()
    return str(said[0]) if len(said) else "nobody"


def _counts(column: "pd.Series[Any]") -> dict[str, int]:
    counted = column.value_counts().sort_index()
    return {str(name): int(np.int64(rows)) for name, rows in counted.items()}
