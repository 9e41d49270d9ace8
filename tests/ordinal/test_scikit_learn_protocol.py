"""All estimators of the package under scikit-learn's own checks."""

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import (
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)

NOT_ARGMAX = "the class is a decision of its own, not the likeliest one: that is its purpose"


def expected_failures(estimator):
    literal = isinstance(estimator, LastQuarterRule) or (
        isinstance(estimator, OrdinalRegressor) and estimator.decision == "nearest"
    )
    return {"check_classifiers_train": NOT_ARGMAX} if literal else {}


@parametrize_with_checks(
    [
        LastQuarterRule(),
        ProportionalOddsClassifier(),
        CumulativeBinaryClassifier(LogisticRegression()),
        OrdinalRegressor(Ridge(), folds=2),
        OrdinalRegressor(Ridge(), decision="argmax", folds=2),
        OrdinalDecisionClassifier(LogisticRegression()),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_keeps_scikit_learns_promises(estimator, check):
    check(estimator)
