"""From a score and probabilities to one of ordered classes: decision rules and their classifiers.

Which rule is best depends on the measure: the median minimises the expected distance, the argmax
the expected number of mistakes, cut points serve any measure they were fitted for, and nearest is
the required, literal form. A regressor's score shrinks towards the middle, so that midpoints
between class values leave the outer classes nearly empty; cut points learned from out-of-fold
scores undo that: those that are best for a measure, or those that give each class its share. The
best ones follow chance and decide too many rows for the outer classes, which shows in another
period; those of the shares are as good there.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import Tags, _safe_indexing, get_tags, indexable
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.base import BaseClassifier, check_name
from clientela.models.explanations import compute_contributions
from clientela.models.metrics import PointMetric, get_point_metric

OrdinalDecision: TypeAlias = Literal["nearest", "thresholds", "shares", "argmax", "median"]

ORDINAL_DECISIONS: tuple[str, ...] = get_args(OrdinalDecision)

# Rules that need out-of-fold scores.
LEARNED: frozenset[str] = frozenset({"thresholds", "shares"})

HALF = 0.5


def apply_cut_points(score: Floats, cut_points: Floats) -> Codes:
    """One code per score: how many cut points lie strictly below it.

    A score that equals a cut point goes to the lower class. With midpoints as cut points this is
    the nearest class value.
    """
    codes: Codes = np.searchsorted(cut_points, score, side="left")
    return codes


def select_argmax_codes(probabilities: Floats) -> Codes:
    """One code per row: the likeliest class, of equally likely ones the lowest."""
    codes: Codes = probabilities.argmax(axis=1)
    return codes


def select_median_codes(probabilities: Floats) -> Codes:
    """One code per row: the lowest class whose cumulative probability reaches one half."""
    codes: Codes = (probabilities.cumsum(axis=1)[:, :-1] < HALF).sum(axis=1)
    return codes


class OrdinalClassifier(BaseClassifier):
    """Base of the ordinal classifiers.

    Features are rows x features, of any form that the estimator takes. With `values`, the target
    is codes 0..K-1 and K is their number, whether or not every class occurs in the data at hand (a
    rare class may be missing in a fold). Without them, the classes are the sorted distinct targets
    and stand for 0..K-1.

    Attributes:
        present_: The codes that occurred in `fit`; the others have probability zero.
    """

    values: Sequence[float] | None
    values_: Floats
    present_: Codes

    def expected_value(self, X: Any) -> Floats:
        """The mean of the class values under the predicted probabilities."""
        probabilities = self.predict_proba(X)
        means: Floats = probabilities @ self.values_
        return means

    def _encode_target(self, y: ArrayLike) -> Codes:
        """Set the classes and return the target as codes."""
        present, codes = self._find_classes(y)
        if self.values is None:
            self.classes_, self.values_ = present, np.arange(len(present), dtype=np.float64)
            return codes
        self.values_ = validate_class_values(self.values)
        self.classes_ = np.arange(len(self.values_))
        if not np.isin(present, self.classes_).all():
            strange = sorted(set(map(str, present)) - set(map(str, self.classes_)))
            raise InvalidTargetError(
                f"With {len(self.classes_)} class values, the target must be codes "
                f"0..{len(self.classes_) - 1}; found {', '.join(strange[:5])}. Encode the classes "
                "by their order."
            )
        return present.astype(np.int64)[codes]

    def _predict_codes(self, X: Any) -> Codes:
        return select_argmax_codes(self.predict_proba(X))

    def _encode_present_codes(self, codes: Codes) -> Codes:
        """Remember which codes occur, and number these 0, 1, ... without gaps."""
        self.present_, compact = np.unique(codes, return_inverse=True)
        return compact.astype(np.int64)

    def _expand_to_all_classes(self, probabilities: Floats) -> Floats:
        """Probabilities of the codes that occur, with a column of zeros for each other class."""
        complete = np.zeros((len(probabilities), len(self.classes_)))
        complete[:, self.present_] = probabilities
        return complete


def validate_class_values(values: Sequence[float]) -> Floats:
    """The class values as an array.

    Raises:
        ConfigurationError: They are fewer than two, or do not increase.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) < 2 or not (np.diff(array) > 0).all():  # noqa: PLR2004
        raise ConfigurationError(
            f"Class values must be at least two strictly increasing numbers, not {values!r}."
        )
    return array


