"""The task type `ordinal`: classes in an order, mistakes that count by their distance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from clientela.classification.codes import Codes, Floats
from clientela.classification.measures import PointMetric
from clientela.classification.named import Named
from clientela.exceptions import ConfigurationError
from clientela.modelling.ordinal_kinds import ORDINAL_KINDS
from clientela.modelling.selection.threads import in_threads
from clientela.modelling.settings import TrainingSettings
from clientela.modelling.split import Fold, repeated_folds
from clientela.modelling.storage.console_metrics import ordinal_console_metrics
from clientela.modelling.tasks import Builder, CrossValidation, Predictions, Task
from clientela.ordinal.cut_points import best_cut_points, midpoints
from clientela.ordinal.decision import DECISIONS, LEARNED, argmax_codes, cut_codes, median_codes
from clientela.ordinal.explanations import contributions
from clientela.ordinal.grading import bootstrap_grades, grade
from clientela.ordinal.metrics import METRICS, Metric
from clientela.ordinal.regressor import OrdinalRegressor


class OrdinalTask(Task):
    """Ordinal classes with values; see `clientela.modelling.tasks.Task`."""

    name: str = "ordinal"
    problem_type: str = "ordinal_regression"
    kinds: Mapping[str, Builder] = ORDINAL_KINDS
    metrics: Named[Metric] = METRICS
    decisions: tuple[str, ...] = DECISIONS
    learned_decisions: frozenset[str] = LEARNED
    score_column: str = "valor_esperado"

    def configured(self, settings: TrainingSettings) -> "OrdinalTask":
        """The task itself: it has no settings of its own."""
        foreign = [name for name in ("costs", "fairness") if getattr(settings, name) is not None]
        foreign += [
            f"candidates.{name}"
            for name, entry in settings.candidates.items()
            if entry.preprocessing or entry.share or entry.calibrate != "none"
        ]
        if foreign:
            raise ConfigurationError(
                f"training.{foreign[0]}: the task type 'ordinal' has no costs, fairness, "
                "preprocessing, calibration or share. Remove them, or use the task 'binary'."
            )
        return self

    def predictions(self, model: Any, X: pd.DataFrame, decision: str | None) -> Predictions:
        """Codes, probabilities and expected class values."""
        probabilities, expected = model.predict_proba(X), model.expected_value(X)
        if decision == "argmax":
            codes = argmax_codes(probabilities)
        elif decision == "median":
            codes = median_codes(probabilities)
        elif decision is None:
            codes = np.asarray(model.predict(X), dtype=np.int64)
        else:
            learned = decision in LEARNED
            codes = cut_codes(expected, model.cut_points_ if learned else midpoints(model.values_))
        return Predictions(codes, probabilities, expected)

    def contributions(self, model: Any, X: pd.DataFrame) -> pd.DataFrame:
        """See `clientela.ordinal.explanations`."""
        return contributions(model, X)

    def grade(self, truth: Codes, said: Predictions, values: Floats) -> dict[str, float]:
        """Every ordinal measure."""
        return grade(truth, said.codes, said.probabilities, values)

    def resampled_grades(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> pd.DataFrame:
        """Every ordinal measure of resampled rows."""
        return bootstrap_grades(
            truth, said.codes, said.probabilities, values, replicates=replicates, seed=seed
        )

    def console_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """See `clientela.modelling.storage.console_metrics`."""
        return ordinal_console_metrics(truth, said, values, replicates=replicates, seed=seed)

    def tuning_grade(self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation) -> float:
        """How good an unfitted model is in cross-validation.

        Learned cut points would need inner folds in each fold. Instead every row is scored once
        out of fold, and the cut points of a fold are learned from the scores of the other folds:
        no row takes part in its own decision, at a fraction of the fits.
        """
        measure, values = METRICS.named(by.metric), np.asarray(model.values, dtype=np.float64)
        splits = repeated_folds(codes, folds=by.folds, repeats=1, seed=by.seed)
        calls = [(model, X, codes, split) for split in splits]
        if isinstance(measure, PointMetric) and model.decision in LEARNED:
            scores = _together(splits, list(in_threads(_held_out_scores, calls, by.workers)))
            return measure(codes, _cross_fitted(scores, codes, splits, values, measure), values)
        answers = _together(splits, list(in_threads(_held_out_answers, calls, by.workers)))
        if isinstance(measure, PointMetric):
            return measure(codes, answers[:, 0].astype(np.int64), values)
        return measure(codes, answers[:, 1:], values)


def _together(splits: list[Fold], parts: list[Floats]) -> Floats:
    """Answers for the held-out rows of each fold, in the order of all rows."""
    together = np.empty((sum(map(len, parts)), *parts[0].shape[1:]))
    for split, part in zip(splits, parts, strict=True):
        together[split.held_out] = part
    return together


def _held_out_scores(model: Any, X: pd.DataFrame, codes: Codes, split: Fold) -> Floats:
    """Expected values of the held-out rows, without fitting any decision rule."""
    learn, held_out = X.iloc[split.learn], X.iloc[split.held_out]
    if isinstance(model, OrdinalRegressor):
        target = np.asarray(model.values, dtype=np.float64)[codes[split.learn]]
        scores: Floats = clone(model.regressor).fit(learn, target).predict(held_out)
        return scores
    fitted = clone(model).set_params(decision="nearest").fit(learn, codes[split.learn])
    expected: Floats = fitted.expected_value(held_out)
    return expected


def _held_out_answers(model: Any, X: pd.DataFrame, codes: Codes, split: Fold) -> Floats:
    """Predicted code (first column) and probabilities of the held-out rows."""
    fitted = clone(model).fit(X.iloc[split.learn], codes[split.learn])
    held_out = X.iloc[split.held_out]
    return np.column_stack([fitted.predict(held_out), fitted.predict_proba(held_out)])


def _cross_fitted(
    scores: Floats, codes: Codes, splits: list[Fold], values: Floats, measure: PointMetric
) -> Codes:
    """Codes of each fold from the cut points that its other folds teach."""
    decided = np.empty(len(codes), dtype=np.int64)
    for split in splits:
        cuts = best_cut_points(scores[split.learn], codes[split.learn], values, measure)
        decided[split.held_out] = cut_codes(scores[split.held_out], cuts)
    return decided
