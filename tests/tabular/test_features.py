from collections.abc import Callable
from random import Random
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tabular.cases import LOANS, PARAMS, TYPES, Engine, loan, table_of

from clientela.exceptions import ConfigurationError, ScoringDataError
from clientela.features.table_features import (
    case_features,
    feature_columns,
    model_input,
    passthrough_columns,
)
from clientela.features.table_settings import TabularFeatureParams

loans = st.fixed_dictionaries(
    {
        "edad": st.none() | st.integers(0, 130),
        "salario": st.none() | st.integers(0, 5000),
        "cuota": st.none() | st.decimals(0, 500, places=2),
        "saldo": st.none() | st.floats(-100, 1e6),
        "tipo": st.sampled_from([None, 4, 9, 68]),
        "ciudad": st.sampled_from([None, "", "Cali", " bogota", "Lima"]),
        "tendencia": st.sampled_from([None, "Estable", "CRECIENTE", "8315"]),
        "fecha": st.sampled_from([None, "2025-03-10 14:30:00", "2024-02-29 00:00:00"]),
        "alta": st.sampled_from([None, "2025-01-01"]),
    }
)


LEARNED = model_input(LOANS, PARAMS)
SCORED = case_features(LOANS.drop("pago", "puntaje"), PARAMS)
BACKWARDS = case_features(LOANS.select(*reversed(LOANS.columns)), PARAMS)


def by_key(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("id_credito", ignore_index=True)


def numbered(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [loan(**case, id_credito=f"c{place}") for place, case in enumerate(cases)]


def test_the_table_holds_key_features_and_what_stands_beside(engine: Engine) -> None:
    found = engine.frame(case_features(table_of(loan()), PARAMS))
    assert list(found.columns) == ["id_credito", *feature_columns(PARAMS), "genero", "fecha"]
    assert passthrough_columns(PARAMS) == ["genero", "fecha"]
    numbers = [*PARAMS.numeric, *PARAMS.made_numbers]
    assert set(found[numbers].dtypes.astype(str)) == {"float64"}
    assert found["fecha"].dtype.kind == "M"


def test_the_model_input_adds_the_class_by_its_name(engine: Engine) -> None:
    found = engine.frame(model_input(table_of(loan(pago=0)), PARAMS))
    assert list(found["pago"]) == ["no_paga"]
    assert "puntaje" not in found


@settings(max_examples=25, deadline=None)
@given(st.lists(loans, min_size=1, max_size=6))
def test_training_and_inference_make_the_same_features(
    engine: Engine, cases: list[dict[str, Any]]
) -> None:
    rows = numbered(cases)
    learned = by_key(engine.loans(LEARNED, *rows))
    scored = by_key(engine.loans(SCORED, *rows))
    pd.testing.assert_frame_equal(learned[scored.columns], scored)


@settings(max_examples=25, deadline=None)
@given(st.lists(loans, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_row_order_column_order_and_company_never_change_a_row(
    engine: Engine, cases: list[dict[str, Any]], random: Random
) -> None:
    rows = numbered(cases)
    expected = by_key(engine.loans(SCORED, *rows))
    random.shuffle(rows)
    pd.testing.assert_frame_equal(by_key(engine.loans(BACKWARDS, *rows)), expected)
    alone = engine.loans(SCORED, rows[0])
    same = expected[expected["id_credito"] == rows[0]["id_credito"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, same, check_dtype=False, check_exact=True)


def test_a_request_from_pandas_equals_the_ingested_row(engine: Engine) -> None:
    expected = engine.frame(case_features(table_of(loan()), PARAMS))
    request = pd.DataFrame([loan(fecha="2025-03-10T14:30:00", tipo=4.0, edad=30.0)])
    found = engine.frame(case_features(ibis.memtable(request), PARAMS))
    pd.testing.assert_frame_equal(found, expected)


def test_optional_columns_may_be_absent_and_are_missing_then(engine: Engine) -> None:
    given_ones = {name: loan()[name] for name in [PARAMS.key, *PARAMS.needed]}
    found = engine.frame(case_features(table_of(given_ones), PARAMS)).iloc[0]
    absent = ["saldo", "ciudad", "tendencia", "deuda", "fecha_mes", "antiguedad_dias"]
    assert found[[*absent, "genero", "fecha"]].isna().all()
    assert found["libre"] == 90.0
    assert found["saldo_ausente"] == 1.0


@pytest.mark.parametrize("name", [PARAMS.key, *PARAMS.needed])
def test_an_absent_needed_column_is_named_and_never_becomes_zero(name: str) -> None:
    table = table_of(loan()).drop(name)
    with pytest.raises(ScoringDataError, match=rf"need the column\(s\) {name}, which"):
        case_features(table, PARAMS)


def test_a_misspelt_needed_column_gets_a_hint() -> None:
    table = table_of(loan()).rename(Edad="edad")
    hint = r"Did you mean 'Edad' or 'ciudad'\? Only .*: saldo, ciudad, tendencia, fecha, alta\."
    with pytest.raises(ScoringDataError, match=hint):
        case_features(table, PARAMS)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_learning_needs_every_configured_column(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"does not have: {name}"):
        model_input(table_of(loan()).drop(name), PARAMS)


def test_a_misspelt_column_of_the_configuration_gets_a_hint(
    configured: Callable[..., TabularFeatureParams],
) -> None:
    params = configured(excluded={"puntajes": "known only after the credit ends"})
    with pytest.raises(ConfigurationError, match=r"puntajes\. Did you mean 'puntaje'\?"):
        model_input(table_of(loan()), params)


def test_a_term_column_has_to_exist_too(configured: Callable[..., TabularFeatureParams]) -> None:
    params = configured(maturity={"date_column": "fecha", "term_column": "plazo"})
    with pytest.raises(ConfigurationError, match="does not have: plazo"):
        model_input(table_of(loan()), params)


def test_groups_of_people_are_kept_as_they_are_typed(
    engine: Engine, configured: Callable[..., TabularFeatureParams]
) -> None:
    params = configured(sensitive=["edad", "genero", "puntaje", "alta"])
    found = engine.frame(case_features(table_of(loan(genero=" F ")), params)).iloc[0]
    assert found[["edad", "genero", "puntaje", "alta"]].to_list() == [
        30.0,
        "F",
        95.0,
        pd.Timestamp("2025-03-01"),
    ]
