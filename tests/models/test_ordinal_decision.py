import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from clientela.models.metrics import get_point_metric
from clientela.models.ordinal_decision import (
    OrdinalDecisionClassifier,
    apply_cut_points,
    select_argmax_codes,
    select_median_codes,
    tune_cut_points,
)
from clientela.models.ordinal_estimators import LastQuarterRule, ProportionalOddsClassifier

VALUES = (0.0, 1.0, 2.0, 4.0)


def test_each_rule_reads_the_classifiers_own_probabilities(customers):
    X, codes = customers
    plain = ProportionalOddsClassifier(values=VALUES).fit(X, codes)
    table, score = plain.predict_proba(X), plain.expected_value(X)
    expected = {
        "argmax": select_argmax_codes(table),
        "median": select_median_codes(table),
        "nearest": np.searchsorted([0.5, 1.5, 3.0], score),
    }
    for decision, chosen in expected.items():
        model = OrdinalDecisionClassifier(
            ProportionalOddsClassifier(), values=VALUES, decision=decision
        ).fit(X, codes)
        assert (model.predict_proba(X) == table).all()
        assert (model.predict(X) == chosen).all()


@pytest.mark.parametrize("name", ["qwk", "mae_class"])
def test_thresholds_are_the_best_on_expected_values_of_rows_not_learned_from(customers, name):
    X, codes = customers
    estimator = make_pipeline(StandardScaler(), LogisticRegression())
    model = OrdinalDecisionClassifier(
        estimator, values=VALUES, decision="thresholds", metric=name, folds=4, random_state=3
    ).fit(X, codes)
    folds = StratifiedKFold(4, shuffle=True, random_state=3).split(X, codes)
    unseen = cross_val_predict(estimator, X, codes, cv=list(folds), method="predict_proba")
    score = unseen @ np.array(VALUES)
    expected = tune_cut_points(score, codes, np.array(VALUES), get_point_metric(name))
    assert model.cut_points_ == pytest.approx(expected)
    assert (model.predict(X) == apply_cut_points(model.expected_value(X), expected)).all()


def test_the_majority_rule_is_a_dummy_with_the_common_protocol(customers):
    X, codes = customers
    model = OrdinalDecisionClassifier(DummyClassifier(strategy="prior"), values=VALUES).fit(
        X, codes
    )
    shares = np.bincount(codes, minlength=4) / len(codes)
    assert set(model.predict(X)) == {int(np.argmax(shares))}
    assert model.expected_value(X) == pytest.approx(np.full(len(X), shares @ np.array(VALUES)))


def test_a_classifier_that_needs_gapless_labels_never_sees_a_gap(customers):
    X, codes = customers
    kept = codes != 1
    booster = XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1, random_state=0)
    model = OrdinalDecisionClassifier(booster, values=VALUES, decision="thresholds", folds=2)
    table = model.fit(X[kept], codes[kept]).predict_proba(X)
    assert (table[:, 1] == 0).all()
    assert table.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert set(model.predict(X)) <= {0, 1, 2, 3}


def test_an_ordinal_estimator_receives_the_values(customers):
    X, codes = customers
    kept = codes != 0
    rule = LastQuarterRule("num_tecnologia_3m")
    model = OrdinalDecisionClassifier(rule, values=VALUES).fit(X[kept], codes[kept])
    assert model.estimator_.values == VALUES
    assert (model.predict_proba(X)[:, 0] == 0).all()
    assert rule.values is None
