from typing import Any

import ibis
import pandas as pd
import pytest
from tests.tabular.cases import Engine

from clientela.exceptions import ConfigurationError
from clientela.features.columns import convert_to_number, convert_to_timestamp, convert_to_word


def column(kind: str, *values: Any) -> ibis.Table:
    table = ibis.memtable(
        {"x": [None if v is None else str(v) for v in values]}, schema={"x": "string"}
    )
    return table.select(x=table["x"].cast(kind), place=ibis.row_number())


def read(engine: Engine, table: ibis.Table, reading: Any) -> list[Any]:
    found = engine.frame(table.select("place", x=reading(table, "x"))).sort_values("place")["x"]
    return [None if pd.isna(value) else value for value in found]


@pytest.mark.parametrize(
    "kind", ["int64", "int8", "float64", "float32", "decimal(18, 2)", "string"]
)
def test_a_whole_number_is_the_same_word_in_every_type(engine: Engine, kind: str) -> None:
    assert read(engine, column(kind, "4", "0", None), convert_to_word) == ["4", "0", None]


def test_other_values_become_words_too(engine: Engine) -> None:
    assert read(engine, column("float64", "2.5", "nan", "-7", "1e300"), convert_to_word) == [
        "2.5",
        None,
        "-7",
        "1e+300",
    ]
    assert read(engine, column("boolean", "true", "false"), convert_to_word) == ["true", "false"]
    assert read(engine, column("string", " Cali ", "  ", ""), convert_to_word) == [
        "Cali",
        None,
        None,
    ]


def test_what_is_no_finite_number_is_missing(engine: Engine) -> None:
    found = read(engine, column("float64", "1.5", "nan", "inf", "-inf", None), convert_to_number)
    assert found == [1.5, None, None, None, None]
    assert read(engine, column("decimal(18, 2)", "1.25"), convert_to_number) == [1.25]
    assert read(engine, column("boolean", "true"), convert_to_number) == [1.0]


def test_a_column_of_a_request_without_any_value_is_a_missing_number(engine: Engine) -> None:
    table = ibis.memtable(pd.DataFrame({"x": [None]})).mutate(place=ibis.row_number())
    assert read(engine, table, convert_to_number) == [None]


def test_text_that_is_no_moment_is_missing(engine: Engine) -> None:
    table = column("string", "2025-03-10 14:30:00", " 2025-03-10 ", "2025-02-30", "pronto", None)
    midnight = pd.Timestamp("2025-03-10")
    moment = pd.Timestamp("2025-03-10 14:30:00")
    assert read(engine, table, convert_to_timestamp) == [moment, midnight, None, None, None]
    assert read(engine, column("date", "2025-03-10"), convert_to_timestamp) == [midnight]


def test_a_column_of_another_type_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match=r"'x' is configured as a number.*holds string"):
        convert_to_number(column("string", "4"), "x")
    with pytest.raises(ConfigurationError, match=r"'x' is configured as a date.*type date or"):
        convert_to_timestamp(column("int64", "4"), "x")
