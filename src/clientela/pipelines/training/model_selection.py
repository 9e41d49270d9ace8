"""All candidates on the same folds: the comparison that picks the champion."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd

from clientela.models.problem import Candidate, CandidateConfig, Problem
from clientela.models.settings import FeatureGroup
from clientela.models.stored_model import StoredModel, build_model_manifest
from clientela.models.training_data import Fold, make_repeated_folds, run_in_threads
from clientela.pipelines.training.tuning import list_candidate_configs
from clientela.progress import iter_with_progress

# All candidates on the same folds: the comparison that picks the champion.


NO_DECISION = "propia"
"""What stands for the decision rule of a kind that decides by itself."""

IDENTITY = ["candidate", "features", "decision"]
"""Columns that name one contender."""


def evaluate_on_folds(
    train: pd.DataFrame, variants: Sequence[CandidateConfig], problem: Problem, what: str
) -> pd.DataFrame:
    """One row per contender (candidate, features, decision) and fold.

    Args:
        train: Rows to cross-validate on, sorted by key.
        what: Name of the step, for the log.

    Returns:
        Columns `candidate`, `features`, `decision`, `repeat`, `fold`, and one per measure.
    """
    settings = problem.settings
    folds = make_repeated_folds(
        problem.schema.codes(train),
        folds=settings.folds,
        repeats=settings.repeats,
        seed=settings.seed,
    )
    calls = [(train, variant, fold, problem) for variant in variants for fold in folds]
    results = iter_with_progress(
        run_in_threads(_fit_and_evaluate, calls, settings.workers), len(calls), what
    )
    return pd.DataFrame([row for part in results for row in part])


def _fit_and_evaluate(
    train: pd.DataFrame, variant: CandidateConfig, fold: Fold, problem: Problem
) -> list[dict[str, str | int | float]]:
    """Grades of one fit under each decision rule: the rules share it."""
    task, schema = problem.task, problem.schema
    codes, X = schema.codes(train), train[schema.features(variant.features)]
    model = problem.build_estimator(
        variant.candidate, variant.params, task.choose_fit_decision(variant.decisions)
    ).fit(X.iloc[fold.learn], codes[fold.learn])
    rows: list[dict[str, str | int | float]] = []
    for decision in variant.decisions or (None,):
        said = task.predictions(model, X.iloc[fold.held_out], decision)
        grades = task.grade(codes[fold.held_out], said, schema.value_array)
        names = (variant.candidate, variant.features, decision or NO_DECISION)
        place = {"repeat": fold.repeat, "fold": fold.fold}
        rows.append(dict(zip(IDENTITY, names, strict=True)) | place | grades)
    return rows


# From the grades of folds to a table, a champion, and how sure that is.


@dataclass(frozen=True)
class PairedGain:
    """A paired difference of the primary metric over folds; positive is better.

    Attributes:
        mean: Mean over the folds.
        sd: Standard deviation over the folds.
        se: Corrected standard error of the mean.
    """

    mean: float
    sd: float
    se: float


def compute_paired_gain(one: pd.DataFrame, other: pd.DataFrame, problem: Problem) -> PairedGain:
    """How much better one contender is than another on the same folds.

    Folds share training rows, so the plain standard error is too small; the corrected one is
    `sqrt((1/J + held-out/learned) s^2)` for J folds (Nadeau and Bengio 2003).

    Returns:
        Mean, spread and corrected standard error of the difference.
    """
    metric, place = problem.settings.primary_metric, ["repeat", "fold"]
    pairs = one.set_index(place)[metric], other.set_index(place)[metric]
    differences = np.array(
        [problem.compute_gain(pairs[0][at], pairs[1][at]) for at in pairs[0].index]
    )
    sd = float(differences.std(ddof=1))
    held_out_to_learned = 1 / (problem.settings.folds - 1)
    se = sd * float(np.sqrt(1 / len(differences) + held_out_to_learned))
    return PairedGain(float(differences.mean()), sd, se)


def build_leaderboard(grades: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """One row per contender, best first, with its spread and its gain over the yardsticks.

    Returns:
        `candidate`, `features`, `decision`, `kind`, `role`, `order` (simplest first); for each
        measure its mean and `<measure>_sd` over the folds; `gain_vs_rule` and `gain_vs_required`
        (paired, positive is better) each with `_sd` and `_se`.
    """
    contenders = {
        str(name): rows for name, rows in grades.groupby(_make_candidate_labels(grades), sort=False)
    }
    best_rule = find_best_of_role(grades, "rule", problem)
    required = find_best_of_role(grades, "required", problem)
    rows = [
        _summarize_candidate(order, rows, contenders[best_rule], contenders[required], problem)
        for order, rows in enumerate(contenders.values())
    ]
    better_first = not problem.task.greater_is_better(problem.settings.primary_metric)
    table = pd.DataFrame(rows)
    return table.sort_values(
        [problem.settings.primary_metric, "order"], ascending=[better_first, True]
    ).reset_index(drop=True)


def find_best_of_role(grades: pd.DataFrame, role: str, problem: Problem) -> str:
    """Label of the best contender of a role; the first of equally good ones."""
    settings = problem.settings
    # several candidates may be required; the first is the baseline that others are measured by
    names = [settings.required] if role == "required" else list(settings.filter_by_role(role))
    of_role = grades[grades["candidate"].isin(names)]
    means = of_role.groupby(_make_candidate_labels(of_role), sort=False)[
        problem.settings.primary_metric
    ].mean()
    better = problem.task.greater_is_better(problem.settings.primary_metric)
    return str(means.idxmax() if better else means.idxmin())


def select_champion_row(
    table: pd.DataFrame, grades: pd.DataFrame, problem: Problem
) -> dict[str, Any]:
    """The simplest model that is within one standard error of the best one.

    The error is that of the paired difference to the best one. Rules are yardsticks and can't win.

    Returns:
        The champion's row, with `best` (label of the best model), `behind_best` and
        `behind_best_se`.
    """
    models = table[table["role"] != "rule"]
    best = models.iloc[0]
    best_grades = select_candidate_metrics(grades, best)
    for _, row in models.sort_values("order").iterrows():
        behind = compute_paired_gain(best_grades, select_candidate_metrics(grades, row), problem)
        if row["order"] == best["order"] or behind.mean <= behind.se:
            return {str(name): value for name, value in row.items()} | _describe_gap(best, behind)
    raise AssertionError("unreachable: the best model is not behind itself")  # pragma: no cover


def compute_gap_to_best(
    row: Mapping[str, Any], table: pd.DataFrame, grades: pd.DataFrame, problem: Problem
) -> dict[str, Any]:
    """How far one contender is from the best model of the leaderboard.

    Returns:
        `best`, `behind_best` and `behind_best_se`, as in `champion_row`.
    """
    best = table[table["role"] != "rule"].iloc[0]
    pair = select_candidate_metrics(grades, best), select_candidate_metrics(grades, row)
    return _describe_gap(best, compute_paired_gain(*pair, problem))


def _describe_gap(best: "pd.Series[Any]", behind: PairedGain) -> dict[str, Any]:
    label = "|".join(best[IDENTITY])
    return {"best": label, "behind_best": behind.mean, "behind_best_se": behind.se}


def select_candidate_metrics(
    grades: pd.DataFrame, row: "pd.Series[Any] | Mapping[str, Any]"
) -> pd.DataFrame:
    """The fold grades of the contender that a leaderboard row describes.

    Args:
        row: A row with its `candidate`, `features` and `decision`.
    """
    return grades[_make_candidate_labels(grades) == "|".join(str(row[name]) for name in IDENTITY)]


def _make_candidate_labels(grades: pd.DataFrame) -> "pd.Series[str]":
    return grades["candidate"] + "|" + grades["features"] + "|" + grades["decision"]


def _summarize_candidate(
    order: int, rows: pd.DataFrame, rule: pd.DataFrame, required: pd.DataFrame, problem: Problem
) -> dict[str, Any]:
    first = rows.iloc[0]
    settings = problem.settings.candidates[str(first["candidate"])]
    row: dict[str, Any] = {name: first[name] for name in IDENTITY}
    row |= {"kind": settings.kind, "role": settings.role, "order": order}
    for measure in rows.columns.drop([*IDENTITY, "repeat", "fold"]):
        row[measure] = float(rows[measure].mean())
        row[f"{measure}_sd"] = float(rows[measure].std(ddof=1))
    for name, yardstick in (("rule", rule), ("required", required)):
        gain = compute_paired_gain(rows, yardstick, problem)
        row |= {f"gain_vs_{name}": gain.mean}
        row |= {f"gain_vs_{name}_sd": gain.sd, f"gain_vs_{name}_se": gain.se}
    return row


# The champion: picked by cross-validation, and whether extra features earn their place in it.


def select_champion_by_cv(
    train: pd.DataFrame,
    grades: pd.DataFrame,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The final leaderboard, and who wins it.

    The extra features are kept if the champion gains more by them than one corrected standard
    error of that gain; the features of the required baseline are never changed.

    Args:
        grades: What `fold_grades` returned for all candidates.

    Returns:
        The leaderboard (see `clientela.pipelines.training.model_selection`), and a mapping with
        `champion`, `required`, `best_rule` (rows of the leaderboard), `extra_features`, and
        `params` of the champion.
    """
    first = select_champion_row(build_leaderboard(grades, problem), grades, problem)
    extra, added = _evaluate_extra_features(train, grades, first, tuned, problem)
    everything = pd.concat([grades, added], ignore_index=True)
    table = build_leaderboard(everything, problem)
    features = "required" if extra["tested"] and not extra["kept"] else first["features"]
    champion = _find_row(table, first["candidate"], str(features), first["decision"])
    behind = (
        {name: first[name] for name in ("best", "behind_best", "behind_best_se")}
        if features == first["features"]
        else compute_gap_to_best(champion, table, everything, problem)
    )
    choice = {
        "primary_metric": problem.settings.primary_metric,
        "champion": champion | behind,
        "params": tuned[first["candidate"]]["params"],
        "required": _find_row(
            table, *find_best_of_role(everything, "required", problem).split("|")
        ),
        "best_rule": _find_row(table, *find_best_of_role(everything, "rule", problem).split("|")),
        "extra_features": extra,
    }
    return table, choice


