"""What the chosen models are worth on rows that nobody has used yet, and on a second test part.

The test part is read once, after the champion was chosen. The second test part (out of time beside
a random draw, or the other way round) is judged by models that are fitted anew without it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy.stats.contingency import association
from sklearn.metrics import classification_report

from clientela.arrays import compute_confusion_matrix
from clientela.exceptions import TrainingDataError
from clientela.models.base import Predictions
from clientela.models.binary_decision import apply_threshold
from clientela.models.calibration import calibration_table, gain_table
from clientela.models.fairness import (
    FairnessSettings,
    assign_sensitive_groups,
    fairness_table,
)
from clientela.models.metrics import summarize_replicates
from clientela.models.problem import Problem
from clientela.models.scorecard import POINT_COLUMNS, WoeScorecard, scorecard_points
from clientela.models.scoring import (
    CHAMPION,
    REQUIRED,
    compute_holdout_metrics,
    predict_holdout,
    select_model_predictions,
)
from clientela.models.settings import Holdout
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import (
    class_shares,
    split_by_time,
    split_stratified,
)
from clientela.pipelines.training.card_tables import plot_confusion_matrix
from clientela.pipelines.training.model_selection import (
    fit_models,
    get_champion_candidate,
    get_tuned_candidate,
)

logger = logging.getLogger(__name__)

# Rows of a class from which every kind learns: of four, any inner folds leave two.
LEAST_LEARNED = 4


def split_holdout(
    model_input: pd.DataFrame, holdout: Holdout, problem: Problem
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training part and test part of a model input, both sorted by key.

    Args:
        problem: What is learned; with `time`, its schema names the column.
    """
    schema, settings = problem.schema, problem.settings
    share = settings.test_share
    if holdout == "time" and schema.time is not None:
        return split_by_time(model_input, key=schema.key, time=schema.time, test_share=share)
    return split_stratified(
        model_input, key=schema.key, target=schema.target, test_share=share, seed=settings.seed
    )


def fit_baselines(
    train: pd.DataFrame, tuned: Mapping[str, Mapping[str, Any]], problem: Problem
) -> dict[str, StoredModel]:
    """The further required models and the rules, fitted as they competed."""
    settings = problem.settings
    names = [*settings.filter_by_role("required"), *settings.filter_by_role("rule")]
    names.remove(settings.required)
    contenders = [get_tuned_candidate(name, tuned, problem) for name in names]
    return dict(zip(names, fit_models(train, contenders, problem), strict=True))


