import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from clientela.exceptions import ConfigurationError
from clientela.models.binary_decision import BinaryDecisionClassifier
from clientela.models.explanations import contributions

NUMBERS = ["ingresos", "deudas", "huella"]
BOOSTER = XGBClassifier(n_estimators=12, max_depth=3, n_jobs=1, random_state=0)
HISTOGRAMS = HistGradientBoostingClassifier(max_iter=12, early_stopping=False)
FOREST = RandomForestClassifier(15, max_depth=5, n_jobs=1, random_state=0)


def prepared(model, **encoding):
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    words = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore", **encoding)
    )
    columns = make_column_transformer((words, ["tipo_laboral"]), (numbers, NUMBERS))
    return make_pipeline(columns, clone(model))


def raw_score(model, X):
    ones = model.predict_proba(X)[:, 1].astype(float)
    return ones if isinstance(model[-1], RandomForestClassifier) else logit(ones)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("model", [LogisticRegression(), BOOSTER, FOREST])
def test_contributions_and_a_constant_are_the_raw_score(borrowers, model, sparse):
    X, codes = borrowers
    pipeline = prepared(model, sparse_output=sparse)
    pipeline[0].set_params(sparse_threshold=1.0 if sparse else 0.0)
    fitted = pipeline.fit(X, codes)
    table = contributions(fitted, X)
    assert table.columns.tolist() == X.columns.tolist()
    assert table.index.equals(X.index)
    assert np.ptp(raw_score(fitted, X) - table.sum(axis=1).to_numpy()) < 1e-4
    assert (table.abs().max() > 0).all()


def test_linear_contributions_are_those_of_each_source_column_counted_by_hand(borrowers):
    X, codes = borrowers
    fitted = prepared(LogisticRegression()).fit(X, codes)
    columns = fitted[0].get_feature_names_out()
    terms = pd.DataFrame(fitted[0].transform(X), columns=columns) * fitted[-1].coef_[0]
    table = contributions(fitted, X)
    for source in X.columns:
        mine = [name for name in columns if source in name]
        assert table[source].to_numpy() == pytest.approx(terms[mine].sum(axis=1).to_numpy())


def test_the_decision_classifier_refers_a_linear_model_to_the_mean_training_row(borrowers):
    X, codes = borrowers
    model = BinaryDecisionClassifier(prepared(LogisticRegression()), calibrate="sigmoid")
    table = contributions(model.fit(X, codes), X)
    assert table.mean().to_numpy() == pytest.approx(np.zeros(4), abs=1e-12)
    plain = contributions(model.classifier_, X)
    pd.testing.assert_frame_equal(table, plain - plain.mean())


@pytest.mark.parametrize("model", [LogisticRegression(), BOOSTER, FOREST, HISTOGRAMS])
def test_a_row_alone_has_the_reasons_it_has_among_others(borrowers, model):
    X, codes = borrowers
    fitted = BinaryDecisionClassifier(prepared(model, sparse_output=False)).fit(X, codes)
    alone = contributions(fitted, X.iloc[[7]])
    pd.testing.assert_frame_equal(alone, contributions(fitted, X).iloc[[7]])


def test_columns_in_another_order_and_further_ones_change_nothing(borrowers):
    X, codes = borrowers
    fitted = BinaryDecisionClassifier(prepared(LogisticRegression())).fit(X, codes)
    other = X[["huella", "deudas", "tipo_laboral", "ingresos"]].assign(id_credito=1.0)
    table = contributions(fitted, other)
    assert (table["id_credito"] == 0).all()
    pd.testing.assert_frame_equal(table[X.columns], contributions(fitted, X))


def test_forest_contributions_equal_a_walk_down_each_tree(borrowers):
    X, codes = borrowers
    matrix = X[["deudas", "huella"]]
    forest = clone(FOREST).fit(matrix.to_numpy(), codes)
    expected = np.zeros(matrix.shape)
    for grown in forest.estimators_:
        tree = grown.tree_
        for place, row in enumerate(matrix.to_numpy(dtype=np.float32)):
            node = 0
            while tree.children_left[node] >= 0:
                column = tree.feature[node]
                left = row[column] <= tree.threshold[node]
                child = (tree.children_left if left else tree.children_right)[node]
                step = tree.value[child, 0, 1] - tree.value[node, 0, 1]
                expected[place, column] += step / len(forest.estimators_)
                node = child
    assert contributions(forest, matrix).to_numpy() == pytest.approx(expected)


def test_a_single_tree_is_explained_as_a_forest_of_one(borrowers):
    X, codes = borrowers
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X[["deudas"]].to_numpy(), codes)
    table = contributions(tree, X[["deudas"]])
    ones = tree.predict_proba(X[["deudas"]].to_numpy())[:, 1]
    assert np.ptp(ones - table["deudas"].to_numpy()) < 1e-12


def test_a_constant_has_no_reasons(borrowers):
    X, codes = borrowers
    model = BinaryDecisionClassifier(DummyClassifier(strategy="prior")).fit(X, codes)
    assert (contributions(model, X) == 0).all(axis=None)


def test_a_model_without_exact_contributions_is_refused_with_those_that_have(borrowers):
    X, codes = borrowers
    model = BinaryDecisionClassifier(prepared(GaussianNB(), sparse_output=False)).fit(X, codes)
    with pytest.raises(ConfigurationError, match=r"GaussianNB; they are for .*RandomForest"):
        contributions(model, X)
