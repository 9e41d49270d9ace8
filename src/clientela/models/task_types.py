"""The kinds of binary models that configuration can name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier, XGBRegressor

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.features.preprocessing import PreprocessingSettings, make_preprocessor
from clientela.models.base import NamedRegistry, PointMetric
from clientela.models.baseline_rules import ThresholdRule
from clientela.models.binary_decision import (
    BINARY_DECISIONS,
    LEARNED_BINARY_DECISIONS,
    ONE_EACH,
    BinaryDecision,
    BinaryDecisionClassifier,
    CostTable,
    apply_threshold,
    validate_costs,
)
from clientela.models.binary_metrics import BINARY_METRICS, BinaryMetric
from clientela.models.console_metrics import (
    compute_binary_console_metrics,
    compute_ordinal_console_metrics,
)
from clientela.models.explanations import binary_contributions, ordinal_contributions
from clientela.models.grading import (
    bootstrap_binary_metrics,
    bootstrap_ordinal_metrics,
    compute_binary_metrics,
    compute_ordinal_metrics,
)
from clientela.models.ordinal_decision import (
    LEARNED,
    ORDINAL_DECISIONS,
    OrdinalDecisionClassifier,
    apply_cut_points,
    compute_midpoints,
    select_argmax_codes,
    select_median_codes,
    tune_cut_points,
)
from clientela.models.ordinal_estimators import (
    REQUIRED_LOWER_BOUNDS,
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)
from clientela.models.ordinal_metrics import ORDINAL_METRICS, OrdinalMetric
from clientela.models.scorecard import WoeScorecard
from clientela.models.settings import TrainingSettings
from clientela.models.tasks import Builder, CrossValidation, EstimatorSpec, Predictions, Task
from clientela.models.training_data import Fold, make_repeated_folds, run_in_threads

# The kinds of binary models that configuration can name.
#
# Each learns on one thread, behind the preprocessing of the use case, and decides by a threshold.


FIT_ITERATIONS = 1000
"""Steps a logistic regression may take unless configuration says otherwise: scikit-learn's 100
seldom do for one column per word."""

REWEIGHTING = ("scale_pos_weight", "class_weight")
"""Parameters that make probabilities wrong on purpose."""


def make_binary_majority_rule(recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    """Everybody gets the commoner class."""
    recipe.check_params(())
    return _add_decision_threshold(DummyClassifier(strategy="prior"), recipe)


def make_threshold_rule(recipe: EstimatorSpec) -> ThresholdRule:
    """One column compared with a number that people chose."""
    if recipe.decision is not None:
        raise ConfigurationError(
            "A candidate of kind 'threshold_rule' decides by its own limit. Leave its decisions "
            f"empty; they hold {recipe.decision!r}."
        )
    rule: ThresholdRule = recipe.apply_params(ThresholdRule())
    if recipe.candidate.role != "rule":
        raise ConfigurationError(
            "A candidate of kind 'threshold_rule' is a yardstick without thresholds to choose "
            f"from, but has role {recipe.candidate.role!r}. Set its role to 'rule'."
        )
    words = set(recipe.schema.words)
    columns = [name for name in recipe.schema.features("all") if name not in words]
    if rule.column not in columns:
        raise ConfigurationError(
            f"A candidate of kind 'threshold_rule' needs params.column, a numeric feature, but has "
            f"{rule.column!r}. {did_you_mean(str(rule.column), columns)}"
        )
    return rule


def make_logistic_regression(recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    """The linear model of the log-odds."""
    linear = LogisticRegression(random_state=recipe.settings.seed, max_iter=FIT_ITERATIONS)
    return _add_preprocessing(recipe.apply_params(linear), recipe)


def make_random_forest(recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    """The mean of many deep trees (Breiman 2001)."""
    forest = RandomForestClassifier(random_state=recipe.settings.seed, n_jobs=1)
    return _add_preprocessing(recipe.apply_params(forest), recipe)


def make_xgboost_classifier(recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    """Boosted trees."""
    booster = XGBClassifier(random_state=recipe.settings.seed, n_jobs=1)
    return _add_preprocessing(recipe.apply_params(booster), recipe)


def make_hist_gradient_boosting(recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    """Boosted trees on binned columns, scikit-learn's own."""
    # left to itself it would stop by a validation part, which inner folds already are
    booster = HistGradientBoostingClassifier(
        random_state=recipe.settings.seed, early_stopping=False
    )
    return _add_preprocessing(recipe.apply_params(booster), recipe)


