"""From the grades of folds to a table, a champion, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clientela.modelling.problem import Problem
from clientela.modelling.selection.evaluation import IDENTITY


@dataclass(frozen=True)
class Gain:
    """A paired difference of the primary metric over folds; positive is better.

    Attributes:
        mean: Mean over the folds.
        sd: Standard deviation over the folds.
        se: Corrected standard error of the mean.
    """

    mean: float
    sd: float
    se: float


def paired_gain(one: pd.DataFrame, other: pd.DataFrame, problem: Problem) -> Gain:
    """How much better one contender is than another on the same folds.

    Folds share training rows, so the plain standard error is too small; the corrected one is
    `sqrt((1/J + held-out/learned) s^2)` for J folds (Nadeau and Bengio 2003).

    Args:
        one: Fold grades of one contender.
        other: Fold grades of the other.
        problem: What is learned.

    Returns:
        Mean, spread and corrected standard error of the difference.
    """
    metric, place = problem.settings.primary_metric, ["repeat", "fold"]
    pairs = one.set_index(place)[metric], other.set_index(place)[metric]
    differences = np.array([problem.gain(pairs[0][at], pairs[1][at]) for at in pairs[0].index])
    sd = float(differences.std(ddof=1))
    held_out_to_learned = 1 / (problem.settings.folds - 1)
    se = sd * float(np.sqrt(1 / len(differences) + held_out_to_learned))
    return Gain(float(differences.mean()), sd, se)


def leaderboard(grades: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """One row per contender, best first, with its spread and its gain over the yardsticks.

    Args:
        grades: What `fold_grades` returned.
        problem: What is learned.

    Returns:
        `candidate`, `features`, `decision`, `kind`, `role`, `order` (simplest first); for each
        measure its mean and `<measure>_sd` over the folds; `gain_vs_rule` and `gain_vs_required`
        (paired, positive is better) each with `_sd` and `_se`.
    """
    contenders = {str(name): rows for name, rows in grades.groupby(_labels(grades), sort=False)}
    best_rule = best_of_role(grades, "rule", problem)
    required = best_of_role(grades, "required", problem)
    rows = [
        _row(order, rows, contenders[best_rule], contenders[required], problem)
        for order, rows in enumerate(contenders.values())
    ]
    better_first = not problem.task.greater_is_better(problem.settings.primary_metric)
    table = pd.DataFrame(rows)
    return table.sort_values(
        [problem.settings.primary_metric, "order"], ascending=[better_first, True]
    ).reset_index(drop=True)


def best_of_role(grades: pd.DataFrame, role: str, problem: Problem) -> str:
    """Label of the best contender of a role; the first of equally good ones.

    Args:
        grades: What `fold_grades` returned.
        role: A role of candidates.
        problem: What is learned.

    Returns:
        `candidate|features|decision`.
    """
    settings = problem.settings
    # several candidates may be required; the first is the baseline that others are measured by
    names = [settings.required] if role == "required" else list(settings.of_role(role))
    of_role = grades[grades["candidate"].isin(names)]
    means = of_role.groupby(_labels(of_role), sort=False)[problem.settings.primary_metric].mean()
    better = problem.task.greater_is_better(problem.settings.primary_metric)
    return str(means.idxmax() if better else means.idxmin())


def champion_row(table: pd.DataFrame, grades: pd.DataFrame, problem: Problem) -> dict[str, Any]:
    """The simplest model that is within one standard error of the best one.

    The error is that of the paired difference to the best one. Rules are yardsticks and can't win.

    Args:
        table: The leaderboard.
        grades: The grades behind it.
        problem: What is learned.

    Returns:
        The champion's row, with `best` (label of the best model), `behind_best` and
        `behind_best_se`.
    """
    models = table[table["role"] != "rule"]
    best = models.iloc[0]
    best_grades = contender_grades(grades, best)
    for _, row in models.sort_values("order").iterrows():
        behind = paired_gain(best_grades, contender_grades(grades, row), problem)
        if row["order"] == best["order"] or behind.mean <= behind.se:
            return {str(name): value for name, value in row.items()} | _behind(best, behind)
    raise AssertionError("unreachable: the best model is not behind itself")  # pragma: no cover


def behind_best(
    row: Mapping[str, Any], table: pd.DataFrame, grades: pd.DataFrame, problem: Problem
) -> dict[str, Any]:
    """How far one contender is from the best model of the leaderboard.

    Args:
        row: The contender's row.
        table: The leaderboard.
        grades: The grades behind it.
        problem: What is learned.

    Returns:
        `best`, `behind_best` and `behind_best_se`, as in `champion_row`.
    """
    best = table[table["role"] != "rule"].iloc[0]
    pair = contender_grades(grades, best), contender_grades(grades, row)
    return _behind(best, paired_gain(*pair, problem))


def _behind(best: "pd.Series[Any]", behind: Gain) -> dict[str, Any]:
    label = "|".join(best[IDENTITY])
    return {"best": label, "behind_best": behind.mean, "behind_best_se": behind.se}


def contender_grades(
    grades: pd.DataFrame, row: "pd.Series[Any] | Mapping[str, Any]"
) -> pd.DataFrame:
    """The fold grades of the contender that a leaderboard row describes.

    Args:
        grades: What `fold_grades` returned.
        row: A row with its `candidate`, `features` and `decision`.

    Returns:
        One row per fold.
    """
    return grades[_labels(grades) == "|".join(str(row[name]) for name in IDENTITY)]


def _labels(grades: pd.DataFrame) -> "pd.Series[str]":
    return grades["candidate"] + "|" + grades["features"] + "|" + grades["decision"]


def _row(
    order: int, rows: pd.DataFrame, rule: pd.DataFrame, required: pd.DataFrame, problem: Problem
) -> dict[str, Any]:
    first = rows.iloc[0]
    settings = problem.settings.candidates[str(first["candidate"])]
    row: dict[str, Any] = {name: first[name] for name in IDENTITY}
    row |= {"kind": settings.kind, "role": settings.role, "order": order}
    for measure in rows.columns.drop([*IDENTITY, "repeat", "fold"]):
        row[measure] = float(rows[measure].mean())
        row[f"{measure}_sd"] = float(rows[measure].std(ddof=1))
    for name, yardstick in (("rule", rule), ("required", required)):
        gain = paired_gain(rows, yardstick, problem)
        row |= {f"gain_vs_{name}": gain.mean}
        row |= {f"gain_vs_{name}_sd": gain.sd, f"gain_vs_{name}_se": gain.se}
    return row
