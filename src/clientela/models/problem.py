"""One use case's question as training handles it: its task type, columns and settings together.

Learners check their parameters when they learn: a misspelt word would end a run after minutes of
tuning. So every candidate's learner learns once from made-up rows first; few rows and trees cost
milliseconds, and reach the same checks.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.models.base import check_name
from clientela.models.binary_decision import resolve_class_weights
from clientela.models.estimator_kinds import EstimatorSpec
from clientela.models.settings import CandidateSettings, FeatureGroup, SearchRange, TrainingSettings
from clientela.models.tasks import TASKS, Task
from clientela.models.training_data import FeatureSchema

ROWS = 48
"""Enough for a learner that keeps a tenth of its rows for a validation of its own."""

FEW_STEPS = 2

STEPS = ("n_estimators", "max_iter")
"""Parameters that say how long learning takes."""

AROUND = ("classifier", "estimator", "regressor")
"""What estimators call the one that they stand around."""


def list_params_to_check(candidate: CandidateSettings) -> list[Mapping[str, Any]]:
    """The parameters of a candidate, and those at both ends of what tuning may search."""
    if not candidate.search:
        return [candidate.params]
    ends = {
        name: [int(end) if space.integer else end for end in (space.low, space.high)]
        if isinstance(space, SearchRange)
        else [space.choices[0], space.choices[-1]]
        for name, space in candidate.search.items()
    }
    low, high = ({name: pair[end] for name, pair in ends.items()} for end in (0, 1))
    return [candidate.params, candidate.params | low, candidate.params | high]


def check_hyperparameters(model: Any, features: list[str]) -> None:
    """Let the learner in a model learn from made-up rows.

    Args:
        model: Unfitted; what stands around its learner checks itself when it is built.
        features: Names of the columns, all of them numbers as after preprocessing.

    Raises:
        ConfigurationError: It can't learn, which with these rows is due to its parameters.
    """
    codes = np.arange(ROWS) % 2
    learner = resolve_class_weights(_get_inner_learner(model), codes)
    rows = pd.DataFrame({name: np.arange(ROWS, dtype=np.float64) for name in features})
    try:
        for name, steps in learner.get_params().items():
            if name in STEPS and (steps is None or (isinstance(steps, int) and steps > FEW_STEPS)):
                learner.set_params(**{name: FEW_STEPS})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the rows mean nothing, and so do remarks about them
            learner.fit(rows, codes)
    except (ConfigurationError, ValueError, TypeError) as err:
        # below the first line XGBoost prints its stack
        raise ConfigurationError(str(err).split("\n", maxsplit=1)[0]) from err


def _get_inner_learner(model: Any) -> Any:
    if isinstance(model, Pipeline):
        return model[-1]
    inner = next((getattr(model, name) for name in AROUND if hasattr(model, name)), None)
    return model if inner is None else _get_inner_learner(inner)


@dataclass(frozen=True)
class Problem:
    """What is to be learned, from what, and how.

    Attributes:
        settings: What a person decided.
    """

    task: Task
    schema: FeatureSchema
    settings: TrainingSettings

    def build_estimator(self, name: str, params: Mapping[str, Any], decision: str | None) -> Any:
        """The candidate of this name as an unfitted estimator."""
        candidate = self.settings.candidates[name]
        spec = EstimatorSpec(params, decision, candidate, self.schema, self.settings)
        return self.task.kinds[candidate.kind](spec)

    def compute_gain(self, better: float, worse: float) -> float:
        """How much better one figure of the primary metric is than another, positive is better."""
        sign = 1.0 if self.task.greater_is_better(self.settings.primary_metric) else -1.0
        return sign * (better - worse)


@dataclass(frozen=True)
class CandidateConfig:
    """A candidate by its name in configuration, with everything fixed but the decision rule.

    Attributes:
        decisions: Decision rules to compare; empty where the kind decides by itself.
    """

    candidate: str
    features: FeatureGroup
    params: Mapping[str, Any]
    decisions: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """A candidate by its name in configuration, with everything fixed.

    Attributes:
        decision: None where the kind decides by itself.
    """

    candidate: str
    features: FeatureGroup
    decision: str | None
    params: Mapping[str, Any]


def create_problem(task: str, schema: Mapping[str, Any], settings: TrainingSettings) -> Problem:
    """The problem of a use case, with all names in its settings known.

    Raises:
        ConfigurationError: A task type, kind, parameter, decision rule or measure does not exist,
            or a candidate can't learn under its settings.
    """
    check_name("task type", task, TASKS)
    known = TASKS[task].apply_settings(settings)
    known.greater_is_better(settings.primary_metric)
    for name, candidate in settings.candidates.items():
        if candidate.kind not in known.kinds:
            raise ConfigurationError(
                f"training.candidates.{name}: the task type {task!r} has no kind "
                f"{candidate.kind!r}. {did_you_mean(candidate.kind, known.kinds)}"
            )
    problem = Problem(known, FeatureSchema.model_validate(schema), settings)
    _check_auxiliary_columns(problem)
    _check_candidates(problem)
    return problem


def _check_candidates(problem: Problem) -> None:
    """Every candidate must be able to learn, under each set of parameters that it may come to."""
    for name, candidate in problem.settings.candidates.items():
        try:
            for decision in candidate.decisions:
                check_name("decision rule", decision, problem.task.decisions)
                problem.build_estimator(name, candidate.params, decision)
            richest = problem.task.choose_fit_decision(candidate.decisions)
            for params in list_params_to_check(candidate):
                model = problem.build_estimator(name, params, richest)
                check_hyperparameters(model, problem.schema.features(candidate.features))
        except ConfigurationError as err:
            raise ConfigurationError(f"training.candidates.{name}: {err}") from err


def _check_auxiliary_columns(problem: Problem) -> None:
    """Time and sensitive columns must be known, or a run would fail at its end."""
    schema, settings = problem.schema, problem.settings
    if settings.holdout == "time" and schema.time is None:
        raise ConfigurationError(
            "training.holdout is 'time', but the features name no time column. Set features.time, "
            "or training.holdout to 'random'."
        )
    sensitive = () if schema.tabular is None else schema.tabular.sensitive
    for name in settings.fairness.columns if settings.fairness is not None else ():
        if name not in sensitive:
            raise ConfigurationError(
                f"training.fairness.columns: {name!r} is not among features.sensitive. "
                f"{did_you_mean(name, sensitive)}"
            )