def make_woe_scorecard(recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    """Weights of evidence of binned columns, added up: the form that lenders know."""
    card = recipe.apply_params(WoeScorecard(random_state=recipe.settings.seed))
    if recipe.candidate.preprocessing is not None:
        raise ConfigurationError(
            "A candidate of kind 'woe_scorecard' bins columns as they are, missing values "
            "included, and takes no preprocessing. Remove it."
        )
    if recipe.candidate.calibrate != "none":
        raise ConfigurationError(
            "A candidate of kind 'woe_scorecard' has a table of points that add up to its score; "
            f"after calibrate: {recipe.candidate.calibrate!r} they no longer would. Remove "
            "calibrate, or choose another kind."
        )
    return _add_decision_threshold(card, recipe)


BINARY_KINDS: Mapping[str, Builder] = MappingProxyType(
    {
        "majority": make_binary_majority_rule,
        "threshold_rule": make_threshold_rule,
        "logistic_regression": make_logistic_regression,
        "random_forest": make_random_forest,
        "xgboost_classifier": make_xgboost_classifier,
        "hist_gradient_boosting": make_hist_gradient_boosting,
        "woe_scorecard": make_woe_scorecard,
    }
)
"""Name in configuration to what builds it."""


def _add_preprocessing(model: Any, recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    """The model in one pipeline with its preprocessing, so that nothing else can be fitted."""
    if recipe.schema.tabular is None:
        raise ConfigurationError(
            "The task type 'binary' learns from tables, and this feature schema does not say which "
            "features are numbers and which are words. Run the feature_engineering stage of a use "
            "case of kind 'table'."
        )
    _require_recalibration(recipe)
    settings = recipe.candidate.preprocessing or PreprocessingSettings()
    steps = [("preprocess", make_preprocessor(recipe.schema.tabular, settings)), ("model", model)]
    return _add_decision_threshold(Pipeline(steps), recipe)


def _require_recalibration(recipe: EstimatorSpec) -> None:
    # compared one by one: a weight may be a mapping, which can't be looked for in a set
    given = [
        name
        for name in REWEIGHTING
        if (weight := recipe.params.get(name)) is not None and weight != 1
    ]
    if given and recipe.candidate.calibrate == "none":
        raise ConfigurationError(
            f"{given[0]} makes the rare class more likely than it is: probabilities no longer mean "
            "what they say, and thresholds from costs go wrong, while the order of rows hardly "
            f"gains. Set calibrate to 'sigmoid' or 'isotonic' beside it, or remove {given[0]}."
        )


def _add_decision_threshold(classifier: Any, recipe: EstimatorSpec) -> BinaryDecisionClassifier:
    settings, candidate = recipe.settings, recipe.candidate
    model = BinaryDecisionClassifier(
        classifier,
        decision=cast("BinaryDecision", recipe.decision or "half"),
        costs=ONE_EACH if settings.costs is None else settings.costs.table,
        share=candidate.share,
        calibrate=candidate.calibrate,
        folds=settings.inner_folds,
        random_state=settings.seed,
    )
    model.check_settings()
    return model


# The kinds of ordinal models that configuration can name.


def make_ordinal_majority_rule(recipe: EstimatorSpec) -> OrdinalDecisionClassifier:
    """Everybody gets the commonest class."""
    recipe.check_params(())
    return OrdinalDecisionClassifier(
        DummyClassifier(strategy="prior"), values=recipe.schema.values, decision="argmax"
    )


def make_last_quarter_rule(recipe: EstimatorSpec) -> LastQuarterRule:
    """Everybody does what they did last quarter."""
    recipe.check_params(())
    if recipe.schema.last_quarter not in recipe.schema.features("all"):
        raise ConfigurationError(
            "A candidate of kind 'last_quarter' reads the number of purchases of the last quarter, "
            "which this model input does not have. Switch the extra features on, or remove the "
            "candidate from training.candidates."
        )
    return LastQuarterRule(
        recipe.schema.last_quarter,
        lower_bounds=recipe.schema.lower_bounds or REQUIRED_LOWER_BOUNDS,
        values=recipe.schema.values,
    )


def make_xgboost_regressor(recipe: EstimatorSpec) -> OrdinalRegressor:
    """Regression on the class values, then cut."""
    # one thread: folds run side by side instead, and results don't depend on the machine
    regressor = XGBRegressor(random_state=recipe.settings.seed, n_jobs=1)
    return OrdinalRegressor(recipe.apply_params(regressor), **_make_decision_params(recipe))


def make_xgboost_cumulative(recipe: EstimatorSpec) -> OrdinalDecisionClassifier:
    """One binary booster for each boundary between classes (Frank and Hall 2001)."""
    booster = XGBClassifier(random_state=recipe.settings.seed, n_jobs=1)
    cumulative = CumulativeBinaryClassifier(recipe.apply_params(booster))
    return OrdinalDecisionClassifier(cumulative, **_make_decision_params(recipe))


def make_proportional_odds(recipe: EstimatorSpec) -> OrdinalDecisionClassifier:
    """The linear cumulative logit model (McCullagh 1980)."""
    linear = recipe.apply_params(ProportionalOddsClassifier())
    return OrdinalDecisionClassifier(linear, **_make_decision_params(recipe))


CUT_POINT_METRIC = "qwk"
"""What cut points maximise when the primary metric grades probabilities."""

ORDINAL_KINDS: Mapping[str, Builder] = MappingProxyType(
    {
        "majority": make_ordinal_majority_rule,
        "last_quarter": make_last_quarter_rule,
        "xgboost_regressor": make_xgboost_regressor,
        "xgboost_cumulative": make_xgboost_cumulative,
        "proportional_odds": make_proportional_odds,
    }
)
"""Name in configuration to what builds it."""


def _make_decision_params(recipe: EstimatorSpec) -> dict[str, Any]:
    # cut points move classes, so a measure of probabilities gives them nothing to maximise
    settings = recipe.settings
    moved = isinstance(ORDINAL_METRICS.named(settings.primary_metric), PointMetric)
    return {
        "values": recipe.schema.values,  # noqa: PD011 - a mapping of class values
        "decision": recipe.decision or "argmax",
        "metric": settings.primary_metric if moved else CUT_POINT_METRIC,
        "folds": settings.inner_folds,
        "random_state": settings.seed,
    }


# The task type `binary`: two classes, a probability, and a threshold that costs may set.


ORDER_ONLY = frozenset({"roc_auc", "gini", "ks", "pr_auc", "pr_auc_rare"})
"""Measures that read the order of probabilities alone, which no calibration changes."""


class BinaryTask(Task):
    """Two classes, of which the second is the positive one; see `clientela.models.tasks.Task`.

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

    def contributions(self, model: Any, X: pd.DataFrame) -> pd.DataFrame:
        """See `clientela.models.explanations`."""
        return binary_contributions(model, X)

    def grade(self, truth: Codes, said: Predictions, values: Floats) -> dict[str, float]:
        """Every binary measure; two classes need no values."""
        del values
        return compute_binary_metrics(truth, said.codes, said.probabilities[:, 1], self.costs)

    def bootstrap_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> pd.DataFrame:
        """Every binary measure of resampled rows; two classes need no values."""
        del values
        positive = said.probabilities[:, 1]
        return bootstrap_binary_metrics(
            truth, said.codes, positive, self.costs, replicates=replicates, seed=seed
        )

    def console_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """See `clientela.models.console_metrics`."""
        del values
        return compute_binary_console_metrics(truth, said, replicates=replicates, seed=seed)

    def evaluate_for_tuning(
        self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation
    ) -> float:
        """How good an unfitted model is in cross-validation: the mean over the folds.

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
        calls = [(fitted, X, codes, split, by.metric) for split in splits]
        return float(np.mean(list(run_in_threads(self._evaluate_tuning_fold, calls, by.workers))))

    def _evaluate_tuning_fold(
        self, model: Any, X: pd.DataFrame, codes: Codes, split: Fold, metric: str
    ) -> float:
        fitted = clone(model).fit(X.iloc[split.learn], codes[split.learn])
        said = self.predictions(fitted, X.iloc[split.held_out], fitted.decision)
        measure = BINARY_METRICS.named(metric)
        answers = said.codes if isinstance(measure, PointMetric) else said.probabilities[:, 1]
        return measure(codes[split.held_out], answers, self.costs)


# The task type `ordinal`: classes in an order, mistakes that count by their distance.


class OrdinalTask(Task):
    """Ordinal classes with values; see `clientela.models.tasks.Task`."""

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

    def contributions(self, model: Any, X: pd.DataFrame) -> pd.DataFrame:
        """See `clientela.models.explanations`."""
        return ordinal_contributions(model, X)

    def grade(self, truth: Codes, said: Predictions, values: Floats) -> dict[str, float]:
        """Every ordinal measure."""
        return compute_ordinal_metrics(truth, said.codes, said.probabilities, values)

    def bootstrap_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> pd.DataFrame:
        """Every ordinal measure of resampled rows."""
        return bootstrap_ordinal_metrics(
            truth, said.codes, said.probabilities, values, replicates=replicates, seed=seed
        )

    def console_metrics(
        self, truth: Codes, said: Predictions, values: Floats, *, replicates: int, seed: int
    ) -> dict[str, Any]:
        """See `clientela.models.console_metrics`."""
        return compute_ordinal_console_metrics(
            truth, said, values, replicates=replicates, seed=seed
        )

    def evaluate_for_tuning(
        self, model: Any, X: pd.DataFrame, codes: Codes, by: CrossValidation
    ) -> float:
        """How good an unfitted model is in cross-validation.

        Learned cut points would need inner folds in each fold. Instead every row is scored once
        out of fold, and the cut points of a fold are learned from the scores of the other folds:
        no row takes part in its own decision, at a fraction of the fits.
        """
        measure, values = (
            ORDINAL_METRICS.named(by.metric),
            np.asarray(model.values, dtype=np.float64),
        )
        splits = make_repeated_folds(codes, folds=by.folds, repeats=1, seed=by.seed)
        calls = [(model, X, codes, split) for split in splits]
        if isinstance(measure, PointMetric) and model.decision in LEARNED:
            scores = _merge_folds(
                splits, list(run_in_threads(_predict_held_out_values, calls, by.workers))
            )
            return measure(
                codes, _apply_cross_fitted_cuts(scores, codes, splits, values, measure), values
            )
        answers = _merge_folds(
            splits, list(run_in_threads(_predict_held_out_classes, calls, by.workers))
        )
        if isinstance(measure, PointMetric):
            return measure(codes, answers[:, 0].astype(np.int64), values)
        return measure(codes, answers[:, 1:], values)


def _merge_folds(splits: list[Fold], parts: list[Floats]) -> Floats:
    """Answers for the held-out rows of each fold, in the order of all rows."""
    together = np.empty((sum(map(len, parts)), *parts[0].shape[1:]))
    for split, part in zip(splits, parts, strict=True):
        together[split.held_out] = part
    return together


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


def _apply_cross_fitted_cuts(
    scores: Floats, codes: Codes, splits: list[Fold], values: Floats, measure: PointMetric
) -> Codes:
    """Codes of each fold from the cut points that its other folds teach."""
    decided = np.empty(len(codes), dtype=np.int64)
    for split in splits:
        cuts = tune_cut_points(scores[split.learn], codes[split.learn], values, measure)
        decided[split.held_out] = apply_cut_points(scores[split.held_out], cuts)
    return decided
