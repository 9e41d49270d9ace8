import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from clientela.exceptions import ConfigurationError
from clientela.models.explanations import find_source_columns

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
