from datetime import UTC, date, datetime
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from tests.inference.loans import USE_CASES

from clientela.exceptions import InvalidCaseError
from clientela.features.columns import InputField, build_columns, build_columns_from_frame

FIELDS = [
    InputField(name="salario", kind="number", required=True),
    InputField(name="hijos", kind="integer", required=False),
    InputField(name="ciudad", kind="word", required=False),
    InputField(name="alta", kind="moment", required=False),
]


def assert_columns(found, expected):
    assert set(found) == set(expected)
    for name, column in expected.items():
        assert found[name].dtype == np.asarray(column).dtype
        np.testing.assert_array_equal(found[name], column)


def moments(*texts):
    return np.array(texts, dtype="datetime64[us]")


def words(*texts):
    return np.array(texts, dtype=object)


def test_cases_become_columns_of_their_kinds():
    cases = [
        {"salario": 1200.5, "hijos": 2, "ciudad": " Cali ", "alta": "2024-02-29T10:30:00"},
        {"salario": 900, "hijos": None, "ciudad": 4, "alta": date(2024, 3, 1)},
        {"salario": np.inf, "ciudad": "", "alta": datetime(2024, 3, 1, 8, tzinfo=UTC)},
    ]
    expected = {
        "salario": np.array([1200.5, 900.0, np.nan]),
        "hijos": np.array([2.0, np.nan, np.nan]),
        "ciudad": words("Cali", "4", None),
        "alta": moments("2024-02-29T10:30:00", "2024-03-01", "2024-03-01T08:00:00"),
    }
    assert_columns(build_columns(cases, FIELDS), expected)


@pytest.mark.parametrize("fields", [FIELDS, FIELDS[:1], FIELDS[2:]])
@pytest.mark.parametrize("cases", [[], [{}], [{"salario": 1.0}, {}]])
def test_any_number_of_fields_and_cases_will_do(fields, cases):
    found = build_columns(cases, fields)
    assert {name: len(column) for name, column in found.items()} == {
        each.name: len(cases) for each in fields
    }


CSV = """salario,hijos,ciudad,alta,otra
1200.5,2,Cali,2024-02-29 10:30:00,x
900,,4,2024-03-01,y
nan,3, ,no se,z
"""

READ = {
    "salario": np.array([1200.5, 900.0, np.nan]),
    "hijos": np.array([2.0, np.nan, 3.0]),
    "ciudad": words("Cali", "4", None),
    "alta": moments("2024-02-29T10:30:00", "2024-03-01", "NaT"),
}


@pytest.mark.parametrize("how", [{}, {"dtype": str}, {"dtype": str, "keep_default_na": False}])
def test_a_csv_is_read_alike_typed_or_as_text(how):
    assert_columns(build_columns_from_frame(pd.read_csv(StringIO(CSV), **how), FIELDS), READ)


def test_a_typed_table_is_read_as_its_cells_are():
    frame = pd.DataFrame(
        {
            "salario": pd.array([1, None], dtype="Int64"),
            "hijos": [True, False],
            "ciudad": [4.0, np.nan],
            "alta": pd.to_datetime(["2024-02-29 10:30", None]),
        }
    )
    expected = {
        "salario": np.array([1.0, np.nan]),
        "hijos": np.array([1.0, 0.0]),
        "ciudad": words("4", None),
        "alta": moments("2024-02-29T10:30:00", "NaT"),
    }
    assert_columns(build_columns_from_frame(frame, FIELDS), expected)


def test_an_absent_column_is_missing_unless_every_case_must_bring_it():
    found = build_columns_from_frame(pd.DataFrame({"salario": [1.0]}), FIELDS)
    assert [found["hijos"][0], found["ciudad"][0]] == [pytest.approx(np.nan, nan_ok=True), None]
    assert np.isnat(found["alta"]).all()
    with pytest.raises(
        InvalidCaseError, match=r"needs the column 'salario'.*Did you mean 'Salario'"
    ):
        build_columns_from_frame(pd.DataFrame({"Salario": [1.0]}), FIELDS)


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("salario", ["1200", "mucho"], "should hold numbers"),
        ("salario", pd.to_datetime(["2024-01-01", "2024-01-02"]), "should hold numbers"),
        ("alta", [1.0, 2.0], "should hold dates or moments"),
    ],
)
def test_a_column_of_another_kind_is_refused_without_its_values(column, values, expected):
    frame = pd.DataFrame({"salario": [1.0, 2.0]}).assign(**{column: values})
    with pytest.raises(InvalidCaseError, match=expected) as refused:
        build_columns_from_frame(frame, FIELDS)
    assert "mucho" not in str(refused.value)


def test_a_sample_is_read_alike_from_json_and_from_csv():
    asked = USE_CASES["loans"]()
    text = pd.DataFrame(asked.requests).to_csv(index=False)
    cases = build_columns(asked.requests, asked.fields)
    assert_columns(build_columns_from_frame(pd.read_csv(StringIO(text)), asked.fields), cases)
    assert_columns(
        build_columns_from_frame(pd.read_csv(StringIO(text), dtype=str), asked.fields), cases
    )
