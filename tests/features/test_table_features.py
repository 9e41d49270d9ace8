"""Cleaning and derived columns: what a row becomes, from a table or from a request."""

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.cases import CONFIGURED, PARAMS, configured, loan, table_of

from clientela.features.case_table import case_features, feature_columns
from clientela.features.columns import FeatureLayout, InputField, build_columns
from clientela.features.table_features import TableFeatureBuilder
from clientela.features.table_settings import TabularFeatureParams
from clientela.text import normalize_word


def features(*rows: dict[str, Any], params: TabularFeatureParams = PARAMS) -> pd.DataFrame:
    return case_features(table_of(*rows), params)


def values(column: "pd.Series[Any]") -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


def column(name: str, *cells: Any, params: TabularFeatureParams = PARAMS) -> pd.DataFrame:
    """The features of ordinary loans that differ in one column."""
    return features(*(loan(**{name: cell}) for cell in cells), params=params)


def test_numbers_out_of_bounds_are_set_missing_and_flagged() -> None:
    found = column("edad", 17, 18, 100, 101, None)
    assert values(found["edad"]) == [None, 18.0, 100.0, None, None]
    assert values(found["edad_invalido"]) == [1.0, 0.0, 0.0, 1.0, 0.0]


def test_numbers_out_of_bounds_are_clipped_where_configured() -> None:
    assert values(column("salario", 22_000_000_000, None)["salario"]) == [1000.0, None]


@pytest.mark.parametrize(
    ("name", "rules", "words", "expected", "flags"),
    [
        (
            "ciudad",
            CONFIGURED["cleaning"]["words"]["ciudad"] | {"flag": True},
            [" BOGOTA", "bogotá", "Cali", "Lima", "", None],
            ["Bogotá", "Bogotá", "Cali", None, None, None],
            [0, 0, 0, 1, 0, 0],
        ),
        ("ciudad", {"folded": True}, [" BOGOTÁ "], ["bogota"], None),
        (
            "ciudad",
            {"missing": "desconocida"},
            ["Cali", None, "  ", "DESCONOCIDA"],
            ["cali", "desconocida", "desconocida", "desconocida"],
            None,
        ),
        (
            "ciudad",
            {"allowed": ["Cali"], "missing": "desconocida", "flag": True},
            ["Lima", None, "Desconocida"],
            [None, "desconocida", "desconocida"],
            [1, 0, 0],
        ),
        (
            "tipo",
            {"allowed": [4, 9], "other": "group"},
            [4, 9, 68, None],
            ["4", "9", "OTRO", None],
            None,
        ),
        ("tipo", {"folded": False, "allowed": ["4"]}, [9], [None], None),
        (
            "tipo",
            {"allowed": [4], "other": "group", "missing": "ninguno"},
            [4, None, 9],
            ["4", "ninguno", "OTRO"],
            None,
        ),
        (
            "tendencia",
            {"flag": True},
            ["creciente", "8315", None],
            ["Creciente", None, None],
            [0, 1, 0],
        ),
    ],
)
def test_words_are_respelled_grouped_or_set_missing_by_their_rule(
    name: str, rules: Any, words: list[Any], expected: list[Any], flags: list[int] | None
) -> None:
    found = column(name, *words, params=configured(cleaning={"words": {name: rules}}))
    assert values(found[name]) == expected
    if flags is not None:
        assert values(found[f"{name}_invalido"]) == flags


def test_cleaning_that_is_switched_off_believes_everything_but_unknown_levels() -> None:
    rules = {"enabled": False, "numbers": {"edad": {"maximum": 100, "flag": True}}}
    changed = loan(edad=123, ciudad="Lima", tendencia="8315")
    found = features(changed, params=configured(cleaning=rules))
    assert values(found.loc[0, ["edad", "ciudad", "tendencia"]]) == [123.0, "Lima", None]
    assert "edad_invalido" not in found


def test_every_group_makes_its_columns() -> None:
    expected = {
        "deuda": 30.0,
        "libre": 90.0,
        "cuota_por_edad": 300.0,
        "carga": 0.3,
        "log_saldo": math.log(21),
        "grupo_edad": "25 a 40",
        "fecha_mes": 3.0,
        "fecha_dia_semana": 0.0,
        "fecha_hora": 14.0,
        "antiguedad_dias": 9.0,
        "saldo_ausente": 0.0,
        "tendencia_ausente": 0.0,
    }
    assert features(loan()).loc[0, list(expected)].to_dict() == expected


def test_missing_operands_make_missing_columns_and_never_zeros() -> None:
    found = features(loan(saldo=None, edad=None, fecha=None)).iloc[0]
    lost = ["deuda", "cuota_por_edad", "carga", "log_saldo", "grupo_edad", "fecha_mes"]
    assert found[[*lost, "fecha_hora", "antiguedad_dias"]].isna().all()
    assert (found["libre"], found["saldo_ausente"]) == (90.0, 1.0)


