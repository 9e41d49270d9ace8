import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from clientela.exceptions import ConfigurationError
from clientela.models.explanations import compute_boosting_contributions

BOOSTER = HistGradientBoostingClassifier(max_iter=20, early_stopping=False, random_state=0)


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(5)
    matrix = generator.normal(size=(600, 4))
    codes = (matrix[:, 0] + matrix[:, 1] ** 2 + generator.normal(size=600) > 1).astype(int)
    return np.where(generator.random((600, 4)) < 0.2, np.nan, matrix), codes


def test_contributions_and_a_constant_are_the_raw_score_missing_values_included(table):
    X, codes = table
    model = BOOSTER.fit(X, codes)
    rest = model.decision_function(X) - compute_boosting_contributions(model, X).sum(axis=1)
    assert rest == pytest.approx(np.full(600, rest[0]))
    assert rest[0] == pytest.approx(model.decision_function(X).mean(), abs=0.5)


def test_one_split_is_counted_by_hand():
    X, codes = np.array([[0.0, 5.0]] * 6 + [[1.0, 5.0]] * 4), np.array([0] * 5 + [1] + [1] * 4)
    model = HistGradientBoostingClassifier(max_iter=1, min_samples_leaf=1, max_leaf_nodes=2)
    scores = model.fit(X, codes).decision_function(X)
    assert compute_boosting_contributions(model, X)[:, 0] == pytest.approx(scores - scores.mean())
    assert (compute_boosting_contributions(model, X)[:, 1] == 0).all()


def test_the_number_of_threads_changes_no_tree(table):
    X, codes = table
    with threadpool_limits(1):
        alone = BOOSTER.fit(X, codes).predict_proba(X)
    with threadpool_limits(2):
        assert (BOOSTER.fit(X, codes).predict_proba(X) == alone).all()


def test_splits_by_category_are_refused(table):
    X, codes = table
    whole = np.nan_to_num(X).round() + 5
    model = HistGradientBoostingClassifier(max_iter=1, categorical_features=[0]).fit(whole, codes)
    with pytest.raises(ConfigurationError, match="Remove that parameter"):
        compute_boosting_contributions(model, whole)