# Candidate cuts: more than this is finer than any sample's noise, and only costs time.
MAX_CANDIDATES = 256

# Coordinate sweeps; two or three are the rule, the bound only guards against cycling.
MAX_SWEEPS = 50


def compute_midpoints(values: Floats) -> Floats:
    """The K-1 cut points halfway between neighbouring class values."""
    halfway: Floats = (values[1:] + values[:-1]) / 2
    return halfway


def tune_cut_points(score: Floats, y_true: Codes, values: Floats, metric: PointMetric) -> Floats:
    """The K-1 cut points on the score under which the measure is best.

    Coordinate search over candidates between neighbouring distinct scores (their quantiles when
    there are many), once from the midpoints of the values and once from the cuts that reproduce
    the class shares. Of equally good cuts the first in this order is kept, so that the result
    depends on the set of rows only.
    """
    cuts = _generate_candidate_cuts(score, values)
    # rows of each class with a score at or below each cut (cuts x K)
    cells = np.searchsorted(cuts, score, side="left") * len(values) + y_true
    in_bins = np.bincount(cells, minlength=len(cuts) * len(values)).reshape(len(cuts), -1)
    below = in_bins.cumsum(axis=0).astype(np.float64)
    shares = np.bincount(y_true, minlength=len(values)).cumsum()[:-1]
    starts = (
        np.searchsorted(cuts, compute_midpoints(values)).clip(0, len(cuts) - 1),
        np.searchsorted(below.sum(axis=1), shares).clip(0, len(cuts) - 1),
    )
    optima = [_run_coordinate_search(below, start, values, metric) for start in starts]
    positions, _ = max(optima, key=lambda result: result[1])
    best: Floats = cuts[positions]
    return best


def match_class_shares(score: Floats, y_true: Codes, n_classes: int) -> Floats:
    """The K-1 cut points on the score that give each class the share of rows that it really has."""
    shares = np.bincount(y_true, minlength=n_classes).cumsum()[:-1] / len(y_true)
    cuts: Floats = np.quantile(score, shares)
    return cuts


def learn_cut_points(
    decision: str, score: Floats, y_true: Codes, values: Floats, metric: PointMetric
) -> Floats:
    """The K-1 cut points of a learned decision rule."""
    if decision == "shares":
        return match_class_shares(score, y_true, len(values))
    return tune_cut_points(score, y_true, values, metric)


# Odds are moved by at most this factor, either way, to meet the level of the latest rows.
LARGEST_SHIFT = np.log(50.0)


def fit_level_shift(probabilities: Floats, y_true: Codes) -> Floats:
    """K-1 shifts of the log-odds of exceeding each class that make their means come true.

    Zero where no row, or every row, exceeds the class.
    """
    exceeding = 1 - probabilities.cumsum(axis=1)[:, :-1]
    shifts = np.zeros(exceeding.shape[1])
    for boundary, column in enumerate(exceeding.clip(0, 1).T):
        share = float((y_true > boundary).mean())

        def excess(shift: float, column: Floats = column, share: float = share) -> float:
            return float(_shift_odds(column, shift).mean()) - share

        if 0 < share < 1:
            low, high = excess(-LARGEST_SHIFT), excess(LARGEST_SHIFT)
            bound = LARGEST_SHIFT if high < 0 else -LARGEST_SHIFT
            shifts[boundary] = (
                brentq(excess, -LARGEST_SHIFT, LARGEST_SHIFT) if low * high < 0 else bound
            )
    return shifts


def shift_level(probabilities: Floats, shifts: Floats) -> Floats:
    """Probabilities after the log-odds of exceeding each class moved; they still add up to 1."""
    exceeding = (1 - probabilities.cumsum(axis=1)[:, :-1]).clip(0, 1)
    moved = np.minimum.accumulate(_shift_odds(exceeding, shifts), axis=1)
    edges = np.pad(moved, ((0, 0), (1, 1)), constant_values=((0, 0), (1.0, 0.0)))
    return -np.diff(edges, axis=1)


def _shift_odds(probability: Floats, shift: "Floats | float") -> Floats:
    odds = probability * np.exp(shift)
    moved: Floats = odds / (1 - probability + odds)
    return moved


