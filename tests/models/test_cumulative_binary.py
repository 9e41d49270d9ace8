import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from xgboost import XGBClassifier

from clientela.models.ordinal_estimators import CumulativeBinaryClassifier

VALUES = (0.0, 1.0, 2.0, 4.0)


def test_probabilities_are_the_differences_of_the_binary_models(customers):
    X, codes = customers
    model = CumulativeBinaryClassifier(LogisticRegression(max_iter=1000), values=VALUES).fit(
        X, codes
    )
    table = model.predict_proba(X)
    for row, customer in zip(table, X.to_numpy(), strict=True):
        one = X.iloc[[0]].assign(**dict(zip(X.columns, customer, strict=True)))
        above = [1.0, *(m.predict_proba(one)[0, 1] for m in model.estimators_), 0.0]
        shares = [max(above[k] - above[k + 1], 0.0) for k in range(4)]
        assert row == pytest.approx([share / sum(shares) for share in shares])


class Stubborn(ClassifierMixin, BaseEstimator):
    """Says that the rarer event is the likelier one."""

    def fit(self, X, y):
        del X
        self.classes_ = np.unique(y)
        self.share_ = 1 - np.mean(y)
        return self

    def predict_proba(self, X):
        return np.tile([1 - self.share_, self.share_], (len(X), 1))


def test_binary_models_that_contradict_each_other_still_give_probabilities():
    codes = np.array([0] * 5 + [1] * 2 + [2] * 2 + [3])
    X = np.zeros((10, 1))
    table = CumulativeBinaryClassifier(Stubborn(), values=VALUES).fit(X, codes).predict_proba(X)
    # P(y>0) = .5, P(y>1) = .7, P(y>2) = .9: differences .5, -.2, -.2, .9
    assert table[0] == pytest.approx([0.5 / 1.4, 0, 0, 0.9 / 1.4])


def test_two_classes_are_the_binary_classifier_itself(customers):
    X, codes = customers
    bought = (codes > 0).astype(int)
    binary = LogisticRegression(max_iter=1000)
    ours = CumulativeBinaryClassifier(binary).fit(X, bought).predict_proba(X)
    assert ours == pytest.approx(binary.fit(X, bought).predict_proba(X))


def test_a_class_that_never_occurs_has_probability_zero(customers):
    X, codes = customers
    kept = codes != 1
    model = CumulativeBinaryClassifier(LogisticRegression(max_iter=1000), values=VALUES)
    table = model.fit(X[kept], codes[kept]).predict_proba(X)
    assert len(model.estimators_) == 2
    assert (table[:, 1] == 0).all()
    assert table.sum(axis=1) == pytest.approx(1)


def test_missing_values_reach_a_binary_classifier_that_takes_them(customers):
    X, codes = customers
    gaps = X.mask(X["ruido"] > 1)
    booster = XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1, random_state=0)
    table = CumulativeBinaryClassifier(booster, values=VALUES).fit(gaps, codes).predict_proba(gaps)
    assert table.sum(axis=1) == pytest.approx(1)
