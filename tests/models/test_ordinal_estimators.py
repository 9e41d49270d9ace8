import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.metrics import get_point_metric
from clientela.models.ordinal_decision import tune_cut_points
from clientela.models.ordinal_estimators import (
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
    compute_penalized_loss,
)

VALUES = (0.0, 1.0, 2.0, 4.0)
COLUMN = "num_tecnologia_3m"


@pytest.fixture
def quarters():
    X = pd.DataFrame({"edad": [30.0] * 6, COLUMN: [0.0, 0.0, 1.0, 2.0, 3.0, 9.0]})
    return X, np.array([0, 1, 1, 2, 3, 3])


def test_the_rule_repeats_the_class_of_last_quarter(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES).fit(X, codes)
    assert rule.predict(X).tolist() == [0, 0, 1, 2, 2, 3]


def test_refunds_below_the_first_bound_count_as_no_purchase(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES).fit(X, codes)
    assert rule.predict(X.assign(**{COLUMN: -1.0})).tolist() == [0] * 6


def test_probabilities_are_what_followed_that_class_smoothed_by_the_overall_shares(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES, smoothing=2.0).fit(X, codes)
    overall = np.array([1, 2, 1, 2]) / 6
    after_media = (np.array([0, 0, 1, 1]) + 2 * overall) / (2 + 2)
    assert rule.predict_proba(X)[3] == pytest.approx(after_media)
    assert rule.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert rule.expected_value(X)[3] == pytest.approx(after_media @ np.array(VALUES))


def test_a_quarter_never_seen_in_fit_gets_the_overall_shares(quarters):
    X, codes = quarters
    rule = LastQuarterRule(COLUMN, values=VALUES).fit(X.iloc[:5], codes[:5])
    assert rule.predict_proba(X)[5] == pytest.approx(np.array([1, 2, 1, 1]) / 5)


def test_an_absent_column_is_named_with_its_neighbours(quarters):
    X, codes = quarters
    with pytest.raises(ConfigurationError, match=r"'num_tecnologia_3'.*'num_tecnologia_3m'"):
        LastQuarterRule("num_tecnologia_3", values=VALUES).fit(X, codes)


def test_bounds_and_values_must_be_equally_many(quarters):
    X, codes = quarters
    with pytest.raises(ConfigurationError, match="got 3 bounds for 4 class values"):
        LastQuarterRule(COLUMN, lower_bounds=(0, 1, 2), values=VALUES).fit(X, codes)


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


def slow_loss(parameters, X, codes, l2):
    """The definition, row by row; thresholds and coefficients as they are."""
    thresholds, beta = np.sort(parameters[:3]), parameters[3:]
    total = l2 / 2 * sum(beta**2)
    for row, code in zip(X, codes, strict=True):
        upper = 1.0 if code == 3 else expit(thresholds[code] - row @ beta)
        lower = 0.0 if code == 0 else expit(thresholds[code - 1] - row @ beta)
        total -= np.log(max(upper - lower, 1e-300))
    return total / len(X)


