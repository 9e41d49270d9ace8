"""Which rows are learned from, and which columns the tables of features hold."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.cases import PARAMS, TYPES, configured, loan, table_of

from clientela.exceptions import ConfigurationError, ScoringDataError
from clientela.features.case_table import (
    assign_class,
    assign_label_status,
    case_features,
    feature_columns,
    model_input,
    passthrough_columns,
)
from clientela.features.table_report import count_rows_by_status
from clientela.features.table_settings import BinaryTarget, TabularFeatureParams

AFTER_A_YEAR = {"date_column": "fecha", "months": 12, "as_of": "2026-03-09"}


def maturing(**fields: Any) -> TabularFeatureParams:
    return configured(maturity=fields)


def statuses(params: TabularFeatureParams, *rows: dict[str, Any]) -> list[str]:
    return assign_label_status(table_of(*rows), params).tolist()


def test_the_table_holds_key_features_and_what_stands_beside() -> None:
    found = case_features(table_of(loan()), PARAMS)
    assert list(found.columns) == ["id_credito", *feature_columns(PARAMS), "genero", "fecha"]
    assert passthrough_columns(PARAMS) == ["genero", "fecha"]
    numbers = [*PARAMS.numeric, *PARAMS.made_numbers]
    assert set(found[numbers].dtypes.astype(str)) == {"float64"}
    assert found["fecha"].dtype.kind == "M"


def test_the_model_input_adds_the_class_by_its_name_to_the_features_of_scoring() -> None:
    table = table_of(loan(pago=0), loan(edad=123, ciudad=None))
    found = model_input(table, PARAMS)
    assert list(found["pago"]) == ["no_paga", "paga"]
    assert list(found)[-3:] == ["pago", "genero", "fecha"]
    scored = case_features(table.drop_columns(["pago", "puntaje"]), PARAMS)
    pd.testing.assert_frame_equal(found[scored.columns], scored)


def test_optional_columns_may_be_absent_and_are_missing_then() -> None:
    least = {name: loan()[name] for name in [PARAMS.key, *PARAMS.needed]}
    found = case_features(table_of(least), PARAMS).iloc[0]
    absent = ["saldo", "ciudad", "tendencia", "deuda", "fecha_mes", "antiguedad_dias"]
    assert found[[*absent, "genero", "fecha"]].isna().all()
    assert (found["libre"], found["saldo_ausente"]) == (90.0, 1.0)


@pytest.mark.parametrize("name", [PARAMS.key, *PARAMS.needed])
def test_an_absent_needed_column_is_named_and_never_becomes_zero(name: str) -> None:
    with pytest.raises(ScoringDataError, match=rf"need the column\(s\) {name}, which"):
        case_features(table_of(loan()).drop_columns([name]), PARAMS)


def test_a_misspelt_needed_column_gets_a_hint() -> None:
    hint = r"Did you mean 'Edad' or 'ciudad'\? Only .*: saldo, ciudad, tendencia, fecha, alta\."
    with pytest.raises(ScoringDataError, match=hint):
        case_features(table_of(loan()).rename_columns({"edad": "Edad"}), PARAMS)


@pytest.mark.parametrize("name", sorted(TYPES))
def test_learning_needs_every_configured_column(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"does not have: {name}"):
        model_input(table_of(loan()).drop_columns([name]), PARAMS)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"excluded": {"puntajes": "later"}}, r"puntajes\. Did you mean 'puntaje'\?"),
        ({"maturity": {"date_column": "fecha", "term_column": "plazo"}}, "not have: plazo"),
    ],
)
def test_a_misspelt_column_of_the_configuration_is_named(changes: Any, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        model_input(table_of(loan()), configured(**changes))


def test_groups_of_people_are_kept_as_they_are_typed() -> None:
    params = configured(sensitive=["edad", "genero", "puntaje", "alta"])
    found = case_features(table_of(loan(genero=" F ")), params).iloc[0]
    expected = [30.0, "F", 95.0, pd.Timestamp("2025-03-01")]
    assert found[["edad", "genero", "puntaje", "alta"]].to_list() == expected


def test_labels_become_class_names() -> None:
    target = BinaryTarget.model_validate(
        {
            "column": "churn",
            "negative": {"label": "No", "name": "se_queda"},
            "positive": {"label": "Sí", "name": "se_va"},
        }
    )
    table = table_of(*({"churn": word} for word in ("no", " SI", "tal vez", "")))
    assert assign_class(table, target).tolist() == ["se_queda", "se_va", None, None]


def test_a_row_without_a_label_or_with_an_unknown_one_is_told_apart() -> None:
    rows = [loan(), loan(pago=None), loan(pago=2)]
    assert statuses(PARAMS, *rows) == ["usable", "unlabelled", "unknown_label"]


@pytest.mark.parametrize(
    ("started", "status"),
    [
        ("2025-03-09 23:59:59", "usable"),
        ("2025-03-10 00:00:00", "too_young"),
        ("2026-05-01 00:00:00", "too_young"),
        (None, "undated"),
    ],
)
def test_a_label_is_final_once_all_months_have_passed(started: str | None, status: str) -> None:
    assert statuses(maturing(**AFTER_A_YEAR), loan(fecha=started)) == [status]


def test_labels_were_taken_on_the_latest_date_unless_told_otherwise() -> None:
    rows = [loan(fecha="2025-01-15"), loan(fecha="2025-02-16"), loan(fecha="2025-04-15")]
    params = maturing(date_column="fecha", months=2)
    assert statuses(params, *rows) == ["usable", "too_young", "too_young"]


def test_a_month_begun_on_the_31st_has_passed_on_the_1st_after_a_shorter_one() -> None:
    for as_of, status in (("2025-02-28", "too_young"), ("2025-03-01", "usable")):
        params = maturing(date_column="fecha", months=1, as_of=as_of)
        assert statuses(params, loan(fecha="2025-01-31")) == [status]


def test_each_row_may_have_its_own_term() -> None:
    params = maturing(date_column="fecha", term_column="edad", as_of="2027-09-10")
    rows = [loan(edad=30), loan(edad=31), loan(edad=None)]
    assert statuses(params, *rows) == ["usable", "too_young", "undated"]


def test_rows_too_young_are_left_out_whatever_their_label() -> None:
    rows = [
        loan(id_credito=f"{pago}{year}", pago=pago, fecha=f"{year}-01-01")
        for pago in (0, 1)
        for year in (2020, 2026)
    ]
    found = model_input(table_of(*rows), maturing(**AFTER_A_YEAR))
    assert sorted(zip(found["id_credito"], found["pago"], strict=True)) == [
        ("02020", "no_paga"),
        ("12020", "paga"),
    ]


def test_the_latest_date_counts_even_if_its_row_is_left_out() -> None:
    rows = [loan(), loan(id_credito="c2", fecha="2027-01-01", pago=None)]
    found = model_input(table_of(*rows), maturing(date_column="fecha", months=12))
    assert list(found["id_credito"]) == ["c0"]


def months_passed(start: date, end: date) -> int:
    """The oracle: count months while the next one still fits."""
    count, year, month = 0, start.year, start.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        if (year, month, start.day) > (end.year, end.month, end.day):
            return count
        count += 1


dates = st.dates(date(2023, 12, 1), date(2025, 3, 31))


@settings(max_examples=40)
@given(st.lists(st.tuples(dates, st.sampled_from([0, 1, None, 2])), min_size=1, max_size=6), dates)
def test_counts_add_up_and_agree_with_a_loop(
    cases: list[tuple[date, int | None]], as_of: date
) -> None:
    rows = [loan(fecha=day.isoformat(), pago=pago) for day, pago in cases]
    params = maturing(date_column="fecha", months=3, as_of=as_of)
    counts = count_rows_by_status(table_of(*rows), params).set_index("status")["rows"]
    usable = sum(pago in (0, 1) and months_passed(day, as_of) >= 3 for day, pago in cases)
    assert counts.sum() == len(cases)
    assert counts[counts.index == "usable"].sum() == usable
    assert counts[counts.index == "unlabelled"].sum() == sum(pago is None for _, pago in cases)