def get_decision(row: Mapping[str, Any]) -> str | None:
    """The decision rule of a leaderboard row; None where the kind decides by itself."""
    return None if row["decision"] == NO_DECISION else str(row["decision"])


def select_final_candidates(
    choice: Mapping[str, Any], tuned: dict[str, dict[str, Any]], problem: Problem
) -> list[CandidateConfig]:
    """The rules, the required baseline and the champion, each with its one decision rule.

    Returns:
        Variants in the order of configuration; the champion once, also when it is the baseline.
    """
    champion = choice["champion"]
    decisions = _list_decisions(champion)
    yardsticks = [
        variant
        for variant in list_candidate_configs(tuned, problem)
        if problem.settings.candidates[variant.candidate].role != "challenger"
        and variant.candidate != champion["candidate"]
    ]
    return [
        *yardsticks,
        CandidateConfig(champion["candidate"], champion["features"], choice["params"], decisions),
    ]


def _list_decisions(row: Mapping[str, Any]) -> tuple[str, ...]:
    decision = get_decision(row)
    return () if decision is None else (decision,)


def _find_row(table: pd.DataFrame, candidate: str, features: str, decision: str) -> dict[str, Any]:
    wanted = (
        (table["candidate"] == candidate)
        & (table["features"] == features)
        & (table["decision"] == decision)
    )
    return cast("dict[str, Any]", table[wanted].iloc[0].to_dict())


