import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.features.case_table import case_features
from clientela.features.columns import InputField
from clientela.features.table_settings import TabularFeatureParams
from clientela.pipelines.deployment.case_inputs import (
    build_typical_case,
    compute_typical_numbers,
    count_date_hours,
    make_case_table,
)

PARAMS = TabularFeatureParams.model_validate(
    {
        "key": "id",
        "target": {
            "column": "paga",
            "negative": {"label": "0", "name": "no"},
            "positive": {"label": "1", "name": "si"},
        },
        "numeric": ["salario", "creditos"],
        "categorical": ["tipo"],
        "ordinal": {"tendencia": ["baja", "sube"]},
        "enrichment": {
            "ratios": {"columns": {"por_credito": ["salario", "creditos"]}},
            "dates": {
                "parts": {"fecha": ["hour"]},
                "days": {"antiguedad": ["desde", "hasta"]},
            },
        },
    }
)
FIELDS = [
    InputField(name="salario", kind="number", required=True),
    InputField(name="creditos", kind="integer", required=True),
    InputField(name="tipo", kind="word", required=True),
    InputField(name="tendencia", kind="word", required=False),
    *(InputField(name=name, kind="moment", required=False) for name in PARAMS.dates_of_features),
]
TRAIN = pd.DataFrame(
    {
        "salario": [1_234_567.0, 2_345_678.9, 9_345_679.1, np.nan],
        "creditos": [1.0, 2.0, 5.0, 6.0],
        "tipo": ["4", "7", "4", "7"],
        "tendencia": [None, None, None, None],
        "antiguedad": [10.0, 20.0, 30.0, np.nan],
    }
)
TABLE = pd.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "fecha": pd.to_datetime(
            ["2024-01-05 09:30", "2024-01-03 14:10", "2024-01-02 14:50", "2024-01-09 07:00"]
        ),
        "desde": [None, None, None, None],
        "hasta": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-01-15", None]),
    }
).astype({"desde": "datetime64[us]"})


@pytest.fixture(scope="module")
def hours():
    con = ibis.duckdb.connect()
    return con.execute(count_date_hours(ibis.memtable(TABLE), PARAMS))


def test_moments_are_counted_by_hour_with_the_latest_of_each(hours):
    found = {(row.column, row.hour): (row.rows, row.latest) for row in hours.itertuples()}
    assert found == {
        ("fecha", 7): (1, pd.Timestamp("2024-01-09 07:00")),
        ("fecha", 9): (1, pd.Timestamp("2024-01-05 09:30")),
        ("fecha", 14): (2, pd.Timestamp("2024-01-03 14:10")),
        ("hasta", 0): (3, pd.Timestamp("2024-02-01")),
    }


def test_a_use_case_without_dates_counts_none():
    plain = PARAMS.model_copy(update={"enrichment": type(PARAMS.enrichment)()})
    found = ibis.duckdb.connect().execute(count_date_hours(ibis.memtable(TABLE), plain))
    assert (list(found), len(found)) == (["column", "hour", "rows", "latest"], 0)


def test_the_case_holds_medians_commonest_words_and_the_latest_day_at_its_commonest_hour(hours):
    assert build_typical_case(FIELDS, TRAIN, hours, PARAMS) == {
        "salario": 2_350_000.0,
        "creditos": 4,
        "tipo": "4",
        "tendencia": None,
        "fecha": "2024-01-09T14:00:00",
        "desde": "2024-01-12T00:00:00",
        "hasta": "2024-02-01T00:00:00",
    }


def test_its_features_are_made_as_those_of_any_other_case(hours):
    case = build_typical_case(FIELDS, TRAIN, hours, PARAMS)
    row = case_features(make_case_table(case, FIELDS, "id"), PARAMS).iloc[0]
    assert row["por_credito"] == pytest.approx(case["salario"] / 4)
    assert (row["tipo"], row["fecha_hora"], row["antiguedad"]) == ("4", 14.0, 20.0)
    assert pd.isna(row["tendencia"])


@settings(max_examples=40)
@given(
    st.lists(st.floats(-1e9, 1e9, allow_subnormal=False) | st.none(), max_size=9),
    st.sampled_from(["number", "integer"]),
)
def test_a_typical_number_lies_among_those_that_were_seen(values, kind):
    if kind == "integer":
        values = [None if value is None else float(round(value)) for value in values]
    field = InputField(name="x", kind=kind, required=True)
    found = compute_typical_numbers(
        [field], pd.DataFrame({"x": pd.Series(values, dtype="float64")})
    )["x"]
    seen = [value for value in values if value is not None]
    if not seen:
        assert found is None
        return
    assert min(seen) <= found <= max(seen)
    assert isinstance(found, int) is (kind == "integer")


def test_a_number_is_rounded_to_three_digits_where_those_seen_leave_room():
    frame = pd.DataFrame({"x": [1.0, 1234.567, 1234.567, 99999.5]})
    (field,) = [InputField(name="x", kind="number", required=True)]
    assert compute_typical_numbers([field], frame) == {"x": 1230.0}


@settings(max_examples=15)
@given(st.permutations(range(len(TRAIN))))
def test_the_order_of_the_rows_changes_nothing(order):
    empty = pd.DataFrame({"column": [], "hour": [], "rows": [], "latest": []})
    shuffled = TRAIN.iloc[list(order)].reset_index(drop=True)
    expected = build_typical_case(FIELDS, TRAIN, empty, PARAMS)
    assert build_typical_case(FIELDS, shuffled, empty, PARAMS) == expected
