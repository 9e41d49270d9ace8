import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from tests.modelling.binary_cases import SCHEMA, loans
from xgboost import XGBClassifier

from clientela.features.columns import FeatureLayout, Features, FieldFeatureBuilder
from clientela.features.preprocessing import (
    PreprocessingSettings,
    build_preprocessing,
    make_preprocessor,
)
from clientela.models.binary_decision import BinaryDecisionClassifier
from clientela.models.compiled_models import build_binary_model
from clientela.models.problem import TASKS
from clientela.models.training_data import FeatureSchema

LOANS = loans()
NUMBERS, WORDS = ("ingreso", "deuda"), ("tipo", "tendencia")
NAMES = (*NUMBERS, *WORDS)
MAKER = FieldFeatureBuilder(NUMBERS, WORDS)
LAYOUT = FeatureLayout(NAMES, MAKER.rows)
SETTINGS = [
    PreprocessingSettings(scaling=scaling, logged=logged, missing_indicator=told)
    for scaling in ("none", "standard", "robust")
    for logged in ((), ("deuda",), NUMBERS)
    for told in (False, True)
]


def features_of(frame: pd.DataFrame) -> Features:
    def column(name: str) -> np.ndarray:
        if name in NUMBERS:
            return frame[name].to_numpy(dtype=np.float64)
        return frame[name].astype(object).where(frame[name].notna(), None).to_numpy()

    return MAKER({name: column(name) for name in NAMES})


STRANGE = pd.DataFrame(
    {
        "ingreso": [np.nan, -3.0, 1e9],
        "deuda": [0.0, np.nan, -1.0],
        "tipo": [None, "nunca visto", "consumo"],
        "tendencia": ["sube", None, "de lado"],
    }
)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_matrix_is_the_one_that_scikit_learn_makes(settings):
    schema = FeatureSchema.model_validate(SCHEMA).tabular
    fitted = make_preprocessor(schema, settings).fit(LOANS[list(NAMES)])
    preprocessed = build_preprocessing(fitted, LAYOUT)
    for frame in (LOANS, STRANGE, LOANS.head(1), LOANS.head(0)):
        found = preprocessed(features_of(frame))
        if len(frame):
            assert found.tolist() == fitted.transform(frame[list(NAMES)]).tolist()
        assert found.flags.c_contiguous


def test_a_column_without_any_value_is_a_constant():
    schema = FeatureSchema.model_validate(SCHEMA).tabular
    empty = LOANS.assign(ingreso=np.nan, tipo=pd.Series(None, index=LOANS.index, dtype="str"))
    fitted = make_preprocessor(schema, PreprocessingSettings()).fit(empty[list(NAMES)])
    found = build_preprocessing(fitted, LAYOUT)(features_of(LOANS))
    assert found.tolist() == fitted.transform(LOANS[list(NAMES)]).tolist()


def over_numbers(step):
    return ColumnTransformer([("numeric", step, list(NUMBERS))])


def over_words(*steps):
    return ColumnTransformer([("nominal", make_pipeline(*steps), ["tipo"])])


IMPUTED = SimpleImputer(strategy="most_frequent", missing_values=np.nan)
OTHERS = [
    over_numbers(MinMaxScaler()),
    over_numbers(make_pipeline(SimpleImputer(), FunctionTransformer(np.abs))),
    over_numbers(make_pipeline(SimpleImputer(), StandardScaler(with_mean=False))),
    over_numbers(make_pipeline(SimpleImputer(), RobustScaler(unit_variance=True))),
    over_words(IMPUTED, OneHotEncoder(drop="first", sparse_output=False)),
    over_words(IMPUTED, OneHotEncoder(min_frequency=40, handle_unknown="ignore")),
    over_words(IMPUTED, OrdinalEncoder()),
    over_words(FunctionTransformer()),
]


@pytest.mark.parametrize("preprocessing", OTHERS, ids=range(len(OTHERS)))
def test_a_step_that_no_compiler_knows_is_left_to_scikit_learn(preprocessing):
    rows = LOANS.dropna(subset=[*NUMBERS, "tipo"])
    assert build_preprocessing(clone(preprocessing).fit(rows), LAYOUT) is None


@pytest.mark.parametrize(
    "classifier",
    [
        Pipeline([("preprocess", over_numbers(SimpleImputer())), ("model", GaussianNB())]),
        Pipeline([("preprocess", over_numbers(MinMaxScaler())), ("model", GaussianNB())]),
        make_pipeline(over_numbers(SimpleImputer()), StandardScaler(), GaussianNB()),
        Pipeline(
            [
                ("preprocess", over_numbers(SimpleImputer())),
                ("model", XGBClassifier(booster="gblinear", n_estimators=5, n_jobs=1)),
            ]
        ),
        RandomForestClassifier(n_estimators=3, random_state=0),
    ],
    ids=["model", "preprocessing", "steps", "booster", "bare"],
)
def test_a_model_that_no_compiler_knows_is_asked_as_it_is(classifier):
    rows = LOANS.dropna(subset=list(NUMBERS))[[*NUMBERS, "pago"]]
    X, layout = rows[list(NUMBERS)], FeatureLayout(NUMBERS, MAKER.rows)
    fitted = BinaryDecisionClassifier(classifier).fit(X, rows["pago"])
    said = build_binary_model(fitted, layout, "half")(features_of(LOANS.loc[rows.index]))
    expected = TASKS["binary"].predictions(fitted, X, "half")
    assert said.codes.tolist() == expected.codes.tolist()
    assert said.probabilities.tolist() == expected.probabilities.tolist()


def test_an_estimator_that_is_none_of_ours_is_asked_as_it_is():
    rows = LOANS.dropna(subset=list(NUMBERS))
    X = rows[list(NUMBERS)]
    fitted = GaussianNB().fit(X, (rows["pago"] == "paga").astype(int))
    layout = FeatureLayout(NUMBERS, MAKER.rows)
    said = build_binary_model(fitted, layout, None)(features_of(rows))
    assert said.expected.tolist() == fitted.predict_proba(X)[:, 1].tolist()
