"""The champion: picked by cross-validation, and whether extra features earn their place in it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import pandas as pd

from clientela.modelling.problem import Problem, Variant
from clientela.modelling.selection.evaluation import NO_DECISION, fold_grades
from clientela.modelling.selection.leaderboard import (
    behind_best,
    best_of_role,
    champion_row,
    contender_grades,
    leaderboard,
    paired_gain,
)
from clientela.modelling.selection.tuning import variants
from clientela.modelling.settings import FeatureGroup


def champion_choice(
    train: pd.DataFrame,
    grades: pd.DataFrame,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The final leaderboard, and who wins it.

    The extra features are kept if the champion gains more by them than one corrected standard
    error of that gain; the features of the required baseline are never changed.

    Args:
        train: Training part, sorted by key.
        grades: What `fold_grades` returned for all candidates.
        tuned: What `tuned_candidates` returned.
        problem: What is learned.

    Returns:
        The leaderboard (see `clientela.modelling.selection.leaderboard`), and a mapping with
        `champion`, `required`, `best_rule` (rows of the leaderboard), `extra_features`, and
        `params` of the champion.
    """
    first = champion_row(leaderboard(grades, problem), grades, problem)
    extra, added = _extra_features(train, grades, first, tuned, problem)
    everything = pd.concat([grades, added], ignore_index=True)
    table = leaderboard(everything, problem)
    features = "required" if extra["tested"] and not extra["kept"] else first["features"]
    champion = _row_of(table, first["candidate"], str(features), first["decision"])
    behind = (
        {name: first[name] for name in ("best", "behind_best", "behind_best_se")}
        if features == first["features"]
        else behind_best(champion, table, everything, problem)
    )
    choice = {
        "primary_metric": problem.settings.primary_metric,
        "champion": champion | behind,
        "params": tuned[first["candidate"]]["params"],
        "required": _row_of(table, *best_of_role(everything, "required", problem).split("|")),
        "best_rule": _row_of(table, *best_of_role(everything, "rule", problem).split("|")),
        "extra_features": extra,
    }
    return table, choice


def decision_of(row: Mapping[str, Any]) -> str | None:
    """The decision rule of a leaderboard row; None where the kind decides by itself.

    Args:
        row: A row.

    Returns:
        A decision rule.
    """
    return None if row["decision"] == NO_DECISION else str(row["decision"])


def chosen_variants(
    choice: Mapping[str, Any], tuned: dict[str, dict[str, Any]], problem: Problem
) -> list[Variant]:
    """The rules, the required baseline and the champion, each with its one decision rule.

    Args:
        choice: What `champion_choice` returned.
        tuned: What `tuned_candidates` returned.
        problem: What is learned.

    Returns:
        Variants in the order of configuration; the champion once, also when it is the baseline.
    """
    champion = choice["champion"]
    decisions = _decisions(champion)
    yardsticks = [
        variant
        for variant in variants(tuned, problem)
        if problem.settings.candidates[variant.candidate].role != "challenger"
        and variant.candidate != champion["candidate"]
    ]
    return [
        *yardsticks,
        Variant(champion["candidate"], champion["features"], choice["params"], decisions),
    ]


def _decisions(row: Mapping[str, Any]) -> tuple[str, ...]:
    decision = decision_of(row)
    return () if decision is None else (decision,)


def _row_of(table: pd.DataFrame, candidate: str, features: str, decision: str) -> dict[str, Any]:
    wanted = (
        (table["candidate"] == candidate)
        & (table["features"] == features)
        & (table["decision"] == decision)
    )
    return cast("dict[str, Any]", table[wanted].iloc[0].to_dict())


def _extra_features(
    train: pd.DataFrame,
    grades: pd.DataFrame,
    champion: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """What the champion gains by the extra features, and the grades of its other form."""
    if not problem.schema.extra:
        return {"tested": False, "reason": "no extra features in the model input"}, grades.iloc[:0]
    own: FeatureGroup = champion["features"]
    other: FeatureGroup = "required" if own == "all" else "all"
    params = tuned[champion["candidate"]]["params"]
    variant = Variant(champion["candidate"], other, params, _decisions(champion))
    added = fold_grades(train, [variant], problem, "extra features")
    by_group = {own: contender_grades(grades, champion), other: added}
    gain = paired_gain(by_group["all"], by_group["required"], problem)
    kept = own == "all" and gain.mean > gain.se
    return {"tested": True, "kept": kept, "gain": asdict(gain)}, added
