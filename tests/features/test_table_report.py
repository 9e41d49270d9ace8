"""What is reported of rows and cells on the way to the model input."""

from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.cases import PARAMS, configured, loan, table_of

from clientela.exceptions import TrainingDataError
from clientela.features.case_table import case_features
from clientela.features.table_report import (
    column_roles,
    count_cell_findings,
    count_rows_by_status,
    describe_empty_columns,
    row_report,
)
from clientela.features.table_settings import TabularFeatureParams


def counted(*rows: dict[str, Any], params: TabularFeatureParams = PARAMS) -> pd.DataFrame:
    return count_cell_findings(table_of(*rows), params)


def reported(params: TabularFeatureParams, *rows: dict[str, Any]) -> dict[str, Any]:
    return row_report(count_rows_by_status(table_of(*rows), params), params)


def test_cells_are_counted_by_column_finding_and_action() -> None:
    counts = counted(
        loan(edad=17, salario=5000, tipo=68, ciudad="cali", tendencia="8315"),
        loan(edad=123, saldo=None, tipo=68, ciudad="Lima", fecha=None),
        loan(edad=None, saldo=float("inf")),
    )
    found = counts[counts["rows"] > 0].drop(columns=["place", "of"])
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("edad", "missing", "imputed", 1),
        ("edad", "below_minimum", "set_missing", 1),
        ("edad", "above_maximum", "set_missing", 1),
        ("salario", "above_maximum", "clip", 1),
        ("saldo", "missing", "imputed", 1),
        ("saldo", "not_finite", "set_missing", 1),
        ("tipo", "not_allowed", "group", 2),
        ("ciudad", "not_allowed", "set_missing", 1),
        ("ciudad", "respelled", "respelled", 1),
        ("tendencia", "not_allowed", "set_missing", 1),
        ("fecha", "missing", "imputed", 1),
    ]
    assert set(counts["of"]) == {3}
    assert counts["place"].is_monotonic_increasing


def test_a_missing_word_with_a_word_of_its_own_is_not_imputed() -> None:
    params = configured(cleaning={"words": {"ciudad": {"missing": "desconocida"}}})
    counts = counted(loan(ciudad=None), loan(ciudad=None), params=params)
    found = counts[counts["column"].eq("ciudad") & counts["rows"].gt(0)]
    assert list(found["action"]) == ["own_category"]
    assert "ciudad has no believable value in any of 2 rows" in " ".join(
        describe_empty_columns(counts)
    )


def test_dates_beside_the_features_are_counted_too() -> None:
    params = configured(enrichment={})
    counts = counted(loan(fecha=None), params=params)
    dated = counts[counts["column"] == "fecha"]
    assert list(zip(dated["finding"], dated["action"], dated["rows"], strict=True)) == [
        ("missing", "kept_missing", 1),
        ("no_date", "set_missing", 0),
    ]


@settings(max_examples=25)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "edad": st.none() | st.integers(0, 130),
                "ciudad": st.sampled_from([None, "  ", "cali", "Lima"]),
                "tendencia": st.sampled_from([None, "Estable", "8315"]),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_every_missing_cell_of_the_features_was_counted(cases: list[dict[str, Any]]) -> None:
    rows = [loan(**case) for case in cases]
    counts = counted(*rows)
    emptied = counts[counts["action"].isin(["imputed", "set_missing"])].groupby("column")["rows"]
    features = case_features(table_of(*rows), PARAMS)
    for name in ("edad", "ciudad", "tendencia"):
        assert emptied.sum()[name] == features[name].isna().sum()


def test_every_column_of_the_table_has_a_role() -> None:
    params = configured(sensitive=["genero"])
    columns = ["id_credito", "fecha", "edad", "tipo", "tendencia", "genero", "puntaje", "pago", "x"]
    roles = column_roles(columns, params).set_index("column")
    assert roles["role"].to_dict() == {
        "id_credito": "key",
        "fecha": "date",
        "edad": "numeric",
        "tipo": "categorical",
        "tendencia": "ordinal",
        "genero": "sensitive",
        "puntaje": "excluded",
        "pago": "target",
        "x": "unused",
    }
    assert roles.loc[["puntaje", "x", "edad"], "reason"].to_list() == [
        "known only after the credit ends",
        "named nowhere in the features",
        "",
    ]


def test_rows_are_accounted_for_in_numbers_and_words() -> None:
    maturity = {"date_column": "fecha", "months": 12, "as_of": "2026-03-10"}
    params = configured(maturity=maturity)
    rows = [
        loan(),
        loan(pago=0),
        loan(pago=0),
        loan(pago=None),
        loan(fecha=None),
        loan(fecha="2026-01-01", pago=0),
    ]
    report = reported(params, *rows)
    assert report == {
        "rows": 6,
        "status": {"usable": 3, "unlabelled": 1, "unknown_label": 0, "undated": 1, "too_young": 1},
        "classes": {"no_paga": 2, "paga": 1},
        "too_young_classes": {"no_paga": 1, "paga": 0},
        "as_of": "2026-03-10",
        "as_of_doubtful": False,
        "sentence": (
            "3 of 6 rows are learned from; left out: unlabelled 1, undated 1, too_young 1."
        ),
    }


