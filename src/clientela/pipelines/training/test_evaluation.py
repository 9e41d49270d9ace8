"""The test that was not chosen: out of time beside a random draw, or the other way round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report

from clientela.arrays import Codes, compute_confusion_matrix
from clientela.exceptions import TrainingDataError
from clientela.models.binary_decision import apply_threshold
from clientela.models.calibration import calibration_table, gain_table
from clientela.models.evaluation import (
    CHAMPION,
    REQUIRED,
    compute_holdout_metrics,
    predict_holdout,
    select_model_predictions,
)
from clientela.models.fairness import FairnessSettings, fairness_table
from clientela.models.grading import summarize_replicates
from clientela.models.problem import CandidateConfig, Problem
from clientela.models.scorecard import POINT_COLUMNS, WoeScorecard, scorecard_points
from clientela.models.settings import Holdout
from clientela.models.stored_model import StoredModel
from clientela.models.tasks import Predictions
from clientela.models.training_data import (
    check_model_input,
    class_shares,
    split_by_time,
    split_stratified,
)
from clientela.pipelines.training.model_selection import (
    build_leaderboard,
    evaluate_on_folds,
    fit_models,
    get_champion_candidate,
    get_tuned_candidate,
)

# The test that was not chosen: out of time beside a random draw, or the other way round.


LEAST_LEARNED = 4
"""Rows of a class from which every kind learns: of four, any inner folds leave two."""


def split_holdout(
    model_input: pd.DataFrame, holdout: Holdout, problem: Problem
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training part and test part of a model input, both sorted by key.

    Args:
        holdout: Which rows are the test part.
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
    """The further required models and the rules, fitted as they competed.

    Returns:
        Candidate to model, without the first required one.
    """
    settings = problem.settings
    names = [*settings.filter_by_role("required"), *settings.filter_by_role("rule")]
    names.remove(settings.required)
    contenders = [get_tuned_candidate(name, tuned, problem) for name in names]
    return dict(zip(names, fit_models(train, contenders, problem), strict=True))


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


def predict_secondary_holdout(
    model_input: pd.DataFrame,
    choice: Mapping[str, Any],
    tuned: Mapping[str, Mapping[str, Any]],
    problem: Problem,
) -> pd.DataFrame | None:
    """What champion and yardsticks, fitted anew, say about the other test part.

    Returns:
        See `clientela.models.evaluation.predict_holdout`; None where rows have no
        time, so that there is no other way. Ask `untestable` before.
    """
    if problem.schema.time is None:
        return None
    other: Holdout = "time" if problem.settings.holdout == "random" else "random"
    train, test = split_holdout(model_input, other, problem)
    required = get_tuned_candidate(problem.settings.required, tuned, problem)
    both = fit_models(train, [get_champion_candidate(choice), required], problem)
    models = dict(zip((CHAMPION, REQUIRED), both, strict=True))
    return predict_holdout(test, models | fit_baselines(train, tuned, problem), problem)


def compute_secondary_metrics(predictions: pd.DataFrame | None, problem: Problem) -> dict[str, Any]:
    """The grades of the test that was not chosen.

    Returns:
        `tested`; where it is true `holdout` (its name) and the grades as
        `clientela.models.evaluation.compute_holdout_metrics` gives them.
    """
    if predictions is None:
        return {"tested": False}
    other = "time" if problem.settings.holdout == "random" else "random"
    return {"tested": True, "holdout": other, **compute_holdout_metrics(predictions, problem)}


# Both cutoff modes side by side: what the choice of the cutoff alone changes.


CONFIGURED, OTHER = "configured", "other"


def evaluate_cutoff_modes(
    train: pd.DataFrame,
    test_keys: "pd.Series[Any]",
    other_input: pd.DataFrame,
    contenders: Sequence[CandidateConfig],
    problem: Problem,
) -> dict[str, Any]:
    """The same models under both cutoff modes, cross-validated on the same settings.

    Customers of the test part are left out under the other mode too: their test is yet to come.

    Args:
        train: Training part under the configured mode.
        other_input: The whole model input under the other mode.

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
        CONFIGURED: _evaluate_cutoff_mode(train, contenders, problem, "configured cutoff"),
        OTHER: _evaluate_cutoff_mode(rows, contenders, problem, "other cutoff"),
    }


def _evaluate_cutoff_mode(
    rows: pd.DataFrame, contenders: Sequence[CandidateConfig], problem: Problem, what: str
) -> dict[str, Any]:
    grades = evaluate_on_folds(rows, contenders, problem, what)
    table = build_leaderboard(grades, problem).sort_values("order")
    measures = [name for name in table.columns if f"{name}_sd" in table.columns]
    return {
        "rows": len(rows),
        "classes": class_shares(rows, problem.schema),
        "models": {
            str(row["candidate"]): _extract_metrics(row, measures) for _, row in table.iterrows()
        },
    }


def _extract_metrics(
    row: "pd.Series[Any]", measures: Sequence[str]
) -> Mapping[str, dict[str, float]]:
    return {name: {"mean": float(row[name]), "sd": float(row[f"{name}_sd"])} for name in measures}