def predict_test_part(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    train: pd.DataFrame,
    test: pd.DataFrame,
    champion: StoredModel,
    required: StoredModel,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> pd.DataFrame:
    """One row per model and test row (PII), see `clientela.models.scoring.predict_holdout`."""
    models = {CHAMPION: champion, REQUIRED: required} | fit_baselines(train, tuned, problem)
    return predict_holdout(test, models, problem)


def explain_missing_holdout(model_input: pd.DataFrame, problem: Problem) -> str | None:
    """Why the latest rows can't be the other test part, in the readers' language.

    A random draw always can, since the model input was checked for it.

    Returns:
        A sentence; None where they can, where they are the chosen test part, or without a time.
    """
    time, cases = problem.schema.time, problem.settings.cases
    if time is None or problem.settings.holdout == "time":
        return None
    try:
        early, late = split_holdout(model_input, "time", problem)
    except TrainingDataError:
        return (
            f"Sin prueba fuera de tiempo: {time} trae {model_input[time].nunique()} fecha(s) "
            f"distinta(s) en {len(model_input)} {cases}, y no separa los más recientes."
        )
    for called, part, fewest in (("antiguos", early, LEAST_LEARNED), ("recientes", late, 1)):
        for name, found in class_shares(part, problem.schema).items():
            if found["rows"] < fewest:
                return (
                    f"Sin prueba fuera de tiempo: entre los {len(part)} {cases} más {called} según "
                    f"{time} hay {found['rows']} de la clase «{name}», y hacen falta {fewest}."
                )
    return None


def evaluate_secondary_holdout(
    model_input: pd.DataFrame,
    choice: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    predictions: pd.DataFrame,
    problem: Problem,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The metrics of the test part that was not chosen, and the requirement's table.

    Champion and yardsticks are fitted anew on the rows before, or outside, that test part.

    Returns:
        `tested`; where it is true `holdout` (`time` or `random`) and the metrics as
        `compute_holdout_metrics` gives them, else the `reason` where there is one. The table is
        that of `required_models_table`.
    """
    reason = explain_missing_holdout(model_input, problem)
    if reason is not None:
        logger.warning("%s", reason)
        table = required_models_table(predictions, None, problem)
        return {"tested": False, "reason": reason}, table
    if problem.schema.time is None:
        return {"tested": False}, required_models_table(predictions, None, problem)
    other: Holdout = "time" if problem.settings.holdout == "random" else "random"
    train, test = split_holdout(model_input, other, problem)
    required = get_tuned_candidate(problem.settings.required, tuned, problem)
    fitted = fit_models(train, [get_champion_candidate(choice), required], problem)
    models = dict(zip((CHAMPION, REQUIRED), fitted, strict=True))
    models |= fit_baselines(train, tuned, problem)
    secondary = predict_holdout(test, models, problem)
    metrics = {"tested": True, "holdout": other, **compute_holdout_metrics(secondary, problem)}
    return metrics, required_models_table(predictions, secondary, problem)


# Measures of the requirement's table with its headings, and the one it recommends beside them.
REQUIRED_MEASURES: Mapping[str, str] = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "ROC-AUC",
}

IN_MONEY = ("expected_cost", "saving_over_all_positive", "saving_over_all_negative")


@dataclass(frozen=True)
class BinaryCardData:
    """What a card of a binary model tells beyond what every card does.

    Attributes:
        rows: Which rows are learned from; see `clientela.features.table_report.row_report`.
    """

    thresholds: pd.DataFrame
    calibration: pd.DataFrame
    gains: pd.DataFrame
    fairness: pd.DataFrame
    other: Mapping[str, Any]
    required: pd.DataFrame
    points: pd.DataFrame
    rows: Mapping[str, Any]
    withheld: Mapping[str, Any]


# Cramer's V from which on a feature tells so much of a group of people that it may stand for it.
PROXY_ASSOCIATION = 0.3

QUANTILES = 5


def compare_withheld(
    train: pd.DataFrame,
    test: pd.DataFrame,
    choice: dict[str, Any],
    predictions: pd.DataFrame,
    problem: Problem,
) -> dict[str, Any]:
    """What it costs that some columns may not decide, and which features may stand for them.

    Returns:
        `columns`: withheld column to the reason. `without` and `with`: the champion, and the same
        learned from every feature, on the test part: `roc_auc` and `expected_cost` with their 95 %
        intervals, and `selection_ratio`: group column to the lowest of its groups. `proxies`: one
        entry per `feature` of the champion and group `column` with Cramer's V of at least
        `PROXY_ASSOCIATION` (`association`), the closest first. Empty where nothing is withheld.
    """
    schema, settings = problem.schema, problem.settings
    fairness = settings.fairness or FairnessSettings()
    if schema.tabular is None or not schema.tabular.withheld:
        return {}
    champion = get_champion_candidate(choice)
    (richer,) = fit_models(train, [replace(champion, features="all")], problem)
    compared = {"without": predictions, "with": predict_holdout(test, {CHAMPION: richer}, problem)}
    result: dict[str, Any] = {"columns": dict(schema.tabular.withheld)}
    for name, rows in compared.items():
        own = rows[rows["model"] == CHAMPION]
        graded = compute_holdout_metrics(own, problem, ["roc_auc", "expected_cost"])
        truth, decided = select_model_predictions(own, CHAMPION, problem)
        groups = fairness_table(truth, decided.codes, test, fairness)
        lowest = groups.groupby("column", sort=False)["selection_ratio"].min()
        result[name] = graded["models"][CHAMPION] | {"selection_ratio": lowest.to_dict()}
    features = schema.features(champion.features)
    return result | {"proxies": find_proxies(train, features, fairness)}


def find_proxies(
    rows: pd.DataFrame, features: Sequence[str], fairness: FairnessSettings
) -> list[dict[str, Any]]:
    """The features that tell much of the groups of people; see `compare_withheld`."""
    found: list[dict[str, Any]] = []
    for column, groups in assign_sensitive_groups(rows, fairness.columns).items():
        for feature in features:
            values = rows[feature]
            if is_numeric_dtype(values) and values.nunique() > QUANTILES:
                values = pd.qcut(values, QUANTILES, labels=False, duplicates="drop")
            counts = pd.crosstab(values.to_numpy(), groups.to_numpy())
            if min(counts.shape) < 2 or feature == column:  # noqa: PLR2004 - one value tells nothing
                continue
            strength = float(association(counts.to_numpy(), method="cramer"))
            if strength >= PROXY_ASSOCIATION:
                found.append({"feature": feature, "column": column, "association": strength})
    return sorted(found, key=lambda entry: -float(entry["association"]))


def build_decision_tables(
    champion: StoredModel, test: pd.DataFrame, predictions: pd.DataFrame, problem: Problem
) -> dict[str, pd.DataFrame]:
    """What the champion's probabilities and decisions are worth on the test part.

    Returns:
        `threshold`: one row per decision rule, see `threshold_table`. `calibration` and `gain`:
        see `clientela.models.calibration`; the gain is that of looking for the rarer class.
        `fairness`: see `clientela.models.fairness.fairness_table`; empty where no groups are
        configured. `points`: see `clientela.models.scorecard.scorecard_points`; empty where the
        champion is no scorecard.
    """
    settings = problem.settings
    truth, decided = select_model_predictions(predictions, CHAMPION, problem)
    positive = decided.probabilities[:, 1]
    learner = champion.estimator.classifier_
    return {
        "threshold": threshold_table(champion, predictions, problem),
        "calibration": calibration_table(truth, positive),
        "gain": gain_table(
            truth,
            positive,
            code=find_rarer_class_code(truth),
            replicates=settings.bootstrap,
            seed=settings.seed,
        ),
        "fairness": fairness_table(
            truth, decided.codes, test, settings.fairness or FairnessSettings()
        ),
        "points": scorecard_points(learner, settings.points)
        if isinstance(learner, WoeScorecard)
        else pd.DataFrame(columns=list(POINT_COLUMNS)),
    }


def threshold_table(
    champion: StoredModel, predictions: pd.DataFrame, problem: Problem
) -> pd.DataFrame:
    """One row per decision rule that the champion can apply: what it would do on the test part.

    Returns:
        `decision`, `threshold`, `chosen`, `selection_rate` (share decided as class 1), `accuracy`,
        `recall`, `specificity`, and for cost per row and the savings over deciding everybody alike
        value, `_lower` and `_upper` (95 %).
    """
    settings, values = problem.settings, problem.schema.value_array
    truth, made = select_model_predictions(predictions, CHAMPION, problem)
    rows = []
    for rule, threshold in champion.estimator.thresholds_.items():
        codes = apply_threshold(made.probabilities[:, 1], threshold)
        decided = Predictions(codes, made.probabilities, made.expected)
        metrics = problem.task.grade(truth, decided, values)
        samples = problem.task.bootstrap_metrics(
            truth, decided, values, replicates=settings.bootstrap, seed=settings.seed
        )
        intervals = summarize_replicates(samples[list(IN_MONEY)])
        row: dict[str, Any] = {"decision": rule, "threshold": threshold}
        row |= {"chosen": rule == champion.manifest["decision"], "selection_rate": codes.mean()}
        row |= {name: metrics[name] for name in ("accuracy", "recall", "specificity")}
        for name in IN_MONEY:
            row[name] = metrics[name]
            row |= {f"{name}_{end}": intervals.loc[name, end] for end in ("lower", "upper")}
        rows.append(row)
    return pd.DataFrame(rows)


def find_rarer_class_code(truth: Any) -> int:
    """The code of the class with fewer rows; 1 of equal ones."""
    return int(np.mean(truth) <= 0.5)  # noqa: PLR2004 - half of the rows


def required_models_table(
    predictions: pd.DataFrame, other: pd.DataFrame | None, problem: Problem
) -> pd.DataFrame:
    """One row per required model and rule: the requirement's measures on a stratified random draw.

    Returns:
        `Modelo`; `Accuracy`, `Precision`, `Recall`, `F1` of the positive class; `ROC-AUC`.
    """
    drawn = other if problem.settings.holdout == "time" and other is not None else predictions
    rows = []
    for name in drawn["model"].unique():
        if name == CHAMPION:
            continue
        truth, decided = select_model_predictions(drawn, str(name), problem)
        grades = problem.task.grade(truth, decided, problem.schema.value_array)
        called = problem.settings.required if name == REQUIRED else str(name)
        rows.append(
            {"Modelo": called} | {head: grades[part] for part, head in REQUIRED_MEASURES.items()}
        )
    return pd.DataFrame(rows)


def build_required_reports(
    predictions: pd.DataFrame, choice: dict[str, Any], metrics: dict[str, Any], problem: Problem
) -> dict[str, Any]:
    """What the requirement wants to know about its own model, by artefact.

    Returns:
        `metrics`: every metric on the test part and in cross-validation. `console_metrics`: the
        form that the SageMaker console draws. `report`, `report_text`: scikit-learn's
        classification report. `confusion`: one row per true class (`clase_real`), one column per
        predicted class. `confusion_plot`.
    """
    schema, settings = problem.schema, problem.settings
    truth, required = select_model_predictions(predictions, REQUIRED, problem)
    row, test = choice["required"], metrics["models"][REQUIRED]
    folds = {name: {"mean": row[name], "sd": row[f"{name}_sd"]} for name in test}
    classes = list(schema.classes)
    codes = list(range(len(classes)))
    shown = {"labels": codes, "target_names": classes, "zero_division": 0}
    counts = compute_confusion_matrix(truth, required.codes, len(classes)).astype("int64")
    confusion = pd.DataFrame(counts, columns=classes)
    confusion.insert(0, "clase_real", classes)
    return {
        "metrics": {"test_rows": metrics["rows"], "test": test, "cross_validation": folds},
        "console_metrics": problem.task.console_metrics(
            truth,
            required,
            schema.value_array,
            replicates=settings.bootstrap,
            seed=settings.seed,
        ),
        "report": classification_report(truth, required.codes, output_dict=True, **shown),
        "report_text": classification_report(truth, required.codes, digits=3, **shown),
        "confusion": confusion,
        "confusion_plot": plot_confusion_matrix(truth, required.codes, schema.classes),
    }
