import io

import pytest
from rich.console import Console

from clientela.cli.registry import make_full_text_table

COLUMNS = ("use case", "group", "version", "served")
ROWS = [
    ("purchase_intensity", "xgboost-ordinal-tecnologia", "146c32ff189e", "●"),
    ("credit_payment", "credit-payment-champion", "9d2a77aa01bc", ""),
]


def shown(width, folding):
    console = Console(file=io.StringIO(), width=width, soft_wrap=True)
    console.print(make_full_text_table(COLUMNS, ROWS, folding))
    lines = console.file.getvalue().splitlines()
    return [[cell.strip() for cell in line.split("│")] for line in lines if "│" in line]


@pytest.mark.parametrize("width", [30, 45, 60, 80, 200])
def test_what_does_not_fit_goes_on_below_and_every_character_is_there(width):
    lines = shown(width, COLUMNS[:2])
    whole = ["".join(parts) for parts in zip(*lines, strict=True)]
    assert whole == ["".join(cells) for cells in zip(*ROWS, strict=True)]


def test_only_the_columns_that_may_be_folded_are():
    lines = shown(60, COLUMNS[:2])
    assert len(lines) > len(ROWS)
    assert [line[2] for line in lines if line[2]] == [row[2] for row in ROWS]


def test_where_there_is_room_each_row_is_one_line():
    assert shown(80, COLUMNS[:2]) == [list(row) for row in ROWS]
