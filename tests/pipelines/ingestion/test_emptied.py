from clientela.column_rules import TableRules
from clientela.pipelines.ingestion.accounting import count_nulled_values
from clientela.pipelines.ingestion.validation import validate_rows

RULES = {
    "key": ["id"],
    "columns": {
        "id": {"type": "id"},
        "nacido": {"type": "date", "invalid": "set_missing"},
        "estrato": {"type": "integer", "invalid": "set_missing"},
        "saldo": {"type": "integer", "invalid": "set_missing"},
    },
}
ROWS = [
    ("C1", "ayer", "3", "100"),
    ("C2", "hoy", "x", "y"),
    ("C3", "", "z", ""),
    ("C3", "nunca", "w", ""),  # a duplicate: refused, so that it loses nothing
]


def counts(table, **columns):
    rules = TableRules.model_validate(RULES | {"columns": columns or RULES["columns"]})
    found = count_nulled_values(validate_rows(table, rules, "clientes"), rules)
    return [tuple(row.values()) for row in found.to_pyarrow().to_pylist()]


def test_each_column_tells_what_it_lost_and_shows_the_first_row_it_is_the_first_in(raw_table):
    table = raw_table(tuple(RULES["columns"]), ROWS)
    assert counts(table) == [
        ("nacido", 2, 2, "tx.csv", 2, "ayer"),
        ("estrato", 2, 3, "tx.csv", 4, "z"),
        ("saldo", 1, 2, None, None, None),
    ]
    backwards = table.order_by(table["_line"].desc())
    assert counts(backwards) == counts(table)


def test_a_table_whose_rules_empty_nothing_has_no_counts(raw_table):
    assert counts(raw_table(("id",), [("C1",)]), id={"type": "id"}) == []
