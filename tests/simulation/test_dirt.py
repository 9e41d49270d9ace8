import numpy as np
import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.simulation import (
    Dirt,
    add_table_dirt,
    convert_to_text,
    copy_rows,
    count_dirty_rows,
    empty_column,
    format_dirty_lines,
    negate_column,
    replace_values,
    split_into_blocks,
)

SHARES = {"exact_duplicate": 0.03, "emptied": 0.02, "extra_columns": 0.01, "missing_columns": 0.01}
DIRT = Dirt(SHARES, {"exact_duplicate": copy_rows, "emptied": empty_column("a")})


@pytest.fixture
def rows():
    return convert_to_text(pa.table({name: np.arange(500) for name in "abcdef"}))


@pytest.fixture
def block():
    return next(split_into_blocks(500, 1_000, seed=4))


@pytest.mark.parametrize(
    ("spoiler", "expected"),
    [
        (copy_rows, ["5", "7", "9"]),
        (empty_column("a"), [None, None, None]),
        (replace_values("a", ("x", "y")), ["x", "y", "x"]),
        (negate_column("a"), ["-5", "-7", "-9"]),
    ],
)
def test_a_spoiler_touches_its_column_alone(spoiler, expected):
    spoiled = spoiler(pa.table({"b": ["1", "2", "3"], "a": ["5", "7", "9"]}))
    assert spoiled.to_pydict() == {"b": ["1", "2", "3"], "a": expected}


def test_a_table_gets_the_dirt_that_columns_can_hold(rows, block):
    spoiled = add_table_dirt(rows, DIRT, block)
    assert len(spoiled) == 515
    assert spoiled["a"].null_count == 10
    assert spoiled["b"].null_count == 0


def test_lines_get_all_of_it(rows, block):
    lines = format_dirty_lines(rows, DIRT, block).to_pylist()
    widths = [line.count(",") + 1 for line in lines]
    assert count_dirty_rows(DIRT, block) == {
        "exact_duplicate": len(lines) - 500,
        "emptied": sum(line.startswith(",") for line in lines),
        "extra_columns": widths.count(8),
        "missing_columns": widths.count(5),
    }


def test_without_dirt_rows_stay_as_they_are(rows, block):
    assert add_table_dirt(rows, Dirt({}, {}), block).equals(rows)
