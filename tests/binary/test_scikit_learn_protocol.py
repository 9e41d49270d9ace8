"""All estimators of the package under scikit-learn's own checks."""

from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from clientela.models.baseline_rules import ThresholdRule
from clientela.models.binary_decision import BinaryDecisionClassifier
from clientela.models.scorecard import WoeScorecard

NOT_ARGMAX = "the class is a decision of its own, not the likelier one: that is its purpose"


def expected_failures(estimator):
    learned = getattr(estimator, "decision", "half") != "half"
    return {"check_classifiers_train": NOT_ARGMAX} if learned else {}


@parametrize_with_checks(
    [
        ThresholdRule(),
        WoeScorecard(),
        BinaryDecisionClassifier(LogisticRegression()),
        BinaryDecisionClassifier(LogisticRegression(), calibrate="sigmoid", folds=2),
        BinaryDecisionClassifier(LogisticRegression(), decision="best_f1", folds=2),
    ],
    expected_failed_checks=expected_failures,
)
def test_estimator_keeps_scikit_learns_promises(estimator, check):
    check(estimator)
