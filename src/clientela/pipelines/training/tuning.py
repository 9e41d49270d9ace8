"""Better parameters for candidates that have a search: Optuna within a budget of trials, seeded."""

import logging
from typing import Any

import optuna
import pandas as pd

from clientela.models.problem import CandidateConfig, Problem
from clientela.models.settings import CandidateSettings, SearchRange
from clientela.models.tasks import CrossValidation
from clientela.progress import iter_with_progress

logger = logging.getLogger(__name__)

LARGEST_RANDOM_START = 10
"""Trials that TPE draws at random before it models the outcomes, as in Bergstra et al. 2011; of a
small budget, a third."""

TUNING_SEED_OFFSET = 1
"""Tuning shuffles other folds than the comparison that follows, which would else favour it."""


def tune_hyperparameters(train: pd.DataFrame, problem: Problem) -> dict[str, dict[str, Any]]:
    """The parameters that each candidate competes with.

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
    tuning, seed = problem.settings.tuning, problem.settings.seed + TUNING_SEED_OFFSET
    X, codes = train[problem.schema.features(candidate.features)], problem.schema.codes(train)
    decision = problem.task.choose_fit_decision(candidate.decisions)
    by = CrossValidation(
        problem.settings.primary_metric, tuning.folds, seed, problem.settings.workers
    )

    def outcome(trial: optuna.Trial) -> float:
        params = candidate.params | _sample_params(trial, candidate)
        model = problem.build_estimator(name, params, decision)
        return problem.task.evaluate_for_tuning(model, X, codes, by)

    study = _create_study(candidate, problem)
    limit = tuning.time_limit_seconds
    for _ in iter_with_progress(range(tuning.trials), tuning.trials, f"tuning {name}"):
        study.optimize(outcome, n_trials=1)
        if limit is not None and _sum_trial_seconds(study) > limit:
            break
    return _report_tuning(name, study, candidate, tuning.trials)


def _create_study(candidate: CandidateSettings, problem: Problem) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    tuning, seed = problem.settings.tuning, problem.settings.seed
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=min(LARGEST_RANDOM_START, 1 + tuning.trials // 3)
    )
    better = problem.task.greater_is_better(problem.settings.primary_metric)
    study = optuna.create_study(direction="maximize" if better else "minimize", sampler=sampler)
    study.enqueue_trial({name: candidate.params[name] for name in candidate.search})
    return study


def _sample_params(trial: optuna.Trial, candidate: CandidateSettings) -> dict[str, Any]:
    suggested: dict[str, Any] = {}
    for name, space in candidate.search.items():
        if not isinstance(space, SearchRange):
            suggested[name] = trial.suggest_categorical(name, space.choices)
        elif space.integer:
            low, high = int(space.low), int(space.high)
            suggested[name] = trial.suggest_int(name, low, high, log=space.log)
        else:
            suggested[name] = trial.suggest_float(name, space.low, space.high, log=space.log)
    return suggested


def _sum_trial_seconds(study: optuna.Study) -> float:
    return sum(t.duration.total_seconds() for t in study.trials if t.duration is not None)


def _report_tuning(
    name: str, study: optuna.Study, candidate: CandidateSettings, budget: int
) -> dict[str, Any]:
    done = len(study.trials)
    if done < budget:
        logger.warning(
            "tuning %s reached its time limit after %d of %d trials: another run may stop "
            "elsewhere, so this result can't be repeated exactly",
            name,
            done,
            budget,
        )
    return {
        "params": candidate.params | study.best_params,
        "configured": study.trials[0].value,
        "best": study.best_value,
        "trials": done,
        "stopped_early": done < budget,
    }
