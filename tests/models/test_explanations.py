import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

from clientela.exceptions import ConfigurationError
from clientela.models.binary_decision import BinaryDecisionClassifier
from clientela.models.explanations import (
    compute_boosting_contributions,
    contributions,
    find_source_columns,
    mean_absolute_contributions,
    select_reason_codes,
)

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


HISTOGRAM_BOOSTER = HistGradientBoostingClassifier(
    max_iter=20, early_stopping=False, random_state=0
)


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(5)
    matrix = generator.normal(size=(600, 4))
    codes = (matrix[:, 0] + matrix[:, 1] ** 2 + generator.normal(size=600) > 1).astype(int)
    return np.where(generator.random((600, 4)) < 0.2, np.nan, matrix), codes


def test_contributions_and_a_constant_are_the_raw_score_missing_values_included(table):
    X, codes = table
    model = HISTOGRAM_BOOSTER.fit(X, codes)
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
        alone = HISTOGRAM_BOOSTER.fit(X, codes).predict_proba(X)
    with threadpool_limits(2):
        assert (HISTOGRAM_BOOSTER.fit(X, codes).predict_proba(X) == alone).all()


def test_splits_by_category_are_refused(table):
    X, codes = table
    whole = np.nan_to_num(X).round() + 5
    model = HistGradientBoostingClassifier(max_iter=1, categorical_features=[0]).fit(whole, codes)
    with pytest.raises(ConfigurationError, match="Remove that parameter"):
        compute_boosting_contributions(model, whole)


CONTRIBUTIONS = pd.DataFrame(
    {"gasto_3m": [0.5, -0.2], "edad": [-0.5, 0.0], "ruido": [0.1, 0.3]}, index=[11, 12]
)
FEATURES = pd.DataFrame(
    {"gasto_3m": [100.0, 20.0], "edad": [40.0, 30.0], "ruido": [1.0, 2.0]}, index=[11, 12]
)


def test_top_reasons_are_the_largest_either_way_and_ties_go_by_name():
    expected = pd.DataFrame(
        {
            "motivo_1": ["edad", "ruido"],
            "contribucion_1": [-0.5, 0.3],
            "valor_1": [40.0, 2.0],
            "motivo_2": ["gasto_3m", "gasto_3m"],
            "contribucion_2": [0.5, -0.2],
            "valor_2": [100.0, 20.0],
            "motivo_3": ["ruido", None],
            "contribucion_3": [0.1, 0.0],
            "valor_3": [1.0, np.nan],
        },
        index=[11, 12],
    )
    reasons = select_reason_codes(CONTRIBUTIONS, FEATURES, 3)
    pd.testing.assert_frame_equal(reasons, expected, check_dtype=False)
    shuffled = CONTRIBUTIONS[["ruido", "gasto_3m", "edad"]]
    pd.testing.assert_frame_equal(select_reason_codes(shuffled, FEATURES, 3), reasons)


def test_more_reasons_than_features_give_one_per_feature():
    assert list(select_reason_codes(CONTRIBUTIONS, FEATURES, 9).filter(like="motivo")) == [
        "motivo_1",
        "motivo_2",
        "motivo_3",
    ]


def test_mean_absolute_contributions_come_largest_first():
    expected = pd.Series({"gasto_3m": 0.35, "edad": 0.25, "ruido": 0.2}, name=None).rename_axis(
        "feature"
    )
    pd.testing.assert_series_equal(mean_absolute_contributions(CONTRIBUTIONS), expected)


def test_a_feature_that_moved_nothing_is_no_reason():
    still = CONTRIBUTIONS.assign(gasto_3m=0.0, edad=0.0, ruido=0.0)
    assert select_reason_codes(still, FEATURES, 1)["motivo_1"].isna().all()


TABLE = pd.DataFrame(
    {
        "edad": [20.0, np.nan, 40.0],
        "edad_x": [1.0, 2.0, 3.0],
        "vacia": [np.nan] * 3,
        "tipo": ["a", "b", "x"],
        "tipo_x": ["p", "p", "q"],
    }
)


def sources_of(transformer, table=TABLE):
    width = np.asarray(transformer.fit_transform(table)).shape[1]
    return find_source_columns(transformer, list(table.columns), width)


def test_names_that_look_alike_are_told_apart_by_structure():
    encoder = OneHotEncoder(sparse_output=False)
    columns = ColumnTransformer([("words", encoder, ["tipo_x", "tipo"])])
    assert sources_of(columns) == ["tipo_x"] * 2 + ["tipo"] * 3


def test_dropped_and_rare_categories_have_no_column():
    encoder = OneHotEncoder(sparse_output=False, drop="first")
    assert sources_of(encoder, TABLE[["tipo", "tipo_x"]]) == ["tipo", "tipo", "tipo_x"]
    rare = OneHotEncoder(sparse_output=False, min_frequency=2, handle_unknown="infrequent_if_exist")
    assert sources_of(rare, TABLE[["tipo", "tipo_x"]]) == ["tipo", "tipo_x", "tipo_x"]


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
def test_an_imputers_indicators_and_empty_columns_are_followed():
    numbers = TABLE[["edad", "vacia", "edad_x"]]
    flagged = ["edad", "vacia"]
    assert sources_of(SimpleImputer(add_indicator=True), numbers) == ["edad", "edad_x", *flagged]
    kept = SimpleImputer(add_indicator=True, keep_empty_features=True)
    assert sources_of(kept, numbers) == ["edad", "vacia", "edad_x", *flagged]


def test_pipelines_inside_column_transformers_are_followed():
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = ColumnTransformer(
        [("words", words, ["tipo"]), ("numbers", numbers, ["edad_x", "edad"])],
        sparse_threshold=0.0,
    )
    assert sources_of(columns) == ["tipo"] * 3 + ["edad_x", "edad", "edad"]


@pytest.mark.parametrize(
    "chosen", [[1, 0], slice(0, 2), [True, True, False, False, False], lambda _: ["edad", "edad_x"]]
)
def test_columns_may_be_numbered_masked_or_chosen_by_a_function(chosen):
    columns = ColumnTransformer([("same", "passthrough", chosen)])
    expected = ["edad_x", "edad"] if chosen == [1, 0] else ["edad", "edad_x"]
    assert sources_of(columns) == expected


def test_the_remainder_comes_behind():
    columns = ColumnTransformer(
        [("words", OneHotEncoder(sparse_output=False), ["tipo"]), ("none", "passthrough", [])],
        remainder="passthrough",
    )
    assert sources_of(columns) == ["tipo"] * 3 + ["edad", "edad_x", "vacia", "tipo_x"]


def test_whatever_is_made_of_one_column_comes_from_it():
    powers = PolynomialFeatures(3, include_bias=False)
    assert sources_of(powers, TABLE[["edad_x"]]) == ["edad_x"] * 3


@pytest.mark.parametrize("mixing", [PCA(1), VarianceThreshold(0.1)])
def test_a_transformer_that_changes_the_number_of_columns_by_its_own_rules_is_refused(mixing):
    table = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 0.0, 0.1]})
    with pytest.raises(ConfigurationError, match=r"makes 1 columns of 2.*Give it one column"):
        sources_of(mixing, table)