def test_a_ratio_to_zero_and_an_overflow_are_missing() -> None:
    squared = configured(enrichment={"products": {"columns": {"cuadrado": ["saldo", "saldo"]}}})
    assert features(loan(salario=0))["carga"].isna().all()
    assert features(loan(saldo=1e200), params=squared)["cuadrado"].isna().all()


def test_a_negative_amount_counts_as_zero_in_a_logarithm() -> None:
    assert features(loan(saldo=-7.0)).loc[0, "log_saldo"] == 0.0


def test_a_band_begins_at_its_edge() -> None:
    bands = ["menos de 25", "25 a 40", "25 a 40", "40 o más", "40 o más"]
    assert values(column("edad", 18, 25, 39, 40, 100)["grupo_edad"]) == bands


@pytest.mark.parametrize(
    ("group", "made"),
    [
        ("differences", {"libre"}),
        ("products", {"cuota_por_edad"}),
        ("ratios", {"carga"}),
        ("logs", {"log_saldo"}),
        ("bands", {"grupo_edad"}),
        ("dates", {"fecha_mes", "fecha_dia_semana", "fecha_hora", "antiguedad_dias"}),
        ("missing_flags", {"saldo_ausente", "tendencia_ausente"}),
    ],
)
def test_each_group_can_be_switched_off(group: str, made: set[str]) -> None:
    enrichment = CONFIGURED["enrichment"]
    off = enrichment | {group: enrichment[group] | {"enabled": False}}
    with_it, without = features(loan()), features(loan(), params=configured(enrichment=off))
    assert set(with_it.columns) - set(without.columns) == made
    pd.testing.assert_frame_equal(with_it[without.columns], without)


def slow_features(row: dict[str, Any]) -> dict[str, Any]:
    """The oracle: one loan, value by value, in plain Python."""

    def number(name: str) -> float:
        return math.nan if row[name] is None else float(row[name])

    def word(name: str, allowed: list[str], other: str | None) -> str | None:
        text = "" if row[name] is None else str(row[name]).strip()
        spelled = [each for each in allowed if normalize_word(each) == normalize_word(text)]
        return None if not text else spelled[0] if spelled else other

    def finite(value: float) -> float:
        return math.nan if math.isinf(value) else value

    age, salary = number("edad"), min(number("salario"), 1000.0)
    if math.isnan(number("salario")):
        salary = math.nan
    instalment, balance = number("cuota"), number("saldo")
    believed = age if 18 <= age <= 100 else math.nan
    debt = balance + instalment
    day = None if row["fecha"] is None else datetime.fromisoformat(row["fecha"])
    start = None if row["alta"] is None else date.fromisoformat(row["alta"])
    trend = word("tendencia", ["Decreciente", "Estable", "Creciente"], None)
    band = "menos de 25" if believed < 25 else "25 a 40" if believed < 40 else "40 o más"
    return {
        "edad": believed,
        "salario": salary,
        "cuota": instalment,
        "saldo": balance,
        "tipo": word("tipo", ["4", "9"], "OTRO"),
        "ciudad": word("ciudad", ["Bogotá", "Cali"], None),
        "tendencia": trend,
        "edad_invalido": float(not math.isnan(age) and math.isnan(believed)),
        "tendencia_invalido": float(bool((row["tendencia"] or "").strip()) and trend is None),
        "deuda": finite(debt),
        "libre": finite(salary - instalment),
        "cuota_por_edad": finite(instalment * believed),
        "carga": math.nan if salary == 0 else finite(debt / salary),
        "log_saldo": math.nan if math.isnan(balance) else math.log(max(balance, 0.0) + 1.0),
        "fecha_mes": math.nan if day is None else day.month,
        "fecha_dia_semana": math.nan if day is None else day.weekday(),
        "fecha_hora": math.nan if day is None else day.hour,
        "antiguedad_dias": math.nan if None in {day, start} else (day.date() - start).days,  # type: ignore[union-attr,operator]
        "saldo_ausente": float(math.isnan(balance)),
        "tendencia_ausente": float(trend is None),
        "grupo_edad": None if math.isnan(believed) else band,
    }


