import numpy as np
import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.simulation import (
    Dirt,
    TableSimulation,
    convert_to_text,
    empty_values,
    negate_values,
    replace_values,
)

SHARES = {"exact_duplicate": 0.03, "emptied": 0.02, "extra_columns": 0.01, "missing_columns": 0.01}
DIRT = Dirt(SHARES, {"emptied": ("a", empty_values)})


@pytest.fixture
def rows():
    return convert_to_text(pa.table({name: np.arange(500) for name in "abcdef"}))


@pytest.fixture
def block():
    return next(TableSimulation(rows=500, seed=4).blocks())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (empty_values, [None, None, None]),
        (replace_values(("x", "y")), ["x", "y", "x"]),
        (negate_values, ["-5", "-7", "-9"]),
    ],
)
def test_a_change_spoils_each_value_of_a_column(change, expected):
    assert change(pa.chunked_array([["5", "7", "9"]])).to_pylist() == expected


def test_a_table_gets_the_dirt_that_columns_can_hold(rows, block):
    spoiled = DIRT.add_to_table(rows, block)
    assert len(spoiled) == 515
    assert spoiled["a"].null_count == 10
    assert spoiled["b"].null_count == 0


def test_lines_get_all_of_it(rows, block):
    lines = DIRT.format_csv_lines(rows, block).to_pylist()
    widths = [line.count(",") + 1 for line in lines]
    assert DIRT.count_rows(block) == {
        "exact_duplicate": len(lines) - 500,
        "emptied": sum(line.startswith(",") for line in lines),
        "extra_columns": widths.count(8),
        "missing_columns": widths.count(5),
    }


def test_without_dirt_rows_stay_as_they_are(rows, block):
    assert Dirt({}, {}).add_to_table(rows, block).equals(rows)
