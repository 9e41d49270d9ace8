"""All candidates on the same folds: the comparison that picks the champion."""

from collections.abc import Sequence

import pandas as pd

from clientela.modelling.problem import Problem, Variant
from clientela.modelling.selection.threads import in_threads
from clientela.modelling.split import Fold, repeated_folds
from clientela.progress import with_progress

NO_DECISION = "propia"
"""What stands for the decision rule of a kind that decides by itself."""

IDENTITY = ["candidate", "features", "decision"]
"""Columns that name one contender."""


def fold_grades(
    train: pd.DataFrame, variants: Sequence[Variant], problem: Problem, what: str
) -> pd.DataFrame:
    """One row per contender (candidate, features, decision) and fold.

    Args:
        train: Rows to cross-validate on, sorted by key.
        variants: Who competes.
        problem: What is to be learned.
        what: Name of the step, for the log.

    Returns:
        Columns `candidate`, `features`, `decision`, `repeat`, `fold`, and one per measure.
    """
    settings = problem.settings
    folds = repeated_folds(
        problem.schema.codes(train),
        folds=settings.folds,
        repeats=settings.repeats,
        seed=settings.seed,
    )
    calls = [(train, variant, fold, problem) for variant in variants for fold in folds]
    results = with_progress(in_threads(_graded, calls, settings.workers), len(calls), what)
    return pd.DataFrame([row for part in results for row in part])


def _graded(
    train: pd.DataFrame, variant: Variant, fold: Fold, problem: Problem
) -> list[dict[str, str | int | float]]:
    """Grades of one fit under each decision rule: the rules share it."""
    task, schema = problem.task, problem.schema
    codes, X = schema.codes(train), train[schema.features(variant.features)]
    model = problem.unfitted(
        variant.candidate, variant.params, task.richest_decision(variant.decisions)
    ).fit(X.iloc[fold.learn], codes[fold.learn])
    rows: list[dict[str, str | int | float]] = []
    for decision in variant.decisions or (None,):
        said = task.predictions(model, X.iloc[fold.held_out], decision)
        grades = task.grade(codes[fold.held_out], said, schema.value_array)
        names = (variant.candidate, variant.features, decision or NO_DECISION)
        place = {"repeat": fold.repeat, "fold": fold.fold}
        rows.append(dict(zip(IDENTITY, names, strict=True)) | place | grades)
    return rows
