from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tabular.cases import CONFIGURED, PARAMS, Engine, loan, table_of

from clientela.features.table_features import (
    assign_class,
    assign_label_status,
    count_rows_by_status,
    model_input,
)
from clientela.features.table_settings import BinaryTarget, TabularFeatureParams

AFTER_A_YEAR = {"date_column": "fecha", "months": 12, "as_of": "2026-03-09"}


def maturing(**fields: Any) -> TabularFeatureParams:
    return TabularFeatureParams.model_validate(CONFIGURED | {"maturity": fields})


def statuses(engine: Engine, params: TabularFeatureParams, *rows: dict[str, Any]) -> list[str]:
    table = table_of(*(row | {"id_credito": f"c{i:02d}"} for i, row in enumerate(rows)))
    found = engine.frame(table.select("id_credito", status=assign_label_status(table, params)))
    return list(found.sort_values("id_credito")["status"])


def test_labels_become_class_names(engine: Engine) -> None:
    target = BinaryTarget.model_validate(
        {
            "column": "churn",
            "negative": {"label": "No", "name": "se_queda"},
            "positive": {"label": "Sí", "name": "se_va"},
        }
    )
    table = table_of(*({"id_credito": w, "churn": w} for w in ("no", " SI", "tal vez", "")))
    found = engine.frame(table.select("id_credito", clase=assign_class(table, target)))
    assert found.fillna("-").set_index("id_credito")["clase"].to_dict() == {
        "no": "se_queda",
        " SI": "se_va",
        "tal vez": "-",
        "": "-",
    }


def test_a_row_without_a_label_or_with_an_unknown_one_is_told_apart(engine: Engine) -> None:
    rows = [loan(), loan(pago=None), loan(pago=2)]
    assert statuses(engine, PARAMS, *rows) == ["usable", "unlabelled", "unknown_label"]


@pytest.mark.parametrize(
    ("started", "status"),
    [
        ("2025-03-09 23:59:59", "usable"),
        ("2025-03-10 00:00:00", "too_young"),
        ("2026-05-01 00:00:00", "too_young"),
        (None, "undated"),
    ],
)
def test_a_label_is_final_once_all_months_have_passed(
    engine: Engine, started: str | None, status: str
) -> None:
    assert statuses(engine, maturing(**AFTER_A_YEAR), loan(fecha=started)) == [status]


def test_labels_were_taken_on_the_latest_date_unless_told_otherwise(engine: Engine) -> None:
    rows = [loan(fecha="2025-01-15"), loan(fecha="2025-02-16"), loan(fecha="2025-04-15")]
    params = maturing(date_column="fecha", months=2)
    assert statuses(engine, params, *rows) == ["usable", "too_young", "too_young"]


def test_a_month_begun_on_the_31st_has_passed_on_the_1st_after_a_shorter_one(
    engine: Engine,
) -> None:
    for as_of, status in (("2025-02-28", "too_young"), ("2025-03-01", "usable")):
        params = maturing(date_column="fecha", months=1, as_of=as_of)
        assert statuses(engine, params, loan(fecha="2025-01-31")) == [status]


def test_each_row_may_have_its_own_term(engine: Engine) -> None:
    params = maturing(date_column="fecha", term_column="edad", as_of="2027-09-10")
    rows = [loan(edad=30), loan(edad=31), loan(edad=None)]
    assert statuses(engine, params, *rows) == ["usable", "too_young", "undated"]


def test_rows_too_young_are_left_out_whatever_their_label(engine: Engine) -> None:
    rows = [
        loan(id_credito=f"{pago}{year}", pago=pago, fecha=f"{year}-01-01")
        for pago in (0, 1)
        for year in (2020, 2026)
    ]
    found = engine.frame(model_input(table_of(*rows), maturing(**AFTER_A_YEAR)))
    assert sorted(zip(found["id_credito"], found["pago"], strict=True)) == [
        ("02020", "no_paga"),
        ("12020", "paga"),
    ]


def test_the_latest_date_counts_even_if_its_row_is_left_out(engine: Engine) -> None:
    rows = [loan(), loan(id_credito="c2", fecha="2027-01-01", pago=None)]
    found = engine.frame(model_input(table_of(*rows), maturing(date_column="fecha", months=12)))
    assert list(found["id_credito"]) == ["c1"]


def months_passed(start: date, end: date) -> int:
    """The oracle: count months while the next one still fits."""
    count, year, month = 0, start.year, start.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        if (year, month, start.day) > (end.year, end.month, end.day):
            return count
        count += 1


dates = st.dates(date(2023, 12, 1), date(2025, 3, 31))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(dates, st.sampled_from([0, 1, None, 2])), min_size=1, max_size=6), dates)
def test_accounts_add_up_and_agree_with_a_loop(
    engine: Engine, cases: list[tuple[date, int | None]], as_of: date
) -> None:
    rows = [loan(id_credito=f"c{i}", fecha=d.isoformat(), pago=p) for i, (d, p) in enumerate(cases)]
    params = maturing(date_column="fecha", months=3, as_of=as_of)
    accounts = engine.frame(count_rows_by_status(table_of(*rows), params))
    usable = sum(p in (0, 1) and months_passed(d, as_of) >= 3 for d, p in cases)
    assert accounts["rows"].sum() == len(cases)
    assert accounts.loc[accounts["status"] == "usable", "rows"].sum() == usable
    assert accounts.loc[accounts["status"] == "unlabelled", "rows"].sum() == sum(
        p is None for _, p in cases
    )


def test_an_unknown_label_is_shown_by_an_example(engine: Engine) -> None:
    table = table_of(loan(), loan(id_credito="c2", pago=7), loan(id_credito="c3", pago=5))
    expected = pd.DataFrame(
        {
            "status": ["unknown_label", "usable"],
            "clase": [None, "paga"],
            "rows": [2, 1],
            "example": ["5", None],
            "as_of": pd.Series([None, None], dtype="datetime64[s]"),
            "nearly_all": [np.nan, np.nan],
            "months": [np.nan, np.nan],
        }
    )
    found = engine.frame(count_rows_by_status(table, PARAMS))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_accounts_say_by_which_day_and_length_rows_are_judged(engine: Engine) -> None:
    days = ("2025-01-01", "2025-01-02", "2025-01-02", "2027-01-01 12:00:00", None)
    rows = [
        loan(id_credito=f"c{i}", fecha=day, edad=i or None, pago=i % 2)
        for i, day in enumerate(days)
    ]
    params = maturing(date_column="fecha", term_column="edad")
    found = engine.frame(count_rows_by_status(table_of(*rows), params))
    starts = pd.to_datetime(pd.Series(days).dropna(), format="ISO8601")
    assert found["as_of"].dt.date.unique().tolist() == [date(2027, 1, 1)]
    assert found["nearly_all"].unique() == pytest.approx(
        [starts.astype("datetime64[s]").astype("int64").quantile(0.999)]
    )
    assert found["months"].unique().tolist() == [2.5]  # of 1, 2, 3 and 4
