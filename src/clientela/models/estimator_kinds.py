"""The kinds of models that configuration can name, and what an unfitted one is made from.

Every learner runs on one thread: folds run side by side instead, and results do not depend on the
machine. Binary kinds stand behind the preprocessing of the use case and decide by a threshold;
ordinal kinds decide by cut points or by probabilities.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier, XGBRegressor

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.features.preprocessing import PreprocessingSettings, make_preprocessor
from clientela.models.binary_decision import (
    ONE_EACH,
    BinaryDecision,
    BinaryDecisionClassifier,
    ThresholdRule,
)
from clientela.models.metrics import ORDINAL_METRICS, PointMetric
from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import (
    REQUIRED_LOWER_BOUNDS,
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)
from clientela.models.scorecard import WoeScorecard
from clientela.models.settings import CandidateSettings, TrainingSettings
from clientela.models.training_data import FeatureSchema

# Steps a logistic regression may take unless configuration says otherwise: scikit-learn's 100
# seldom do for one column per word.
FIT_ITERATIONS = 1000

# Parameters that make probabilities wrong on purpose.
REWEIGHTING = ("scale_pos_weight", "class_weight")


# What cut points maximise when the primary metric grades probabilities.
CUT_POINT_METRIC = "qwk"


@dataclass(frozen=True)
class EstimatorSpec:
    """What an unfitted estimator is made from.

    Attributes:
        params: Parameters of the estimator, by its own names; tuning may have changed them.
        decision: Decision rule; None where the kind decides by itself.
        settings: What holds for all candidates: metric, seed, inner folds, costs.
    """

    params: Mapping[str, Any]
    decision: str | None
    candidate: CandidateSettings
    schema: FeatureSchema
    settings: TrainingSettings

    def check_params(self, known: Iterable[str]) -> None:
        """Refuse parameters that the kind does not have."""
        names = tuple(known)
        for name in self.params:
            if name not in names:
                raise ConfigurationError(
                    f"kind {self.candidate.kind!r} has no parameter {name!r}. "
                    f"{did_you_mean(name, names)}"
                )

    def apply_params(self, estimator: Any) -> Any:
        """The estimator with the parameters of the candidate."""
        # set_params would accept anything: XGBoost takes unknown names and ignores them
        self.check_params(estimator.get_params(deep=False))
        return estimator.set_params(**self.params)


Builder: TypeAlias = Callable[[EstimatorSpec], Any]


def make_binary_majority_rule(spec: EstimatorSpec) -> BinaryDecisionClassifier:
    """Everybody gets the commoner class."""
    spec.check_params(())
    return _add_decision_threshold(DummyClassifier(strategy="prior"), spec)


def make_threshold_rule(spec: EstimatorSpec) -> ThresholdRule:
    """One column compared with a number that people chose."""
    if spec.decision is not None:
        raise ConfigurationError(
            "A candidate of kind 'threshold_rule' decides by its own limit. Leave its decisions "
            f"empty; they hold {spec.decision!r}."
        )
    rule: ThresholdRule = spec.apply_params(ThresholdRule())
    if spec.candidate.role != "rule":
        raise ConfigurationError(
            "A candidate of kind 'threshold_rule' is a yardstick without thresholds to choose "
            f"from, but has role {spec.candidate.role!r}. Set its role to 'rule'."
        )
    words = set(spec.schema.words)
    columns = [name for name in spec.schema.features("all") if name not in words]
    if rule.column not in columns:
        raise ConfigurationError(
            f"A candidate of kind 'threshold_rule' needs params.column, a numeric feature, but has "
            f"{rule.column!r}. {did_you_mean(str(rule.column), columns)}"
        )
    return rule


def make_logistic_regression(spec: EstimatorSpec) -> BinaryDecisionClassifier:
    """The linear model of the log-odds."""
    linear = LogisticRegression(random_state=spec.settings.seed, max_iter=FIT_ITERATIONS)
    return _add_preprocessing(spec.apply_params(linear), spec)


def make_random_forest(spec: EstimatorSpec) -> BinaryDecisionClassifier:
    """The mean of many deep trees (Breiman 2001)."""
    forest = RandomForestClassifier(random_state=spec.settings.seed, n_jobs=1)
    return _add_preprocessing(spec.apply_params(forest), spec)


def make_xgboost_classifier(spec: EstimatorSpec) -> BinaryDecisionClassifier:
    """Boosted trees."""
    booster = XGBClassifier(random_state=spec.settings.seed, n_jobs=1)
    return _add_preprocessing(spec.apply_params(booster), spec)


def make_hist_gradient_boosting(spec: EstimatorSpec) -> BinaryDecisionClassifier:
    """Boosted trees on binned columns, scikit-learn's own."""
    # left to itself it would stop by a validation part, which inner folds already are
    booster = HistGradientBoostingClassifier(random_state=spec.settings.seed, early_stopping=False)
    return _add_preprocessing(spec.apply_params(booster), spec)


