from datetime import date

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from clientela.datasets import sql_table as sql_rows_module
from clientela.datasets.sql_table import build_sql_rows, get_sql_type_kind
from clientela.exceptions import InvalidTableError

CUSTOMERS = pd.DataFrame({"dni": ["07045", "00012"], "score_farmacia": [0.85, np.nan]})


def rows_of(data, key=("dni",), dates=(), complete=()):
    return build_sql_rows(data, key, dates, [*key, *complete], "clientes")


@pytest.mark.parametrize(
    ("values", "kind", "sql_type"),
    [
        (["a", None], "text", "TEXT"),
        (pd.array(["a", None], "str"), "text", "TEXT"),
        (pd.array([None, None], object), "text", "TEXT"),
        ([1, -1], "integer", "INTEGER"),
        (pd.array([1, None], "Int64"), "integer", "INTEGER"),
        (pd.array([None, None], "Int64"), "integer", "INTEGER"),
        ([1, 2**31], "integer", "BIGINT"),
        ([-(2**31), 0], "integer", "BIGINT"),
        (np.array([1, 2], "float32"), "number", "DOUBLE PRECISION"),
        ([np.nan, np.nan], "number", "DOUBLE PRECISION"),
        ([True, False], "boolean", "BOOLEAN"),
        (pd.array([True, None], "boolean"), "boolean", "BOOLEAN"),
    ],
)
def test_each_column_has_a_kind_and_a_type(values, kind, sql_type):
    rows = rows_of(CUSTOMERS.assign(x=values))
    assert rows.kinds["x"] == kind
    assert str(rows.get_sql_type("x")) == sql_type


@pytest.mark.parametrize(
    "values",
    [
        [1, "a"],
        [b"a", b"b"],
        pd.to_datetime(["2024-06-30", "2024-07-07"]),
        pd.Categorical(["a", "b"]),
        [[1], [2]],
    ],
)
def test_a_column_of_no_known_kind_is_refused_without_its_values(values):
    with pytest.raises(
        InvalidTableError, match=r"column x holds .* Expected text, numbers or booleans"
    ):
        rows_of(CUSTOMERS.assign(x=values))


@pytest.mark.parametrize(
    "days",
    [
        ["2024-06-30", "2024-07-07"],
        [date(2024, 6, 30), date(2024, 7, 7)],
        pd.to_datetime(["2024-06-30", "2024-07-07"]),
        pd.array(["2024-06-30", "2024-07-07"], "str"),
    ],
)
def test_days_are_text_whatever_they_came_as(days):
    rows = rows_of(CUSTOMERS.assign(dia=days), dates=["dia"])
    assert rows.kinds["dia"] == "date"
    assert list(rows.frame["dia"]) == ["2024-07-07", "2024-06-30"]


def test_a_day_may_be_missing():
    rows = rows_of(CUSTOMERS.assign(dia=["2024-06-30", None]), dates=["dia"])
    assert [row[-1] for chunk in rows.iter_chunks() for row in chunk] == [None, "2024-06-30"]


@pytest.mark.parametrize(
    "days",
    [
        ["2024-06-30", "mañana"],
        ["2024-06-30", "2024-02-30"],
        [1, 2],
        pd.to_datetime(["2024-06-30 10:00", "2024-07-07 00:00"]),
        pd.to_datetime(["2024-06-30", "2024-07-07"]).tz_localize("America/Lima"),
    ],
)
def test_what_is_no_day_is_refused_without_its_value(days):
    with pytest.raises(
        InvalidTableError, match=r"column dia holds values that are no days"
    ) as raised:
        rows_of(CUSTOMERS.assign(dia=days), dates=["dia"])
    assert raised.value.__cause__ is None
    assert "mañana" not in str(raised.value)


def test_rows_are_python_values_in_the_order_of_the_key_and_missing_ones_are_none():
    [chunk] = rows_of(CUSTOMERS.assign(cluster_id=[1, -1])).iter_chunks()
    assert chunk == [("00012", None, -1), ("07045", 0.85, 1)]
    assert [type(value) for value in chunk[1]] == [str, float, int]


@given(count=st.integers(1, 40), size=st.integers(1, 12))
def test_the_chunks_together_are_all_rows_once(count, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_rows_module, "ROWS_PER_CHUNK", size)
        rows = rows_of(pd.DataFrame({"dni": [f"{i:03d}" for i in range(count)][::-1]}))
        chunks = list(rows.iter_chunks())
    assert [row for chunk in chunks for row in chunk] == [(f"{i:03d}",) for i in range(count)]


def test_the_frame_given_is_left_as_it_is():
    data = CUSTOMERS.assign(dia=pd.to_datetime(["2024-06-30", "2024-07-07"]))
    before = data.copy()
    rows_of(data, dates=["dia"])
    pd.testing.assert_frame_equal(data, before)


def test_repeated_keys_are_counted_and_not_shown():
    repeated = pd.concat([CUSTOMERS, CUSTOMERS, CUSTOMERS])
    words = r"Table clientes: 4 of 6 rows repeat the key dni of another"
    with pytest.raises(InvalidTableError, match=words) as raised:
        rows_of(repeated)
    assert "07045" not in str(raised.value)


@pytest.mark.parametrize("column", ["dni", "fecha_modelo"])
def test_a_key_or_a_date_that_is_missing_is_counted(column):
    holes = CUSTOMERS.assign(fecha_modelo="2024-06-30").assign(**{column: ["07045", None]})
    with pytest.raises(
        InvalidTableError, match=rf"rows without a value: {column} 1\. Expected one in"
    ):
        rows_of(holes, complete=["fecha_modelo"])


def test_no_rows_would_empty_the_table():
    with pytest.raises(InvalidTableError, match=r"no rows to load\. Expected one at least"):
        rows_of(CUSTOMERS[:0])


def test_columns_that_the_catalog_names_and_the_rows_lack_are_listed():
    words = r"expected the columns dia, fecha_modelo, .* the rows have dni, score_farmacia\."
    with pytest.raises(InvalidTableError, match=words):
        rows_of(CUSTOMERS, dates=["dia"], complete=["fecha_modelo"])


@pytest.mark.parametrize("names", [["Score", "score"], [""], ["x" * 64], ["ñ" * 32]])
def test_names_that_a_database_would_cut_or_mix_up_are_refused(names):
    with pytest.raises(
        InvalidTableError, match=r"Expected names of 1 to 63 bytes that differ in more"
    ):
        rows_of(CUSTOMERS.assign(**dict.fromkeys(names, 1)))


@pytest.mark.parametrize(
    ("sql_type", "kind"),
    [
        (sa.VARCHAR(12), "text"),
        (sa.BIGINT(), "integer"),
        (sa.NUMERIC(4, 2), "number"),
        (sa.REAL(), "number"),
        (sa.DATE(), "date"),
        (sa.BOOLEAN(), "boolean"),
        (sa.Enum("a", "b"), "text"),
        (sa.TIMESTAMP(), None),
        (sa.JSON(), None),
    ],
)
def test_a_type_that_stands_in_a_database_has_a_kind(sql_type, kind):
    assert get_sql_type_kind(sql_type) == kind
