"""What labels that were made are worth: against the truth, and in numbers of true labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from clientela.arrays import Codes
from clientela.features.table_settings import BinaryTarget, TabularFeatureParams
from clientela.models.metrics import summarize_replicates
from clientela.models.problem import Problem
from clientela.models.scoring import select_model_predictions
from clientela.models.settings import TRUTH, AuditSettings, LabellingSettings, encode_labels
from clientela.models.training_data import run_in_threads
from clientela.pipelines.training.model_selection import get_champion_candidate

# Columns of the label table that models are measured against.
AGAINST = ("label", TRUTH)

# Of the judged rows; the others are what true labels are drawn from.
TEST_SHARE = 0.4

LABELS = "labels"
COLUMNS = ("learned_from", "size", "mean", "sd", "splits")


def evaluate_against_truth(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    problem: Problem,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> dict[str, Any]:
    """Each model's figure against the labels and against the truth, on the same test rows.

    Args:
        labels: One row per case, with `label` and what people judged.
        settings: `audit.least_judged` is the number of test rows with a label and a truth below
            which nothing is stated.

    Returns:
        `metric` (the primary one), `rows` that have both, `judged` (whether they are enough), and
        `models`: name to `label` and `truth`, each with `value`, `lower`, `upper` (95 %).
    """
    key, metric, values = (
        problem.schema.key,
        problem.settings.primary_metric,
        problem.schema.value_array,
    )
    both = labels.dropna(subset=list(AGAINST)).set_index(key)
    rows = predictions[predictions[key].isin(both.index)]
    names = list(dict.fromkeys(predictions["model"]))
    # every model predicts the same rows in the same order
    tested = both.loc[rows.loc[rows["model"] == names[0], key]]
    truths = {name: encode_labels(tested[name], features.target) for name in AGAINST}
    enough = len(tested) >= settings.audit.least_judged and all(
        len(np.unique(truth)) == len(problem.schema.classes) for truth in truths.values()
    )
    models: dict[str, dict[str, dict[str, float]]] = {}
    for model in names if enough else ():
        _, decided = select_model_predictions(rows, model, problem)
        models[model] = {}
        for name, truth in truths.items():
            samples = problem.task.bootstrap_metrics(
                truth,
                decided,
                values,
                replicates=problem.settings.bootstrap,
                seed=problem.settings.seed,
            )
            ends = summarize_replicates(samples[[metric]]).to_dict("index")[metric]
            models[model][name] = {
                "value": problem.task.grade(truth, decided, values)[metric],
                "lower": float(ends["lower"]),
                "upper": float(ends["upper"]),
            }
    return {"metric": metric, "rows": len(tested), "judged": enough, "models": models}


@dataclass(frozen=True)
class LearningCurveFit:
    """One model to be fitted and tested.

    Attributes:
        size: Rows that it learns from; of made labels all there are.
        learn: Places of the rows that it learns from, with their `labels`.
        test: Places of the judged rows it is tested on.
    """

    learned_from: str
    size: int
    learn: Codes
    labels: Codes
    test: Codes
    truth: Codes


def compute_learning_curve(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    cases: pd.DataFrame,
    labels: pd.DataFrame,
    choice: dict[str, Any],
    problem: Problem,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> pd.DataFrame:
    """One row per number of true labels, and one for the made labels.

    The champion's kind, with its parameters, learns so many true labels, or every made label but
    those of the test rows, and is tested on judged rows that it has not seen; several random
    splits, the same ones for both.

    Args:
        labels: One row per case, with `label` and what people judged.

    Returns:
        `learned_from` (`truth` or `labels`), `size` (rows learned from; their mean where it
        differs), `mean` and `sd` of the primary metric over the splits, `splits`. Empty where too
        few rows were judged.
    """
    key, target = problem.schema.key, features.target
    table = cases.merge(labels[[key, "label", TRUTH]], on=key).sort_values(key, ignore_index=True)
    lessons = [
        lesson
        for split in range(settings.audit.curve_repeats)
        for lesson in _build_curve_fits(
            table, target, problem.settings.seed + split, problem, settings.audit
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
    lessons = []
    for size in settings.curve_sizes:
        if size > len(pool):
            continue
        drawn = pool
        if size < len(pool):
            # classes in proportion
            drawn, _ = train_test_split(
                pool, train_size=size, random_state=seed, stratify=truth[pool]
            )
        if np.bincount(truth[drawn], minlength=2).min() >= problem.settings.inner_folds:
            drawn = np.sort(drawn)
            lessons.append(LearningCurveFit(TRUTH, size, judged[drawn], truth[drawn], *tested))
    made = np.setdiff1d(np.flatnonzero(table["label"].notna()), tested[0])
    labels = encode_labels(table["label"].iloc[made], target)
    if len(np.unique(labels)) == len(problem.schema.classes):
        lessons.append(LearningCurveFit(LABELS, len(made), made, labels, *tested))
    return lessons


def _fit_and_score(
    lesson: LearningCurveFit, table: pd.DataFrame, choice: Mapping[str, Any], problem: Problem
) -> float:
    champion = get_champion_candidate(choice)
    model = problem.build_estimator(champion.candidate, champion.params, champion.decision)
    X = table[problem.schema.features(champion.features)]
    fitted = model.fit(X.iloc[lesson.learn], lesson.labels)
    decided = problem.task.predictions(fitted, X.iloc[lesson.test], champion.decision)
    metrics = problem.task.grade(lesson.truth, decided, problem.schema.value_array)
    return metrics[problem.settings.primary_metric]