DAYS = st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(date.isoformat)
ANY_LOAN = st.fixed_dictionaries(
    {
        "edad": st.none() | st.integers(-5, 130),
        "salario": st.none() | st.integers(-(10**15), 10**15) | st.just(0),
        "cuota": st.none() | st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) / 100),
        "saldo": st.none() | st.sampled_from([0.0, -0.0, 1e308, -1e308]) | st.floats(-1e6, 1e6),
        "tipo": st.none() | st.integers(0, 12),
        "ciudad": st.sampled_from(["Bogotá", "BOGOTA", " cali", "Medellín", "", "OTRO", None]),
        "tendencia": st.sampled_from(["Decreciente", "estable ", "CRECIENTE", "-4500", None]),
        "fecha": st.none()
        | st.builds("{}T{:02}:59:59".format, DAYS.filter(bool), st.integers(0, 23)),
        "alta": DAYS,
    }
)
LOANS = st.lists(ANY_LOAN.map(lambda changes: loan(**changes)), min_size=1, max_size=8)


@settings(max_examples=40)
@given(LOANS)
def test_features_agree_with_a_loop_over_the_rows(rows: list[dict[str, Any]]) -> None:
    expected = pd.DataFrame([slow_features(row) for row in rows])[feature_columns(PARAMS)]
    words = dict.fromkeys(["tipo", "ciudad", "tendencia", "grupo_edad"], "str")
    found = features(*rows)[feature_columns(PARAMS)]
    types = dict.fromkeys(expected.columns, "float64") | words
    pd.testing.assert_frame_equal(found, expected.astype(types), check_exact=True)


@settings(max_examples=15)
@given(LOANS, st.randoms(use_true_random=False))
def test_row_order_column_order_and_company_never_change_a_row(
    rows: list[dict[str, Any]], random: Any
) -> None:
    table = table_of(*rows)
    expected = case_features(table, PARAMS)
    order = random.sample(range(len(rows)), len(rows))
    shuffled = case_features(table.select(table.column_names[::-1]).take(order), PARAMS)
    pd.testing.assert_frame_equal(shuffled, expected.iloc[order].reset_index(drop=True))
    alone = case_features(table.slice(0, 1), PARAMS)
    pd.testing.assert_frame_equal(alone, expected.head(1))


VARIANTS = {
    "as_configured": PARAMS,
    "nothing_is_cleaned": configured(cleaning={**CONFIGURED["cleaning"], "enabled": False}),
    "nothing_is_made": configured(enrichment={}),
    "folded_missing_words": configured(cleaning={"words": {"ciudad": {"missing": "sin ciudad"}}}),
    "no_words": configured(categorical=[], ordinal={}, cleaning={}, enrichment={}, required=[]),
    "no_numbers": configured(numeric=[], cleaning={}, enrichment={}, required=["tipo"]),
}


def fields_of(params: TabularFeatureParams) -> list[InputField]:
    def kind(name: str) -> Any:
        return "number" if name in params.numeric else "moment" if name in params.dates else "word"

    return [InputField(name=name, kind=kind(name), required=False) for name in params.inputs]


@pytest.mark.parametrize("params", VARIANTS.values(), ids=VARIANTS)
@settings(max_examples=8)
@given(LOANS)
def test_a_request_has_the_features_of_a_table(
    params: TabularFeatureParams, rows: list[dict[str, Any]]
) -> None:
    names = tuple(feature_columns(params))
    builder = TableFeatureBuilder.of(params, names)
    made = builder(build_columns(rows, fields_of(params)))
    expected = features(*rows, params=params)[list(names)]
    pd.testing.assert_frame_equal(FeatureLayout(names, builder.rows).frame(made), expected)


def test_only_what_a_model_reads_is_made() -> None:
    builder = TableFeatureBuilder.of(PARAMS, ["carga", "grupo_edad"])
    assert builder.inputs == {"saldo", "cuota", "salario", "edad"}
    # deuda is an operand of carga, edad of grupo_edad
    assert set(builder.rows) == {"edad", "salario", "cuota", "saldo", "deuda", "carga"}
    made = builder(build_columns([loan()], fields_of(PARAMS)))
    assert made.numbers[builder.rows["carga"]].tolist() == [0.3]
    assert made.words == {"grupo_edad": ["25 a 40"]}


def test_what_overflows_counts_as_missing() -> None:
    params = configured(cleaning={})
    builder = TableFeatureBuilder.of(params, feature_columns(params))
    huge = build_columns([loan(saldo=1e308)], fields_of(params)) | {"cuota": np.array([1e308])}
    made = builder(huge)
    assert np.isnan(made.numbers[builder.rows["deuda"]])
    assert made.missing[builder.rows["deuda"]].tolist() == [True]


def test_text_dates_and_numbers_of_other_types_make_the_same_features() -> None:
    request = pd.DataFrame(
        [loan(fecha="2025-03-10T14:30:00", tipo=4.0, edad=30.0, id_credito="c0")]
    )
    found = case_features(pa.Table.from_pandas(request), PARAMS)
    pd.testing.assert_frame_equal(found, features(loan()))
