"""Stored models compiled to functions over NumPy arrays, for answers to few cases."""

from collections.abc import Callable
from functools import singledispatch
from typing import Any, Final, TypeAlias

import numpy as np
from scipy.special import expit
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier, XGBModel, XGBRegressor

from clientela.arrays import Codes, Floats
from clientela.features.columns import FeatureLayout, Features, limit_to_float32
from clientela.features.preprocessing import build_preprocessing
from clientela.models.base import Predictions, get_feature_names_in
from clientela.models.binary_decision import (
    BinaryDecisionClassifier,
    ThresholdRule,
)
from clientela.models.calibration import CALIBRATIONS
from clientela.models.ordinal_decision import (
    LEARNED,
    DecisionRuleClassifier,
    OrdinalDecisionClassifier,
    apply_cut_points,
    compute_midpoints,
    select_argmax_codes,
    select_median_codes,
    shift_level,
)
from clientela.models.ordinal_estimators import (
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)
from clientela.models.problem import TASKS
from clientela.models.scorecard import UNKNOWN_WORD, WoeScorecard

# Estimators as functions on a matrix or on features, each in the leanest way its library has.
#
# One thread for each request: a batch of a few rows is answered before a second thread has started.
# Sums are added up in the order of the columns. The libraries that multiply matrices choose the
# order by the number of rows, so that a case would get other last digits alone than among others.


# From a matrix (cases x columns) to one number for each case, or one for each case and class.
Answer: TypeAlias = Callable[[Floats], Floats]

# The last two rows of a scorecard's table: words that `fit` never saw, and missing values.
UNKNOWN, GAP = -2, -1

# Boosters of XGBoost that are trees; without a name they are.
TREES: Final = (None, "gbtree", "dart")


