"""What a model that learned made labels is worth against the truth: both figures, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from clientela.arrays import Codes
from clientela.features.table_settings import BinaryTarget
from clientela.models.evaluation import select_model_predictions
from clientela.models.grading import summarize_replicates
from clientela.models.labels import TRUTH, AuditSettings, encode_labels
from clientela.models.problem import Problem
from clientela.models.training_data import run_in_threads
from clientela.pipelines.training.model_selection import get_champion_candidate

# What a model that learned made labels is worth against the truth: both figures, side by side.


AGAINST = ("label", TRUTH)
"""Columns of the label table that models are measured against."""


def score_against_truth(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    target: BinaryTarget,
    problem: Problem,
    least_judged: int,
) -> dict[str, Any]:
    """Each model's figure against the labels and against the truth, on the same test rows.

    Args:
        least_judged: Test rows with a label and a truth below which nothing is stated.

    Returns:
        `metric` (the primary one), `rows` that have both, `judged` (whether they are enough), and
        `models`: name to `label` and `truth`, each with `value`, `lower`, `upper` (95 %).
    """
    key, metric = problem.schema.key, problem.settings.primary_metric
    both = labels.dropna(subset=list(AGAINST)).set_index(key)
    rows = predictions[predictions[key].isin(both.index)]
    names = list(dict.fromkeys(predictions["model"]))
    # every model predicts the same rows in the same order
    tested = both.loc[rows.loc[rows["model"] == names[0], key]]
    truths = {name: encode_labels(tested[name], target) for name in AGAINST}
    enough = len(tested) >= least_judged and all(
        len(np.unique(truth)) == len(problem.schema.classes) for truth in truths.values()
    )
    models = {
        model: {name: _score_model(rows, model, truth, problem) for name, truth in truths.items()}
        for model in names
        if enough
    }
    return {"metric": metric, "rows": len(tested), "judged": enough, "models": models}


def _score_model(
    rows: pd.DataFrame, model: str, truth: Codes, problem: Problem
) -> dict[str, float]:
    _, said = select_model_predictions(rows, model, problem)
    values, settings = problem.schema.value_array, problem.settings
    samples = problem.task.bootstrap_metrics(
        truth, said, values, replicates=settings.bootstrap, seed=settings.seed
    )
    metric = settings.primary_metric
    value = problem.task.grade(truth, said, values)[metric]
    ends = summarize_replicates(samples[[metric]])[["lower", "upper"]].loc[metric].to_dict()
    return {"value": value, **{str(name): float(end) for name, end in ends.items()}}


# How many true labels are worth as much as the made ones: models of both, tested on the truth.


TEST_SHARE = 0.4
"""Of the judged rows; the others are what true labels are drawn from."""

LABELS = "labels"
COLUMNS = ("learned_from", "size", "mean", "sd", "splits")


@dataclass(frozen=True)
class LearningCurveFit:
    """One model to be fitted and tested.

    Attributes:
        size: Rows that it learns from; of made labels all there are.
        test: Places of the judged rows it is tested on.
    """

    learned_from: str
    size: int
    learn: Codes
    said: Codes
    test: Codes
    truth: Codes


def learning_curve(  # noqa: PLR0913, PLR0917 - what a model is made of, and what it is asked
    features: pd.DataFrame,
    labels: pd.DataFrame,
    choice: Mapping[str, Any],
    target: BinaryTarget,
    problem: Problem,
    settings: AuditSettings,
) -> pd.DataFrame:
    """One row per number of true labels, and one for the made labels.

    The champion's kind, with its parameters, learns so many true labels, or every made label but
    those of the test rows, and is tested on judged rows that it has not seen; several random
    splits, the same ones for both.

    Args:
        features: One row per case, labelled or not.

    Returns:
        `learned_from` (`truth` or `labels`), `size` (rows learned from; their mean where it
        differs), `mean` and `sd` of the primary metric over the splits, `splits`. Empty where too
        few rows were judged.
    """
    table = features.merge(labels[[problem.schema.key, "label", TRUTH]], on=problem.schema.key)
    table = table.sort_values(problem.schema.key, ignore_index=True)
    lessons = [
        lesson
        for split in range(settings.curve_repeats)
        for lesson in _build_curve_fits(
            table, target, problem.settings.seed + split, problem, settings
        )
    ]
    calls = [(lesson, table, choice, problem) for lesson in lessons]
    figures = list(run_in_threads(_fit_and_score, calls, problem.settings.workers)) if calls else []
    rows = pd.DataFrame(
        {
            "learned_from": [lesson.learned_from for lesson in lessons],
            # the made labels are a little fewer or more from split to split
            "point": [-1 if lesson.learned_from == LABELS else lesson.size for lesson in lessons],
            "size": [lesson.size for lesson in lessons],
            "figure": np.asarray(figures, dtype=np.float64),
        }
    )
    if rows.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    grouped = rows.groupby(["learned_from", "point"], sort=True)
    curve = grouped.agg(
        size=("size", "mean"),
        mean=("figure", "mean"),
        sd=("figure", "std"),
        splits=("size", "size"),
    ).reset_index()
    return curve.assign(size=curve["size"].round().astype(np.int64))[list(COLUMNS)]


def find_equivalent_size(curve: pd.DataFrame) -> tuple[float, float] | None:
    """Between which numbers of true labels a model is as good as one of the made labels.

    Returns:
        The two neighbouring sizes; 0 and the smallest one where even that is better, the largest
        and infinity where none is as good; None without a curve.
    """
    truth = curve[curve["learned_from"] == TRUTH].sort_values("size")
    made = curve.loc[curve["learned_from"] == LABELS, "mean"]
    if truth.empty or made.empty:
        return None
    level = float(made.iloc[0])
    sizes = [0.0, *truth["size"].astype(float), np.inf]
    reached = [False, *(truth["mean"] >= level), True]
    for (low, _), (high, there) in pairwise(zip(sizes, reached, strict=True)):
        if there:
            return low, high
    raise AssertionError  # pragma: no cover - the last one is always reached


def _build_curve_fits(
    table: pd.DataFrame,
    target: BinaryTarget,
    seed: int,
    problem: Problem,
    settings: AuditSettings,
) -> list[LearningCurveFit]:
    judged = np.flatnonzero(table[TRUTH].notna())
    if len(judged) < settings.least_judged:
        return []
    truth = encode_labels(table[TRUTH].iloc[judged], target)
    if np.bincount(truth, minlength=2).min() < 2 * problem.settings.inner_folds:
        return []
    pool, test = train_test_split(
        np.arange(len(judged)), test_size=TEST_SHARE, random_state=seed, stratify=truth
    )
    tested = (judged[test], truth[test])
    lessons = [
        LearningCurveFit(TRUTH, size, judged[drawn], truth[drawn], *tested)
        for size in settings.curve_sizes
        if (drawn := _draw_training_rows(pool, truth, size, seed, problem.settings.inner_folds))
        is not None
    ]
    made = np.setdiff1d(np.flatnonzero(table["label"].notna()), tested[0])
    said = encode_labels(table["label"].iloc[made], target)
    if len(np.unique(said)) == len(problem.schema.classes):
        lessons.append(LearningCurveFit(LABELS, len(made), made, said, *tested))
    return lessons


def _draw_training_rows(
    pool: Codes, truth: Codes, size: int, seed: int, folds: int
) -> Codes | None:
    """So many rows of the pool, classes in proportion; None where they do not suffice to learn."""
    if size > len(pool):
        return None
    if size == len(pool):
        drawn = pool
    else:
        drawn, _ = train_test_split(pool, train_size=size, random_state=seed, stratify=truth[pool])
    enough = np.bincount(truth[drawn], minlength=2).min() >= folds
    return np.sort(drawn) if enough else None


def _fit_and_score(
    lesson: LearningCurveFit, table: pd.DataFrame, choice: Mapping[str, Any], problem: Problem
) -> float:
    contender = get_champion_candidate(choice)
    model = problem.build_estimator(contender.candidate, contender.params, contender.decision)
    X = table[problem.schema.features(contender.features)]
    fitted = model.fit(X.iloc[lesson.learn], lesson.said)
    said = problem.task.predictions(fitted, X.iloc[lesson.test], contender.decision)
    grades = problem.task.grade(lesson.truth, said, problem.schema.value_array)
    return grades[problem.settings.primary_metric]
