"""The task type `binary`: two classes, a probability, and a threshold that costs may set."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from clientela.binary.costs import ONE_EACH, CostTable, checked_costs
from clientela.binary.decision import LEARNED, check_decision, decided_codes
from clientela.binary.explanations import contributions
from clientela.binary.grading import bootstrap_grades, grade
from clientela.binary.metrics import PointMetric, metric_named
from clientela.binary.tallies import Codes, Floats
from clientela.modelling.binary_kinds import BINARY_KINDS
from clientela.modelling.selection.threads import in_threads
from clientela.modelling.settings import TrainingSettings
from clientela.modelling.split import Fold, repeated_folds
from clientela.modelling.storage.binary_console_metrics import binary_console_metrics
from clientela.modelling.tasks import Builder, Predictions

ORDER_ONLY = frozenset({"roc_auc", "gini", "ks", "pr_auc", "pr_auc_rare"})
"""Measures that read the order of probabilities alone, which no calibration changes."""


class BinaryTask:
    """Two classes, of which the second is the positive one; see `clientela.modelling.tasks.Task`.

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).
    """

    name: str = "binary"
    problem_type: str = "binary_classification"
    kinds: Mapping[str, Builder] = BINARY_KINDS
    score_column: str = "probabilidad"

    def __init__(self, costs: CostTable = ONE_EACH) -> None:
        self.costs: Floats = checked_costs(costs)

    def configured(self, settings: TrainingSettings) -> "BinaryTask":
        """The task with the costs of a use case.

        Args:
            settings: Of the use case.

        Returns:
            A task.
        """
        if settings.costs is None:
            return self
        return BinaryTask(settings.costs.table)

    def greater_is_better(self, metric: str) -> bool:
        """Direction of a measure.

        Args:
            metric: Its name.

        Returns:
            Whether larger is better.
        """
        return metric_named(metric).greater_is_better

    def check_decision(self, decision: str) -> None:
        """Refuse a decision rule that does not exist.

        Args:
            decision: Its name.
        """
        check_decision(decision)

    def richest_decision(self, decisions: tuple[str, ...]) -> str | None:
        """The rule to fit with, so that `predictions` can apply each of them.

        Args:
            decisions: Rules that will be compared.

        Returns:
            The first learned rule, whose out-of-fold probabilities teach the others too; else the
            first; None without any.
        """
        learned = [name for name in decisions if name in LEARNED]
        return next(iter(learned or decisions), None)

    def predictions(self, model: Any, X: pd.DataFrame, decision: str | None) -> Predictions:
        """What a fitted model says about rows, under one decision rule.

        Args:
            model: A fitted binary classifier.
            X: Its features.
            decision: The rule; None where the kind decides by itself.

        Returns:
            Codes, probabilities, and the probability of the positive class as expected value.
        """
        probabilities = model.predict_proba(X)
        positive = probabilities[:, 1]
        if decision is None:
            codes = np.asarray(model.predict(X), dtype=np.int64)
        else:
            codes = decided_codes(positive, model.thresholds_[decision])
        return Predictions(codes, probabilities, positive)

    def contributions(self, model: Any, X: pd.DataFrame) -> pd.DataFrame:
        """What each feature adds to the score.

        Args:
            model: Fitted.
            X: Features.

        Returns:
            See `clientela.binary.explanations`.
        """
        return contributions(model, X)

    def grade(self, truth: Codes, said: Predictions, values: Floats) -> dict[str, float]:
        """Every binary measure of predictions.

        Args:
            truth: True codes.
            said: Predictions for the same rows.
            values: Class values, which two classes do not need.

        Returns:
            Measure by name.
        """
        del values
        return grade(truth, said.codes, said.probabilities[:, 1], self.costs)

    def resampled_grades(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> pd.DataFrame:
        """One row per bootstrap sample, one column per measure.

        Args:
            truth: True codes.
            said: Predictions for the same rows.
            values: Class values, which two classes do not need.
            replicates: Number of samples.
            seed: Seed of the resampling; equal seeds give equal samples.

        Returns:
            Columns as in `grade`.
        """
        del values
        positive = said.probabilities[:, 1]
        return bootstrap_grades(
            truth, said.codes, positive, self.costs, replicates=replicates, seed=seed
        )

    def console_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """The measures in the form that the SageMaker console draws.

        Args:
            truth: True codes.
            said: Predictions for the same rows.
            values: Class values, which two classes do not need.
            replicates: Bootstrap samples behind the standard deviations.
            seed: Seed of the resampling.

        Returns:
            See `clientela.modelling.storage.binary_console_metrics`.
        """
        del values
        return binary_console_metrics(truth, said, replicates=replicates, seed=seed)

    def tuning_grade(  # noqa: PLR0913 - the seam's signature
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
        """How good an unfitted model is in cross-validation: the mean over the folds.

        What the measure does not read is not learned: no threshold for a measure of probabilities,
        and no calibration for one of their order.

        Args:
            model: An unfitted binary classifier.
            X: Features.
            codes: Target.
            metric: The measure.
            folds: Folds of the cross-validation.
            seed: Seed of the folds.
            workers: Folds at the same time.

        Returns:
            The mean measure.
        """
        needless = {} if isinstance(metric_named(metric), PointMetric) else {"decision": "half"}
        if metric in ORDER_ONLY:
            needless["calibrate"] = "none"
        fitted = clone(model).set_params(**needless)
        splits = repeated_folds(codes, folds=folds, repeats=1, seed=seed)
        calls = [(fitted, X, codes, split, metric) for split in splits]
        return float(np.mean(list(in_threads(self._held_out_grade, calls, workers))))

    def _held_out_grade(
        self, model: Any, X: pd.DataFrame, codes: Codes, split: Fold, metric: str
    ) -> float:
        fitted = clone(model).fit(X.iloc[split.learn], codes[split.learn])
        said = self.predictions(fitted, X.iloc[split.held_out], fitted.decision)
        measure = metric_named(metric)
        answers = said.codes if isinstance(measure, PointMetric) else said.probabilities[:, 1]
        return measure(codes[split.held_out], answers, self.costs)
