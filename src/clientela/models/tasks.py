"""What a task type brings: its kinds of models, decision rules, measures. All else is common.

A task type is a class with these methods, and one line in `clientela.models.problem.TASKS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.models.base import NamedRegistry, check_name
from clientela.models.settings import CandidateSettings, TrainingSettings
from clientela.models.training_data import FeatureSchema


@dataclass(frozen=True)
class EstimatorSpec:
    """What an unfitted estimator is made from.

    Attributes:
        params: Parameters of the estimator, by its own names; tuning may have changed them.
        decision: Decision rule; None where the kind decides by itself.
        candidate: The candidate as configured.
        settings: What holds for all candidates: metric, seed, inner folds, costs.
    """

    params: Mapping[str, Any]
    decision: str | None
    candidate: CandidateSettings
    schema: FeatureSchema
    settings: TrainingSettings

    def check_params(self, known: Iterable[str]) -> None:
        """Refuse parameters that the kind does not have.

        Raises:
            ConfigurationError: One of the recipe's is unknown.
        """
        names = tuple(known)
        for name in self.params:
            if name not in names:
                raise ConfigurationError(
                    f"kind {self.candidate.kind!r} has no parameter {name!r}. "
                    f"{did_you_mean(name, names)}"
                )

    def apply_params(self, estimator: Any) -> Any:
        """The estimator with the parameters of the recipe.

        Raises:
            ConfigurationError: It lacks one of them.
        """
        # set_params would accept anything: XGBoost takes unknown names and ignores them
        self.check_params(estimator.get_params(deep=False))
        return estimator.set_params(**self.params)


Builder: TypeAlias = Callable[[EstimatorSpec], Any]


@dataclass(frozen=True)
class Predictions:
    """What a model says about some rows."""

    codes: Codes
    probabilities: Floats
    expected: Floats


@dataclass(frozen=True)
class CrossValidation:
    """How an unfitted model is graded.

    Attributes:
        seed: Seed of the folds.
        workers: Folds at the same time.
    """

    metric: str
    folds: int
    seed: int
    workers: int


class Task(ABC):
    """One type of question that models answer.

    Attributes:
        name: As `use_cases.yml` calls it.
        problem_type: As model registries call it.
        kinds: Kinds of models by the name that configuration gives.
        metrics: Measures by the name that configuration gives.
        decisions: Names of the decision rules.
        learned_decisions: Those that are learned from out-of-fold answers.
        score_column: Column of the expected value in scores.
    """

    name: str
    problem_type: str
    kinds: Mapping[str, Builder]
    metrics: NamedRegistry[Any]
    decisions: tuple[str, ...]
    learned_decisions: frozenset[str]
    score_column: str

    @abstractmethod
    def apply_settings(self, settings: TrainingSettings) -> "Task":
        """The task type under the settings of a use case.

        Raises:
            ConfigurationError: A setting belongs to another task type.
        """

    def greater_is_better(self, metric: str) -> bool:
        """Direction of a measure.

        Raises:
            ConfigurationError: No measure has this name.
        """
        better: bool = self.metrics.named(metric).greater_is_better
        return better

    def check_decision(self, decision: str) -> None:
        """Refuse a decision rule that does not exist.

        Raises:
            ConfigurationError: The task has no such rule.
        """
        check_name("decision rule", decision, self.decisions)

    def choose_fit_decision(self, decisions: tuple[str, ...]) -> str | None:
        """The rule to fit with, so that `predictions` can apply each of them.

        Returns:
            The first learned rule, whose out-of-fold answers teach the others too; else the first;
            None without any.
        """
        learned = [name for name in decisions if name in self.learned_decisions]
        return next(iter(learned or decisions), None)

    @abstractmethod
    def predictions(self, model: Any, X: pd.DataFrame, decision: str | None) -> Predictions:
        """What a fitted model says about rows, under one decision rule.

        Args:
            model: A fitted classifier of the task.
            decision: The rule; None where the kind decides by itself.
        """

    @abstractmethod
    def contributions(self, model: Any, X: pd.DataFrame) -> pd.DataFrame:
        """One row per row of `X`, one column per feature: what it adds to the model's score."""

    @abstractmethod
    def grade(self, truth: Codes, said: Predictions, values: Floats) -> dict[str, float]:
        """Every measure of predictions."""

    @abstractmethod
    def bootstrap_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> pd.DataFrame:
        """One row per bootstrap sample, one column per measure.

        Args:
            seed: Seed of the resampling; equal seeds give equal samples, so that models compare
                in pairs.
        """

    @abstractmethod
    def evaluate_for_tuning(
        self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation
    ) -> float:
        """How good an unfitted model is in cross-validation, fast enough for many trials.

        Args:
            model: An unfitted classifier of the task.
        """

    @abstractmethod
    def console_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """The measures in the form that the SageMaker console draws.

        Args:
            replicates: Bootstrap samples behind the standard deviations.
        """
