"""From a probability to a decision: costs, thresholds, and the business rules to beat."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, Self, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pydantic import model_validator
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.base import BinaryClassifier, check_name, find_column_position
from clientela.models.calibration import CALIBRATIONS, Calibrate
from clientela.models.explanations import compute_contributions, contributions
from clientela.models.metrics import (
    compute_score_histogram,
    f1,
    matthews_correlation,
    mean_cost,
    ratio,
)
from clientela.settings_base import FrozenSettings

# From a probability to a decision of two classes: costs, thresholds, and their classifier.
#
# `half` is the required, literal threshold. `cost` is right wherever probabilities are calibrated
# and needs no data; the `best_` rules and `share` are learned from rows that the model did not
# learn from, and forgive a bad calibration.


# Cost of one row by true class (row) and predicted class (column); 2 x 2, as counts are.
CostTable = Sequence[Sequence[float]]

# Both mistakes cost one: the cost per row is then the share of mistakes.
ONE_EACH: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 1.0), (1.0, 0.0))


class CostMatrix(FrozenSettings):
    """The four costs as configuration writes them; any one currency, negative for a gain.

    Attributes:
        false_positive: Cost of a row of class 0 that is taken for class 1.
        false_negative: Cost of a row of class 1 that is taken for class 0.
        true_positive: Cost of a row of class 1 that is recognised.
        true_negative: Cost of a row of class 0 that is recognised.
    """

    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0
    true_negative: float = 0.0

    @model_validator(mode="after")
    def _check_mistakes_cost_more(self) -> Self:
        if self.false_positive <= self.true_negative or self.false_negative <= self.true_positive:
            raise ValueError(
                "a mistake must cost more than the right decision on the same row: expected "
                f"false_positive > true_negative and false_negative > true_positive, got {self}"
            )
        return self

    @property
    def table(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Costs by true class (row) and predicted class (column)."""
        return (
            (self.true_negative, self.false_positive),
            (self.false_negative, self.true_positive),
        )


def validate_costs(costs: CostTable) -> Floats:
    """A cost table as an array.

    Raises:
        ConfigurationError: They are not 2 x 2, or a mistake costs no more than the right decision.
    """
    table = np.asarray(costs, dtype=np.float64)
    if table.shape != (2, 2) or not (table[0, 1] > table[0, 0] and table[1, 0] > table[1, 1]):
        raise ConfigurationError(
            "Costs must be ((true negative, false positive), (false negative, true positive)), "
            f"each mistake dearer than the right decision on the same row; got {costs!r}."
        )
    return table


def compute_cost_threshold(costs: Floats) -> float:
    """The probability of class 1 from which predicting 1 is expected to cost less (Elkan 2001).

    `(fp - tn) / (fp - tn + fn - tp)`. Right only for probabilities that are calibrated.
    """
    needless, missed = costs[0, 1] - costs[0, 0], costs[1, 0] - costs[1, 1]
    return float(needless / (needless + missed))


BinaryDecision: TypeAlias = Literal["half", "cost", "best_cost", "best_f1", "best_mcc", "share"]

BINARY_DECISIONS: tuple[str, ...] = get_args(BinaryDecision)

HALF = 0.5

# Learned rule to the measure of classes that it makes as large as possible.
#
# `best_f1` looks at class 1 alone: where that is the commoner class, taking everybody is nearly
# the best. `best_mcc` treats both classes alike.
MAXIMISED: Mapping[str, Callable[[Floats, Floats], Floats]] = MappingProxyType(
    {
        "best_cost": lambda counts, costs: -mean_cost(counts, costs),
        "best_f1": f1,
        "best_mcc": matthews_correlation,
    }
)

# Rules that need out-of-fold probabilities.
LEARNED_BINARY_DECISIONS: frozenset[str] = frozenset(MAXIMISED) | {"share"}


def apply_threshold(probability: Floats, threshold: float) -> Codes:
    """One code per row: 1 from the threshold on, 0 below it."""
    codes: Codes = (probability >= threshold).astype(np.int64)
    return codes


def tune_thresholds(
    y_true: Codes, probability: Floats, costs: Floats, share: float | None
) -> dict[str, float]:
    """Thresholds under which rows that were not learned from fare best.

    Args:
        share: Share of the rows to be decided as 1; None leaves the rule `share` out.
    """
    thresholds, counts = count_by_threshold(y_true, probability)
    worth = {name: measure(counts, costs) for name, measure in MAXIMISED.items()}
    if share is not None:
        worth["share"] = -np.abs(counts[:, :, 1].sum(axis=1) - share * len(y_true))
    return {name: float(thresholds[np.argmax(values)]) for name, values in worth.items()}


