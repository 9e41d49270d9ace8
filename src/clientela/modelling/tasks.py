"""What a task type brings: its kinds of models, decision rules, measures. All else is common.

A task type is a class with these methods, and one line in `clientela.modelling.problem.TASKS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import pandas as pd

from clientela.modelling.schema import FeatureSchema
from clientela.modelling.settings import CandidateSettings, TrainingSettings
from clientela.ordinal.metrics import Codes, Floats


@dataclass(frozen=True)
class Recipe:
    """What an unfitted estimator is made from.

    Attributes:
        params: Parameters of the estimator, by its own names; tuning may have changed them.
        decision: Decision rule; None where the kind decides by itself.
        candidate: The candidate as configured.
        schema: Columns and classes.
        settings: What holds for all candidates: metric, seed, inner folds, costs.
    """

    params: Mapping[str, Any]
    decision: str | None
    candidate: CandidateSettings
    schema: FeatureSchema
    settings: TrainingSettings


Builder: TypeAlias = Callable[[Recipe], Any]


@dataclass(frozen=True)
class Predictions:
    """What a model says about some rows.

    Attributes:
        codes: Predicted class codes.
        probabilities: Rows x K.
        expected: Expected class value.
    """

    codes: Codes
    probabilities: Floats
    expected: Floats


class Task(Protocol):
    """One type of question that models answer.

    Attributes:
        name: As `use_cases.yml` calls it.
        problem_type: As model registries call it.
        kinds: Kinds of models by the name that configuration gives.
        score_column: Column of the expected value in scores.
    """

    name: str
    problem_type: str
    kinds: Mapping[str, Builder]
    score_column: str

    def configured(self, settings: TrainingSettings) -> "Task":
        """The task type under the settings of a use case.

        Raises:
            ConfigurationError: A setting belongs to another task type.
        """
        ...

    def greater_is_better(self, metric: str) -> bool:
        """Direction of a measure.

        Raises:
            ConfigurationError: No measure has this name.
        """
        ...

    def check_decision(self, decision: str) -> None:
        """Refuse a decision rule that does not exist.

        Raises:
            ConfigurationError: The task has no such rule.
        """
        ...

    def richest_decision(self, decisions: tuple[str, ...]) -> str | None:
        """The rule to fit with, so that `predictions` can apply each of them."""
        ...

    def predictions(self, model: Any, X: pd.DataFrame, decision: str | None) -> Predictions:
        """What a fitted model says about rows, under one decision rule."""
        ...

    def contributions(self, model: Any, X: pd.DataFrame) -> pd.DataFrame:
        """One row per row of `X`, one column per feature: what it adds to the model's score."""
        ...

    def grade(self, truth: Codes, said: Predictions, values: Floats) -> dict[str, float]:
        """Every measure of predictions."""
        ...

    def resampled_grades(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> pd.DataFrame:
        """One row per bootstrap sample, one column per measure; paired over models by the seed."""
        ...

    def tuning_grade(  # noqa: PLR0913 - three say what to fit, three how
        self,
        model: Any,
        X: pd.DataFrame,
        codes: Codes,
        *,
        metric: str,
        folds: int,
        seed: int,
        workers: int,
    ) -> float:
        """How good an unfitted model is in cross-validation, fast enough for many trials."""
        ...

    def console_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """The measures in the form that the SageMaker console draws."""
        ...
