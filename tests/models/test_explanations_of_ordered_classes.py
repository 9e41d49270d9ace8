import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier, XGBRegressor

from clientela.exceptions import ConfigurationError
from clientela.models.explanations import contributions, select_reason_codes
from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import (
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)

VALUES = (0.0, 1.0, 2.0, 4.0)
SMALL = {"n_estimators": 12, "max_depth": 2, "n_jobs": 1, "random_state": 0}


def constant_of(difference):
    """The model's constant, if the contributions leave nothing else unexplained."""
    assert np.ptp(difference) < 1e-4
    return difference[0]


def test_shap_values_and_a_constant_add_up_to_the_regressors_score(customers):
    X, codes = customers
    model = OrdinalRegressor(XGBRegressor(**SMALL), values=VALUES).fit(X, codes)
    table = contributions(model, X)
    constant = constant_of(model.expected_value(X) - table.sum(axis=1).to_numpy())
    assert constant == pytest.approx(np.array(VALUES)[codes].mean(), abs=0.2)
    assert table.columns.tolist() == X.columns.tolist()
    assert table.index.equals(X.index)


def test_cumulative_contributions_add_up_to_the_summed_log_odds(customers):
    X, codes = customers
    model = CumulativeBinaryClassifier(XGBClassifier(**SMALL), values=VALUES).fit(X, codes)
    margins = sum(logit(m.predict_proba(X)[:, 1].astype(float)) for m in model.estimators_)
    constant_of(margins - contributions(model, X).sum(axis=1).to_numpy())


def test_linear_contributions_add_up_to_the_linear_score(customers):
    X, codes = customers
    inner = ProportionalOddsClassifier()
    model = OrdinalDecisionClassifier(inner, values=VALUES).fit(X, codes)
    score = model.estimator_.compute_linear_score(X)
    assert contributions(model, X).sum(axis=1).to_numpy() == pytest.approx(score)


def test_softmax_contributions_add_up_to_the_contrast_of_the_margins(customers):
    X, codes = customers
    booster = XGBClassifier(**SMALL)
    model = OrdinalDecisionClassifier(booster, values=VALUES).fit(X, codes)
    margins = model.estimator_.predict(X, output_margin=True)
    contrast = margins @ np.array([-1.5, -0.5, 0.5, 1.5])
    constant_of(contrast - contributions(model, X).sum(axis=1).to_numpy())


def test_the_last_quarter_rule_has_one_reason_only(customers):
    X, codes = customers
    rule = LastQuarterRule("num_tecnologia_3m", values=VALUES).fit(X, codes)
    table = contributions(rule, X)
    mean = np.array(VALUES)[codes].mean()
    expected = rule.expected_value(X) - mean
    assert table["num_tecnologia_3m"].to_numpy() == pytest.approx(expected)
    assert (table.drop(columns="num_tecnologia_3m") == 0).all(axis=None)


def test_a_constant_has_no_reasons(customers):
    X, codes = customers
    model = OrdinalDecisionClassifier(DummyClassifier(strategy="prior"), values=VALUES).fit(
        X, codes
    )
    table = contributions(model, X)
    assert (table == 0).all(axis=None)
    assert select_reason_codes(table, X, 1)["motivo_1"].isna().all()


@pytest.mark.parametrize(
    "last_step",
    [
        ProportionalOddsClassifier(values=VALUES),
        OrdinalRegressor(XGBRegressor(**SMALL), values=VALUES),
        LastQuarterRule(0, values=VALUES),
    ],
)
@pytest.mark.parametrize("form", ["default", "pandas"])
def test_a_pipeline_is_explained_on_what_its_last_step_sees(customers, last_step, form):
    X, codes = customers
    doubled = FunctionTransformer(lambda x: 2 * x, feature_names_out="one-to-one")
    model = make_pipeline(doubled.set_output(transform=form), clone(last_step))
    model.fit(X.to_numpy() if form == "default" else X, codes)
    alone = clone(last_step).fit(2 * X, codes)
    pd.testing.assert_frame_equal(contributions(model, X), contributions(alone, 2 * X))


def test_columns_in_another_order_are_refused(customers):
    X, codes = customers
    model = ProportionalOddsClassifier(values=VALUES).fit(X, codes)
    with pytest.raises(ValueError, match="same order"):
        contributions(model, X[["ruido", "gasto_3m", "num_tecnologia_3m"]])


def test_a_model_without_exact_contributions_is_refused(customers):
    X, codes = customers
    model = OrdinalDecisionClassifier(GaussianNB(), values=VALUES).fit(X, codes)
    with pytest.raises(ConfigurationError, match="GaussianNB; they are for"):
        contributions(model, X)
    several = OrdinalDecisionClassifier(LogisticRegression(max_iter=500), values=VALUES)
    with pytest.raises(ConfigurationError, match="LogisticRegression with 4 classes"):
        contributions(several.fit(X, codes), X)
