"""One value is read as the engine reads a cell."""

from datetime import UTC, date, datetime
from typing import Any

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tabular.cases import Engine

from clientela.features.columns import (
    convert_to_timestamp,
    convert_to_word,
    parse_moment,
    parse_word,
)

ENGINE = Engine()
PRINTED = st.characters(codec="utf-8", exclude_characters="\0")


def read(kind: str, values: list[Any], reading: Any) -> list[Any]:
    table = ibis.memtable(
        {"place": range(len(values)), "x": values}, schema={"place": "int64", "x": kind}
    )
    found = table.select("place", x=reading(table, "x")).order_by("place")
    return found.to_pyarrow()["x"].to_pylist()


@settings(max_examples=20)
@given(st.lists(st.floats() | st.integers(-(10**16), 10**16).map(float), min_size=30))
def test_a_number_is_the_same_word(numbers):
    assert [parse_word(number) for number in numbers] == read("float64", numbers, convert_to_word)


EDGES = [0.1, -0.0, 1e15, 1e16, 1e22, 5e-324, 2.0**63, -(2.0**63), 2.0**63 - 1024, 1e-5, 123456.7]


def test_numbers_at_the_edges_of_their_forms_are_the_same_words():
    assert [parse_word(number) for number in EDGES] == read("float64", EDGES, convert_to_word)


@settings(max_examples=20)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=20))
def test_a_whole_number_is_the_same_word(numbers):
    assert [parse_word(number) for number in numbers] == read("int64", numbers, convert_to_word)


@settings(max_examples=20)
@given(st.lists(st.text(PRINTED | st.sampled_from(" \t\n\x0b\x1c\xa0"), max_size=6), min_size=30))
def test_a_text_is_the_same_word(texts):
    assert [parse_word(text) for text in texts] == read("string", texts, convert_to_word)


def test_what_is_neither_text_nor_number():
    assert [parse_word(each) for each in (None, True, False)] == [None, "true", "false"]
    assert parse_word(date(2024, 1, 5)) == "2024-01-05"
    assert [parse_moment(each) for each in (None, 4, 4.5, True)] == [None] * 4


DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31)).map(date.isoformat)
CLOCKS = st.times().map(lambda clock: clock.isoformat())
SEPARATORS = st.sampled_from(["T", " ", "", "t"])
OFFSETS = st.sampled_from(["", "Z", "+05:00", "-05", "+0530", " UTC", "z", "Bogota"])
WRITTEN = st.builds("".join, st.tuples(DAYS, SEPARATORS, CLOCKS, OFFSETS)) | DAYS
ODD_DAYS = ["", " ", "2024-02-30", "2024-13-01", "2024-1-5", "2024/01/05", "2024/01-05", "pronto"]
OTHER_FORMS = ["20240105", "2024-W01-1", "10:00", "2024-01-05 10", "2024-01-05 10:00"]
ODD_CLOCKS = ["1:2:3", "10:00Z", "10:00:60", "1:00:00Z", "10:00:00.", "10:00+05", "1000:00+"]
ODD = st.sampled_from([*ODD_DAYS, *OTHER_FORMS, *(f"2024-01-05T{clock}" for clock in ODD_CLOCKS)])


@settings(max_examples=25)
@given(st.lists(WRITTEN | ODD, min_size=30))
def test_a_text_is_the_same_moment(texts):
    found = [parse_moment(text) for text in texts]
    as_numpy = np.array([each or "NaT" for each in found], dtype="datetime64[us]")
    assert as_numpy.tolist() == read("string", texts, convert_to_timestamp)


@pytest.mark.parametrize(
    "value", [datetime(2024, 1, 5, 10, tzinfo=UTC), "2024-01-05T10:00:00+00:00"]
)
def test_an_offset_is_left_out(value):
    assert parse_moment(value) == "2024-01-05T10:00:00"
