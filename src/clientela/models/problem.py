"""Task types (binary, ordinal), and one use case as a problem: task, columns and settings."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.models.base import NamedRegistry, Predictions, check_name
from clientela.models.binary_decision import (
    BINARY_DECISIONS,
    LEARNED_BINARY_DECISIONS,
    ONE_EACH,
    CostTable,
    apply_threshold,
    resolve_class_weights,
    validate_costs,
)
from clientela.models.console_metrics import (
    compute_binary_console_metrics,
    compute_ordinal_console_metrics,
)
from clientela.models.estimator_kinds import BINARY_KINDS, ORDINAL_KINDS, Builder, EstimatorSpec
from clientela.models.metrics import (
    BINARY_METRICS,
    ORDINAL_METRICS,
    BinaryMetric,
    OrdinalMetric,
    PointMetric,
    bootstrap_metrics,
    compute_metrics,
)
from clientela.models.ordinal_decision import (
    LEARNED,
    ORDINAL_DECISIONS,
    apply_cut_points,
    compute_midpoints,
    learn_cut_points,
    select_argmax_codes,
    select_median_codes,
)
from clientela.models.ordinal_estimators import OrdinalRegressor
from clientela.models.settings import CandidateSettings, FeatureGroup, SearchRange, TrainingSettings
from clientela.models.training_data import FeatureSchema, Fold, make_repeated_folds, run_in_threads

# The task types: what sets `binary` and `ordinal` questions apart; all else is common.
#
# A task type brings its kinds of models, decision rules and measures. It is a subclass of `Task`,
# and one line in `TASKS`.


# Measures that read the order of probabilities alone, which no calibration changes.
ORDER_ONLY = frozenset({"roc_auc", "gini", "ks", "pr_auc", "pr_auc_rare"})


# Folds after which a trial of tuning may be given up; a constant, so that no number of workers
# changes what is given up.
FOLDS_PER_ROUND = 2


@dataclass(frozen=True)
class CrossValidation:
    """How an unfitted model is graded.

    Attributes:
        prepared: Preprocessed rows by fold, which trials of one candidate share.
    """

    metric: str
    folds: int
    seed: int
    workers: int
    prepared: dict[int, Any] = field(default_factory=dict)


class Task(ABC):
    """One type of question that models answer.

    Attributes:
        kinds: Kinds of models by the name that configuration gives.
        metrics: Measures by the name that configuration gives.
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
        """Direction of a measure; a ConfigurationError where none has this name."""
        better: bool = self.metrics.named(metric).greater_is_better
        return better

    def choose_fit_decision(self, decisions: tuple[str, ...]) -> str | None:
        """The rule to fit with, so that `predictions` can apply each of them; None without any.

        A learned rule comes first: its out-of-fold answers teach the others too.
        """
        learned = [name for name in decisions if name in self.learned_decisions]
        return next(iter(learned or decisions), None)

    @abstractmethod
    def predictions(self, model: Any, X: pd.DataFrame, decision: str | None) -> Predictions:
        """What a fitted model says about rows, under one decision rule."""

    def get_probability(self, predictions: Predictions) -> Floats:
        """What measures of probabilities read: rows x K."""
        return predictions.probabilities

    def get_scale(self, values: Floats) -> Floats:
        """What weighs mistakes in measures of classes: the class values."""
        return values

    def grade(self, truth: Codes, predictions: Predictions, values: Floats) -> dict[str, float]:
        """Every measure of predictions."""
        return compute_metrics(
            self.metrics,
            truth,
            predictions.codes,
            self.get_probability(predictions),
            self.get_scale(values),
        )

    def bootstrap_metrics(  # noqa: PLR0913 - three describe the predictions, three the resampling
        self,
        truth: Codes,
        predictions: Predictions,
        values: Floats,
        *,
        replicates: int,
        seed: int,
        measures: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """One row per bootstrap sample, one column per measure, by default all of them.

        Args:
            seed: Seed of the resampling; equal seeds give equal samples, so that models compare
                in pairs.
        """
        return bootstrap_metrics(
            {name: self.metrics[name] for name in measures or self.metrics},
            truth,
            predictions.codes,
            self.get_probability(predictions),
            self.get_scale(values),
            replicates=replicates,
            seed=seed,
        )

    @abstractmethod
    def iter_tuning_scores(
        self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation
    ) -> Iterator[float]:
        """How good an unfitted model is over the folds so far; the last score is over all folds.

        Whoever reads may stop early. Fast enough for many trials.
        """

    @abstractmethod
    def console_metrics(
        self, truth: Codes, predictions: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """The measures in the form that the SageMaker console draws."""


class BinaryTask(Task):
    """Two classes, of which the second is the positive one; see `Task`.

    Args:
        costs: 2 x 2 costs by true class (row) and predicted class (column).
    """

    name: str = "binary"
    problem_type: str = "binary_classification"
    kinds: Mapping[str, Builder] = BINARY_KINDS
    metrics: NamedRegistry[BinaryMetric] = BINARY_METRICS
    decisions: tuple[str, ...] = BINARY_DECISIONS
    learned_decisions: frozenset[str] = LEARNED_BINARY_DECISIONS
    score_column: str = "probabilidad"

    def __init__(self, costs: CostTable = ONE_EACH) -> None:
        self.costs: Floats = validate_costs(costs)

    def apply_settings(self, settings: TrainingSettings) -> "BinaryTask":
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
            codes = apply_threshold(positive, model.thresholds_[decision])
        return Predictions(codes, probabilities, positive)

    def get_probability(self, predictions: Predictions) -> Floats:
        """The probability of the positive class."""
        positive: Floats = predictions.probabilities[:, 1]
        return positive

    def get_scale(self, values: Floats) -> Floats:
        """The costs; two classes need no values."""
        del values
        return self.costs

    def console_metrics(
        self, truth: Codes, predictions: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """See `clientela.models.console_metrics`."""
        del values
        return compute_binary_console_metrics(truth, predictions, replicates=replicates, seed=seed)

    def iter_tuning_scores(
        self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation
    ) -> Iterator[float]:
        """How good an unfitted model is in cross-validation: the mean over the folds so far.

        What the measure does not read is not learned: no threshold for a measure of probabilities,
        and no calibration for one of their order.
        """
        needless = (
            {} if isinstance(BINARY_METRICS.named(by.metric), PointMetric) else {"decision": "half"}
        )
        if by.metric in ORDER_ONLY:
            needless["calibrate"] = "none"
        fitted = clone(model).set_params(**needless)
        splits = make_repeated_folds(codes, folds=by.folds, repeats=1, seed=by.seed)
        calls = [(fitted, X, codes, split, by) for split in splits]
        scores: list[float] = []
        for values in _run_in_rounds(self._evaluate_tuning_fold, calls, by.workers):
            scores += values
            yield float(np.mean(scores))

    def _evaluate_tuning_fold(
        self, model: Any, X: pd.DataFrame, codes: Codes, split: Fold, by: CrossValidation
    ) -> float:
        model, learn, held_out = _preprocess_fold(model, X, codes, split, by.prepared)
        fitted = clone(model).fit(learn, codes[split.learn])
        predicted = self.predictions(fitted, held_out, fitted.decision)
        measure = BINARY_METRICS.named(by.metric)
        answers = predicted.codes if isinstance(measure, PointMetric) else predicted.expected
        return measure(codes[split.held_out], answers, self.costs)


def _preprocess_fold(
    model: Any, X: pd.DataFrame, codes: Codes, split: Fold, prepared: dict[int, Any]
) -> tuple[Any, Any, Any]:
    """The model and the rows of a fold; behind its preprocessing where trials can share that."""
    learn, held_out, pipeline = X.iloc[split.learn], X.iloc[split.held_out], model.classifier
    # inner folds of calibration and decision have to fit the preprocessing themselves
    inner_folds = model.calibrate != "none" or model.decision in LEARNED_BINARY_DECISIONS
    if inner_folds or not isinstance(pipeline, Pipeline):
        return model, learn, held_out
    if split.fold not in prepared:
        head = clone(pipeline[:-1])
        prepared[split.fold] = (
            head.fit_transform(learn, codes[split.learn]),
            head.transform(held_out),
        )
    return clone(model).set_params(classifier=pipeline[-1]), *prepared[split.fold]


class OrdinalTask(Task):
    """Ordinal classes with values; see `Task`."""

    name: str = "ordinal"
    problem_type: str = "ordinal_regression"
    kinds: Mapping[str, Builder] = ORDINAL_KINDS
    metrics: NamedRegistry[OrdinalMetric] = ORDINAL_METRICS
    decisions: tuple[str, ...] = ORDINAL_DECISIONS
    learned_decisions: frozenset[str] = LEARNED
    score_column: str = "valor_esperado"

    def apply_settings(self, settings: TrainingSettings) -> "OrdinalTask":
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
            codes = select_argmax_codes(probabilities)
        elif decision == "median":
            codes = select_median_codes(probabilities)
        elif decision is None:
            codes = np.asarray(model.predict(X), dtype=np.int64)
        else:
            learned = decision in LEARNED
            codes = apply_cut_points(
                expected, model.cut_points_ if learned else compute_midpoints(model.values_)
            )
        return Predictions(codes, probabilities, expected)

    def console_metrics(
        self, truth: Codes, predictions: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """See `clientela.models.console_metrics`."""
        return compute_ordinal_console_metrics(
            truth, predictions, values, replicates=replicates, seed=seed
        )

    def iter_tuning_scores(
        self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation
    ) -> Iterator[float]:
        """How good an unfitted model is in cross-validation, over the rows held out so far.

        Learned cut points would need inner folds in each fold. Instead every row is scored once
        out of fold, and the cut points of a fold are learned from the scores of the other folds:
        no row takes part in its own decision, at a fraction of the fits.
        """
        measure = ORDINAL_METRICS.named(by.metric)
        values = np.asarray(model.values, dtype=np.float64)
        splits = make_repeated_folds(codes, folds=by.folds, repeats=1, seed=by.seed)
        learned = isinstance(measure, PointMetric) and model.decision in LEARNED
        predict = _predict_held_out_values if learned else _predict_held_out_classes
        calls = [(model, X, codes, split) for split in splits]
        answers = np.full((len(codes), 1 if learned else 1 + len(values)), np.nan)
        done: list[Fold] = []
        for parts in _run_in_rounds(predict, calls, by.workers):
            for part in parts:
                done.append(splits[len(done)])
                answers[done[-1].held_out] = part.reshape(len(part), -1)
            known = ~np.isnan(answers[:, 0])
            if not isinstance(measure, PointMetric):
                yield measure(codes[known], answers[known, 1:], values)
                continue
            decided = answers[:, 0]
            if learned:
                decided = _decide_out_of_fold(model.decision, decided, codes, done, values, measure)
            yield measure(codes[known], decided[known].astype(np.int64), values)


def _run_in_rounds(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[list[Any]]:
    """The results of a few calls at a time; a round that nobody asks for is not run."""
    for start in range(0, len(calls), FOLDS_PER_ROUND):
        yield list(run_in_threads(function, calls[start : start + FOLDS_PER_ROUND], workers))


def _decide_out_of_fold(  # noqa: PLR0913, PLR0917 - what one fold's decision is learned from
    decision: str,
    scores: Floats,
    codes: Codes,
    splits: Sequence[Fold],
    values: Floats,
    measure: PointMetric,
) -> Floats:
    """Codes of the rows held out in these folds, by cut points learned from the other ones."""
    decided = np.full(len(scores), np.nan)
    for split in splits:
        learn = split.learn[~np.isnan(scores[split.learn])]
        cuts = learn_cut_points(decision, scores[learn], codes[learn], values, measure)
        decided[split.held_out] = apply_cut_points(scores[split.held_out], cuts)
    return decided


def _predict_held_out_values(model: Any, X: pd.DataFrame, codes: Codes, split: Fold) -> Floats:
    """Expected values of the held-out rows, without fitting any decision rule."""
    learn, held_out = X.iloc[split.learn], X.iloc[split.held_out]
    if isinstance(model, OrdinalRegressor):
        target = np.asarray(model.values, dtype=np.float64)[codes[split.learn]]
        scores: Floats = clone(model.regressor).fit(learn, target).predict(held_out)
        return scores
    fitted = clone(model).set_params(decision="nearest").fit(learn, codes[split.learn])
    expected: Floats = fitted.expected_value(held_out)
    return expected


def _predict_held_out_classes(model: Any, X: pd.DataFrame, codes: Codes, split: Fold) -> Floats:
    """Predicted code (first column) and probabilities of the held-out rows."""
    fitted = clone(model).fit(X.iloc[split.learn], codes[split.learn])
    held_out = X.iloc[split.held_out]
    return np.column_stack([fitted.predict(held_out), fitted.predict_proba(held_out)])


# Task types by the name that `use_cases.yml` gives them.
TASKS: Mapping[str, Task] = MappingProxyType({"ordinal": OrdinalTask(), "binary": BinaryTask()})


# One use case's question as training handles it: its task type, columns and settings together.
#
# Learners check their parameters when they learn: a misspelt word would end a run after minutes of
# tuning. So every candidate's learner learns once from made-up rows first; few rows and trees cost
# milliseconds, and reach the same checks.


# Enough for a learner that keeps a tenth of its rows for a validation of its own.
ROWS = 48

FEW_STEPS = 2

# Parameters that say how long learning takes.
STEPS = ("n_estimators", "max_iter")

# What estimators call the one that they stand around.
AROUND = ("classifier", "estimator", "regressor")


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
    # XGBoost refuses some marks in names, which it never sees: preprocessing gives it a matrix
    names = [f"x{n}" if set("[]<") & set(name) else name for n, name in enumerate(features)]
    rows = pd.DataFrame({name: np.arange(ROWS, dtype=np.float64) for name in names})
    try:
        for name, steps in learner.get_params().items():
            if name in STEPS and (steps is None or (isinstance(steps, int) and steps > FEW_STEPS)):
                learner.set_params(**{name: FEW_STEPS})
        with warnings.catch_warnings(), threadpool_limits(limits=1):
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
    """What is to be learned, from what, and how."""

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
            _require_one_learned_rule(candidate, problem.task)
            richest = problem.task.choose_fit_decision(candidate.decisions)
            for params in list_params_to_check(candidate):
                model = problem.build_estimator(name, params, richest)
                check_hyperparameters(model, problem.schema.features(candidate.features))
        except ConfigurationError as err:
            raise ConfigurationError(f"training.candidates.{name}: {err}") from err


def _require_one_learned_rule(candidate: CandidateSettings, task: Task) -> None:
    # one fit learns the cut points of one rule; two rules of them need two candidates
    learned = [name for name in candidate.decisions if name in task.learned_decisions]
    if task.name == "ordinal" and len(learned) > 1:
        raise ConfigurationError(
            f"decisions holds {' and '.join(learned)}, which learn different class limits. Keep "
            f"{learned[0]}, and give {learned[1]} a candidate of its own."
        )


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