def _evaluate_extra_features(
    train: pd.DataFrame,
    grades: pd.DataFrame,
    champion: dict[str, Any],
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """What the champion gains by the extra features, and the grades of its other form."""
    if not problem.schema.extra:
        return {"tested": False, "reason": "no extra features in the model input"}, grades.iloc[:0]
    own: FeatureGroup = champion["features"]
    other: FeatureGroup = "required" if own == "all" else "all"
    params = tuned[champion["candidate"]]["params"]
    variant = CandidateConfig(champion["candidate"], other, params, _list_decisions(champion))
    added = evaluate_on_folds(train, [variant], problem, "extra features")
    by_group = {own: select_candidate_metrics(grades, champion), other: added}
    gain = compute_paired_gain(by_group["all"], by_group["required"], problem)
    kept = own == "all" and gain.mean > gain.se
    return {"tested": True, "kept": kept, "gain": asdict(gain)}, added


# The final fits: the champion and the required baseline on the whole training part.


def get_champion_candidate(choice: Mapping[str, Any]) -> Candidate:
    """The champion as chosen: candidate, features, decision rule, parameters."""
    row = choice["champion"]
    return Candidate(row["candidate"], row["features"], get_decision(row), choice["params"])


def get_configured_candidate(name: str, problem: Problem) -> Candidate:
    """A candidate as configured: its own parameters, features and first decision rule."""
    entry = problem.settings.candidates[name]
    decision = entry.decisions[0] if entry.decisions else None
    return Candidate(name, entry.features, decision, entry.params)


def get_tuned_candidate(
    name: str, tuned: Mapping[str, Mapping[str, Any]], problem: Problem
) -> Candidate:
    """A candidate with the parameters that it competed with, and its first decision rule."""
    return replace(get_configured_candidate(name, problem), params=tuned[name]["params"])


def fit_model(train: pd.DataFrame, contender: Candidate, problem: Problem) -> StoredModel:
    """One model, fitted on the whole training part."""
    (model,) = fit_models(train, [contender], problem)
    return model


def fit_models(
    train: pd.DataFrame, contenders: Sequence[Candidate], problem: Problem
) -> list[StoredModel]:
    """Several models, fitted on the whole training part, as many at a time as there are workers.

    Returns:
        One model with its manifest per contender.
    """
    calls = [(train, contender, problem) for contender in contenders]
    workers = min(len(calls), problem.settings.workers)
    return list(run_in_threads(_fit_stored_model, calls, workers))


def _fit_stored_model(train: pd.DataFrame, contender: Candidate, problem: Problem) -> StoredModel:
    estimator = problem.build_estimator(contender.candidate, contender.params, contender.decision)
    features = problem.schema.features(contender.features)
    fitted = estimator.fit(train[features], problem.schema.codes(train))
    return StoredModel(fitted, build_model_manifest(train, contender, problem))
