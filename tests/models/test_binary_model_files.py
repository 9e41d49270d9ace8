"""What a safe model file must trust to hold these estimators; nothing more."""

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from xgboost import XGBClassifier

from clientela.models.baseline_rules import ThresholdRule
from clientela.models.binary_decision import BinaryDecisionClassifier
from clientela.models.scorecard import WoeScorecard

OURS = "clientela.models.binary_decision.BinaryDecisionClassifier"
CARD = "clientela.models.scorecard.WoeScorecard"
RULE = "clientela.models.baseline_rules.ThresholdRule"
BOOSTER = {"numpy.dtype", "xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"}


@pytest.mark.parametrize(
    ("model", "trusted"),
    [
        (LogisticRegression(), {"numpy.dtype"}),
        (RandomForestClassifier(3, random_state=0), {"numpy.dtype", "sklearn.tree._tree.Tree"}),
        (XGBClassifier(n_estimators=3, n_jobs=1), BOOSTER),
        (
            HistGradientBoostingClassifier(max_iter=2),
            {"numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"},
        ),
    ],
)
@pytest.mark.parametrize("calibrate", ["none", "sigmoid", "isotonic"])
def test_a_stored_classifier_predicts_the_same_and_needs_few_types(
    borrowers, model, trusted, calibrate
):
    X, codes = borrowers
    X = X[["ingresos", "deudas"]]
    estimator = BinaryDecisionClassifier(
        make_pipeline(SimpleImputer(), model),
        decision="share",
        share=0.5,
        calibrate=calibrate,
        folds=2,
    ).fit(X, codes)
    stored = skops.io.dumps(estimator)
    assert set(skops.io.get_untrusted_types(data=stored)) == trusted | {OURS}
    loaded = skops.io.loads(stored, trusted=sorted(trusted | {OURS}))
    assert (loaded.predict_proba(X) == estimator.predict_proba(X)).all()
    assert (loaded.predict(X) == estimator.predict(X)).all()


def test_a_stored_scorecard_needs_its_own_type_only(borrowers):
    X, codes = borrowers
    card = WoeScorecard().fit(X, codes)
    stored = skops.io.dumps(card)
    assert set(skops.io.get_untrusted_types(data=stored)) == {CARD}
    loaded = skops.io.loads(stored, trusted=[CARD])
    assert (loaded.predict_proba(X) == card.predict_proba(X)).all()


def test_a_stored_rule_needs_its_own_type_only():
    rule = ThresholdRule(limit=2).fit(np.arange(6.0)[:, None], [0, 1, 0, 1, 1, 1])
    stored = skops.io.dumps(rule)
    assert skops.io.get_untrusted_types(data=stored) == [RULE]
    assert skops.io.loads(stored, trusted=[RULE]).predict([[1.0], [2.0]]).tolist() == [0, 1]
