from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from tests.features.cases import PARAMS, loan, table_of

from clientela.exceptions import ConfigurationError
from clientela.features.case_table import case_features
from clientela.features.preprocessing import (
    ColumnsAmong,
    PreprocessingSettings,
    make_preprocessor,
    output_columns,
)
from clientela.features.table_settings import TabularSchema, feature_schema
from clientela.models import stored_model

SCHEMA = TabularSchema(
    key="id",
    target="pago",
    required=("edad", "saldo", "tipo", "ciudad", "tendencia"),
    classes=("no_paga", "paga"),
    values=(0.0, 1.0),
    numeric=("edad", "saldo"),
    categorical=("tipo", "ciudad"),
    ordinal={"tendencia": ("baja", "estable", "sube")},
    sources={},
    inputs=(),
    needed=(),
)
FRAME = pd.DataFrame(
    {
        "edad": [20.0, np.nan, 40.0, 60.0],
        "saldo": [0.0, 10.0, -5.0, np.nan],
        "tipo": ["4", "9", "4", None],
        "ciudad": [None, "Cali", "Bogotá", "Cali"],
        "tendencia": ["sube", "sube", None, "baja"],
    }
)
OURS = ("ColumnsAmong", "log_of_positive", "words_as_objects")
RICH = PreprocessingSettings(scaling="robust", logged=("saldo",), missing_indicator=True)

Matrix = np.ndarray[Any, Any]


def fitted(frame: pd.DataFrame = FRAME, **options: Any) -> Any:
    return make_preprocessor(SCHEMA, PreprocessingSettings(**options)).fit(frame)


def test_the_required_form_imputes_and_encodes() -> None:
    transformer = fitted()
    expected = [
        # edad (median 40), saldo (median 0), tipo 4|9, ciudad Bogotá|Cali, tendencia
        [20.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0],
        [40.0, 10.0, 0.0, 1.0, 0.0, 1.0, 2.0],
        [40.0, -5.0, 1.0, 0.0, 1.0, 0.0, 2.0],
        [60.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0],
    ]
    np.testing.assert_array_equal(transformer.transform(FRAME), expected)


def test_every_output_knows_its_feature_and_level() -> None:
    assert output_columns(fitted(missing_indicator=True)).to_numpy().tolist() == [
        ["numeric__edad", "edad", ""],
        ["numeric__saldo", "saldo", ""],
        ["numeric__missingindicator_edad", "edad", "ausente"],
        ["numeric__missingindicator_saldo", "saldo", "ausente"],
        ["nominal__tipo_4", "tipo", "4"],
        ["nominal__tipo_9", "tipo", "9"],
        ["nominal__ciudad_Bogotá", "ciudad", "Bogotá"],
        ["nominal__ciudad_Cali", "ciudad", "Cali"],
        ["ordinal_tendencia__tendencia", "tendencia", ""],
    ]


def by_hand(frame: pd.DataFrame, learned: pd.DataFrame) -> Matrix:
    """The oracle: the rich form, cell by cell."""

    def scaled(values: list[float], basis: list[float]) -> list[float]:
        low, middle, high = np.percentile(basis, [25, 50, 75])
        return [(value - middle) / ((high - low) or 1.0) for value in values]

    def filled(column: "pd.Series[float]", basis: "pd.Series[float]") -> list[float]:
        present = sorted(basis.dropna())
        middle = float(np.median(present)) if present else 0.0
        return [middle if np.isnan(value) else value for value in column]

    def numbers(column: "pd.Series[float]", basis: "pd.Series[float]") -> list[list[float]]:
        """A number and, where the basis has gaps, whether it was missing."""
        own = scaled(filled(column, basis), filled(basis, basis))
        if not basis.isna().any():
            return [own]
        was = [float(gone) for gone in basis.isna()]
        return [own, scaled([float(gone) for gone in column.isna()], was)]

    def log(column: "pd.Series[float]") -> "pd.Series[float]":
        return column.map(lambda x: np.log1p(max(x, 0.0)) if not np.isnan(x) else x)

    def commonest(basis: "pd.Series[Any]") -> Any:
        times = Counter(basis.dropna())
        return min(times, key=lambda word: (-times[word], word))

    columns = numbers(frame["edad"], learned["edad"])
    columns += numbers(log(frame["saldo"]), log(learned["saldo"]))
    for name in SCHEMA.categorical:
        words = frame[name].where(frame[name].notna(), commonest(learned[name]))
        columns += [
            [float(w == level) for w in words] for level in sorted(set(learned[name].dropna()))
        ]
    codes = {level: float(place) for place, level in enumerate(SCHEMA.ordinal["tendencia"])}
    basis = learned["tendencia"].map(codes)
    usual = float(basis.mode().min())
    columns.append(
        scaled(
            list(frame["tendencia"].map(codes).fillna(usual)),
            list(basis.fillna(usual)),
        )
    )
    return np.array(columns).T


numbers = st.just(float("nan")) | st.integers(-50, 2000).map(float)
rows = st.fixed_dictionaries(
    {
        "edad": numbers,
        "saldo": numbers,
        "tipo": st.sampled_from(["4", "9", "10", None]),
        "ciudad": st.sampled_from(["Cali", "Bogotá", None]),
        "tendencia": st.sampled_from(["baja", "estable", "sube", None]),
    }
)
frames = st.lists(rows, min_size=1, max_size=6).map(
    lambda drawn: pd.concat([FRAME, pd.DataFrame(drawn)], ignore_index=True)
)


