"""The one test: what the chosen models and the rules say about rows that nobody has used yet."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clientela.arrays import Codes
from clientela.models.base import Predictions
from clientela.models.metrics import summarize_replicates
from clientela.models.problem import Problem
from clientela.models.stored_model import StoredModel

CHAMPION, REQUIRED = "champion", "required"


def predict_holdout(
    test: pd.DataFrame, models: Mapping[str, StoredModel], problem: Problem
) -> pd.DataFrame:
    """One row per model and row of the test part.

    Returns:
        `model`, the key (PII), `true` and `predicted` codes, `expected` value, and one
        probability `p_<class>` per class.
    """
    schema = problem.schema
    parts = []
    for name, model in models.items():
        decision = model.manifest["decision"]
        predicted = problem.task.predictions(model.estimator, test[model.features], decision)
        columns: dict[str, Any] = {
            "model": name,
            schema.key: test[schema.key],
            "true": schema.codes(test),
            "predicted": predicted.codes,
            "expected": predicted.expected,
        }
        for label, column in zip(schema.classes, predicted.probabilities.T, strict=True):
            columns[f"p_{label}"] = column
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def select_model_predictions(
    predictions: pd.DataFrame, model: str, problem: Problem
) -> tuple[Codes, Predictions]:
    """The truth, and what one model says about it."""
    return extract_predictions(predictions, model, problem.schema.classes)


def extract_predictions(
    predictions: pd.DataFrame, model: str, classes: Sequence[str]
) -> tuple[Codes, Predictions]:
    """As `select_model_predictions`, for whoever knows the classes but not the problem."""
    rows = predictions[predictions["model"] == model]
    predicted = Predictions(
        rows["predicted"].to_numpy(),
        rows[[f"p_{label}" for label in classes]].to_numpy(),
        rows["expected"].to_numpy(),
    )
    return rows["true"].to_numpy(), predicted


def compute_holdout_metrics(predictions: pd.DataFrame, problem: Problem) -> dict[str, Any]:
    """Every measure of every model on the test part, with bootstrap intervals.

    Returns:
        `rows`; `models`: name to measure to `value`, `std`, `lower`, `upper` (95 %);
        `champion_gains`: other model to the paired gain of the champion in the primary metric,
        positive is better, in the same form.
    """
    settings, metric = problem.settings, problem.settings.primary_metric
    names = list(dict.fromkeys(predictions["model"]))
    whole: dict[str, dict[str, float]] = {}
    samples: dict[str, pd.DataFrame] = {}
    for name in names:
        truth, predicted = select_model_predictions(predictions, name, problem)
        values = problem.schema.value_array
        whole[name] = problem.task.grade(truth, predicted, values)
        samples[name] = problem.task.bootstrap_metrics(
            truth, predicted, values, replicates=settings.bootstrap, seed=settings.seed
        )
    sign = problem.compute_gain(1.0, 0.0)
    gains = {
        other: _add_intervals(
            {metric: problem.compute_gain(whole[CHAMPION][metric], whole[other][metric])},
            sign * (samples[CHAMPION][[metric]] - samples[other][[metric]]),
        )[metric]
        for other in names
        if other != CHAMPION
    }
    return {
        "rows": len(predictions) // len(names),
        "models": {name: _add_intervals(whole[name], samples[name]) for name in names},
        "champion_gains": gains,
    }


def _add_intervals(
    values: Mapping[str, float], samples: pd.DataFrame
) -> dict[str, dict[str, float]]:
    table = summarize_replicates(samples)
    return {
        name: {"value": value, **dict(zip(map(str, table.columns), row, strict=True))}
        for (name, value), row in zip(values.items(), table.to_numpy().tolist(), strict=True)
    }
