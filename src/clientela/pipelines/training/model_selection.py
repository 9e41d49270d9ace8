"""Tuning, comparison on the same folds, a leaderboard, and the simplest good model."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
import optuna
import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.models.problem import Candidate, CandidateConfig, CrossValidation, Problem
from clientela.models.reasons import build_reason_basis
from clientela.models.settings import (
    CandidateSettings,
    FeatureGroup,
    SearchRange,
    TrainingSettings,
)
from clientela.models.stored_model import StoredModel, build_model_manifest
from clientela.models.training_data import Fold, make_repeated_folds, run_in_threads
from clientela.progress import iter_with_progress

# Better parameters for candidates that have a search: Optuna within a budget of trials, seeded.


logger = logging.getLogger(__name__)

# Trials that TPE draws at random before it models the outcomes, as in Bergstra et al. 2011; of a
# small budget, a third.
LARGEST_RANDOM_START = 10

# Tuning shuffles other folds than the comparison that follows, which would else favour it.
TUNING_SEED_OFFSET = 1


def tune_candidates(train: pd.DataFrame, problem: Problem) -> dict[str, dict[str, Any]]:
    """The parameters that each candidate competes with: tuned where it has a search.

    Returns:
        Candidate to `params`, and for tuned ones `configured` and `best` (the primary metric
        before and after), `trials` done, and `stopped_early`.
    """
    return {
        name: _tune_candidate(name, candidate, train, problem)
        if candidate.search
        else {"params": dict(candidate.params)}
        for name, candidate in problem.settings.candidates.items()
    }


def list_candidate_configs(
    tuned: dict[str, dict[str, Any]], problem: Problem
) -> list[CandidateConfig]:
    """The candidates with their parameters, in the order of configuration."""
    return [
        CandidateConfig(name, entry.features, tuned[name]["params"], entry.decisions)
        for name, entry in problem.settings.candidates.items()
    ]


def _tune_candidate(
    name: str, candidate: CandidateSettings, train: pd.DataFrame, problem: Problem
) -> dict[str, Any]:
    settings, tuning = problem.settings, problem.settings.tuning
    X, codes = train[problem.schema.features(candidate.features)], problem.schema.codes(train)
    decision = problem.task.choose_fit_decision(candidate.decisions)
    cross_validation = CrossValidation(
        settings.primary_metric, tuning.folds, settings.seed + TUNING_SEED_OFFSET, settings.workers
    )

    def evaluate_trial(trial: optuna.Trial) -> float:
        params = candidate.params | _sample_params(trial, candidate)
        model = problem.build_estimator(name, params, decision)
        scores = problem.task.iter_tuning_scores(model, X, codes, cross_validation)
        for step, score in enumerate(scores):
            trial.report(score, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return score

    study = _create_study(problem)
    # the configured parameters are the first trial: tuning can't end below them
    study.enqueue_trial({key: candidate.params[key] for key in candidate.search})
    seconds = 0.0
    for _ in iter_with_progress(range(tuning.trials), tuning.trials, f"tuning {name}"):
        study.optimize(evaluate_trial, n_trials=1)
        if (duration := study.trials[-1].duration) is not None:
            seconds += duration.total_seconds()
        if tuning.time_limit_seconds is not None and seconds > tuning.time_limit_seconds:
            break
    done = len(study.trials)
    if done < tuning.trials:
        logger.warning(
            "tuning %s reached its time limit after %d of %d trials: another run may stop "
            "elsewhere, so this result can't be repeated exactly",
            name,
            done,
            tuning.trials,
        )
    return {
        "params": candidate.params | study.best_params,
        "configured": study.trials[0].value,
        "best": study.best_value,
        "trials": done,
        "stopped_early": done < tuning.trials,
    }


def _create_study(problem: Problem) -> optuna.Study:
    settings = problem.settings
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    random_start = min(LARGEST_RANDOM_START, 1 + settings.tuning.trials // 3)
    better = problem.task.greater_is_better(settings.primary_metric)
    return optuna.create_study(
        direction="maximize" if better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=settings.seed, n_startup_trials=random_start),
        # a trial behind the middle of those before it is given up before its last folds
        pruner=optuna.pruners.MedianPruner(n_startup_trials=1),
    )


def _sample_params(trial: optuna.Trial, candidate: CandidateSettings) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for name, space in candidate.search.items():
        if not isinstance(space, SearchRange):
            params[name] = trial.suggest_categorical(name, space.choices)
        elif space.integer:
            low, high = int(space.low), int(space.high)
            params[name] = trial.suggest_int(name, low, high, log=space.log)
        else:
            params[name] = trial.suggest_float(name, space.low, space.high, log=space.log)
    return params


# Which model wins: all candidates on the same folds, a leaderboard, and the simplest good one.
#
# Rules are yardsticks: they stand on the leaderboard and can't win it. Nothing here sees the test
# part.


# Stands for the decision rule of a kind that decides by itself.
NO_DECISION = "propia"

# Columns that name one entry of the leaderboard.
IDENTITY = ["candidate", "features", "decision"]

# Folds after which a candidate that is clearly behind is given up, and how clearly: in corrected
# standard errors of its paired difference to the leader.
FOLDS_BEFORE_DROP = 3
ERRORS_BEHIND = 2.0

# Roles whose best entry every other one is compared with.
YARDSTICKS = ("rule", "required")


def evaluate_candidates(
    train: pd.DataFrame, tuned: dict[str, dict[str, Any]], problem: Problem
) -> pd.DataFrame:
    """One row per candidate, features, decision rule and fold, with every metric.

    Returns:
        Columns `candidate`, `features`, `decision`, `repeat`, `fold`, and one per metric.
    """
    folds = make_comparison_folds(train, problem)
    configs = list_candidate_configs(tuned, problem)
    first = folds[:FOLDS_BEFORE_DROP]
    metrics = evaluate_on_folds(train, configs, problem, "comparing candidates", first)
    if len(folds) == len(first):
        return metrics
    remaining = drop_losing_candidates(configs, metrics, problem)
    rest = evaluate_on_folds(train, remaining, problem, "further folds", folds[len(first) :])
    return pd.concat([metrics, rest], ignore_index=True)


def make_comparison_folds(train: pd.DataFrame, problem: Problem) -> list[Fold]:
    """The folds on which all candidates are compared."""
    settings = problem.settings
    codes = problem.schema.codes(train)
    return make_repeated_folds(
        codes, folds=settings.folds, repeats=settings.repeats, seed=settings.seed
    )


def drop_losing_candidates(
    configs: Sequence[CandidateConfig], metrics: pd.DataFrame, problem: Problem
) -> list[CandidateConfig]:
    """The candidates that may still win, and those that all others are compared with."""
    settings = problem.settings
    entries = [rows for _, rows in metrics.groupby(_make_labels(metrics), sort=False)]
    leader = max(
        (rows for rows in entries if not _is_yardstick(rows["candidate"].iloc[0], settings)),
        key=lambda rows: problem.compute_gain(rows[settings.primary_metric].mean(), 0.0),
        default=None,
    )
    if leader is None:
        return list(configs)
    gaps: dict[tuple[str, str], float] = {}
    for rows in entries:
        gap = compute_paired_gain(leader, rows, problem)
        name = (rows["candidate"].iloc[0], rows["features"].iloc[0])
        behind = gap.mean - ERRORS_BEHIND * gap.se
        gaps[name] = min(gaps.get(name, behind), behind)
    dropped = [
        config
        for config in configs
        if gaps[config.candidate, config.features] > 0
        and not _is_yardstick(config.candidate, settings)
    ]
    if dropped:
        names = ", ".join(config.candidate for config in dropped)
        logger.info("given up after %d folds, far behind the best: %s", FOLDS_BEFORE_DROP, names)
    return [config for config in configs if config not in dropped]


def _is_yardstick(candidate: str, settings: TrainingSettings) -> bool:
    return candidate == settings.required or settings.candidates[candidate].role == "rule"


def evaluate_on_folds(
    train: pd.DataFrame,
    configs: Sequence[CandidateConfig],
    problem: Problem,
    title: str,
    folds: Sequence[Fold] | None = None,
) -> pd.DataFrame:
    """As `evaluate_candidates`, for given candidates and folds, by default all of them.

    Args:
        title: Names the step in the log.
    """
    folds = make_comparison_folds(train, problem) if folds is None else folds
    calls = [(train, config, fold, problem) for config in configs for fold in folds]
    results = iter_with_progress(
        run_in_threads(_fit_and_evaluate, calls, problem.settings.workers), len(calls), title
    )
    return pd.DataFrame([row for rows in results for row in rows])


def _fit_and_evaluate(
    train: pd.DataFrame, config: CandidateConfig, fold: Fold, problem: Problem
) -> list[dict[str, str | int | float]]:
    """Metrics of one fit under each decision rule: the rules share the fit."""
    task, schema = problem.task, problem.schema
    codes, X = schema.codes(train), train[schema.features(config.features)]
    model = problem.build_estimator(
        config.candidate, config.params, task.choose_fit_decision(config.decisions)
    ).fit(X.iloc[fold.learn], codes[fold.learn])
    rows: list[dict[str, str | int | float]] = []
    for decision in config.decisions or (None,):
        predictions = task.predictions(model, X.iloc[fold.held_out], decision)
        metrics = task.grade(codes[fold.held_out], predictions, schema.value_array)
        names = (config.candidate, config.features, decision or NO_DECISION)
        position = {"repeat": fold.repeat, "fold": fold.fold}
        rows.append(dict(zip(IDENTITY, names, strict=True)) | position | metrics)
    return rows


@dataclass(frozen=True)
class PairedGain:
    """A paired difference of the primary metric over folds; positive is better."""

    mean: float
    sd: float
    se: float


def compute_paired_gain(one: pd.DataFrame, other: pd.DataFrame, problem: Problem) -> PairedGain:
    """How much better one candidate is than another on the folds that both have.

    Folds share training rows, so the plain standard error is too small; the corrected one is
    `sqrt((1/J + held-out/learned) s^2)` for J folds (Nadeau and Bengio 2003).
    """
    metric, place = problem.settings.primary_metric, ["repeat", "fold"]
    pairs = one.set_index(place)[metric], other.set_index(place)[metric]
    shared = pairs[0].index.intersection(pairs[1].index, sort=False)
    differences = np.array([problem.compute_gain(pairs[0][at], pairs[1][at]) for at in shared])
    sd = float(differences.std(ddof=1))
    held_out_to_learned = 1 / (problem.settings.folds - 1)
    se = sd * float(np.sqrt(1 / len(differences) + held_out_to_learned))
    return PairedGain(float(differences.mean()), sd, se)


def build_leaderboard(metrics: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """One row per candidate, features and decision rule, best first.

    Returns:
        `candidate`, `features`, `decision`, `kind`, `role`, `order` (simplest first), `folds`
        (fewer for a candidate that was given up, which stands after the others); for each metric
        its mean and `<metric>_sd` over the folds; `gain_vs_rule` and `gain_vs_required` (paired,
        positive is better) each with `_sd` and `_se`.
    """
    entries = {
        str(label): rows for label, rows in metrics.groupby(_make_labels(metrics), sort=False)
    }
    yardsticks = {role: entries[find_best_of_role(metrics, role, problem)] for role in YARDSTICKS}
    leaderboard = []
    for order, rows in enumerate(entries.values()):
        row: dict[str, Any] = {name: rows.iloc[0][name] for name in IDENTITY}
        settings = problem.settings.candidates[str(row["candidate"])]
        row |= {"kind": settings.kind, "role": settings.role, "order": order}
        row["folds"] = len(rows)
        for metric in rows.columns.drop([*IDENTITY, "repeat", "fold"]):
            row[metric] = float(rows[metric].mean())
            row[f"{metric}_sd"] = float(rows[metric].std(ddof=1))
        for role, yardstick in yardsticks.items():
            gain = compute_paired_gain(rows, yardstick, problem)
            row |= {f"gain_vs_{role}": gain.mean}
            row |= {f"gain_vs_{role}_sd": gain.sd, f"gain_vs_{role}_se": gain.se}
        leaderboard.append(row)
    primary = problem.settings.primary_metric
    ascending = [False, not problem.task.greater_is_better(primary), True]
    table = pd.DataFrame(leaderboard).sort_values(["folds", primary, "order"], ascending=ascending)
    return table.reset_index(drop=True)


def find_best_of_role(metrics: pd.DataFrame, role: str, problem: Problem) -> str:
    """Label of the best entry of a role; the first of equally good ones."""
    settings = problem.settings
    # several candidates may be required; the first is the baseline that others are measured by
    names = [settings.required] if role == "required" else list(settings.filter_by_role(role))
    of_role = metrics[metrics["candidate"].isin(names)]
    means = of_role.groupby(_make_labels(of_role), sort=False)[settings.primary_metric].mean()
    better = problem.task.greater_is_better(settings.primary_metric)
    return str(means.idxmax() if better else means.idxmin())


def select_champion_row(
    leaderboard: pd.DataFrame, metrics: pd.DataFrame, problem: Problem
) -> dict[str, Any]:
    """The simplest model that is within one standard error of the best one.

    The error is that of the paired difference to the best model. Models that see what may not drive
    a decision are yardsticks: they can't win.

    Returns:
        Its row of the leaderboard, with `best` (label of the best model), `behind_best` and
        `behind_best_se`.
    """
    complete = leaderboard["folds"] == leaderboard["folds"].max()
    allowed = leaderboard["features"].map(problem.schema.may_decide).astype(bool)
    models = leaderboard[(leaderboard["role"] != "rule") & complete & allowed]
    if models.empty:
        raise ConfigurationError(
            f"No candidate may decide: each of them sees {', '.join(problem.schema.withheld)}, "
            "which features.withheld keeps out of decisions. Give at least one challenger "
            "`features: deciding`."
        )
    best = models.iloc[0]
    for _, row in models.sort_values("order").iterrows():
        gap = _compute_gap_to_best(row, best, metrics, problem)
        if row["order"] == best["order"] or gap["behind_best"] <= gap["behind_best_se"]:
            return {str(name): value for name, value in row.items()} | gap
    raise AssertionError("unreachable: the best model is not behind itself")  # pragma: no cover


def select_champion(
    train: pd.DataFrame,
    metrics: pd.DataFrame,
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The final leaderboard, and the champion: see `select_champion_row`.

    The extra features are kept if
    the champion gains more by them than one corrected standard error of that gain; where there are
    features of a history, made for scores about the future, unless it loses more than that. The
    features of the required baseline are never changed.

    Returns:
        The leaderboard, and a mapping with `champion`, `required`, `best_rule` (rows of the
        leaderboard; the champion's with `best`, `behind_best`, `behind_best_se`),
        `extra_features`, and `params` of the champion.
    """
    simplest = select_champion_row(build_leaderboard(metrics, problem), metrics, problem)
    extra, added = _evaluate_extra_features(train, metrics, simplest, tuned, problem)
    metrics = pd.concat([metrics, added], ignore_index=True)
    leaderboard = build_leaderboard(metrics, problem)
    features = "required" if extra["tested"] and not extra["kept"] else simplest["features"]
    champion = _find_row(leaderboard, simplest["candidate"], features, simplest["decision"])
    gap = {name: simplest[name] for name in ("best", "behind_best", "behind_best_se")}
    if features != simplest["features"]:
        best = leaderboard[leaderboard["role"] != "rule"].iloc[0]
        gap = _compute_gap_to_best(champion, best, metrics, problem)
    choice = {
        "primary_metric": problem.settings.primary_metric,
        "champion": champion | gap,
        "params": tuned[simplest["candidate"]]["params"],
        "required": _find_row(
            leaderboard, *find_best_of_role(metrics, "required", problem).split("|")
        ),
        "best_rule": _find_row(
            leaderboard, *find_best_of_role(metrics, "rule", problem).split("|")
        ),
        "extra_features": extra,
    }
    primary = problem.settings.primary_metric
    logger.info(
        "champion: %s (%s), %s %.3f in cross-validation; best rule %s %.3f, required %s %.3f",
        champion["candidate"],
        champion["decision"],
        primary,
        champion[primary],
        choice["best_rule"]["candidate"],
        choice["best_rule"][primary],
        choice["required"]["candidate"],
        choice["required"][primary],
    )
    return leaderboard, choice