def count_by_threshold(y_true: Codes, probability: Floats) -> tuple[Floats, Floats]:
    """Every threshold that decides some row differently, and the counts under it.

    Returns:
        Thresholds from 0 (everybody is 1) upwards, halfway between neighbouring probabilities; and
        for each the counts by true and decided class, shape (thresholds, 2, 2).
    """
    counted = compute_score_histogram(y_true, probability)
    levels = np.append(counted.levels, 1.0)
    halfway = (levels[1:] + levels[:-1]) / 2
    # neighbours may leave no number between them, and a threshold belongs to the upper one
    above = np.where(halfway > levels[:-1], halfway, levels[1:])
    zero = np.concatenate([np.zeros((1, 2)), counted.rows.cumsum(axis=0)])
    counts = np.stack([zero, counted.totals - zero], axis=-1)
    reachable = len(counts) if counted.levels[-1] < 1 else -1
    return np.concatenate([[0.0], above])[:reachable], counts[:reachable]


BALANCED: Final = "balanced"
WEIGHT: Final = "scale_pos_weight"


def resolve_class_weights(classifier: Any, codes: Codes) -> Any:
    """The classifier with every `scale_pos_weight: balanced` as rows of class 0 by those of 1.

    A number typed into configuration would be that of other rows.

    Args:
        codes: 0 or 1 of the rows that it will learn from, both of which occur.

    Returns:
        An unfitted copy; it keeps the number, so that whoever reads the model sees it.
    """
    negative, positive = np.bincount(codes, minlength=2).tolist()
    weights = {
        name: negative / positive
        for name, value in classifier.get_params().items()
        if name.rpartition("__")[2] == WEIGHT and value == BALANCED
    }
    return clone(classifier).set_params(**weights)


