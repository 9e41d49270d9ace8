"""The features of a request are those that feature engineering makes of a table."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tabular.cases import CONFIGURED, LOANS, Engine, loan

from clientela.features.columns import FeatureLayout, InputField, build_columns
from clientela.features.table_features import TableFeatureBuilder, case_features, feature_columns
from clientela.features.table_settings import TabularFeatureParams

ENGINE = Engine()


def variant(**changes: Any) -> TabularFeatureParams:
    return TabularFeatureParams.model_validate(CONFIGURED | changes)


NUMBER_RULES = {
    "numbers": {
        "edad": {"minimum": 18, "maximum": 100, "flag": True, "outside": "clip"},
        "saldo": {"minimum": -50, "flag": True},
    },
    "words": {"tipo": {"folded": True}, "ciudad": {"allowed": ["Bogotá"], "folded": False}},
}

MISSING_WORDS = {
    "words": {
        "tipo": {"allowed": [4, 9], "other": "group", "missing": "ninguno"},
        "ciudad": {"allowed": ["Bogotá", "Cali"], "missing": "Cali", "flag": True},
        "tendencia": {"missing": "Estable"},
    },
}

VARIANTS = {
    "as_configured": variant(),
    "other_rules": variant(cleaning=NUMBER_RULES),
    "nothing_is_cleaned": variant(cleaning={**CONFIGURED["cleaning"], "enabled": False}),
    "nothing_is_made": variant(enrichment={}),
    "missing_words": variant(cleaning=MISSING_WORDS, enrichment={}),
    "folded_missing_words": variant(cleaning={"words": {"ciudad": {"missing": "sin ciudad"}}}),
    "no_words": variant(categorical=[], ordinal={}, cleaning={}, enrichment={}, required=[]),
    "no_numbers": variant(numeric=[], cleaning={}, enrichment={}, required=["tipo"]),
}


def fields_of(params: TabularFeatureParams) -> list[InputField]:
    def kind(name: str) -> Any:
        return "number" if name in params.numeric else "moment" if name in params.dates else "word"

    return [InputField(name=name, kind=kind(name), required=False) for name in params.inputs]


def served(params: TabularFeatureParams, *rows: dict[str, Any]) -> pd.DataFrame:
    names = tuple(feature_columns(params))
    maker = TableFeatureBuilder.of(params, names)
    return FeatureLayout(names, maker.rows).frame(maker(build_columns(rows, fields_of(params))))


def engineered(params: TabularFeatureParams, *rows: dict[str, Any]) -> pd.DataFrame:
    expression = case_features(LOANS.drop("pago"), params).order_by(params.key)
    keyed = [row | {"id_credito": f"{place:03}"} for place, row in enumerate(rows)]
    return ENGINE.loans(expression, *keyed)[feature_columns(params)]


AMOUNTS = st.none() | st.sampled_from([0.0, -0.0, 1e308, -1e308]) | st.floats(-1e6, 1e6)
WHOLE = st.none() | st.integers(-(10**15), 10**15)
CENTS = st.none() | st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) / 100)
CITIES = st.sampled_from(["Bogotá", "BOGOTA", " cali", "Cali", "Medellín", "", "OTRO", None])
TRENDS = st.sampled_from(["Decreciente", "estable ", "CRECIENTE", "-4500", None])
BEGIN, END = datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2100-01-01")
DAYS = st.none() | st.dates(BEGIN.date(), END.date()).map(date.isoformat)
ANY_LOAN = st.fixed_dictionaries(
    {
        "edad": st.none() | st.integers(-5, 130),
        "salario": WHOLE,
        "cuota": CENTS,
        "saldo": AMOUNTS,
        "tipo": st.none() | st.integers(0, 12),
        "ciudad": CITIES,
        "tendencia": TRENDS,
        "fecha": st.none()
        | st.builds("{}T{:02}:59:59".format, DAYS.filter(bool), st.integers(0, 23)),
        "alta": DAYS,
    }
)


@pytest.mark.parametrize("params", VARIANTS.values(), ids=VARIANTS)
@settings(max_examples=15)
@given(rows=st.lists(ANY_LOAN, min_size=1, max_size=12))
def test_a_request_has_the_features_of_a_table(params, rows):
    loans = [loan(**row) for row in rows]
    found, expected = served(params, *loans), engineered(params, *loans)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12, atol=0)


def test_only_what_a_model_reads_is_made():
    maker = TableFeatureBuilder.of(VARIANTS["as_configured"], ["carga", "grupo_edad"])
    assert maker.inputs == {"saldo", "cuota", "salario", "edad"}
    # deuda is an operand of carga, edad of grupo_edad
    assert set(maker.rows) == {"edad", "salario", "cuota", "saldo", "deuda", "carga"}
    made = maker(build_columns([loan()], fields_of(VARIANTS["as_configured"])))
    assert made.numbers[maker.rows["carga"]].tolist() == [0.3]
    assert made.words == {"grupo_edad": ["25 a 40"]}


def test_what_overflows_is_missing():
    params = variant(cleaning={})
    huge = loan(saldo=1e308, salario=0, cuota=0)
    maker = TableFeatureBuilder.of(params, feature_columns(params))
    columns = build_columns([huge], fields_of(params)) | {"cuota": np.array([1e308])}
    made = maker(columns)
    assert np.isnan(made.numbers[maker.rows["deuda"]])
    assert made.missing[maker.rows["deuda"]].tolist() == [True]