def _generate_candidate_cuts(score: Floats, values: Floats) -> Floats:
    """Cuts between distinct scores, with one below all of them and one above."""
    distinct = np.unique(score)
    between = (distinct[1:] + distinct[:-1]) / 2
    if len(between) > MAX_CANDIDATES:
        levels = (np.arange(MAX_CANDIDATES) + 0.5) / MAX_CANDIDATES
        between = np.unique(np.quantile(score, levels))
    span = values[-1] - values[0]
    return np.concatenate([[distinct[0] - span], between, [distinct[-1] + span]])


def _compute_confusion_matrices(below: Floats, positions: Codes) -> Floats:
    """Counts of true by predicted class for each row of cut positions."""
    inner = below[positions]
    nothing = np.zeros_like(inner[..., :1, :])
    everything = np.broadcast_to(below[-1], nothing.shape)
    edges = np.concatenate([nothing, inner, everything], axis=-2)
    return np.swapaxes(np.diff(edges, axis=-2), -1, -2)


def _run_coordinate_search(
    below: Floats, start: Codes, values: Floats, metric: PointMetric
) -> tuple[Codes, float]:
    """Positions that no move of a single cut improves, and how good they are."""
    sign = 1.0 if metric.greater_is_better else -1.0
    positions = np.asarray(start, dtype=np.int64)
    best = sign * float(metric.of_counts(_compute_confusion_matrices(below, positions), values))
    for _ in range(MAX_SWEEPS):
        before = best
        for cut in range(len(positions)):
            options = _list_cut_moves(positions, cut, len(below))
            worth = sign * metric.of_counts(_compute_confusion_matrices(below, options), values)
            winner = int(np.argmax(worth))
            if worth[winner] > best + np.finfo(np.float64).eps:
                positions, best = options[winner], float(worth[winner])
        if best == before:
            break
    return positions, best


def _list_cut_moves(positions: Codes, cut: int, n_cuts: int) -> Codes:
    """All positions that differ in one cut, which stays between its neighbours."""
    first = positions[cut - 1] if cut > 0 else 0
    last = positions[cut + 1] if cut + 1 < len(positions) else n_cuts - 1
    options = np.tile(positions, (last - first + 1, 1))
    options[:, cut] = np.arange(first, last + 1)
    return options


def compute_out_of_fold_scores(  # noqa: PLR0913 - folds are described by four of them
    held_out_scores: Callable[[Any, Codes, Any], Floats],
    X: Any,
    codes: Codes,
    *,
    folds: int,
    seed: int,
    groups: ArrayLike | None = None,
) -> Floats:
    """One score, or one row of scores, per row, from a model fitted on the other folds.

    Args:
        held_out_scores: Fits a fresh model on (features, codes) and scores the third argument.
        folds: Number of folds; fewer where even the commonest class has fewer rows.
        groups: Whose each row is: rows of one stay in one fold; None: each row is its own.
    """
    counts = np.bincount(codes)
    n_folds = min(folds, max(2, int(counts.max())))
    # A class with fewer rows than folds can't be in each of them: it is spread like the commonest.
    strata = np.where(counts[codes] < n_folds, counts.argmax(), codes)
    rows = np.zeros(len(codes))
    splits = (
        StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(rows, strata)
        if groups is None
        else StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(
            rows, strata, np.asarray(groups)
        )
    )
    held, parts = [], []
    for learn, held_out in splits:
        held.append(held_out)
        parts.append(
            held_out_scores(_safe_indexing(X, learn), codes[learn], _safe_indexing(X, held_out))
        )
    together = np.concatenate(parts)
    scores = np.empty_like(together)
    scores[np.concatenate(held)] = together
    return scores