class BinaryDecisionClassifier(MetaEstimatorMixin, BinaryClassifier):
    """Any probabilistic classifier with calibration and a decision rule.

    Calibration and learned thresholds come from the same out-of-fold probabilities. That does not
    flatter the threshold: a calibration keeps the order of rows, so the learned threshold cuts the
    raw probabilities in the same place.

    Args:
        classifier: Classifier or pipeline with `predict_proba`; cloned, sees codes 0 and 1. Its
            `scale_pos_weight` may be `balanced`.
        share: Share of rows to decide as class 1, for the rule `share`.
        folds: Inner folds; fewer where the rarer class has fewer rows.

    Attributes:
        calibration_: What the calibration learned, shape (2, ...); empty without one.
        thresholds_: Threshold of each rule that could be learned; all of them where out-of-fold
            probabilities were needed, else those that need no data.
        threshold_: Lowest probability of class 1 that is decided as 1.
        reference_: Mean contribution of each column over the training rows, for a model whose
            contributions do not refer to that mean by themselves; else empty.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn's way: one argument for each setting
        self,
        classifier: Any,
        *,
        decision: BinaryDecision = "half",
        costs: CostTable = ONE_EACH,
        share: float | None = None,
        calibrate: Calibrate = "none",
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.classifier = classifier
        self.decision = decision
        self.costs = costs
        self.share = share
        self.calibrate = calibrate
        self.folds = folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.classifier).input_tags
        tags.classifier_tags.poor_score = get_tags(self.classifier).classifier_tags.poor_score
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit the classifier, its calibration and its thresholds."""
        self.check_settings()
        costs = validate_costs(self.costs)
        validate_data(self, X, y, skip_check_array=True)
        X, y = indexable(X, y)
        codes = self._encode_target(y)
        self.classifier_ = resolve_class_weights(self.classifier, codes).fit(X, codes)
        self.thresholds_ = {"half": HALF, "cost": compute_cost_threshold(costs)}
        self.calibration_ = np.empty((2, 0))
        if self.calibrate != "none" or self.decision in LEARNED_BINARY_DECISIONS:
            raw = self._predict_out_of_fold(X, codes)
            calibration = CALIBRATIONS.named(self.calibrate)
            self.calibration_ = calibration.learn(codes, raw)
            calibrated = calibration.apply(raw, self.calibration_)
            self.thresholds_ |= tune_thresholds(codes, calibrated, costs, self.share)
        self.threshold_ = self.thresholds_[self.decision]
        self.reference_ = self._compute_reference(X)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Rows x 2: the calibrated probability of each class, in the order of `classes_`."""
        check_is_fitted(self)
        raw = np.asarray(self.classifier_.predict_proba(X)[:, 1], dtype=np.float64)
        ones = CALIBRATIONS.named(self.calibrate).apply(raw, self.calibration_)
        return np.column_stack([1 - ones, ones])

    def contributions(self, X: Any) -> Floats:
        """On the scale of the classifier, before calibration, which keeps the order."""
        terms = compute_contributions(self.classifier_, X)
        if not len(self.reference_):
            return terms
        reference = pd.Series(self.reference_, index=self.feature_names_in_)
        return terms - reference.reindex(X.columns, fill_value=0.0).to_numpy()

    def _predict_codes(self, X: Any) -> Codes:
        return apply_threshold(self.predict_proba(X)[:, 1], self.threshold_)

    def check_settings(self) -> None:
        """Refuse settings that no data can make usable."""
        check_name("decision rule", self.decision, BINARY_DECISIONS)
        CALIBRATIONS.named(self.calibrate)
        if self.share is not None and not 0 < self.share < 1:
            raise ConfigurationError(f"share must lie between 0 and 1, not at {self.share}.")
        if self.decision == "share" and self.share is None:
            raise ConfigurationError(
                "The decision rule 'share' needs to know which share of the rows to decide as "
                "class 1. Set share, for example 0.1, or choose another rule."
            )
        validate_costs(self.costs)

    def _compute_reference(self, X: Any) -> Floats:
        model = self.classifier_
        last = model[-1] if isinstance(model, Pipeline) else model
        if not isinstance(last, LogisticRegression) or not isinstance(X, pd.DataFrame):
            return np.empty(0)
        return contributions(model, X).mean().to_numpy()

    def _predict_out_of_fold(self, X: Any, codes: Codes) -> Floats:
        """Raw probabilities of class 1 by models that did not learn from the row."""
        rarest = int(np.bincount(codes).min())
        if rarest < 2:  # noqa: PLR2004 - one row can't be in two folds
            raise InvalidTargetError(
                f"A learned decision or calibration needs at least 2 rows of each class, but the "
                f"rarer class has {rarest} of {len(codes)}. Use more rows, or decision 'half' or "
                "'cost' without calibration."
            )
        splitter = StratifiedKFold(
            min(self.folds, rarest), shuffle=True, random_state=self.random_state
        )
        table = cross_val_predict(
            resolve_class_weights(self.classifier, codes),
            X,
            codes,
            cv=splitter,
            method="predict_proba",
            n_jobs=1,
        )
        return np.asarray(table[:, 1], dtype=np.float64)


# Business rules that every model must beat: one column compared with a number.


Side: TypeAlias = Literal["from", "below"]

SIDES: tuple[str, ...] = ("from", "below")


class ThresholdRule(BinaryClassifier):
    """Decides by one column and a number that people chose: no visit in N days, and they left.

    Its probabilities are the shares of class 1, seen in `fit`, on each side of the number, mixed
    with the overall share as if `smoothing` further rows had that. A missing value lies on
    neither side: it is decided as class 0 and has a share of its own.

    Args:
        positive: Which side is decided as class 1: `from` the limit on, or `below` it.

    Attributes:
        shares_: Share of class 1 on the side of class 0, on that of class 1, and where missing.
    """

    def __init__(
        self,
        column: str | int = 0,
        *,
        limit: float = 0.0,
        positive: Side = "from",
        smoothing: float = 1.0,
    ) -> None:
        self.column = column
        self.limit = limit
        self.positive = positive
        self.smoothing = smoothing

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.poor_score = True  # one number can't separate arbitrary blobs
        return tags

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn the share of class 1 on each side."""
        self._check_settings()
        table = self._table(X)
        table, y = validate_data(self, table, y, skip_check_array=True)
        table, y = indexable(table, y)
        codes = self._encode_target(y)
        self.column_index_ = find_column_position(self, self.column, "threshold")
        sides = self._assign_sides(table)
        rows = np.bincount(sides, minlength=3).astype(np.float64)
        ones = np.bincount(sides, weights=codes, minlength=3).astype(np.float64)
        self.overall_ = float(codes.mean())
        self.shares_ = ratio(
            ones + self.smoothing * self.overall_, rows + self.smoothing, empty=self.overall_
        )
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Rows x 2: the shares of the classes on the row's side in `fit`."""
        sides = self._assign_sides(self._validate_table(X))
        ones = self.shares_[sides]
        return np.column_stack([1 - ones, ones])

    def contributions(self, X: Any) -> Floats:
        """The probability's distance from the overall share, all due to the one column."""
        terms = np.zeros(X.shape)
        terms[:, self.column_index_] = self.predict_proba(X)[:, 1] - self.overall_
        return terms

    def _check_settings(self) -> None:
        if self.positive not in SIDES:
            raise ConfigurationError(
                f"positive must be one of {', '.join(SIDES)}, not {self.positive!r}."
            )
        for name in ("limit", "smoothing"):
            if not isinstance(value := getattr(self, name), int | float):
                raise ConfigurationError(f"{name} must be a number, not {value!r}.")

    def _predict_codes(self, X: Any) -> Codes:
        decided: Codes = (self._assign_sides(self._validate_table(X)) == 1).astype(np.int64)
        return decided

    def _assign_sides(self, table: Any) -> Codes:
        """0 or 1 as decided, 2 where the value is missing."""
        column = pd.DataFrame(table).iloc[:, self.column_index_]
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        decided = values >= self.limit if self.positive == "from" else values < self.limit
        return np.where(np.isnan(values), 2, decided).astype(np.int64)
