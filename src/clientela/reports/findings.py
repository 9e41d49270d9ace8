"""What an exploration found: figures for machines, sentences for people, the same in each run."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from clientela.reports.exploration import (
    TARGET_TABLE,
    Exploration,
    Frames,
    Persistence,
    Target,
)
from clientela.reports.numbers import significant
from clientela.reports.parameters import EdaParameters
from clientela.reports.persistence import BinaryRule, binary_rule
from clientela.reports.profile import Profile
from clientela.reports.recommendations import (
    Recommendation,
    correlated_pairs,
    imbalance,
    recommendations,
    suspicious_columns,
)
from clientela.reports.sentences import summary

COLUMN_FIGURES = (
    "missing", "distinct", "mean", "std", "minimum", "maximum", "zeros", "negative", "q05", "q25",
    "q50", "q75", "q95", "skewness", "kurtosis",
)  # fmt: skip


def findings(exploration: Exploration, parameters: EdaParameters) -> dict[str, Any]:
    """The findings of one entry, as they are stored.

    Args:
        exploration: Its frames.
        parameters: Thresholds and number format.

    Returns:
        `entry`, `summary` (sentences), `tables`, `recommendations`, and what applies of
        `activity`, `target`, `persistence`. Floats have six significant digits; no value of a key
        is in it.
    """
    found: dict[str, Any] = {
        "entry": exploration.entry,
        "tables": {profile.name: _table(profile) for profile in exploration.profiles},
        "recommendations": [
            {"table": name, **asdict(item)} for name, item in advice(exploration, parameters)
        ],
    }
    if exploration.activity is not None:
        found["activity"] = _activity(exploration.activity, parameters)
    if exploration.target is not None:
        found["target"] = _target(exploration.target)
    if exploration.persistence is not None:
        found["persistence"] = _persistence(exploration.persistence)
    return found | {"summary": summary(found, parameters.numbers)}


def advice(exploration: Exploration, parameters: EdaParameters) -> list[tuple[str, Recommendation]]:
    """Every recommendation beside the table it is about, the target's first.

    Args:
        exploration: The frames.
        parameters: The thresholds.

    Returns:
        Table name and recommendation; what was said of a column is not said again where the same
        column stands in a later table.
    """
    target = exploration.target
    about_target = (
        []
        if target is None
        else [
            *suspicious_columns(target.associations, parameters),
            *imbalance(target.counts, target.classes, parameters),
            *correlated_pairs(target.correlations, parameters),
        ]
    )
    of_columns: dict[tuple[str, str], tuple[str, Recommendation]] = {}
    for profile in exploration.profiles:
        for item in recommendations(profile, parameters):
            of_columns.setdefault((item.kind, item.column), (profile.name, item))
    return [*((TARGET_TABLE, item) for item in about_target), *of_columns.values()]


def _table(profile: Profile) -> dict[str, Any]:
    columns = {str(row["column"]): _column(row) for _, row in profile.columns.iterrows()}
    return {"rows": profile.rows, "repeated_rows": profile.repeated, "columns": columns}


def _column(row: pd.Series) -> dict[str, Any]:
    figures = {name: row[name] for name in COLUMN_FIGURES if not pd.isna(row[name])}
    dates = {name: str(row[name])[:10] for name in ("first", "last") if not pd.isna(row[name])}
    whole = ("missing", "distinct", "zeros", "negative")
    rounded = {n: int(v) if n in whole else significant(float(v)) for n, v in figures.items()}
    return {"type": str(row["type"]), "kind": str(row["kind"]), **rounded, **dates}


def _activity(activity: Frames, parameters: EdaParameters) -> dict[str, Any]:
    months, categories, tenths = (activity[n] for n in ("months", "categories", "concentration"))
    bought = float(months["bought"].sum())
    customers = int(activity["frequencies"]["customers"].sum())
    named = categories[categories["customers"] >= parameters.min_rows]
    return {
        "customers": customers,
        "months": len(months),
        "bought": significant(bought),
        "refunds": int(months["refunds"].sum()),
        "refunded": significant(float(months["refunded"].sum())),
        "points_earned": int(months["earned"].sum()),
        "points_redeemed": int(months["redeemed"].sum()),
        "best_tenth_share": _share(tenths["bought"].head(1).sum(), bought),
        "single_purchase_customers": _share(
            activity["frequencies"].query("at_least == 1")["customers"].sum(), customers
        ),
        "categories": {
            str(row["rubro"]): {
                "amount_share": _share(row["bought"], bought),
                "customer_share": _share(row["customers"], customers),
                "spellings": int(row["spellings"]),
            }
            for row in named.to_dict("records")
        },
    }


def _target(target: Target) -> dict[str, Any]:
    total = sum(target.counts)
    strongest = target.associations.set_index("column")["rank_correlation"]
    return {
        "rows": total,
        "counts": dict(zip(target.classes, target.counts, strict=True)),
        "shares": {c: _share(n, total) for c, n in zip(target.classes, target.counts, strict=True)},
        "imbalance_ratio": _share(max(target.counts), min(target.counts)),
        "rank_correlation": {str(c): significant(float(v)) for c, v in strongest.items()},
        "cramers_v": {
            str(row["column"]): significant(row["cramers_v"])
            for row in target.category_associations.to_dict("records")
        },
    }


def _persistence(persistence: Persistence) -> dict[str, Any]:
    rule: BinaryRule = binary_rule(persistence.counts)
    after = persistence.counts.sum(axis=0)
    start, middle, end = persistence.borders
    return {
        "category": persistence.category,
        "months": persistence.months,
        "earlier_window": [start, middle],
        "later_window": [middle, end],
        "customers": int(persistence.counts.sum()),
        "classes": list(persistence.classes),
        "counts": persistence.counts.astype(int).tolist(),
        "quadratic_weighted_kappa": significant(persistence.kappa),
        "binary_rule": {name: significant(value) for name, value in asdict(rule).items()},
        "buyers_in_lowest_class": _share(after[1], after[1:].sum()),
    }


def _share(part: float, whole: float) -> float | None:
    return significant(float(part) / float(whole)) if whole else None