def make_woe_scorecard(spec: EstimatorSpec) -> BinaryDecisionClassifier:
    """Weights of evidence of binned columns, added up: the form that lenders know."""
    card = spec.apply_params(WoeScorecard(random_state=spec.settings.seed))
    if spec.candidate.preprocessing is not None:
        raise ConfigurationError(
            "A candidate of kind 'woe_scorecard' bins columns as they are, missing values "
            "included, and takes no preprocessing. Remove it."
        )
    if spec.candidate.calibrate != "none":
        raise ConfigurationError(
            "A candidate of kind 'woe_scorecard' has a table of points that add up to its score; "
            f"after calibrate: {spec.candidate.calibrate!r} they no longer would. Remove "
            "calibrate, or choose another kind."
        )
    return _add_decision_threshold(card, spec)


# Name in configuration to what builds it. `compute_contributions` has to know each learner too:
# training explains its champion, and would stop there, after all tuning.
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


def _add_preprocessing(model: Any, spec: EstimatorSpec) -> BinaryDecisionClassifier:
    """The model in one pipeline with its preprocessing, so that nothing else can be fitted."""
    if spec.schema.tabular is None:
        raise ConfigurationError(
            "The task type 'binary' learns from tables, and this feature schema does not say which "
            "features are numbers and which are words. Run the feature_engineering stage of a use "
            "case of kind 'table'."
        )
    _require_recalibration(spec)
    settings = spec.candidate.preprocessing or PreprocessingSettings()
    steps = [("preprocess", make_preprocessor(spec.schema.tabular, settings)), ("model", model)]
    return _add_decision_threshold(Pipeline(steps), spec)


def _require_recalibration(spec: EstimatorSpec) -> None:
    # compared one by one: a weight may be a mapping, which can't be looked for in a set
    given = [
        name
        for name in REWEIGHTING
        if (weight := spec.params.get(name)) is not None and weight != 1
    ]
    if given and spec.candidate.calibrate == "none":
        raise ConfigurationError(
            f"{given[0]} makes the rare class more likely than it is: probabilities no longer mean "
            "what they say, and thresholds from costs go wrong, while the order of rows hardly "
            f"gains. Set calibrate to 'sigmoid' or 'isotonic' beside it, or remove {given[0]}."
        )


def _add_decision_threshold(classifier: Any, spec: EstimatorSpec) -> BinaryDecisionClassifier:
    settings, candidate = spec.settings, spec.candidate
    model = BinaryDecisionClassifier(
        classifier,
        decision=cast("BinaryDecision", spec.decision or "half"),
        costs=ONE_EACH if settings.costs is None else settings.costs.table,
        share=candidate.share,
        calibrate=candidate.calibrate,
        folds=settings.inner_folds,
        random_state=settings.seed,
    )
    model.check_settings()
    return model


def make_ordinal_majority_rule(spec: EstimatorSpec) -> OrdinalDecisionClassifier:
    """Everybody gets the commonest class."""
    spec.check_params(())
    return OrdinalDecisionClassifier(
        DummyClassifier(strategy="prior"), values=spec.schema.values, decision="argmax"
    )


def make_last_quarter_rule(spec: EstimatorSpec) -> LastQuarterRule:
    """Everybody does what they did last quarter."""
    spec.check_params(())
    if spec.schema.last_quarter not in spec.schema.features("all"):
        raise ConfigurationError(
            "A candidate of kind 'last_quarter' reads the number of purchases of the last quarter, "
            "which this model input does not have. Switch the extra features on, or remove the "
            "candidate from training.candidates."
        )
    return LastQuarterRule(
        spec.schema.last_quarter,
        lower_bounds=spec.schema.lower_bounds or REQUIRED_LOWER_BOUNDS,
        values=spec.schema.values,
    )


def make_xgboost_regressor(spec: EstimatorSpec) -> OrdinalRegressor:
    """Regression on the class values, then cut."""
    regressor = XGBRegressor(random_state=spec.settings.seed, n_jobs=1)
    return OrdinalRegressor(spec.apply_params(regressor), **_make_decision_params(spec))


def make_xgboost_cumulative(spec: EstimatorSpec) -> OrdinalDecisionClassifier:
    """One binary booster for each boundary between classes (Frank and Hall 2001)."""
    booster = XGBClassifier(random_state=spec.settings.seed, n_jobs=1)
    cumulative = CumulativeBinaryClassifier(spec.apply_params(booster))
    return OrdinalDecisionClassifier(cumulative, **_make_decision_params(spec))


def make_proportional_odds(spec: EstimatorSpec) -> OrdinalDecisionClassifier:
    """The linear cumulative logit model (McCullagh 1980)."""
    linear = spec.apply_params(ProportionalOddsClassifier())
    return OrdinalDecisionClassifier(linear, **_make_decision_params(spec))


# Name in configuration to what builds it.
ORDINAL_KINDS: Mapping[str, Builder] = MappingProxyType(
    {
        "majority": make_ordinal_majority_rule,
        "last_quarter": make_last_quarter_rule,
        "xgboost_regressor": make_xgboost_regressor,
        "xgboost_cumulative": make_xgboost_cumulative,
        "proportional_odds": make_proportional_odds,
    }
)


def _make_decision_params(spec: EstimatorSpec) -> dict[str, Any]:
    # cut points move classes, so a measure of probabilities gives them nothing to maximise
    settings = spec.settings
    moved = isinstance(ORDINAL_METRICS.named(settings.primary_metric), PointMetric)
    return {
        "values": spec.schema.values,
        "decision": spec.decision or "argmax",
        "metric": settings.primary_metric if moved else CUT_POINT_METRIC,
        "folds": settings.inner_folds,
        "random_state": settings.seed,
    }
