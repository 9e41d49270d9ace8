import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela.column_rules import TableRules
from clientela.pipelines.ingestion.validation import LINEAGE, validate_rows

COLUMNS = ("monto", "plazo")
RULES = {"key": [], "made_key": "id_fila", "columns": {"monto": {"type": "float"}}}
CELLS = st.sampled_from(["", "1", "2", " 1 ", None])
ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=8)


def checked(raw, **changes):
    rules = TableRules.model_validate(RULES | changes)
    return validate_rows(raw, rules, "loans").order_by("_file", "_line").execute()


def keys_of(*tables):
    raw = ibis.union(*tables) if len(tables) > 1 else tables[0]
    return sorted(checked(raw, duplicates="keep")["id_fila"])


def test_equal_rows_get_numbers_and_are_kept_where_configured(raw_table):
    found = checked(raw_table(COLUMNS, [("1", "x"), ("2", "x"), ("1", "x")]), duplicates="keep")
    first, other, again = found["id_fila"]
    assert (first[-2:], other[-2:], again[-2:]) == ("-1", "-1", "-2")
    assert first[:-2] == again[:-2] != other[:-2]
    assert found["_reason"].isna().all()


def test_equal_rows_are_quarantined_without_being_asked(raw_table):
    found = checked(raw_table(COLUMNS, [("1", "x"), ("2", "x"), ("1", "x")]))
    assert found["_reason"].fillna("").tolist() == ["", "", "duplicate_row"]


@settings(max_examples=10, deadline=None)
@given(rows=ROWS, data=st.data())
def test_keys_are_unique_and_the_same_in_any_order_and_any_number_of_files(raw_table, rows, data):
    at_once = keys_of(raw_table(COLUMNS, rows))
    moved = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    parts = [
        raw_table(COLUMNS, moved[:cut], file="a.csv"),
        raw_table(COLUMNS, moved[cut:], file="b.csv"),
    ]
    assert keys_of(*parts) == at_once
    assert len(set(at_once)) == len(rows)


def test_the_order_of_columns_and_columns_without_values_change_no_key(raw_table):
    plain = raw_table(COLUMNS, [("1", "x"), ("2", None)])
    wider = raw_table(("plazo", "nueva", "monto"), [("x", None, "1"), (None, " ", "2")])
    assert keys_of(plain) == keys_of(wider)


def test_the_row_numbers_of_an_export_change_no_key(raw_table):
    plain = raw_table(COLUMNS, [("1", "x"), ("2", None)])
    numbered = raw_table(("Unnamed: 0", *COLUMNS), [("0", "1", "x"), ("1", "2", None)])
    assert keys_of(plain) == keys_of(numbered)


def test_a_word_for_nothing_is_nothing_in_the_key_too(raw_table):
    gap, said = (raw_table(COLUMNS, [("1", word)]) for word in (None, "na"))
    keys = [checked(raw, missing_words=["NA"])["id_fila"].tolist() for raw in (gap, said)]
    assert keys[0] == keys[1] == checked(gap)["id_fila"].tolist()
    assert keys[0] != checked(said)["id_fila"].tolist()


def test_cells_that_run_together_are_told_apart(raw_table):
    rows = [("12", "3"), ("1", "23")]
    found = checked(raw_table(COLUMNS, rows))
    assert found["_reason"].isna().all()


def test_what_a_row_says_is_not_where_it_stands(raw_table):
    rows = [("1", "x")]
    here, there = (raw_table(COLUMNS, rows, first_line=line) for line in (2, 90))
    assert keys_of(here) == keys_of(there)
    assert "_line" in LINEAGE


def test_a_file_that_brings_a_column_of_that_name_is_refused(raw_table):
    from clientela.exceptions import InvalidColumnsError

    with pytest.raises(
        InvalidColumnsError, match=r"the column id_fila, which ingestion makes itself"
    ):
        checked(raw_table(("id_fila", "monto"), [("1", "2")]))
