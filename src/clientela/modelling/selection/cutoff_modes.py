"""Both cutoff modes side by side: what the choice of the cutoff alone changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clientela.modelling.problem import Problem, Variant
from clientela.modelling.schema import check_model_input, class_shares
from clientela.modelling.selection.evaluation import fold_grades
from clientela.modelling.selection.leaderboard import leaderboard

CONFIGURED, OTHER = "configured", "other"


def cutoff_comparison(
    train: pd.DataFrame,
    test_keys: "pd.Series[Any]",
    other_input: pd.DataFrame,
    contenders: Sequence[Variant],
    problem: Problem,
) -> dict[str, Any]:
    """The same models under both cutoff modes, cross-validated on the same settings.

    Customers of the test part are left out under the other mode too: their test is yet to come.

    Args:
        train: Training part under the configured mode.
        test_keys: Keys of the test part.
        other_input: The whole model input under the other mode.
        contenders: Which models.
        problem: What is learned.

    Returns:
        `configured` and `other`: each with `rows`, `classes` (shares) and `models` (mean and
        spread of each measure).

    Raises:
        TrainingDataError: The other model input can't be learned from.
    """
    schema = problem.schema
    check_model_input(other_input, schema, problem.settings)
    known = ~other_input[schema.key].isin(test_keys)
    rows = other_input[known].sort_values(schema.key, ignore_index=True)
    return {
        CONFIGURED: _mode(train, contenders, problem, "configured cutoff"),
        OTHER: _mode(rows, contenders, problem, "other cutoff"),
    }


def _mode(
    rows: pd.DataFrame, contenders: Sequence[Variant], problem: Problem, what: str
) -> dict[str, Any]:
    grades = fold_grades(rows, contenders, problem, what)
    table = leaderboard(grades, problem).sort_values("order")
    measures = [name for name in table.columns if f"{name}_sd" in table.columns]
    return {
        "rows": len(rows),
        "classes": class_shares(rows, problem.schema),
        "models": {str(row["candidate"]): _figures(row, measures) for _, row in table.iterrows()},
    }


def _figures(row: "pd.Series[Any]", measures: Sequence[str]) -> Mapping[str, dict[str, float]]:
    return {name: {"mean": float(row[name]), "sd": float(row[f"{name}_sd"])} for name in measures}