def test_fit_reaches_the_optimum_that_a_search_without_gradient_finds(customers):
    X, codes = customers
    model = ProportionalOddsClassifier(values=VALUES, l2=2.0).fit(X, codes)
    standardised = StandardScaler().fit_transform(X)
    slow = minimize(
        slow_loss,
        np.array([-1.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
        args=(standardised, codes, 2.0),
        method="Powell",
        options={"xtol": 1e-8, "ftol": 1e-12, "maxiter": 400},
    )
    found = np.concatenate([model.thresholds_, model.coef_])
    assert slow_loss(found, standardised, codes, 2.0) <= slow.fun + 1e-9
    assert found == pytest.approx(slow.x, abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_gradient_equals_finite_differences(customers, seed):
    X, codes = customers
    standardised = StandardScaler().fit_transform(X)
    point = np.random.default_rng(seed).normal(size=6)
    _, gradient = compute_penalized_loss(point, standardised, codes, 3.0)
    numeric = approx_fprime(
        point, lambda at: compute_penalized_loss(at, standardised, codes, 3.0)[0]
    )
    assert gradient == pytest.approx(numeric, abs=1e-5)


def test_loss_stays_finite_far_out_in_the_tails():
    X = np.array([[-2000.0], [2000.0]])
    loss, gradient = compute_penalized_loss(np.array([0.0, -500.0, 3.0]), X, np.array([2, 0]), 0.0)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_two_classes_are_logistic_regression(customers):
    X, codes = customers
    bought = (codes > 0).astype(int)
    ours = ProportionalOddsClassifier(l2=0.5).fit(X, bought)
    theirs = LogisticRegression(C=2.0, tol=1e-10, max_iter=5000)
    standardised = StandardScaler().fit_transform(X)
    expected = theirs.fit(standardised, bought).predict_proba(standardised)
    assert ours.predict_proba(X) == pytest.approx(expected, abs=1e-5)


def test_without_information_the_thresholds_are_the_logits_of_the_shares(customers):
    _, codes = customers
    model = ProportionalOddsClassifier(values=VALUES).fit(np.ones((len(codes), 2)), codes)
    shares = np.bincount(codes).cumsum()[:-1] / len(codes)
    assert model.thresholds_ == pytest.approx(logit(shares), abs=1e-6)
    assert model.coef_.tolist() == [0.0, 0.0]


def test_more_penalty_means_smaller_coefficients(customers):
    X, codes = customers
    norms = [
        np.linalg.norm(ProportionalOddsClassifier(l2=l2).fit(X, codes).coef_)
        for l2 in (0.01, 1.0, 100.0, 10000.0)
    ]
    assert norms == sorted(norms, reverse=True)


def test_a_class_that_never_occurs_keeps_its_column_with_probability_zero(customers):
    X, codes = customers
    kept = codes != 2
    model = ProportionalOddsClassifier(values=VALUES).fit(X[kept], codes[kept])
    table = model.predict_proba(X)
    assert table.shape == (len(X), 4)
    assert (table[:, 2] == 0).all()
    assert table.sum(axis=1) == pytest.approx(1)


def test_expected_value_is_the_mean_of_the_values(customers):
    X, codes = customers
    model = ProportionalOddsClassifier(values=VALUES).fit(X, codes)
    loop = [sum(p * v for p, v in zip(row, VALUES, strict=True)) for row in model.predict_proba(X)]
    assert model.expected_value(X) == pytest.approx(loop)


def test_one_class_only_is_refused():
    with pytest.raises(InvalidTargetError, match="one class only"):
        ProportionalOddsClassifier(values=VALUES).fit(np.ones((3, 1)), [1, 1, 1])


def test_targets_that_are_not_codes_are_refused_with_the_strangers_named(customers):
    X, codes = customers
    with pytest.raises(InvalidTargetError, match=r"codes 0\.\.3; found 4\."):
        ProportionalOddsClassifier(values=VALUES).fit(X, np.where(codes == 3, 4, codes))


@pytest.mark.parametrize("values", [(0.0,), (0.0, 2.0, 2.0), ((0.0, 1.0), (2.0, 3.0))])
def test_class_values_must_increase(customers, values):
    X, codes = customers
    with pytest.raises(ConfigurationError, match="strictly increasing"):
        ProportionalOddsClassifier(values=values).fit(X, codes)


def required_regressor(**changes):
    settings = {
        "n_estimators": 300,
        "max_depth": 4,
        "learning_rate": 0.05,
        "subsample": 0.8,
        "colsample_bytree": 0.8,
        "objective": "reg:squarederror",
        "random_state": 0,
        "n_jobs": 1,
    }
    return XGBRegressor(**settings | changes)


def test_the_required_model_is_the_regressor_on_the_values_and_the_nearest_value(customers):
    X, codes = customers
    model = OrdinalRegressor(required_regressor(), values=VALUES, folds=2).fit(X, codes)
    raw = required_regressor().fit(X, np.array(VALUES)[codes]).predict(X)
    nearest = [int(np.argmin([abs(score - value) for value in VALUES])) for score in raw]
    assert (model.expected_value(X) == raw.astype(float)).all()
    assert model.predict(X).tolist() == nearest


def test_thresholds_are_fitted_on_scores_of_rows_the_regressor_had_not_seen(customers):
    X, codes = customers
    model = OrdinalRegressor(
        LinearRegression(), values=VALUES, decision="thresholds", folds=4, random_state=3
    ).fit(X, codes)
    folds = StratifiedKFold(4, shuffle=True, random_state=3).split(X, codes)
    unseen = cross_val_predict(LinearRegression(), X, np.array(VALUES)[codes], cv=list(folds))
    expected = tune_cut_points(unseen, codes, np.array(VALUES), get_point_metric("qwk"))
    assert model.cut_points_ == pytest.approx(expected)


@pytest.mark.parametrize("decision", ["nearest", "thresholds", "argmax", "median"])
def test_probabilities_rise_with_the_score_under_every_decision(customers, decision):
    X, codes = customers
    model = OrdinalRegressor(LinearRegression(), values=VALUES, decision=decision).fit(X, codes)
    order = np.argsort(model.expected_value(X))
    above = 1 - model.predict_proba(X).cumsum(axis=1)[order, :-1]
    assert (np.diff(above, axis=0) >= -1e-12).all()
    assert (np.diff(model.predict(X)[order]) >= 0).all()


def test_a_second_fit_gives_the_same_bytes(customers):
    X, codes = customers
    small = required_regressor(n_estimators=20)
    first, second = (
        OrdinalRegressor(small, values=VALUES, decision="thresholds").fit(X, codes)
        for _ in range(2)
    )
    assert first.regressor_.get_booster().save_raw() == second.regressor_.get_booster().save_raw()
    assert first.predict_proba(X).tobytes() == second.predict_proba(X).tobytes()
    assert first.cut_points_.tobytes() == second.cut_points_.tobytes()


def test_a_class_with_one_row_is_absent_from_some_folds_and_breaks_nothing(customers):
    X, codes = customers
    rare = np.minimum(codes, 2)
    rare[5] = 3
    model = OrdinalRegressor(LinearRegression(), values=VALUES, decision="thresholds").fit(X, rare)
    assert model.predict_proba(X).shape == (len(X), 4)


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"decision": "closest"}, "No decision rule"), ({"metric": "kappa"}, "No metric")],
)
def test_a_wrong_setting_is_refused_in_fit(customers, setting, message):
    X, codes = customers
    with pytest.raises(ConfigurationError, match=message):
        OrdinalRegressor(LinearRegression(), values=VALUES, **setting).fit(X, codes)