def build_xgboost_predictor(model: XGBModel) -> Answer | None:
    """The native prediction of XGBoost; None where the wrapper does more than ask its booster."""
    if model.booster not in TREES or model.early_stopping_rounds is not None:
        return None
    # of its own, since answering is thread-safe only where nothing else is done with it
    booster, missing = model.get_booster().copy(), model.missing
    booster.set_param({"nthread": 1})

    def answer(matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        prediction = booster.inplace_predict(matrix, missing=missing, validate_features=False)
        # XGBoost overwrites its answer with the next one
        return np.array(prediction, dtype=np.float64)

    answer(np.zeros((1, booster.num_features())))  # settings take effect with the first answer
    return answer


def sum_columns_in_order(terms: Floats) -> Floats:
    """The sums of a table of columns x cases over its columns, added up from the first on."""
    sums: Floats = np.add.accumulate(terms, axis=0)[-1]
    return sums


@singledispatch
def build_probability_predictor(model: Any) -> Answer | None:
    """The probability of the second of two classes; None where nothing faster is known."""
    del model
    return None


@build_probability_predictor.register
def _build_from_logistic(model: LogisticRegression) -> Answer:
    coefficients, intercept = model.coef_[0][:, None], model.intercept_[0]

    def answer(matrix: Floats) -> Floats:
        probability: Floats = expit(sum_columns_in_order(matrix.T * coefficients) + intercept)
        return probability

    return answer


@build_probability_predictor.register
def _build_from_xgboost_classifier(model: XGBClassifier) -> Answer | None:
    return build_xgboost_predictor(model) if model.objective == "binary:logistic" else None


@build_probability_predictor.register
def _build_from_random_forest(model: RandomForestClassifier) -> Answer:
    trees = [each.tree_ for each in model.estimators_]

    def answer(matrix: Floats) -> Floats:
        cases, total = matrix.astype(np.float32), np.zeros(len(matrix))
        for tree in trees:
            total += tree.predict(cases)[:, 1]
        return total / len(trees)

    return answer


@build_probability_predictor.register
def _build_from_hist_boosting(model: HistGradientBoostingClassifier) -> Answer:
    def answer(matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        # the number of threads is an argument here only; by itself it starts one for each core
        raw = model._raw_predict(matrix, n_threads=1)  # noqa: SLF001
        probability: Floats = model._loss.predict_proba(raw)[:, 1]  # noqa: SLF001
        return probability

    return answer


@build_probability_predictor.register
def _build_probability_from_dummy(model: DummyClassifier) -> Answer | None:
    if model.strategy != "prior":
        return None
    share = float(model.class_prior_[1])
    return lambda matrix: np.full(len(matrix), share)


@singledispatch
def build_class_probability_predictor(model: Any) -> Answer | None:
    """The probabilities of all ordinal classes; None where nothing faster is known."""
    del model
    return None


@build_class_probability_predictor.register
def _build_from_proportional_odds(model: ProportionalOddsClassifier) -> Answer:
    mean, scale = model.mean_[:, None], model.scale_[:, None]
    coefficients, thresholds = model.coef_[:, None], model.thresholds_
    complete = _expand_to_all_classes(model)

    def answer(matrix: Floats) -> Floats:
        score = sum_columns_in_order((matrix.T - mean) / scale * coefficients)
        return complete(_convert_from_cumulative(expit(thresholds - score[:, None]), 0.0, 1.0))

    return answer


@build_class_probability_predictor.register
def _build_from_cumulative_binary(model: CumulativeBinaryClassifier) -> Answer | None:
    compiled = [build_probability_predictor(each) for each in model.estimators_]
    boundaries = [each for each in compiled if each is not None]
    if len(boundaries) < len(compiled):
        return None
    complete = _expand_to_all_classes(model)

    def answer(matrix: Floats) -> Floats:
        above = np.column_stack([boundary(matrix) for boundary in boundaries])
        shares = np.clip(-_convert_from_cumulative(above, 1.0, 0.0), 0.0, None)
        return complete(shares / sum_columns_in_order(shares.T)[:, None])

    return answer


@build_class_probability_predictor.register
def _build_classes_from_dummy(model: DummyClassifier) -> Answer | None:
    shares = model.class_prior_
    return (lambda matrix: np.tile(shares, (len(matrix), 1))) if model.strategy == "prior" else None


@build_class_probability_predictor.register
def _build_from_ordinal_decision(model: OrdinalDecisionClassifier) -> Answer | None:
    inner = build_class_probability_predictor(model.estimator_)
    complete, shifts = _expand_to_all_classes(model), model.level_shift_
    if inner is None or shifts is None:
        return None if inner is None else (lambda matrix: complete(inner(matrix)))
    return lambda matrix: shift_level(complete(inner(matrix)), shifts)


def _convert_from_cumulative(inner: Floats, first: float, last: float) -> Floats:
    """From cumulative probabilities to those of each class."""
    edges = np.empty((len(inner), inner.shape[1] + 2))
    edges[:, 0], edges[:, 1:-1], edges[:, -1] = first, inner, last
    return np.diff(edges, axis=1)


def _expand_to_all_classes(model: Any) -> Answer:
    """Zeros for the classes that did not occur in `fit`."""
    present, classes = model.present_, len(model.classes_)
    if len(present) == classes:
        return lambda probabilities: probabilities

    def complete(probabilities: Floats) -> Floats:
        table = np.zeros((len(probabilities), classes))
        table[:, present] = probabilities
        return table

    return complete


def build_scorecard_predictor(
    card: WoeScorecard, layout: FeatureLayout
) -> Callable[[Features], Floats]:
    """A scorecard as one table of what each bin adds to the log-odds."""
    names = get_feature_names_in(card)
    numbers = [place for place, name in enumerate(names) if not card.is_word_[place]]
    words = [place for place, name in enumerate(names) if card.is_word_[place]]
    rows = layout.places([names[place] for place in numbers])
    edges = _build_edge_table(card, numbers)
    categories = [] if card.words_ is None else card.words_.categories_
    # word to its bin, for each column of words; None is the missing one
    bins_of_words: list[dict[str | None, int]] = [
        {word: bin_ for bin_, word in enumerate(known.tolist()) if isinstance(word, str)}
        | {None: GAP}
        for known in categories
    ]
    log_odds, intercept = _compute_bin_log_odds(card), card.linear_.intercept_[0]
    columns = np.arange(len(names))[:, None]

    def probability(features: Features) -> Floats:
        bins = np.empty((len(names), features.cases), dtype=np.intp)
        values = features.numbers[rows]
        inside = (edges < values[:, None, :]).sum(axis=1)
        bins[numbers] = np.where(np.isnan(values), GAP, inside)
        for place, bin_of in zip(words, bins_of_words, strict=True):
            bins[place] = [bin_of.get(word, UNKNOWN) for word in features.words[names[place]]]
        ones: Floats = expit(sum_columns_in_order(log_odds[bins, columns]) + intercept)
        return ones

    return probability


def _build_edge_table(card: WoeScorecard, numbers: list[int]) -> Floats:
    """Inner edges of each number, columns x edges x 1; a value has as many below it as its bin."""
    most = max((len(card.edges_[place]) for place in numbers), default=0)
    table = np.full((len(numbers), most, 1), np.inf)
    for row, place in enumerate(numbers):
        table[row, : len(card.edges_[place]), 0] = card.edges_[place]
    return table


def _compute_bin_log_odds(card: WoeScorecard) -> Floats:
    """Bins x columns, the rows of unknown words and of gaps last."""
    most = max(len(categories) for categories in card.encoder_.categories_)
    cells = np.array([*range(most), UNKNOWN_WORD, np.nan], dtype=np.float64)
    table = np.repeat(cells[:, None], len(card.edges_), axis=1)
    weighted: Floats = card.compute_woe(card.encoder_.transform(table)) * card.linear_.coef_[0]
    return weighted


# Fitted models as functions on features: one compiler for each type of estimator.
#
# What has no compiler is asked as batch scoring asks it, over a DataFrame: slower, and never
# another answer.


Model: TypeAlias = Callable[[Features], Predictions]
Probability: TypeAlias = Callable[[Features], Floats]

# What feature engineering puts where a customer has no value.
MISSING_COUNTS_AS = 0.0

# Decision rules that read probabilities; the others cut the expected value.
BY_PROBABILITY = {"argmax": select_argmax_codes, "median": select_median_codes}

# Where a threshold rule keeps the share of rows whose value is missing.
ON_NEITHER_SIDE = 2


@singledispatch
def build_binary_model(estimator: Any, layout: FeatureLayout, decision: str | None) -> Model:
    """A fitted binary model over features.

    Args:
        decision: Of the manifest; None where the model decides by itself.
    """
    task = TASKS["binary"]
    return lambda features: task.predictions(estimator, layout.frame(features), decision)


@build_binary_model.register
def _build_binary_decision(
    estimator: BinaryDecisionClassifier, layout: FeatureLayout, decision: str | None
) -> Model:
    raw = build_raw_probability(estimator.classifier_, layout)
    calibrated, learned = CALIBRATIONS.named(estimator.calibrate).apply, estimator.calibration_
    is_calibrated = estimator.calibrate != "none"
    threshold = estimator.threshold_ if decision is None else estimator.thresholds_[decision]

    def model(features: Features) -> Predictions:
        ones = raw(features)
        if is_calibrated:
            ones = calibrated(ones, learned)
        codes = (ones >= threshold).astype(np.int64)
        return Predictions(codes, _expand_to_both_classes(ones), ones)

    return model


@build_binary_model.register
def _build_threshold_rule(
    estimator: ThresholdRule, layout: FeatureLayout, decision: str | None
) -> Model:
    del decision  # it has one of its own
    row = layout.rows[layout.features[estimator.column_index_]]
    shares, limit, from_on = estimator.shares_, estimator.limit, estimator.positive == "from"

    def model(features: Features) -> Predictions:
        values = features.numbers[row]
        decided = values >= limit if from_on else values < limit
        sides = np.where(np.isnan(values), ON_NEITHER_SIDE, decided)
        ones = shares[sides]
        return Predictions((sides == 1).astype(np.int64), _expand_to_both_classes(ones), ones)

    return model


def _expand_to_both_classes(ones: Floats) -> Floats:
    table = np.empty((len(ones), 2))
    table[:, 0], table[:, 1] = 1 - ones, ones
    return table


@singledispatch
def build_raw_probability(classifier: Any, layout: FeatureLayout) -> Probability:
    """A fitted classifier as the raw probability of class 1."""

    def probability(features: Features) -> Floats:
        probabilities = classifier.predict_proba(layout.frame(features))
        return np.asarray(probabilities[:, 1], dtype=np.float64)

    return probability


@build_raw_probability.register
def _build_from_pipeline(classifier: Pipeline, layout: FeatureLayout) -> Probability:
    steps = [step for _, step in classifier.steps]
    preprocess = None
    if len(steps) == 2 and isinstance(steps[0], ColumnTransformer):  # noqa: PLR2004 - and the model
        preprocess = build_preprocessing(steps[0], layout)
    if preprocess is None:
        return build_raw_probability.dispatch(object)(classifier, layout)
    prepare, model = preprocess, steps[1]

    def ask_model(matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        # it was fitted on a bare matrix
        return np.asarray(model.predict_proba(matrix)[:, 1], dtype=np.float64)

    answer = build_probability_predictor(model) or ask_model
    return lambda features: answer(prepare(features))


@build_raw_probability.register
def _build_from_scorecard(classifier: WoeScorecard, layout: FeatureLayout) -> Probability:
    return build_scorecard_predictor(classifier, layout)


@build_raw_probability.register
def _build_from_constant(classifier: DummyClassifier, layout: FeatureLayout) -> Probability:
    answer = build_probability_predictor(classifier)
    if answer is None:
        return build_raw_probability.dispatch(object)(classifier, layout)
    constant = answer
    return lambda features: constant(features.numbers.T)


@singledispatch
def build_ordinal_model(estimator: Any, layout: FeatureLayout, decision: str | None) -> Model:
    """A fitted ordinal model over features.

    Args:
        decision: Of the manifest; None where the model decides by itself.
    """
    task = TASKS["ordinal"]
    return lambda features: task.predictions(estimator, layout.frame(features), decision)


@build_ordinal_model.register
def _build_ordinal_regressor(
    estimator: OrdinalRegressor, layout: FeatureLayout, decision: str | None
) -> Model:
    regressor = estimator.regressor_
    expected_of = (
        build_xgboost_predictor(regressor) if isinstance(regressor, XGBRegressor) else None
    )
    probabilities_of = build_class_probability_predictor(estimator.calibrator_)
    if expected_of is None or probabilities_of is None:
        return build_ordinal_model.dispatch(object)(estimator, layout, decision)
    matrix, decide = _build_matrix_reader(layout), _build_decision_rule(estimator, decision)

    def model(features: Features) -> Predictions:
        expected = expected_of(matrix(features))
        probabilities = probabilities_of(expected[:, None])
        return Predictions(decide(probabilities, expected), probabilities, expected)

    return model


@build_ordinal_model.register
def _build_ordinal_classifier(
    estimator: OrdinalDecisionClassifier, layout: FeatureLayout, decision: str | None
) -> Model:
    compiled = build_class_probability_predictor(estimator)
    if compiled is None:
        return build_ordinal_model.dispatch(object)(estimator, layout, decision)
    probabilities_of, means = compiled, _build_class_mean(estimator.values_)
    matrix, decide = _build_matrix_reader(layout), _build_decision_rule(estimator, decision)

    def model(features: Features) -> Predictions:
        probabilities = probabilities_of(matrix(features))
        expected = means(probabilities)
        return Predictions(decide(probabilities, expected), probabilities, expected)

    return model


@build_ordinal_model.register
def _build_last_quarter_rule(
    estimator: LastQuarterRule, layout: FeatureLayout, decision: str | None
) -> Model:
    del decision  # it has one of its own
    row = layout.rows[layout.features[estimator.column_index_]]
    bounds, most = np.asarray(estimator.lower_bounds), len(estimator.classes_) - 1
    shares, means = estimator.shares_, _build_class_mean(estimator.values_)

    def model(features: Features) -> Predictions:
        reached = np.searchsorted(bounds, features.numbers[row], side="right") - 1
        codes = reached.clip(0, most)
        probabilities = shares[codes]
        return Predictions(codes, probabilities, means(probabilities))

    return model


def _build_matrix_reader(layout: FeatureLayout) -> Callable[[Features], Floats]:
    """Cases x features, as the estimator was fitted on."""
    places = layout.places(layout.features)
    return lambda features: np.ascontiguousarray(limit_to_float32(features.numbers[places]).T)


def _build_class_mean(values: Floats) -> Answer:
    """Probabilities as expected class values."""
    weights = values[:, None]
    return lambda probabilities: sum_columns_in_order(probabilities.T * weights)


def _build_decision_rule(
    estimator: DecisionRuleClassifier, decision: str | None
) -> Callable[[Floats, Floats], Codes]:
    """From probabilities and expected values to codes."""
    rule = estimator.decision if decision is None else decision
    if rule in BY_PROBABILITY:
        decide = BY_PROBABILITY[rule]
        return lambda probabilities, _: decide(probabilities)
    learned = decision is None or decision in LEARNED
    cuts = estimator.cut_points_ if learned else compute_midpoints(estimator.values_)
    return lambda _, expected: apply_cut_points(expected, cuts)
