import ibis
import pytest

from clientela.pipelines.eda.column_profile import (
    exact_mean,
    infer_column_kinds,
    replace_non_finite,
    select_columns_by_kind,
    unpack_to_rows,
)


@pytest.fixture
def table():
    return ibis.memtable(
        {"id_cliente": ["a", "b"], "edad": [1.0, float("nan")], "genero": ["F", "M"]},
        schema={"id_cliente": "string", "edad": "float64", "genero": "string"},
    )


def test_kinds_follow_types_but_keys_are_keys(table):
    kinds = infer_column_kinds(table, ["id_cliente"])
    assert kinds == {"id_cliente": "key", "edad": "number", "genero": "category"}
    assert select_columns_by_kind(kinds, "number", "key") == ["id_cliente", "edad"]


def test_dates_and_flags_have_their_own_kind():
    table = ibis.table({"fecha": "timestamp", "puntos_invalid": "boolean", "extra": "json"}, "t")
    assert list(infer_column_kinds(table, []).values()) == ["date", "flag", "other"]


def test_what_is_not_finite_counts_as_missing():
    values = ibis.memtable({"x": [1.0, float("inf"), float("nan"), None]})
    assert values.agg(n=replace_non_finite(values, "x").count()).execute()["n"].tolist() == [1]


def test_means_of_decimals_are_exact():
    cents = ibis.memtable({"x": ["0.10", "0.20", "0.30"]}).select(x=ibis._.x.cast("decimal(18, 2)"))
    assert cents.agg(m=exact_mean(cents["x"])).execute()["m"].tolist() == [0.6 / 3]


def test_many_statistics_of_one_pass_become_rows():
    one = ibis.memtable({"a": [1], "b": [2]})
    rows = [{"column": ibis.literal(name), "value": one[name]} for name in ("a", "b")]
    found = unpack_to_rows(one, rows).execute().sort_values("column")
    assert found.to_dict("list") == {"column": ["a", "b"], "value": [1, 2]}
