"""Any probabilistic classifier with calibration and a decision rule."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import MetaEstimatorMixin
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils import Tags, get_tags, indexable
from sklearn.utils.validation import check_is_fitted, validate_data

from clientela.binary.balance import balanced
from clientela.binary.base import BinaryClassifier
from clientela.binary.calibration import CALIBRATIONS, Calibrate
from clientela.binary.costs import ONE_EACH, CostTable, checked_costs
from clientela.binary.decision import (
    DECISIONS,
    LEARNED,
    Decision,
    decided_codes,
    fixed_thresholds,
    learned_thresholds,
)
from clientela.binary.explanations import contributions, reference_contributions
from clientela.classification.codes import Codes, Floats
from clientela.classification.named import check_name
from clientela.exceptions import ConfigurationError, UnusableTarget


class BinaryDecisionClassifier(MetaEstimatorMixin, BinaryClassifier):
    """Any probabilistic classifier with calibration and a decision rule.

    Calibration and learned thresholds come from the same out-of-fold probabilities. That does not
    flatter the threshold: a calibration keeps the order of rows, so the learned threshold cuts the
    raw probabilities in the same place.

    Args:
        classifier: Classifier or pipeline with `predict_proba`; cloned, sees codes 0 and 1. Its
            `scale_pos_weight` may be `balanced`.
        decision: One of `clientela.binary.decision.DECISIONS`.
        costs: 2 x 2 costs by true class (row) and predicted class (column).
        share: Share of rows to decide as class 1, for the rule `share`.
        calibrate: One of `none`, `sigmoid`, `isotonic`.
        folds: Inner folds; fewer where the rarer class has fewer rows.
        random_state: Seed of the inner folds.

    Attributes:
        classifier_: Fitted on all rows.
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
        decision: Decision = "half",
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
        """Fit the classifier, its calibration and its thresholds.

        Args:
            X: Rows x features, of any form that the classifier takes.
            y: Two classes.

        Returns:
            Itself.

        Raises:
            ConfigurationError: Decision, costs, share or calibration are not usable.
            UnusableTarget: There are not two classes, or too few rows of one for inner folds.
        """
        self.check_settings()
        costs = checked_costs(self.costs)
        validate_data(self, X, y, skip_check_array=True)
        X, y = indexable(X, y)
        codes = self._learn_classes(y)
        self.classifier_ = balanced(self.classifier, codes).fit(X, codes)
        self.thresholds_ = fixed_thresholds(costs)
        self.calibration_ = np.empty((2, 0))
        if self.calibrate != "none" or self.decision in LEARNED:
            self._learn_from(codes, self._out_of_fold(X, codes), costs)
        self.threshold_ = self.thresholds_[self.decision]
        self.reference_ = reference_contributions(self.classifier_, X)
        return self

    def predict_proba(self, X: Any) -> Floats:
        """The calibrated probability of each class, in the order of `classes_`.

        Args:
            X: Rows x features.

        Returns:
            Rows x 2; each row adds up to one.
        """
        check_is_fitted(self)
        raw = np.asarray(self.classifier_.predict_proba(X)[:, 1], dtype=np.float64)
        ones = CALIBRATIONS.named(self.calibrate).apply(raw, self.calibration_)
        return np.column_stack([1 - ones, ones])

    def _decided_codes(self, X: Any) -> Codes:
        return decided_codes(self.predict_proba(X)[:, 1], self.threshold_)

    def check_settings(self) -> None:
        """Refuse settings that no data can make usable.

        Raises:
            ConfigurationError: Decision, costs, share or calibration.
        """
        check_name("decision rule", self.decision, DECISIONS)
        CALIBRATIONS.named(self.calibrate)
        if self.share is not None and not 0 < self.share < 1:
            raise ConfigurationError(f"share must lie between 0 and 1, not at {self.share}.")
        if self.decision == "share" and self.share is None:
            raise ConfigurationError(
                "The decision rule 'share' needs to know which share of the rows to decide as "
                "class 1. Set share, for example 0.1, or choose another rule."
            )
        checked_costs(self.costs)

    def _learn_from(self, codes: Codes, unseen: Floats, costs: Floats) -> None:
        calibration = CALIBRATIONS.named(self.calibrate)
        self.calibration_ = calibration.learn(codes, unseen)
        calibrated = calibration.apply(unseen, self.calibration_)
        self.thresholds_ |= learned_thresholds(codes, calibrated, costs, self.share)

    def _out_of_fold(self, X: Any, codes: Codes) -> Floats:
        """Raw probabilities of class 1 by models that did not learn from the row."""
        rarest = int(np.bincount(codes).min())
        if rarest < 2:  # noqa: PLR2004 - one row can't be in two folds
            raise UnusableTarget(
                f"A learned decision or calibration needs at least 2 rows of each class, but the "
                f"rarer class has {rarest} of {len(codes)}. Use more rows, or decision 'half' or "
                "'cost' without calibration."
            )
        splitter = StratifiedKFold(
            min(self.folds, rarest), shuffle=True, random_state=self.random_state
        )
        table = cross_val_predict(
            balanced(self.classifier, codes),
            X,
            codes,
            cv=splitter,
            method="predict_proba",
            n_jobs=1,
        )
        return np.asarray(table[:, 1], dtype=np.float64)


@contributions.register
def _of_decision(estimator: BinaryDecisionClassifier, X: pd.DataFrame) -> pd.DataFrame:
    """On the scale of the classifier, before calibration, which keeps the order."""
    table = contributions(estimator.classifier_, X)
    if not len(estimator.reference_):
        return table
    reference = pd.Series(estimator.reference_, index=estimator.feature_names_in_)
    return table - reference.reindex(table.columns, fill_value=0.0)
