import pytest
from rich.table import Table

from clientela.console import whole_table


@pytest.fixture
def table():
    table = Table("group", "where", show_edge=False, pad_edge=False)
    table.add_row("xgboost-ordinal-tecnologia", "s3://bucket/" + "x" * 120)
    return table


@pytest.mark.parametrize("columns", ["20", "60", "300"])
def test_no_name_is_cut_or_broken_in_a_narrow_terminal(table, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    whole_table(table)
    lines = capsys.readouterr().out.splitlines()
    assert any("xgboost-ordinal-tecnologia" in line and "x" * 120 in line for line in lines)


def test_a_table_without_rows_is_not_shown(capsys):
    whole_table(Table("group")).print("nothing")
    assert capsys.readouterr().out == "nothing\n"
