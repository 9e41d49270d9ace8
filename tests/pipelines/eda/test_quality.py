import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.pipelines.eda.column_profile import count_repeated_rows, summarize_column_quality

KEYS = ("id_transaccion", "id_cliente")


@pytest.fixture
def transactions():
    return ibis.memtable(
        pd.DataFrame(
            {
                "id_transaccion": ["1", "2", "3", "4"],
                "id_cliente": ["a", "a", "a", "b"],
                "fecha": pd.to_datetime(["2024-01-05", "2024-01-05", "2024-02-01", "2024-03-01"]),
                "categoria": ["ROPA", "ROPA", None, "HOGAR"],
                "valor_transaccion": [10.0, 10.0, -5.0, 0.0],
            }
        )
    )


def test_each_column_is_described_once_in_the_tables_order(transactions):
    found = summarize_column_quality(transactions, KEYS).execute().sort_values("place")
    assert found["column"].tolist() == list(transactions.columns)
    assert found["kind"].tolist() == ["key", "key", "date", "category", "number"]
    assert found["missing"].tolist() == [0, 0, 0, 1, 0]
    assert found["distinct"].fillna(-1).tolist() == [4, 2, -1, 2, 3]


def test_numbers_agree_with_pandas(transactions):
    row = (
        summarize_column_quality(transactions, KEYS)
        .execute()
        .set_index("column")
        .loc["valor_transaccion"]
    )
    values = pd.Series([10.0, 10.0, -5.0, 0.0])
    assert row["mean"] == pytest.approx(values.mean())
    assert row["std"] == pytest.approx(values.std(), rel=1e-6)
    assert (row["minimum"], row["maximum"]) == (-5, 10)
    assert (row["zeros"], row["negative"]) == (1, 1)


def test_dates_show_their_range_and_keys_show_nothing(transactions):
    found = summarize_column_quality(transactions, KEYS).execute().set_index("column")
    assert found.loc["fecha", "first"].startswith("2024-01-05")
    assert found.loc["fecha", "last"].startswith("2024-03-01")
    shown = ["mean", "std", "minimum", "maximum", "first", "last"]
    assert found.loc[list(KEYS), shown].isna().all(axis=None)


def test_rows_equal_but_for_their_own_key_are_repeated(transactions):
    assert count_repeated_rows(transactions, KEYS).execute()["repeated"].tolist() == [1]


def test_rows_of_one_key_alone_may_share_their_attributes(transactions):
    customers = transactions.select("id_cliente", "categoria")
    assert count_repeated_rows(customers, KEYS).execute()["repeated"].isna().all()


def test_an_empty_table_has_no_repeated_rows(transactions):
    assert count_repeated_rows(transactions.limit(0), KEYS).execute()["repeated"].tolist() == [0]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.floats(-1e6, 1e6, allow_subnormal=False)), min_size=1, max_size=40
    )
)
def test_missing_and_present_add_up_and_moments_agree_with_numpy(values):
    table = ibis.memtable(pd.DataFrame({"x": np.array(values, float)}))
    (row,) = summarize_column_quality(table, ()).execute().to_dict("records")
    present = np.array([v for v in values if v is not None])
    assert row["rows"] == len(values)
    assert row["missing"] == len(values) - len(present)
    assert row["distinct"] == len(set(present.tolist()))
    if len(present) > 1:
        assert row["mean"] == pytest.approx(present.mean(), rel=1e-5, abs=1e-3)
        assert row["std"] == pytest.approx(present.std(ddof=1), rel=1e-5, abs=1e-3)
