import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from xgboost import XGBRegressor

from clientela.exceptions import ConfigurationError
from clientela.models.metrics import get_point_metric
from clientela.models.ordinal_decision import tune_cut_points
from clientela.models.ordinal_estimators import OrdinalRegressor

VALUES = (0.0, 1.0, 2.0, 4.0)


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
