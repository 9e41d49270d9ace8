"""What a model that learned made labels is worth against the truth: both figures, side by side."""

from typing import Any

import numpy as np
import pandas as pd

from clientela.classification.codes import Codes
from clientela.classification.spread import spread
from clientela.labelling.truth import TRUTH, codes
from clientela.modelling.problem import Problem
from clientela.modelling.selection.test_part import said_by
from clientela.tabular.params import BinaryTarget

AGAINST = ("label", TRUTH)
"""Columns of the label table that models are measured against."""


def truth_grades(
    predictions: pd.DataFrame,
    labels: pd.DataFrame,
    target: BinaryTarget,
    problem: Problem,
    least_judged: int,
) -> dict[str, Any]:
    """Each model's figure against the labels and against the truth, on the same test rows.

    Args:
        predictions: Predictions on the test part.
        labels: The label table with `truth`.
        target: The two labels.
        problem: What was learned.
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
    truths = {name: codes(tested[name], target) for name in AGAINST}
    enough = len(tested) >= least_judged and all(
        len(np.unique(truth)) == len(problem.schema.classes) for truth in truths.values()
    )
    models = {
        model: {name: _measured(rows, model, truth, problem) for name, truth in truths.items()}
        for model in names
        if enough
    }
    return {"metric": metric, "rows": len(tested), "judged": enough, "models": models}


def _measured(rows: pd.DataFrame, model: str, truth: Codes, problem: Problem) -> dict[str, float]:
    _, said = said_by(rows, model, problem)
    values, settings = problem.schema.value_array, problem.settings
    samples = problem.task.resampled_grades(
        truth, said, values, replicates=settings.bootstrap, seed=settings.seed
    )
    metric = settings.primary_metric
    value = problem.task.grade(truth, said, values)[metric]
    ends = spread(samples[[metric]])[["lower", "upper"]].loc[metric].to_dict()
    return {"value": value, **{str(name): float(end) for name, end in ends.items()}}
