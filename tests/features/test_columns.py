"""How values of requests and columns of tables are read as numbers, words and moments."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from clientela.exceptions import ConfigurationError
from clientela.features.case_table import read_moment_column, read_number_column, read_word_column
from clientela.features.columns import InputField, build_columns, parse_moment, parse_word

FIELDS = [
    InputField(name="salario", kind="number", required=True),
    InputField(name="hijos", kind="integer", required=False),
    InputField(name="ciudad", kind="word", required=False),
    InputField(name="alta", kind="moment", required=False),
]


def moments(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[us]")


def test_cases_become_columns_of_their_kinds() -> None:
    cases = [
        {"salario": 1200.5, "hijos": 2, "ciudad": " Cali ", "alta": "2024-02-29T10:30:00"},
        {"salario": 900, "hijos": None, "ciudad": 4, "alta": date(2024, 3, 1)},
        {"salario": np.inf, "ciudad": "", "alta": datetime(2024, 3, 1, 8, tzinfo=UTC)},
    ]
    expected = {
        "salario": np.array([1200.5, 900.0, np.nan]),
        "hijos": np.array([2.0, np.nan, np.nan]),
        "ciudad": np.array(["Cali", "4", None], dtype=object),
        "alta": moments("2024-02-29T10:30:00", "2024-03-01", "2024-03-01T08:00:00"),
    }
    found = build_columns(cases, FIELDS)
    assert set(found) == set(expected)
    for name, column in expected.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column)


@pytest.mark.parametrize("fields", [FIELDS, FIELDS[:1], FIELDS[2:]])
@pytest.mark.parametrize("cases", [[], [{}], [{"salario": 1.0}, {}]])
def test_any_number_of_fields_and_cases_will_do(fields: Any, cases: Any) -> None:
    found = build_columns(cases, fields)
    assert {name: len(column) for name, column in found.items()} == {
        each.name: len(cases) for each in fields
    }


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, None),
        (True, "true"),
        (False, "false"),
        (" Cali\t", "Cali"),
        ("\N{NO-BREAK SPACE}Cali", "\N{NO-BREAK SPACE}Cali"),
        ("  ", None),
        (4, "4"),
        (2**63 - 1, "9223372036854775807"),
        (4.0, "4"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (float("nan"), None),
        (float("-inf"), None),
        (1e16, "10000000000000000"),
        (2.0**63, "9.223372036854776e+18"),
        (-(2.0**63), "-9223372036854775808"),
        (5e-324, "5e-324"),
        (1e-5, "1e-05"),
        (date(2024, 1, 5), "2024-01-05"),
    ],
)
def test_a_value_is_read_as_a_word(value: Any, word: str | None) -> None:
    assert parse_word(value) == word


NOON = "2024-01-05T12:00:00"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-01-05", "2024-01-05"),
        (" 2024-01-05 ", "2024-01-05"),
        ("2024-1-5", "2024-01-05"),
        ("2024/01/05", "2024-01-05"),
        ("2024-01-05 12:00", NOON),
        (NOON, NOON),
        ("2024-01-05 12:00:00", NOON),
        ("2024-01-05T1:2:3", "2024-01-05T01:02:03"),
        (f"{NOON}.", NOON),
        (f"{NOON}.123456789", f"{NOON}.123456"),
        (date(2024, 1, 5), "2024-01-05"),
        (datetime(2024, 1, 5, 12, tzinfo=UTC), NOON),
        *((f"{NOON}{offset}", NOON) for offset in ("Z", "+05:00", "-05", "+0530", " UTC")),
        *((f"2024-01-05{clock}", "NaT") for clock in ("t12:00:00", " 10", "T10:00Z", "T10:00+05")),
        *((f"2024-01-05T{clock}", "NaT") for clock in ("10:00:60", "10:00:00z", "1000:00+")),
        *((text, "NaT") for text in ("2024-02-30", "2024-13-01", "2024/01-05", "20240105")),
        *((text, "NaT") for text in ("2024-W01-1", "10:00", "", "pronto")),
        *((other, "NaT") for other in (None, 4, 4.5, True)),
    ],
)
def test_a_value_is_read_as_a_local_moment_or_is_missing(value: Any, moment: str) -> None:
    np.testing.assert_array_equal(moments(parse_moment(value) or "NaT"), moments(moment))


def column(kind: pa.DataType, *texts: str | None) -> pa.Table:
    return pa.table({"x": pa.array(texts, pa.string()).cast(kind)})


@pytest.mark.parametrize(
    "kind",
    [pa.int64(), pa.int8(), pa.float64(), pa.float32(), pa.decimal128(18, 2), pa.string()],
    ids=str,
)
def test_a_whole_number_is_the_same_word_in_every_type(kind: pa.DataType) -> None:
    assert read_word_column(column(kind, "4", "0", None), "x").tolist() == ["4", "0", None]


def test_a_table_without_rows_or_values_can_be_read() -> None:
    empty, nothing = column(pa.string()), pa.table({"x": pa.nulls(2)})
    assert read_word_column(empty, "x").tolist() == []
    assert read_word_column(nothing, "x").tolist() == [None, None]
    assert np.isnan(read_number_column(nothing, "x")).all()
    assert np.isnat(read_moment_column(nothing, "x")).all()


def test_a_column_of_any_numeric_type_is_read_as_numbers() -> None:
    floats = pa.table({"x": [1.5, np.nan, np.inf, -np.inf, None]})
    np.testing.assert_array_equal(read_number_column(floats, "x"), [1.5, *[np.nan] * 4])
    for kind, text, number in (
        (pa.decimal128(18, 2), "0.35", 0.35),
        (pa.bool_(), "true", 1.0),
        (pa.int64(), str(2**60 + 1), 2.0**60),
    ):
        assert read_number_column(column(kind, text), "x").tolist() == [number]


def test_a_column_of_dates_or_text_is_read_as_moments() -> None:
    texts = column(pa.string(), "2025-03-10 14:30:00", "2025-02-30", None)
    expected = moments("2025-03-10T14:30:00", "NaT", "NaT")
    np.testing.assert_array_equal(read_moment_column(texts, "x"), expected)
    days = column(pa.date32(), "2025-03-10", None)
    np.testing.assert_array_equal(read_moment_column(days, "x"), moments("2025-03-10", "NaT"))


def test_a_column_of_another_type_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match=r"'x' is configured as a number.*holds string"):
        read_number_column(column(pa.string(), "4"), "x")
    with pytest.raises(ConfigurationError, match=r"'x' is configured as a date.*type date or"):
        read_moment_column(column(pa.int64(), "4"), "x")
