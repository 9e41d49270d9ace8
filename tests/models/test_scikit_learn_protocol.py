"""Every estimator of the project under scikit-learn's own checks, once."""

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from clientela.models.binary_decision import BinaryDecisionClassifier, ThresholdRule
from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import (
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)
from clientela.models.scorecard import WoeScorecard

NOT_ARGMAX = "the class is a decision of its own, not the likeliest one: that is its purpose"
DECIDED = (BinaryDecisionClassifier, LastQuarterRule, OrdinalRegressor)


def expected_failures(estimator):
    return {"check_classifiers_train": NOT_ARGMAX} if isinstance(estimator, DECIDED) else {}


@parametrize_with_checks(
    [
        ThresholdRule(),
        WoeScorecard(),
        BinaryDecisionClassifier(
            LogisticRegression(), decision="best_f1", calibrate="sigmoid", folds=2
        ),
        LastQuarterRule(),
        ProportionalOddsClassifier(),
        CumulativeBinaryClassifier(LogisticRegression()),
        OrdinalRegressor(Ridge(), folds=2),
        OrdinalDecisionClassifier(LogisticRegression()),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_keeps_scikit_learns_promises(estimator, check):
    check(estimator)