def _compute_gap_to_best(
    row: "pd.Series[Any] | Mapping[str, Any]",
    best: "pd.Series[Any]",
    metrics: pd.DataFrame,
    problem: Problem,
) -> dict[str, Any]:
    pair = _select_rows(metrics, best), _select_rows(metrics, row)
    gap = compute_paired_gain(*pair, problem)
    label = "|".join(best[IDENTITY])
    return {"best": label, "behind_best": gap.mean, "behind_best_se": gap.se}


def _evaluate_extra_features(
    train: pd.DataFrame,
    metrics: pd.DataFrame,
    champion: Mapping[str, Any],
    tuned: dict[str, dict[str, Any]],
    problem: Problem,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """What the champion gains by the extra features, and the metrics of its other form."""
    if not problem.schema.extra:
        return {"tested": False, "reason": "no extra features in the model input"}, metrics.iloc[:0]
    if champion["features"] == "deciding":
        return {"tested": False, "reason": "what may decide is configured"}, metrics.iloc[:0]
    own: FeatureGroup = champion["features"]
    other: FeatureGroup = "required" if own == "all" else "all"
    params = tuned[champion["candidate"]]["params"]
    config = CandidateConfig(champion["candidate"], other, params, _list_decisions(champion))
    added = evaluate_on_folds(train, [config], problem, "extra features")
    by_group = {own: _select_rows(metrics, champion), other: added}
    gain = compute_paired_gain(by_group["all"], by_group["required"], problem)
    # features made for scores about the future stay unless they do harm: folds of the past do not
    # show what they are made for
    least = -gain.se if problem.schema.history else gain.se
    kept = own == "all" and gain.mean > least
    history = {"history": True} if problem.schema.history else {}
    return {"tested": True, "kept": kept, "gain": asdict(gain), **history}, added


def _make_labels(metrics: pd.DataFrame) -> "pd.Series[str]":
    return metrics["candidate"] + "|" + metrics["features"] + "|" + metrics["decision"]


def _select_rows(
    metrics: pd.DataFrame, entry: "pd.Series[Any] | Mapping[str, Any]"
) -> pd.DataFrame:
    """The fold metrics of one entry of the leaderboard."""
    return metrics[_make_labels(metrics) == "|".join(str(entry[name]) for name in IDENTITY)]


def _find_row(
    leaderboard: pd.DataFrame, candidate: str, features: str, decision: str
) -> dict[str, Any]:
    same = (leaderboard[IDENTITY] == [candidate, features, decision]).all(axis=1)
    return cast("dict[str, Any]", leaderboard[same].iloc[0].to_dict())


def _get_decision(entry: Mapping[str, Any]) -> str | None:
    return None if entry["decision"] == NO_DECISION else str(entry["decision"])


def _list_decisions(entry: Mapping[str, Any]) -> tuple[str, ...]:
    decision = _get_decision(entry)
    return () if decision is None else (decision,)


def get_champion_candidate(choice: Mapping[str, Any]) -> Candidate:
    """The champion as it was chosen: candidate, features, decision rule, parameters."""
    entry = choice["champion"]
    return Candidate(entry["candidate"], entry["features"], _get_decision(entry), choice["params"])


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


def fit_final_models(
    train: pd.DataFrame, choice: dict[str, Any], tuned: dict[str, dict[str, Any]], problem: Problem
) -> tuple[StoredModel, StoredModel]:
    """Champion and required baseline, fitted on the whole training part as they competed."""
    champion = fit_model(train, get_champion_candidate(choice), problem)
    if problem.settings.reason_codes:
        basis = build_reason_basis(champion, train, problem)
        champion = replace(champion, manifest=champion.manifest | {"reasons": basis})
    required = get_tuned_candidate(problem.settings.required, tuned, problem)
    return champion, fit_model(train, required, problem)


def fit_model(train: pd.DataFrame, candidate: Candidate, problem: Problem) -> StoredModel:
    """One model with its manifest, fitted on the whole training part."""
    return fit_models(train, [candidate], problem)[0]


def fit_models(
    train: pd.DataFrame, candidates: Sequence[Candidate], problem: Problem
) -> list[StoredModel]:
    """Several models with their manifests, as many at a time as there are workers."""

    def fit(candidate: Candidate) -> StoredModel:
        estimator = problem.build_estimator(
            candidate.candidate, candidate.params, candidate.decision
        )
        features = problem.schema.features(candidate.features)
        fitted = estimator.fit(train[features], problem.schema.codes(train))
        return StoredModel(fitted, build_model_manifest(train, candidate, problem))

    workers = min(len(candidates), problem.settings.workers)
    return list(run_in_threads(fit, [(candidate,) for candidate in candidates], workers))
