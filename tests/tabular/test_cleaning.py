from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tabular.cases import LOANS, PARAMS, Engine, loan

from clientela.features.table_features import case_features
from clientela.features.table_settings import TabularFeatureParams

FEATURES = case_features(LOANS, PARAMS)

Features = Callable[..., pd.DataFrame]


def values(found: "pd.Series[Any]") -> list[Any]:
    return [None if pd.isna(value) else value for value in found]


def test_numbers_out_of_bounds_are_set_missing_and_flagged(features: Features) -> None:
    ages = [17, 18, 100, 101, None]
    found = features(*(loan(id_credito=f"c{i}", edad=age) for i, age in enumerate(ages)))
    assert values(found["edad"]) == [None, 18.0, 100.0, None, None]
    assert values(found["edad_invalido"]) == [1.0, 0.0, 0.0, 1.0, 0.0]


def test_numbers_out_of_bounds_are_clipped_where_asked(features: Features) -> None:
    found = features(loan(salario=22_000_000_000), loan(id_credito="c2", salario=None))
    assert values(found["salario"]) == [1000.0, None]


def test_words_take_the_spelling_of_configuration(features: Features) -> None:
    words = [" BOGOTA", "bogotá", "Cali", "Lima", "", None]
    found = features(*(loan(id_credito=f"c{i}", ciudad=word) for i, word in enumerate(words)))
    assert values(found["ciudad"]) == ["Bogotá", "Bogotá", "Cali", None, None, None]


def test_words_beside_the_allowed_ones_are_grouped_where_asked(features: Features) -> None:
    found = features(*(loan(id_credito=f"c{t}", tipo=t) for t in (4, 9, 68)), loan(tipo=None))
    assert values(found["tipo"]) == ["4", "9", "OTRO", None]


def test_words_beside_the_levels_of_an_order_are_set_missing(features: Features) -> None:
    words = ["creciente", "8315", None]
    found = features(*(loan(id_credito=f"c{i}", tendencia=w) for i, w in enumerate(words)))
    assert values(found["tendencia"]) == ["Creciente", None, None]
    assert values(found["tendencia_invalido"]) == [0.0, 1.0, 0.0]


def test_without_allowed_words_folding_respells_and_not_folding_keeps(
    features: Features, configured: Callable[..., TabularFeatureParams]
) -> None:
    rules = {"ciudad": {"folded": True}, "tipo": {"folded": False, "allowed": ["4"]}}
    params = configured(cleaning={"words": rules})
    found = features(loan(ciudad=" BOGOTÁ ", tipo=9), params=params)
    assert values(found.loc[0, ["ciudad", "tipo"]]) == ["bogota", None]


def test_a_missing_word_is_a_category_of_its_own_where_asked(
    features: Features, configured: Callable[..., TabularFeatureParams]
) -> None:
    rules = {
        "ciudad": {"missing": "desconocida"},
        "tipo": {"allowed": [4], "other": "group", "missing": "ninguno"},
    }
    params = configured(cleaning={"words": rules})
    given = [("Cali", 4), (None, None), ("  ", 9), ("DESCONOCIDA", None)]
    rows = (loan(id_credito=f"c{i}", ciudad=c, tipo=t) for i, (c, t) in enumerate(given))
    found = features(*rows, params=params)
    assert values(found["ciudad"]) == ["cali", "desconocida", "desconocida", "desconocida"]
    assert values(found["tipo"]) == ["4", "ninguno", "OTRO", "ninguno"]


def test_a_word_that_is_not_believed_is_no_missing_one(
    features: Features, configured: Callable[..., TabularFeatureParams]
) -> None:
    rule = {"allowed": ["Cali"], "missing": "desconocida", "flag": True}
    params = configured(cleaning={"words": {"ciudad": rule}})
    words = ["Lima", None, "Desconocida"]
    found = features(
        *(loan(id_credito=f"c{i}", ciudad=w) for i, w in enumerate(words)), params=params
    )
    assert values(found["ciudad"]) == [None, "desconocida", "desconocida"]
    assert values(found["ciudad_invalido"]) == [1.0, 0.0, 0.0]


def test_switched_off_cleaning_believes_everything_but_unknown_levels(
    features: Features, configured: Callable[..., TabularFeatureParams]
) -> None:
    params = configured(
        cleaning={"enabled": False, "numbers": {"edad": {"maximum": 100, "flag": True}}}
    )
    found = features(loan(edad=123, ciudad="Lima", tendencia="8315"), params=params)
    assert values(found.loc[0, ["edad", "ciudad", "tendencia"]]) == [123.0, "Lima", None]
    assert "edad_invalido" not in found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.none() | st.integers(-200, 200), min_size=1, max_size=8))
def test_cleaned_numbers_agree_with_a_loop(engine: Engine, ages: list[int | None]) -> None:
    rows = (loan(id_credito=f"c{i}", edad=age) for i, age in enumerate(ages))
    found = engine.loans(FEATURES, *rows).sort_values("id_credito")
    expected = [float(a) if a is not None and 18 <= a <= 100 else None for a in ages]
    flags = [float(a is not None and not 18 <= a <= 100) for a in ages]
    assert values(found["edad"]) == expected
    assert values(found["edad_invalido"]) == flags


@pytest.mark.parametrize("bound", [18, 100])
def test_bounds_themselves_are_believed(features: Features, bound: int) -> None:
    assert values(features(loan(edad=bound))["edad"]) == [bound]