class DecisionRuleClassifier(MetaEstimatorMixin, OrdinalClassifier):
    """Base of the estimators with a decision rule; the one place where rules are fitted and used.

    Attributes:
        cut_points_: The K-1 cut points on the expected value that `nearest` (midpoints) and
            `thresholds` (best on out-of-fold scores) use; midpoints under the other rules.
    """

    decision: OrdinalDecision
    metric: str
    folds: int
    random_state: int
    cut_points_: Floats

    def _predict_codes(self, X: Any) -> Codes:
        check_is_fitted(self)
        if self.decision == "argmax":
            return select_argmax_codes(self.predict_proba(X))
        if self.decision == "median":
            return select_median_codes(self.predict_proba(X))
        return apply_cut_points(self.expected_value(X), self.cut_points_)

    @abstractmethod
    def _score_held_out(self, X: Any, codes: Codes, X_held_out: Any) -> Floats:
        """Expected values, or probabilities, of rows that a fresh model did not learn from."""

    def _validate_input(self, X: Any, y: ArrayLike) -> tuple[Any, Codes]:
        """Features that folds can be taken from, and the target as codes."""
        check_name("decision rule", self.decision, ORDINAL_DECISIONS)
        get_point_metric(self.metric)
        validate_data(self, X, y, skip_check_array=True)
        X, y = indexable(X, y)
        return X, self._encode_target(y)

    def _fit_cut_points(self, codes: Codes, out_of_fold: Callable[[], Floats]) -> Floats:
        """Cut points under the decision rule; only learned rules ask for out-of-fold scores."""
        if self.decision not in LEARNED:
            return compute_midpoints(self.values_)
        metric = get_point_metric(self.metric)
        return learn_cut_points(self.decision, out_of_fold(), codes, self.values_, metric)

    def _predict_out_of_fold(self, X: Any, codes: Codes, groups: ArrayLike | None = None) -> Floats:
        return compute_out_of_fold_scores(
            self._score_held_out,
            X,
            codes,
            folds=self.folds,
            seed=self.random_state,
            groups=groups,
        )


class OrdinalDecisionClassifier(DecisionRuleClassifier):
    """Any probabilistic classifier with any decision rule.

    Args:
        values: The K class values; without them the classes are the sorted targets.

    Attributes:
        level_shift_: What the level of the latest rows adds to the log-odds of exceeding each
            class; None where no rows are the latest.
    """

    level_shift_: Floats | None = None

    def __init__(  # noqa: PLR0913 - scikit-learn's way: one argument for each setting
        self,
        estimator: Any,
        *,
        values: Sequence[float] | None = None,
        decision: OrdinalDecision = "argmax",
        metric: str = "qwk",
        folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.values = values
        self.decision = decision
        self.metric = metric
        self.folds = folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.classifier_tags.poor_score = get_tags(self.estimator).classifier_tags.poor_score
        return tags

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        latest: ArrayLike | None = None,
    ) -> Self:
        """Fit the classifier, the level of its probabilities, and the cut points.

        Args:
            groups: Whose each row is, where somebody has several.
            latest: Which rows are the latest: the level and the cut points are learned from their
                out-of-fold probabilities alone. None: the level stays, all rows give cut points.
        """
        X, codes = self._validate_input(X, y)
        model = clone(self.estimator)
        if isinstance(model, OrdinalClassifier):
            model.set_params(values=tuple(self.values_.tolist()))
            self.present_ = np.arange(len(self.values_))
            self.estimator_ = model.fit(X, codes)
        else:
            self.estimator_ = model.fit(X, self._encode_present_codes(codes))
        self.level_shift_ = None
        if latest is None:
            self.cut_points_ = self._fit_cut_points(
                codes, lambda: self._predict_out_of_fold(X, codes, groups) @ self.values_
            )
            return self
        rows = np.asarray(latest, dtype=bool)
        held_out = self._predict_out_of_fold(X, codes, groups)[rows]
        self.level_shift_ = fit_level_shift(held_out, codes[rows])
        expected = shift_level(held_out, self.level_shift_) @ self.values_
        self.cut_points_ = self._fit_cut_points(codes[rows], lambda: expected)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Rows x K: the classifier's probabilities, with zeros for classes it never saw."""
        check_is_fitted(self)
        own = self._expand_to_all_classes(self.estimator_.predict_proba(X))
        return own if self.level_shift_ is None else shift_level(own, self.level_shift_)

    def contributions(self, X: Any) -> Floats:
        """Those of the classifier, whatever the decision rule."""
        return compute_contributions(self.estimator_, X)

    def _score_held_out(self, X: Any, codes: Codes, X_held_out: Any) -> Floats:
        model = OrdinalDecisionClassifier(self.estimator, values=tuple(self.values_.tolist()))
        return model.fit(X, codes).predict_proba(X_held_out)