# What the probabilities of a binary champion are worth: costs, calibration, lift, groups.


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
class BinaryCardData:
    """What a card of a binary model tells beyond what every card does.

    Attributes:
        gains: See `clientela.models.calibration.gain_table`, of the rarer class.
        other: The test that was not chosen.
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


def threshold_table(
    champion: StoredModel, predictions: pd.DataFrame, problem: Problem
) -> pd.DataFrame:
    """One row per decision rule that the champion can apply: what it would do on the test part.

    Returns:
        `decision`, `threshold`, `chosen`, `selection_rate` (share decided as class 1), `accuracy`,
        `recall`, `specificity`, and for cost per row and the savings over deciding everybody alike
        value, `_lower` and `_upper` (95 %).
    """
    truth, said = select_model_predictions(predictions, CHAMPION, problem)
    rows = []
    for rule, threshold in champion.estimator.thresholds_.items():
        codes = apply_threshold(said.probabilities[:, 1], threshold)
        decided = Predictions(codes, said.probabilities, said.expected)
        row: dict[str, Any] = {"decision": rule, "threshold": threshold}
        row |= {"chosen": rule == champion.manifest["decision"], "selection_rate": codes.mean()}
        rows.append(row | _measure_decision_cost(truth, decided, problem))
    return pd.DataFrame(rows)


def _measure_decision_cost(truth: Any, decided: Predictions, problem: Problem) -> dict[str, float]:
    settings, values = problem.settings, problem.schema.value_array
    grades = problem.task.grade(truth, decided, values)
    sampled = problem.task.bootstrap_metrics(
        truth, decided, values, replicates=settings.bootstrap, seed=settings.seed
    )
    ends = summarize_replicates(sampled[list(IN_MONEY)]).to_dict("index")
    found = {name: grades[name] for name in ("accuracy", "recall", "specificity")}
    for name in IN_MONEY:
        found |= {name: grades[name]}
        found |= {f"{name}_{end}": ends[name][end] for end in ("lower", "upper")}
    return found


def probability_tables(
    predictions: pd.DataFrame, problem: Problem
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calibration and gain of the champion on the test part.

    Returns:
        See `clientela.models.calibration.calibration_table` and `gain_table`; the gain is that of
        looking for the rarer class.
    """
    truth, said = select_model_predictions(predictions, CHAMPION, problem)
    positive, settings = said.probabilities[:, 1], problem.settings
    gains = gain_table(
        truth,
        positive,
        code=find_rarer_class_code(truth),
        replicates=settings.bootstrap,
        seed=settings.seed,
    )
    return calibration_table(truth, positive), gains


def find_rarer_class_code(truth: Any) -> int:
    """The code of the class with fewer rows; 1 of equal ones."""
    return int(np.mean(truth) <= 0.5)  # noqa: PLR2004 - half of the rows


def group_table(test: pd.DataFrame, predictions: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """How the champion's decisions on the test part differ between groups of people.

    Args:
        problem: What was learned, and which groups are compared.

    Returns:
        See `clientela.models.fairness.fairness_table`; without rows where no groups are configured.
    """
    truth, said = select_model_predictions(predictions, CHAMPION, problem)
    settings = problem.settings.fairness or FairnessSettings()
    return fairness_table(truth, said.codes, test, settings)


def points_table(champion: StoredModel, problem: Problem) -> pd.DataFrame:
    """The champion's points, where it is a scorecard.

    Returns:
        See `clientela.models.scorecard.scorecard_points`; no row for other models.
    """
    learner = champion.estimator.classifier_
    if not isinstance(learner, WoeScorecard):
        return pd.DataFrame(columns=list(POINT_COLUMNS))
    return scorecard_points(learner, problem.settings.points)


def required_models_table(
    predictions: pd.DataFrame, other: pd.DataFrame | None, problem: Problem
) -> pd.DataFrame:
    """One row per required model and rule: the requirement's measures on a stratified random draw.

    Args:
        predictions: Predictions on the chosen test part.
        other: Predictions on the other one; None without.

    Returns:
        `Modelo`; `Accuracy`, `Precision`, `Recall`, `F1` of the positive class; `ROC-AUC`.
    """
    drawn = other if problem.settings.holdout == "time" and other is not None else predictions
    rows = []
    for name in drawn["model"].unique():
        if name == CHAMPION:
            continue
        truth, said = select_model_predictions(drawn, str(name), problem)
        grades = problem.task.grade(truth, said, problem.schema.value_array)
        called = problem.settings.required if name == REQUIRED else str(name)
        rows.append(
            {"Modelo": called} | {head: grades[part] for part, head in REQUIRED_MEASURES.items()}
        )
    return pd.DataFrame(rows)


# What the requirement wants to know about its own model: metrics, report, confusion matrix.


def collect_required_metrics(
    choice: Mapping[str, Any], grades: Mapping[str, Any]
) -> dict[str, Any]:
    """Every measure of the required model, on the test part and in cross-validation.

    Returns:
        `test`: measure to `value`, `std`, `lower`, `upper`; `cross_validation`: measure to `mean`
        and `sd`.
    """
    row, test = choice["required"], grades["models"][REQUIRED]
    folds = {name: {"mean": row[name], "sd": row[f"{name}_sd"]} for name in test}
    return {"test_rows": grades["rows"], "test": test, "cross_validation": folds}


def compute_class_report(
    truth: Codes, said: Predictions, problem: Problem
) -> tuple[dict[str, Any], str]:
    """Precision, recall and F1 of each class, to compute with and to read.

    Returns:
        scikit-learn's classification report as a mapping and as text.
    """
    classes = problem.schema.classes
    asked = {"labels": list(range(len(classes))), "target_names": classes, "zero_division": 0}
    return (
        classification_report(truth, said.codes, output_dict=True, **asked),
        classification_report(truth, said.codes, digits=3, **asked),
    )


def confusion_table(truth: Codes, said: Predictions, problem: Problem) -> pd.DataFrame:
    """One row per true class, one column per predicted class: number of rows.

    Returns:
        `clase_real`, then one integer column per class.
    """
    classes = list(problem.schema.classes)
    counts = compute_confusion_matrix(truth, said.codes, len(classes)).astype("int64")
    frame = pd.DataFrame(counts, columns=classes)
    frame.insert(0, "clase_real", classes)
    return frame
