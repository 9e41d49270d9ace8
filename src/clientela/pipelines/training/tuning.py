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


def tune_candidates(train: pd.DataFrame, problem: Problem) -> dict[str, dict[str, Any]]:
    """The parameters that each candidate competes with: tuned where it has a search.

    Args:
        train: Training part, sorted by key.

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
        return problem.task.evaluate_for_tuning(model, X, codes, cross_validation)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    random_start = min(LARGEST_RANDOM_START, 1 + tuning.trials // 3)
    better = problem.task.greater_is_better(settings.primary_metric)
    study = optuna.create_study(
        direction="maximize" if better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=settings.seed, n_startup_trials=random_start),
    )
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
