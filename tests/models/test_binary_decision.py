import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from xgboost import XGBClassifier

from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.binary_decision import (
    LEARNED_BINARY_DECISIONS,
    BinaryDecisionClassifier,
    tune_thresholds,
)
from clientela.models.calibration import CALIBRATIONS
from clientela.models.metrics import BINARY_METRICS

COSTS = ((0.0, 4.0), (1.0, 0.0))
NUMBERS = ["ingresos", "deudas", "huella"]


@pytest.fixture(scope="module")
def numbers(borrowers):
    X, codes = borrowers
    return X[NUMBERS], codes


def linear():
    return make_pipeline(SimpleImputer(), LogisticRegression())


def unseen_probabilities(X, codes, *, folds, seed):
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, codes)
    table = cross_val_predict(linear(), X, codes, cv=list(splits), method="predict_proba")
    return table[:, 1]


def test_without_calibration_the_probabilities_are_the_classifiers_own(numbers):
    X, codes = numbers
    model = BinaryDecisionClassifier(linear(), decision="cost", costs=COSTS).fit(X, codes)
    ones = linear().fit(X, codes).predict_proba(X)[:, 1]
    assert (model.predict_proba(X)[:, 1] == ones).all()
    assert model.threshold_ == 0.8
    assert (model.predict(X) == (ones >= 0.8)).all()
    assert model.thresholds_ == {"half": 0.5, "cost": 0.8}


@pytest.mark.parametrize("calibrate", ["none", "sigmoid", "isotonic"])
def test_thresholds_and_calibration_come_from_rows_not_learned_from(numbers, calibrate):
    X, codes = numbers
    model = BinaryDecisionClassifier(
        linear(),
        decision="best_cost",
        costs=COSTS,
        share=0.3,
        calibrate=calibrate,
        folds=4,
        random_state=3,
    ).fit(X, codes)
    unseen = unseen_probabilities(X, codes, folds=4, seed=3)
    way = CALIBRATIONS[calibrate]
    learned = way.learn(codes, unseen)
    expected = tune_thresholds(codes, way.apply(unseen, learned), np.array(COSTS), 0.3)
    assert model.thresholds_ == pytest.approx({"half": 0.5, "cost": 0.8} | expected)
    assert set(model.thresholds_) == LEARNED_BINARY_DECISIONS | {"half", "cost"}
    raw = linear().fit(X, codes).predict_proba(X)[:, 1]
    assert model.predict_proba(X)[:, 1] == pytest.approx(way.apply(raw, learned))


def test_the_share_rule_selects_about_that_share(numbers):
    X, codes = numbers
    model = BinaryDecisionClassifier(linear(), decision="share", share=0.25).fit(X, codes)
    assert model.predict(X).mean() == pytest.approx(0.25, abs=0.03)


def test_a_weighted_booster_is_put_right_by_calibration(borrowers):
    X, codes = borrowers
    booster = XGBClassifier(
        n_estimators=30, max_depth=2, scale_pos_weight=0.1, n_jobs=1, random_state=0
    )
    seen, unseen = slice(0, 300), slice(300, 400)
    skill = {}
    for calibrate in ("none", "sigmoid"):
        model = BinaryDecisionClassifier(booster, calibrate=calibrate)
        model.fit(X[NUMBERS][seen], codes[seen])
        table = model.predict_proba(X[NUMBERS][unseen])
        skill[calibrate] = BINARY_METRICS["brier_skill"](
            codes[unseen], table[:, 1], np.zeros((2, 2))
        )
    assert skill["none"] < 0 < skill["sigmoid"]


def test_the_majority_rule_is_a_dummy_and_everybody_pays(borrowers):
    X, codes = borrowers
    model = BinaryDecisionClassifier(DummyClassifier(strategy="prior"), calibrate="sigmoid")
    model.fit(X, codes)
    assert (model.predict(X) == 1).all()
    assert model.predict_proba(X)[:, 1] == pytest.approx(np.full(len(X), codes.mean()), abs=0.005)


def test_classes_keep_their_names_and_the_second_is_positive(numbers):
    X, codes = numbers
    names = np.array(["paga", "no_paga"])[codes]
    model = BinaryDecisionClassifier(linear()).fit(X, names)
    assert model.classes_.tolist() == ["no_paga", "paga"]
    assert (model.predict(X)[model.predict_proba(X)[:, 1] >= 0.5] == "paga").all()


def test_folds_are_fewer_where_the_rarer_class_has_fewer_rows():
    X, codes = pd.DataFrame({"x": np.arange(12.0)}), np.array([0, 1] + [1] * 9 + [0])
    model = BinaryDecisionClassifier(LogisticRegression(), decision="best_f1", folds=5)
    assert "best_f1" in model.fit(X, codes).thresholds_


def test_a_learned_rule_needs_two_rows_of_each_class():
    X, codes = pd.DataFrame({"x": np.arange(9.0)}), np.array([0] + [1] * 8)
    model = BinaryDecisionClassifier(LogisticRegression(), calibrate="isotonic")
    with pytest.raises(InvalidTargetError, match=r"at least 2 rows of each class.*has 1 of 9"):
        model.fit(X, codes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"decision": "best_f2"}, "No decision rule is called 'best_f2'"),
        ({"calibrate": "platt"}, "No calibration is called 'platt'"),
        ({"decision": "share"}, "Set share, for example 0.1"),
        ({"share": 10}, "share must lie between 0 and 1, not at 10"),
        ({"costs": ((0, 0), (1, 0))}, "each mistake dearer"),
    ],
)
def test_settings_that_can_not_be_used_are_refused(numbers, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        BinaryDecisionClassifier(linear(), **settings).fit(*numbers)


@pytest.mark.parametrize(
    ("target", "message"),
    [([1] * 6, "one class only"), ([0, 1, 2] * 2, "Only binary classification")],
)
def test_a_target_that_has_not_two_classes_is_refused(target, message):
    X = pd.DataFrame({"x": np.arange(6.0)})
    with pytest.raises(InvalidTargetError, match=message):
        BinaryDecisionClassifier(LogisticRegression()).fit(X, target)
