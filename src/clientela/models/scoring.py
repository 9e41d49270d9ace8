"""What models say of the test part, and of customers to be scored."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clientela.arrays import Codes
from clientela.features.table_settings import TabularSchema, find_imputed_cells
from clientela.models.base import Predictions
from clientela.models.explanations import contributions, select_reason_codes
from clientela.models.metrics import summarize_replicates
from clientela.models.problem import TASKS, Problem
from clientela.models.reasons import explain_decisions
from clientela.models.settings import ScoringSettings
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import check_columns
from clientela.progress import iter_with_progress
from clientela.text import NumberFormat, format_feature_name

# The one test: what the chosen models and the rules say about rows that nobody has used yet.


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


def compute_holdout_metrics(
    predictions: pd.DataFrame, problem: Problem, measures: Sequence[str] | None = None
) -> dict[str, Any]:
    """The measures of every model on the test part, with bootstrap intervals.

    Args:
        measures: Names, the primary metric among them; None: every measure.

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
        samples[name] = problem.task.bootstrap_metrics(
            truth,
            predicted,
            values,
            replicates=settings.bootstrap,
            seed=settings.seed,
            measures=measures,
        )
        every = problem.task.grade(truth, predicted, values)
        whole[name] = {str(measure): every[str(measure)] for measure in samples[name]}
    sign = problem.compute_gain(1.0, 0.0)
    gains = {
        other: _add_intervals(
            {metric: problem.compute_gain(whole[CHAMPION][metric], whole[other][metric])},
            sign * (samples[CHAMPION][[metric]] - samples[other][[metric]]),
        )[metric]
        for other in names
        if CHAMPION in names and other != CHAMPION
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


# Scores of customers with a stored model: class, expected value, probabilities, reasons.


# Flag in the features, and class in the scores, of customers who never bought anything.
NO_HISTORY = "sin_historial"

NO_HISTORY_REASON = "sin historial de compras"

MISSING = "sin dato"

NUMBERS = NumberFormat()


def predict_scores(
    model: StoredModel, features: pd.DataFrame, settings: ScoringSettings
) -> pd.DataFrame:
    """One row per customer, sorted by key.

    Customers without any transaction are like none the model has seen: they get the class
    `sin_historial`, and neither value nor probabilities.

    Returns:
        The key (PII), `clase`, the expected value (`valor_esperado`, or `probabilidad` of the
        positive class of two), `p_<class>` for each class, and `razon_1`, `razon_2`, ... in
        words. For a use case on a table also `imputadas`: the columns of the table whose value
        was absent or not believed, so that the model saw a typical one.

    Raises:
        TrainingDataError: A feature of the model is absent.
    """
    key = model.manifest["key"]
    check_columns(features, [key, *model.features], "The table of rows to score")
    ordered = features.sort_values(key, ignore_index=True)
    starts = range(0, max(len(ordered), 1), settings.batch_size)
    batches = (ordered.iloc[start : start + settings.batch_size] for start in starts)
    scored = (_score_batch(model, batch, settings) for batch in batches)
    return pd.concat(iter_with_progress(scored, len(starts), "scoring"), ignore_index=True)


def _score_batch(model: StoredModel, rows: pd.DataFrame, settings: ScoringSettings) -> pd.DataFrame:
    """Scores of one batch; every column exists even if no customer has history."""
    manifest = model.manifest
    task, everyone = TASKS[manifest["task"]], pd.Series(data=True, index=rows.index)
    known = rows[NO_HISTORY] == 0 if NO_HISTORY in rows.columns else everyone
    columns = [task.score_column, *(f"p_{name}" for name in manifest["classes"])]
    frame = pd.DataFrame({manifest["key"]: rows[manifest["key"]].astype("str")})
    frame["clase"] = pd.Series(NO_HISTORY, index=rows.index, dtype="str")
    frame[columns] = np.nan
    for rank in range(1, settings.reasons + 1):
        reason = NO_HISTORY_REASON if rank == 1 else None
        frame[f"razon_{rank}"] = pd.Series(reason, index=rows.index, dtype="str")
    if known.any():
        X = rows.loc[known, model.features]
        predicted = task.predictions(model.estimator, X, manifest["decision"])
        frame.loc[known, "clase"] = np.asarray(manifest["classes"], dtype=object)[predicted.codes]
        frame.loc[known, columns] = np.column_stack([predicted.expected, predicted.probabilities])
        for name, words in format_reason_codes(model, X, settings).items():
            frame.loc[known, name] = words
    if "tabular" not in manifest:
        return frame
    return frame.assign(imputadas=_list_imputed_columns(model, rows))


def _list_imputed_columns(model: StoredModel, rows: pd.DataFrame) -> "pd.Series[str]":
    """The columns of the table that the model needed and did not get, in one text per row."""
    schema = TabularSchema.model_validate(model.manifest["tabular"])
    sources = {name: schema.sources[name] for name in model.features}
    needed = set().union(*sources.values())
    inputs = tuple(name for name in schema.inputs if name in needed)
    narrowed = schema.model_copy(update={"sources": sources, "inputs": inputs})
    texts = [", ".join(names) for names in find_imputed_cells(rows, narrowed)]
    return pd.Series(texts, index=rows.index, dtype="str")


# Stands for the reasons of a case whose main one may not be given.
REFERRED = "lo decide una persona: la razón principal no puede ser motivo"


def format_reason_codes(
    model: StoredModel, X: pd.DataFrame, settings: ScoringSettings
) -> Mapping[str, list[str | None]]:
    """Why a model says what it says of each row.

    A model that decides about people gives the reasons of its decision, in the words of its codes;
    any other the features that moved the score most, either way.

    Returns:
        `razon_1`, `razon_2`, ... to one entry per row, None where nothing more moved the score;
        fewer of them where there are fewer features.

    Raises:
        ConfigurationError: Nothing exact is known for this kind of model.
    """
    if settings.reasons == 0:
        return {}
    if "reasons" in model.manifest:
        return _format_decision_reasons(model, X, settings)
    table = contributions(model.estimator, X)
    reasons = select_reason_codes(table, X, settings.reasons)
    words: dict[str, list[str | None]] = {}
    for rank in range(1, settings.reasons + 1):
        if f"motivo_{rank}" not in reasons:
            continue
        parts = (reasons[f"{part}_{rank}"] for part in ("motivo", "valor", "contribucion"))
        words[f"razon_{rank}"] = [
            None if name is None else _format_reason(name, value, amount, settings.labels)
            for name, value, amount in zip(*parts, strict=True)
        ]
    return words


def _format_reason(
    feature: str, value: float | str, amount: float, labels: Mapping[str, str]
) -> str:
    arrow = "↑" if amount > 0 else "↓"
    return f"{format_feature_name(feature, labels)} = {_format_value(value)} ({arrow})"


def _format_value(value: float | str) -> str:
    return NUMBERS.word(None if pd.isna(value) else value, MISSING)


def _format_decision_reasons(
    model: StoredModel, X: pd.DataFrame, settings: ScoringSettings
) -> Mapping[str, list[str | None]]:
    codes = model.manifest["reasons"]["codes"]
    words: dict[str, list[str | None]] = {
        f"razon_{rank}": [None] * len(X) for rank in range(1, settings.reasons + 1)
    }
    for row, decision in enumerate(explain_decisions(model, X, settings.reasons)):
        if decision.referred:
            words["razon_1"][row] = REFERRED
        for rank, reason in enumerate(decision.reasons, start=1):
            label = format_feature_name(reason.feature, settings.labels)
            value = _format_value(X[reason.feature].iloc[row])
            words[f"razon_{rank}"][row] = f"{codes[reason.code]['es']} ({label} = {value})"
    return words
