import csv
import io
from datetime import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.data_generation.simulation import (
    convert_to_text,
    format_csv_lines,
    get_csv_buffer,
    pad_numbers,
)

cells = st.one_of(st.none(), st.text("ÁÉñaz09 .-", min_size=0, max_size=6))


@given(st.lists(st.tuples(cells, cells, cells), max_size=12))
def test_a_csv_reader_finds_every_value_again(rows):
    table = pa.table(
        {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate("abc")}
    )
    text = bytes(get_csv_buffer(format_csv_lines(table))).decode()
    assert list(csv.reader(io.StringIO(text))) == [[value or "" for value in row] for row in rows]


def test_a_block_holds_only_the_lines_asked_for():
    lines = pa.array(["uno\n", "dos\n", "tres\n"])
    assert bytes(get_csv_buffer(lines.slice(1, 1))) == b"dos\n"


def test_typed_values_are_written_as_the_contract_says():
    table = pa.table(
        {
            "fecha": pa.array([datetime(2024, 2, 29, 9, 5, 7), None], pa.timestamp("s")),  # noqa: DTZ001
            "valor": pa.array([Decimal("-12.50"), Decimal("0.05")], pa.decimal128(18, 2)),
        }
    )
    assert (
        bytes(get_csv_buffer(format_csv_lines(convert_to_text(table))))
        == b"2024-02-29 09:05:07,-12.50\n,0.05\n"
    )


def test_numbers_keep_leading_zeros():
    assert pad_numbers(np.array([7, 12_345_678]), 8).to_pylist() == ["00000007", "12345678"]
