"""The task type `binary`: two classes, a probability, and a threshold that costs may set."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from clientela.binary.costs import ONE_EACH, CostTable, checked_costs
from clientela.binary.decision import DECISIONS, LEARNED, decided_codes
from clientela.binary.explanations import contributions
from clientela.binary.grading import bootstrap_grades, grade
from clientela.binary.metrics import METRICS, Metric
from clientela.classification.codes import Codes, Floats
from clientela.classification.measures import PointMetric
from clientela.classification.named import Named
from clientela.modelling.binary_kinds import BINARY_KINDS
from clientela.modelling.selection.threads import in_threads
from clientela.modelling.settings import TrainingSettings
from clientela.modelling.split import Fold, repeated_folds
from clientela.modelling.storage.binary_console_metrics import binary_console_metrics
from clientela.modelling.tasks import Builder, CrossValidation, Predictions, Task

ORDER_ONLY = frozenset({"roc_auc", "gini", "ks", "pr_auc", "pr_auc_rare"})
"""Measures that read the order of probabilities alone, which no calibration changes."""


class BinaryTask(Task):
    """Two classes, of which the second is the positive one; see `clientela.modelling.tasks.Task`.

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).
    """

    name: str = "binary"
    problem_type: str = "binary_classification"
    kinds: Mapping[str, Builder] = BINARY_KINDS
    metrics: Named[Metric] = METRICS
    decisions: tuple[str, ...] = DECISIONS
    learned_decisions: frozenset[str] = LEARNED
    score_column: str = "probabilidad"

    def __init__(self, costs: CostTable = ONE_EACH) -> None:
        self.costs: Floats = checked_costs(costs)

    def configured(self, settings: TrainingSettings) -> "BinaryTask":
        """The task with the costs of a use case."""
        if settings.costs is None:
            return self
        return BinaryTask(settings.costs.table)

    def predictions(self, model: Any, X: pd.DataFrame, decision: str | None) -> Predictions:
        """Codes and probabilities; the expected value is the probability of the positive class."""
        probabilities = model.predict_proba(X)
        positive = probabilities[:, 1]
        if decision is None:
            codes = np.asarray(model.predict(X), dtype=np.int64)
        else:
            codes = decided_codes(positive, model.thresholds_[decision])
        return Predictions(codes, probabilities, positive)

    def contributions(self, model: Any, X: pd.DataFrame) -> pd.DataFrame:
        """See `clientela.binary.explanations`."""
        return contributions(model, X)

    def grade(self, truth: Codes, said: Predictions, values: Floats) -> dict[str, float]:
        """Every binary measure; two classes need no values."""
        del values
        return grade(truth, said.codes, said.probabilities[:, 1], self.costs)

    def resampled_grades(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> pd.DataFrame:
        """Every binary measure of resampled rows; two classes need no values."""
        del values
        positive = said.probabilities[:, 1]
        return bootstrap_grades(
            truth, said.codes, positive, self.costs, replicates=replicates, seed=seed
        )

    def console_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """See `clientela.modelling.storage.binary_console_metrics`."""
        del values
        return binary_console_metrics(truth, said, replicates=replicates, seed=seed)

    def tuning_grade(self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation) -> float:
        """How good an unfitted model is in cross-validation: the mean over the folds.

        What the measure does not read is not learned: no threshold for a measure of probabilities,
        and no calibration for one of their order.
        """
        needless = {} if isinstance(METRICS.named(by.metric), PointMetric) else {"decision": "half"}
        if by.metric in ORDER_ONLY:
            needless["calibrate"] = "none"
        fitted = clone(model).set_params(**needless)
        splits = repeated_folds(codes, folds=by.folds, repeats=1, seed=by.seed)
        calls = [(fitted, X, codes, split, by.metric) for split in splits]
        return float(np.mean(list(in_threads(self._held_out_grade, calls, by.workers))))

    def _held_out_grade(
        self, model: Any, X: pd.DataFrame, codes: Codes, split: Fold, metric: str
    ) -> float:
        fitted = clone(model).fit(X.iloc[split.learn], codes[split.learn])
        said = self.predictions(fitted, X.iloc[split.held_out], fitted.decision)
        measure = METRICS.named(metric)
        answers = said.codes if isinstance(measure, PointMetric) else said.probabilities[:, 1]
        return measure(codes[split.held_out], answers, self.costs)