def monthly(*further: dict[str, Any]) -> list[dict[str, Any]]:
    """A loan on each of 50 days from 2025-01-01 on, and further ones."""
    days = pd.date_range("2025-01-01", periods=50).strftime("%Y-%m-%d")
    return [*(loan(fecha=day, pago=i % 2, edad=3) for i, day in enumerate(days)), *further]


@pytest.mark.parametrize("length", [{"months": 3}, {"term_column": "edad"}])
def test_a_latest_date_far_from_all_others_is_doubted(length: dict[str, Any]) -> None:
    params = configured(maturity={"date_column": "fecha"} | length)
    mistyped = reported(params, *monthly(loan(fecha="2052-03-01")))
    assert mistyped["status"]["usable"] == 50
    assert (mistyped["as_of"], mistyped["as_of_doubtful"]) == ("2052-03-01", True)
    assert (
        "Labels count as taken on 2052-03-01, the latest 'fecha', but 99.9% of the rows"
        in (mistyped["sentence"])
    )


def test_a_latest_date_among_the_others_or_a_given_day_is_not_doubted() -> None:
    month = {"date_column": "fecha", "months": 1}
    params, told = (configured(maturity=month | day) for day in ({}, {"as_of": "2040-01-01"}))
    found = reported(params, *monthly())
    given = reported(told, *monthly(loan(fecha="2052-03-01")))
    assert (found["as_of"], found["as_of_doubtful"]) == ("2025-02-19", False)
    assert (given["as_of"], given["as_of_doubtful"]) == ("2040-01-01", False)
    assert "Labels count as taken" not in found["sentence"] + given["sentence"]


def test_without_maturity_no_day_counts() -> None:
    report = reported(PARAMS, loan(), loan(pago=0))
    assert (report["as_of"], report["as_of_doubtful"]) == (None, False)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([loan(pago=1), loan(pago=1)], r"Every usable row \(2\) has the class 'paga'"),
        ([loan(pago=None)], "No row can be learned from: unlabelled 1"),
        ([loan(pago=0), loan(pago=7)], "'0' or '1', but 1 of 2 rows hold .* for example '7'"),
    ],
)
def test_a_target_that_cant_be_learned_is_refused(
    rows: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(TrainingDataError, match=complaint):
        reported(PARAMS, *rows)


def test_an_empty_table_is_refused() -> None:
    table = table_of(loan()).slice(0, 0)
    with pytest.raises(TrainingDataError, match="empty: at least one accepted row"):
        row_report(count_rows_by_status(table, PARAMS), PARAMS)
    assert describe_empty_columns(count_cell_findings(table, PARAMS)) == []


def test_a_column_without_any_believable_value_is_reported() -> None:
    counts = counted(loan(edad=3, saldo=None), loan(edad=None, saldo=None))
    assert describe_empty_columns(counts) == [
        f"{column} has no believable value in any of 2 rows ({missing} missing): it says nothing, "
        "and is kept as a constant."
        for column, missing in (("edad", 1), ("saldo", 2))
    ]


def with_text_dates(*dates: str | None) -> pa.Table:
    table = table_of(*(loan() for _ in dates))
    place = table.column_names.index("fecha")
    return table.set_column(place, "fecha", pa.array(dates, pa.string()))


def test_a_date_column_that_does_not_parse_is_refused() -> None:
    counts = count_cell_findings(with_text_dates("10 de marzo", None), PARAMS)
    with pytest.raises(TrainingDataError, match="'fecha' should hold dates, but none of its 1"):
        describe_empty_columns(counts)


def test_some_unreadable_dates_are_counted_and_set_missing() -> None:
    counts = count_cell_findings(with_text_dates("2025-03-10", "pronto"), PARAMS)
    assert counts.set_index(["column", "finding"]).loc[("fecha", "no_date"), "rows"] == 1
    assert describe_empty_columns(counts) == []


def test_an_unknown_label_is_shown_by_an_example() -> None:
    found = count_rows_by_status(table_of(loan(), loan(pago=7), loan(pago=5)), PARAMS)
    expected = {
        "status": ["unknown_label", "usable"],
        "clase": [None, "paga"],
        "rows": [2, 1],
        "example": ["5", None],
    }
    pd.testing.assert_frame_equal(found[[*expected]], pd.DataFrame(expected))
    assert found[["as_of", "nearly_all", "months"]].isna().all(axis=None)


def test_counts_say_by_which_day_and_length_rows_are_judged() -> None:
    days = ("2025-01-01", "2025-01-02", "2025-01-02", "2027-01-01 12:00:00", None)
    rows = [loan(fecha=day, edad=i or None, pago=i % 2) for i, day in enumerate(days)]
    params = configured(maturity={"date_column": "fecha", "term_column": "edad"})
    found = count_rows_by_status(table_of(*rows), params)
    starts = pd.to_datetime(pd.Series(days).dropna(), format="ISO8601")
    seconds = starts.astype("datetime64[s]").astype("int64")
    assert set(found["as_of"]) == {date(2027, 1, 1)}
    assert found["nearly_all"].unique() == pytest.approx([seconds.quantile(0.999)])
    assert found["months"].unique().tolist() == [2.5]  # of 1, 2, 3 and 4
