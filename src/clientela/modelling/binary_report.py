"""What the probabilities of a binary champion are worth: costs, calibration, lift, groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clientela.binary.curves import calibration_table, gain_table
from clientela.binary.decision import decided_codes
from clientela.binary.fairness import FairnessSettings, fairness_table
from clientela.binary.scorecard_points import POINT_COLUMNS, scorecard_points
from clientela.binary.woe_scorecard import WoeScorecard
from clientela.classification.spread import spread
from clientela.modelling.problem import Problem
from clientela.modelling.selection.test_part import CHAMPION, REQUIRED, said_by
from clientela.modelling.storage.stored_model import StoredModel
from clientela.modelling.tasks import Predictions

REQUIRED_MEASURES: Mapping[str, str] = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "ROC-AUC",
}
"""Measures of the requirement's table with its headings, and the one it recommends beside them."""

IN_MONEY = ("expected_cost", "saving_over_all_positive", "saving_over_all_negative")


@dataclass(frozen=True)
class BinaryFacts:
    """What a card of a binary model tells beyond what every card does.

    Attributes:
        thresholds: See `threshold_table`.
        calibration: See `clientela.binary.curves.calibration_table`.
        gains: See `clientela.binary.curves.gain_table`, of the rarer class.
        fairness: See `clientela.binary.fairness.fairness_table`.
        other: The test that was not chosen.
        required: See `required_table`.
        points: See `points_table`.
        rows: Which rows are learned from; see `clientela.tabular.report.row_report`.
    """

    thresholds: pd.DataFrame
    calibration: pd.DataFrame
    gains: pd.DataFrame
    fairness: pd.DataFrame
    other: Mapping[str, Any]
    required: pd.DataFrame
    points: pd.DataFrame
    rows: Mapping[str, Any]


def threshold_table(
    champion: StoredModel, predictions: pd.DataFrame, problem: Problem
) -> pd.DataFrame:
    """One row per decision rule that the champion can apply: what it would do on the test part.

    Args:
        champion: The champion.
        predictions: Predictions on the test part.
        problem: What was learned.

    Returns:
        `decision`, `threshold`, `chosen`, `selection_rate` (share decided as class 1), `accuracy`,
        `recall`, `specificity`, and for cost per row and the savings over deciding everybody alike
        value, `_lower` and `_upper` (95 %).
    """
    truth, said = said_by(predictions, CHAMPION, problem)
    rows = []
    for rule, threshold in champion.estimator.thresholds_.items():
        codes = decided_codes(said.probabilities[:, 1], threshold)
        decided = Predictions(codes, said.probabilities, said.expected)
        row: dict[str, Any] = {"decision": rule, "threshold": threshold}
        row |= {"chosen": rule == champion.manifest["decision"], "selection_rate": codes.mean()}
        rows.append(row | _worth(truth, decided, problem))
    return pd.DataFrame(rows)


def _worth(truth: Any, decided: Predictions, problem: Problem) -> dict[str, float]:
    settings, values = problem.settings, problem.schema.value_array
    grades = problem.task.grade(truth, decided, values)
    sampled = problem.task.resampled_grades(
        truth, decided, values, replicates=settings.bootstrap, seed=settings.seed
    )
    ends = spread(sampled[list(IN_MONEY)]).to_dict("index")
    found = {name: grades[name] for name in ("accuracy", "recall", "specificity")}
    for name in IN_MONEY:
        found |= {name: grades[name]}
        found |= {f"{name}_{end}": ends[name][end] for end in ("lower", "upper")}
    return found


def probability_tables(
    predictions: pd.DataFrame, problem: Problem
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibration and gain of the champion on the test part.

    Args:
        predictions: Predictions on the test part.
        problem: What was learned.

    Returns:
        See `clientela.binary.curves.calibration_table` and `gain_table`; the gain is that of
        looking for the rarer class.
    """
    truth, said = said_by(predictions, CHAMPION, problem)
    positive, settings = said.probabilities[:, 1], problem.settings
    gains = gain_table(
        truth,
        positive,
        code=rarer_code(truth),
        replicates=settings.bootstrap,
        seed=settings.seed,
    )
    return calibration_table(truth, positive), gains


def rarer_code(truth: Any) -> int:
    """The code of the class with fewer rows; 1 of equal ones.

    Args:
        truth: Codes 0 or 1.

    Returns:
        0 or 1.
    """
    return int(np.mean(truth) <= 0.5)  # noqa: PLR2004 - half of the rows


def group_table(test: pd.DataFrame, predictions: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """How the champion's decisions on the test part differ between groups of people.

    Args:
        test: Test part, sorted by key.
        predictions: Predictions on it.
        problem: What was learned, and which groups are compared.

    Returns:
        See `clientela.binary.fairness.fairness_table`; without rows where no groups are configured.
    """
    truth, said = said_by(predictions, CHAMPION, problem)
    settings = problem.settings.fairness or FairnessSettings()
    return fairness_table(truth, said.codes, test, settings)


def points_table(champion: StoredModel, problem: Problem) -> pd.DataFrame:
    """The champion's points, where it is a scorecard.

    Args:
        champion: The champion.
        problem: What was learned.

    Returns:
        See `clientela.binary.scorecard_points.scorecard_points`; no row for other models.
    """
    learner = champion.estimator.classifier_
    if not isinstance(learner, WoeScorecard):
        return pd.DataFrame(columns=list(POINT_COLUMNS))
    return scorecard_points(learner, problem.settings.points)


def required_table(
    predictions: pd.DataFrame, other: pd.DataFrame | None, problem: Problem
) -> pd.DataFrame:
    """One row per required model and rule: the requirement's measures on a stratified random draw.

    Args:
        predictions: Predictions on the chosen test part.
        other: Predictions on the other one; None without.
        problem: What was learned.

    Returns:
        `Modelo`; `Accuracy`, `Precision`, `Recall`, `F1` of the positive class; `ROC-AUC`.
    """
    drawn = other if problem.settings.holdout == "time" and other is not None else predictions
    rows = []
    for name in drawn["model"].unique():
        if name == CHAMPION:
            continue
        truth, said = said_by(drawn, str(name), problem)
        grades = problem.task.grade(truth, said, problem.schema.value_array)
        called = problem.settings.required if name == REQUIRED else str(name)
        rows.append(
            {"Modelo": called} | {head: grades[part] for part, head in REQUIRED_MEASURES.items()}
        )
    return pd.DataFrame(rows)
