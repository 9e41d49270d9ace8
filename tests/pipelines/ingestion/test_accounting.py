import pandas as pd
import pytest

from clientela.column_rules import IntakeRules
from clientela.exceptions import RowAccountingError, TooManyBadRowsError, TooManyBadValuesError
from clientela.pipelines.ingestion.accounting import (
    build_table_account,
    check_bad_row_share,
    check_invalid_value_share,
)

REASONS = pd.DataFrame(
    {
        "_reason": [None, "duplicate_key", "extra_columns", "invalid_fecha", "missing_id"],
        "rows": [80, 2, 5, 5, 8],
    }
)
EXAMPLES = pd.DataFrame(
    {
        "_reason": ["duplicate_key", "extra_columns", "invalid_fecha", "missing_id"],
        "_file": ["a.csv"] * 4,
        "_line": [9, 7, 3, 5],
        "_value": [None, None, "30/02/2024", None],
    }
)
COLUMNS = {
    "id": {"type": "id"},
    "fecha": {"type": "date"},
    "salario": {"type": "float", "invalid": "set_missing"},
    "nacido": {"type": "date", "invalid": "set_missing"},
}


def rules(max_bad_share, **salary):
    columns = COLUMNS | {"salario": COLUMNS["salario"] | salary}
    table = {"key": ["id"], "columns": columns}
    return IntakeRules.model_validate(
        {"max_bad_share": max_bad_share, "tables": {"transactions": table}}
    )


def check_rows(max_bad_share, reasons=REASONS, examples=EXAMPLES, values=(), usable=()):
    counts = {
        "reasons": reasons,
        "examples": examples,
        "values": pd.DataFrame(values, columns=["column", "value", "rows"]),
        "usable": pd.DataFrame(usable, columns=["column", "rows"]),
    }
    check_bad_row_share(counts, rules(max_bad_share), "retail", "transactions")


def check_columns(lost, of=100, *, limit=0.05, value="3.828.000", **salary):
    seen = ("a.csv", 2.0, value) if lost else (None, float("nan"), None)
    emptied = pd.DataFrame(
        [("salario", lost, of, *seen), ("nacido", 0, 0, None, float("nan"), None)],
        columns=["column", "rows", "valued", "_file", "_line", "_value"],
    )
    counts = {
        "emptied": emptied,
        "values": pd.DataFrame({"column": ["salario"], "value": [value], "rows": [lost]}),
        "usable": pd.DataFrame({"column": ["salario"], "rows": [of - lost]}),
    }
    check_invalid_value_share(counts, rules(limit, **salary), "retail", "transactions")


def test_tolerable_shares_and_empty_tables_pass():
    check_rows(0.2)
    check_rows(0.0, REASONS.head(0), EXAMPLES.head(0))
    check_columns(5)
    check_columns(0, of=0)
    check_columns(90, max_invalid_share=0.9)


def test_too_many_bad_rows_name_the_three_commonest_reasons_with_examples():
    with pytest.raises(TooManyBadRowsError) as caught:
        check_rows(0.19)
    message = str(caught.value)
    assert "20 of 100 rows of 'transactions' (20.0%) are unusable; tolerated: 19.0%" in message
    assert (
        "Commonest: 8 x missing_id (e.g. a.csv line 5); 5 x extra_columns (e.g. a.csv line 7); "
        "5 x invalid_fecha (e.g. a.csv line 3, value '30/02/2024'). "
    ) in message
    assert "duplicate_key" not in message
    assert message.endswith("conf/local/parameters.yml: retail: {ingestion: {max_bad_share: 0.2}}")


@pytest.mark.parametrize(
    ("reasons", "usable"),
    [
        ({None: 9, "missing_id": 11}, ()),  # most rows
        ({None: 70, "invalid_fecha": 30}, [("fecha", 0)]),  # every value of a column
        ({None: 70, "duplicate_key": 20, "missing_id": 10}, ()),
    ],
)
def test_nobody_is_told_to_tolerate_what_leaves_nothing_to_learn_from(reasons, usable):
    counted = pd.DataFrame({"_reason": [*reasons], "rows": [*reasons.values()]})
    examples = pd.DataFrame({"_reason": [*reasons][1:], "_file": "a", "_line": 2, "_value": None})
    counts = {
        "reasons": counted,
        "examples": examples,
        "values": pd.DataFrame(columns=["column", "value", "rows"]),
        "usable": pd.DataFrame(usable, columns=["column", "rows"]),
        "repeated": pd.DataFrame({"id": ["T1"] * 2, "_file": ["a"] * 2, "_line": [2, 3]}),
    }
    with pytest.raises(TooManyBadRowsError) as caught:
        check_bad_row_share(counts, rules(0.1), "retail", "transactions")
    assert "max_bad_share: " not in str(caught.value)


def test_a_column_that_loses_more_names_count_example_and_both_ways_out():
    with pytest.raises(TooManyBadValuesError) as caught:
        check_columns(94)
    assert str(caught.value) == (
        "Values that can't be used would be emptied: transactions.salario: 94 of 100 values "
        "(94.0%; tolerated: 5.0%) (e.g. a.csv line 2, value '3.828.000'). Tried on these values, "
        "this reads them, in conf/local/parameters.yml: retail: {ingestion: {tables: "
        '{transactions: {decimal: ",", thousands: "."}}}}. If it is right to go on without these '
        "values, say so in conf/local/parameters.yml: retail: {ingestion: {tables: {transactions: "
        "{columns: {salario: {max_invalid_share: 0.94}}}}}}"
    )


def test_a_column_may_be_held_to_a_stricter_limit_than_the_tables():
    with pytest.raises(TooManyBadValuesError, match=r"2 of 100 values \(2.0%; tolerated: 1.0%\)"):
        check_columns(2, max_invalid_share=0.01)


def account(*, read=90, unknown=(), kept=()):
    counts = {
        "read": pd.DataFrame({"rows": [read]}),
        "accepted": pd.DataFrame({"rows": [80]}),
        "reasons": pd.DataFrame({"_reason": ["missing_id", "duplicate_key"], "rows": [8, 2]}),
        "unknown": pd.DataFrame(unknown, columns=["column", "rows"]),
        "kept": pd.DataFrame(kept, columns=["fault", "column", "rows"]),
    }
    return build_table_account("transactions", counts)


def test_an_account_adds_up_and_names_each_reason():
    kept = [("set_missing", "puntos", 4)]
    assert account(unknown=[("id_cliente", 3)], kept=kept) == {
        "read": 90,
        "accepted": 80,
        "quarantined": 10,
        "reasons": {"duplicate_key": 2, "missing_id": 8},
        "unknown_references": {"id_cliente": 3},
        "set_missing": {"puntos": 4},
    }


def test_an_account_of_rows_without_a_key_tells_how_many_repeat_another():
    assert account(kept=[("repeated", "id_fila", 2)])["repeated"] == 2


@pytest.mark.parametrize("read", [89, 91])
def test_an_account_that_does_not_add_up_stops(read):
    with pytest.raises(
        RowAccountingError, match=rf"{read} rows read, but 80 accepted \+ 10 quarant"
    ):
        account(read=read)
