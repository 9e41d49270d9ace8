import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from clientela.exceptions import ConfigurationError, InvalidTargetError
from clientela.models.ordinal_estimators import ProportionalOddsClassifier, compute_penalized_loss

VALUES = (0.0, 1.0, 2.0, 4.0)


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