@settings(max_examples=12, deadline=None)
@given(frames, frames)
def test_the_rich_form_agrees_with_a_loop(learned: pd.DataFrame, asked: pd.DataFrame) -> None:
    transformer = make_preprocessor(SCHEMA, RICH).fit(learned)
    known = asked[asked["tipo"].isin(set(learned["tipo"])) | asked["tipo"].isna()]
    np.testing.assert_allclose(transformer.transform(known), by_hand(known, learned), atol=1e-12)


@settings(max_examples=8, deadline=None)
@given(frames, st.randoms(use_true_random=False))
def test_orders_and_company_never_change_a_row(asked: pd.DataFrame, random: Random) -> None:
    transformer = make_preprocessor(SCHEMA, RICH).fit(FRAME)
    together = transformer.transform(asked)
    names = list(asked.columns)
    random.shuffle(names)
    assert transformer.transform(asked[names]).tobytes() == together.tobytes()
    places = list(range(len(asked)))
    random.shuffle(places)
    assert transformer.transform(asked.iloc[places]).tobytes() == together[places].tobytes()
    for place in places:
        alone = transformer.transform(asked.iloc[[place]])
        assert alone.tobytes() == together[[place]].tobytes()


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_training_rows_never_changes_what_is_learned(random: Random) -> None:
    places = list(range(len(FRAME)))
    random.shuffle(places)
    one, other = fitted(), fitted(FRAME.iloc[places])
    assert one.transform(FRAME).tobytes() == other.transform(FRAME).tobytes()


def test_an_unknown_word_is_no_column_and_an_unknown_level_is_imputed() -> None:
    strange = FRAME.iloc[[0]].assign(tipo="68", tendencia="8315")
    expected = [[20.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0]]
    np.testing.assert_array_equal(fitted().transform(strange), expected)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_missing_words_are_imputed_in_whatever_form_they_come(kind: str, missing: Any) -> None:
    frame = FRAME.assign(tipo=pd.Series(["4", "9", "4", missing], dtype=kind))
    np.testing.assert_array_equal(fitted(frame).transform(frame), fitted().transform(FRAME))


def test_a_column_without_any_value_becomes_a_constant_without_a_warning() -> None:
    empty = FRAME.assign(
        saldo=np.nan,
        ciudad=pd.Series([None] * 4, dtype="str"),
        tendencia=pd.Series([None] * 4, dtype="str"),
    )
    transformer = make_preprocessor(SCHEMA, RICH).fit(empty)
    of = output_columns(transformer)
    constant = of["feature"].isin(["saldo", "ciudad", "tendencia"])
    matrix = transformer.transform(empty)
    assert np.isfinite(matrix).all()
    assert (np.ptp(matrix[:, constant.to_numpy()], axis=0) == 0).all()
    assert np.isfinite(transformer.transform(FRAME)).all()


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"columns are missing: {'edad'}"):
        fitted().transform(FRAME.drop(columns="edad"))


def test_it_takes_the_features_it_is_fitted_on_and_ignores_others() -> None:
    few = ["edad", "tipo"]
    transformer = fitted(FRAME[few])
    assert set(output_columns(transformer)["feature"]) == set(few)
    assert transformer.transform(FRAME).tobytes() == transformer.transform(FRAME[few]).tobytes()


@pytest.mark.parametrize("scaling", ["standard", "robust"])
def test_scaling_leaves_words_alone(scaling: str) -> None:
    transformer = fitted(scaling=scaling)
    words = output_columns(transformer)["output"].str.startswith("nominal").to_numpy()
    np.testing.assert_array_equal(
        transformer.transform(FRAME)[:, words], fitted().transform(FRAME)[:, words]
    )
    assert not np.array_equal(
        transformer.transform(FRAME)[:, ~words], fitted().transform(FRAME)[:, ~words]
    )


def test_a_logarithm_of_no_number_is_refused_with_a_hint() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'sald' is no numeric feature. Did you mean 'saldo'"
    ):
        make_preprocessor(SCHEMA, PreprocessingSettings(logged=("sald",)))


def test_columns_are_selected_in_the_order_of_the_recipe() -> None:
    assert ColumnsAmong(("saldo", "otra", "edad"))(FRAME) == ["saldo", "edad"]


def test_it_is_stored_safely_with_equal_bytes_for_equal_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = tuple(f"clientela.features.preprocessing.{name}" for name in OURS)
    trusted = tuple(dict.fromkeys([*stored_model.TRUSTED_TYPES, *ours]))
    monkeypatch.setattr(stored_model, "TRUSTED_TYPES", trusted)
    recipe = Pipeline(
        [("prepare", make_preprocessor(SCHEMA, RICH)), ("model", LogisticRegression())]
    )
    classes = [0, 1, 0, 1]
    stored = stored_model.encode_estimator(recipe.fit(FRAME, classes))
    assert stored_model.encode_estimator(clone(recipe).fit(FRAME, classes)) == stored
    again = stored_model.decode_estimator(stored)
    assert again.predict_proba(FRAME).tobytes() == recipe.predict_proba(FRAME).tobytes()
    assert stored_model.encode_estimator(again) == stored


def test_features_of_a_request_go_straight_into_it() -> None:
    schema = TabularSchema.model_validate(feature_schema(PARAMS))
    learned = case_features(table_of(*(loan(edad=20 + i) for i in range(4))), PARAMS)
    names = [*schema.required, *schema.extra]
    transformer = make_preprocessor(schema, RICH.model_copy(update={"logged": ("saldo",)}))
    transformer.fit(learned[names])
    needed = {name: loan()[name] for name in [schema.key, *schema.needed]}
    matrix = transformer.transform(case_features(table_of(needed), PARAMS))
    assert matrix.shape == (1, len(output_columns(transformer)))
    assert np.isfinite(matrix).all()
