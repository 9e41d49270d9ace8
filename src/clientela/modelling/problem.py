"""One use case's question as training handles it: its task type, columns and settings together."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.modelling.binary_task import BinaryTask
from clientela.modelling.ordinal_task import OrdinalTask
from clientela.modelling.rehearsal import rehearse, tried_params
from clientela.modelling.schema import FeatureSchema
from clientela.modelling.settings import FeatureGroup, TrainingSettings
from clientela.modelling.tasks import Recipe, Task

TASKS: Mapping[str, Task] = MappingProxyType({"ordinal": OrdinalTask(), "binary": BinaryTask()})
"""Task types by the name that `use_cases.yml` gives them."""


@dataclass(frozen=True)
class Problem:
    """What is to be learned, from what, and how.

    Attributes:
        task: The task type.
        schema: Columns and classes.
        settings: What a person decided.
    """

    task: Task
    schema: FeatureSchema
    settings: TrainingSettings

    def recipe(self, name: str, params: Mapping[str, Any], decision: str | None) -> Recipe:
        """What the candidate of this name is made from."""
        candidate = self.settings.candidates[name]
        return Recipe(params, decision, candidate, self.schema, self.settings)

    def unfitted(self, name: str, params: Mapping[str, Any], decision: str | None) -> Any:
        """The candidate of this name as an unfitted estimator."""
        recipe = self.recipe(name, params, decision)
        return self.task.kinds[recipe.candidate.kind](recipe)

    def gain(self, better: float, worse: float) -> float:
        """How much better one figure of the primary metric is than another, positive is better."""
        sign = 1.0 if self.task.greater_is_better(self.settings.primary_metric) else -1.0
        return sign * (better - worse)


@dataclass(frozen=True)
class Variant:
    """A candidate with everything fixed but the decision rule.

    Attributes:
        candidate: Its name in configuration.
        features: Which features it sees.
        params: Parameters of the estimator, tuned or configured.
        decisions: Decision rules to compare; empty where the kind decides by itself.
    """

    candidate: str
    features: FeatureGroup
    params: Mapping[str, Any]
    decisions: tuple[str, ...]


@dataclass(frozen=True)
class Contender:
    """A candidate with everything fixed.

    Attributes:
        candidate: Its name in configuration.
        features: Which features it sees.
        decision: Its decision rule; None where the kind decides by itself.
        params: Parameters of the estimator.
    """

    candidate: str
    features: FeatureGroup
    decision: str | None
    params: Mapping[str, Any]


def problem_of(task: str, schema: Mapping[str, Any], settings: TrainingSettings) -> Problem:
    """The problem of a use case, with all names in its settings known.

    Args:
        task: Name of its task type.
        schema: Columns and classes, as stored.
        settings: Parameters of its training.

    Returns:
        The problem.

    Raises:
        ConfigurationError: A task type, kind, parameter, decision rule or measure does not exist,
            or a candidate can't learn under its settings.
    """
    if task not in TASKS:
        raise ConfigurationError(f"No task type is called {task!r}. {did_you_mean(task, TASKS)}")
    known = TASKS[task].configured(settings)
    known.greater_is_better(settings.primary_metric)
    for name, candidate in settings.candidates.items():
        if candidate.kind not in known.kinds:
            raise ConfigurationError(
                f"training.candidates.{name}: the task type {task!r} has no kind "
                f"{candidate.kind!r}. {did_you_mean(candidate.kind, known.kinds)}"
            )
    problem = Problem(known, FeatureSchema.model_validate(schema), settings)
    _check_columns_beside(problem)
    _check_candidates(problem)
    return problem


def _check_candidates(problem: Problem) -> None:
    """Every candidate must be able to learn, under each set of parameters that it may come to."""
    for name, candidate in problem.settings.candidates.items():
        try:
            for decision in candidate.decisions:
                problem.task.check_decision(decision)
                problem.unfitted(name, candidate.params, decision)
            richest = problem.task.richest_decision(candidate.decisions)
            for params in tried_params(candidate):
                model = problem.unfitted(name, params, richest)
                rehearse(model, problem.schema.features(candidate.features))
        except ConfigurationError as err:
            raise ConfigurationError(f"training.candidates.{name}: {err}") from err


def _check_columns_beside(problem: Problem) -> None:
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
