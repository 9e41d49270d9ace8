from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tabular.cases import LOANS, PARAMS, Engine, loan, table_of

from clientela.exceptions import TrainingDataError
from clientela.features.table_features import case_features, count_rows_by_status
from clientela.features.table_report import (
    column_roles,
    count_cell_findings,
    describe_empty_columns,
    row_report,
)
from clientela.features.table_settings import TabularFeatureParams

CELLS, FEATURES = count_cell_findings(LOANS, PARAMS), case_features(LOANS, PARAMS)

Configured = Callable[..., TabularFeatureParams]


def numbered(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [row | {"id_credito": f"c{place}"} for place, row in enumerate(rows)]


def counted(engine: Engine, *rows: dict[str, Any]) -> pd.DataFrame:
    return engine.frame(count_cell_findings(table_of(*numbered(*rows)), PARAMS))


def accounted(engine: Engine, params: TabularFeatureParams, *rows: dict[str, Any]) -> pd.DataFrame:
    return engine.frame(count_rows_by_status(table_of(*numbered(*rows)), params))


def test_cells_are_counted_by_column_finding_and_action(engine: Engine) -> None:
    counts = counted(
        engine,
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


def test_a_missing_word_with_a_word_of_its_own_is_not_imputed(
    engine: Engine, configured: Configured
) -> None:
    params = configured(cleaning={"words": {"ciudad": {"missing": "desconocida"}}})
    table = table_of(*numbered(loan(ciudad=None), loan(ciudad=None)))
    counts = engine.frame(count_cell_findings(table, params))
    found = counts[counts["column"].eq("ciudad") & counts["rows"].gt(0)]
    assert list(found["action"]) == ["own_category"]
    assert "ciudad has no believable value in any of 2 rows" in " ".join(
        describe_empty_columns(counts)
    )


def test_dates_beside_the_features_are_counted_too(engine: Engine, configured: Configured) -> None:
    params = configured(enrichment={})
    counts = engine.frame(count_cell_findings(table_of(loan(fecha=None)), params))
    dated = counts[counts["column"] == "fecha"]
    assert list(zip(dated["finding"], dated["action"], dated["rows"], strict=True)) == [
        ("missing", "kept_missing", 1),
        ("no_date", "set_missing", 0),
    ]


@settings(max_examples=25, deadline=None)
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
def test_every_missing_cell_of_the_features_was_counted(
    engine: Engine, cases: list[dict[str, Any]]
) -> None:
    rows = numbered(*(loan(**case) for case in cases))
    counts = engine.loans(CELLS, *rows)
    emptied = counts[counts["action"].isin(["imputed", "set_missing"])].groupby("column")["rows"]
    features = engine.loans(FEATURES, *rows)
    for name in ("edad", "ciudad", "tendencia"):
        assert emptied.sum()[name] == features[name].isna().sum()


def test_every_column_of_the_table_has_a_role(configured: Configured) -> None:
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


def test_rows_are_accounted_for_in_numbers_and_words(
    engine: Engine, configured: Configured
) -> None:
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
    report = row_report(accounted(engine, params, *rows), params)
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
def test_a_latest_date_far_from_all_others_is_doubted(
    engine: Engine, configured: Configured, length: dict[str, Any]
) -> None:
    params = configured(maturity={"date_column": "fecha"} | length)
    mistyped = row_report(accounted(engine, params, *monthly(loan(fecha="2052-03-01"))), params)
    assert mistyped["status"]["usable"] == 50
    assert (mistyped["as_of"], mistyped["as_of_doubtful"]) == ("2052-03-01", True)
    assert (
        "Labels count as taken on 2052-03-01, the latest 'fecha', but 99.9% of the rows"
        in (mistyped["sentence"])
    )


def test_a_latest_date_among_the_others_or_a_given_day_is_not_doubted(
    engine: Engine, configured: Configured
) -> None:
    month = {"date_column": "fecha", "months": 1}
    params, told = (configured(maturity=month | day) for day in ({}, {"as_of": "2040-01-01"}))
    found = row_report(accounted(engine, params, *monthly()), params)
    given = row_report(accounted(engine, told, *monthly(loan(fecha="2052-03-01"))), told)
    assert (found["as_of"], found["as_of_doubtful"]) == ("2025-02-19", False)
    assert (given["as_of"], given["as_of_doubtful"]) == ("2040-01-01", False)
    assert "Labels count as taken" not in found["sentence"] + given["sentence"]


def test_without_maturity_no_day_counts(engine: Engine) -> None:
    report = row_report(accounted(engine, PARAMS, loan(), loan(pago=0)), PARAMS)
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
    engine: Engine, rows: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(TrainingDataError, match=complaint):
        row_report(accounted(engine, PARAMS, *rows), PARAMS)


def test_an_empty_table_is_refused(engine: Engine) -> None:
    table = table_of(loan()).limit(0)
    with pytest.raises(TrainingDataError, match="empty: at least one accepted row"):
        row_report(engine.frame(count_rows_by_status(table, PARAMS)), PARAMS)
    assert describe_empty_columns(engine.frame(count_cell_findings(table, PARAMS))) == []


def test_a_column_without_any_believable_value_is_reported(engine: Engine) -> None:
    counts = counted(engine, loan(edad=3, saldo=None), loan(edad=None, saldo=None))
    assert describe_empty_columns(counts) == [
        f"{column} has no believable value in any of 2 rows ({missing} missing): it says nothing, "
        "and is kept as a constant."
        for column, missing in (("edad", 1), ("saldo", 2))
    ]


def test_a_date_column_that_does_not_parse_is_refused(engine: Engine) -> None:
    table = table_of(*numbered(loan(), loan(fecha=None)))
    text = table.mutate(fecha=(table["id_credito"] == "c0").ifelse("10 de marzo", None))
    counts = engine.frame(count_cell_findings(text, PARAMS))
    with pytest.raises(TrainingDataError, match="'fecha' should hold dates, but none of its 1"):
        describe_empty_columns(counts)


def test_some_unreadable_dates_are_counted_and_set_missing(engine: Engine) -> None:
    table = table_of(*numbered(loan(), loan(edad=50)))
    text = table.mutate(fecha=(table["edad"] == 50).ifelse("pronto", "2025-03-10"))
    counts = engine.frame(count_cell_findings(text, PARAMS)).set_index(["column", "finding"])
    assert counts.loc[("fecha", "no_date"), "rows"] == 1
    assert describe_empty_columns(counts.reset_index()) == []
