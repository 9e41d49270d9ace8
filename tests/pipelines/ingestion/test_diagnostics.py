import pandas as pd
import pytest
import yaml

from clientela.column_rules import TableRules
from clientela.pipelines.ingestion.diagnostics import (
    describe_mends,
    describe_repeated_keys,
    format_settings_line,
)
from clientela.pipelines.ingestion.validation import validate_rows

COLUMNS = {
    "id": {"type": "id"},
    "monto": {"type": "decimal"},
    "saldo": {"type": "float"},
    "dia": {"type": "timestamp", "latest": "2035-12-31"},
    "pago": {"type": "text", "allowed": ["1", "0"]},
}


def rules(**table):
    return TableRules.model_validate({"key": ["id"], "columns": COLUMNS} | table)


def mend(column, values, usable=0, **table):
    found = pd.DataFrame({"column": column, "value": values, "rows": 10})
    counts = {"values": found, "usable": pd.DataFrame({"column": [column], "rows": [usable]})}
    return describe_mends([column], counts, rules(**table), "caso", "ventas")


def settings(sentence):
    line = sentence.split("parameters.yml: ")[1].removesuffix(".")
    return yaml.safe_load(line)["caso"]["ingestion"]["tables"]["ventas"]


def test_a_line_of_settings_is_yaml_that_says_the_same():
    wanted = {"date_formats": ["%d/%m/%Y"], "columns": {"día: [1]": {"max_invalid_share": 1.0}}}
    read = yaml.safe_load(format_settings_line("retail", "ventas", wanted))
    assert read == {"retail": {"ingestion": {"tables": {"ventas": wanted}}}}


@pytest.mark.parametrize(
    ("column", "values", "table"),
    [
        ("monto", ["1.234,50", "7,25"], {}),
        ("monto", ["1,234.50", "7,100"], {}),
        ("monto", ["1,234.50"], {"decimal": ","}),
        ("saldo", ["1 234,5"], {}),
        ("saldo", [".", "NA"], {}),
        ("dia", ["31/12/2024", "31/12/2024 10:00:00"], {}),
        ("dia", ["12/31/2024"], {}),
        ("dia", ["2024-12-31 10:00"], {}),
        ("dia", ["s/d"], {}),
        ("pago", ["1.0", "0.0"], {}),
    ],
)
def test_settings_are_proposed_that_read_the_unusable_values(raw_table, column, values, table):
    changed = settings(mend(column, values, **table))
    columns = COLUMNS | {
        name: COLUMNS[name] | rule for name, rule in changed.pop("columns", {}).items()
    }
    new = rules(**table | changed | {"columns": columns})
    rows = raw_table(("id", column), [(str(i), value) for i, value in enumerate(values)])
    absent = {name: {"required": False} | rule for name, rule in columns.items()}
    judged = validate_rows(
        rows, new.model_copy(update={"columns": rules(columns=absent).columns}), "v"
    )
    assert judged["_reason"].notnull().sum().to_pyarrow().as_py() == 0


@pytest.mark.parametrize(
    ("column", "values", "usable", "words"),
    [
        ("monto", ["63.74999999999999", "30.599999999999998"], 0, "30.60|63.75"),
        ("dia", ["2023-03-10 17:00:00+00", "2023-03-10T17:00:00Z"], 0, "time zone"),
        ("pago", ["Yes", "No"], 0, 'Write 1, 0 .*allowed: \\["Yes", "No"\\]'),
        ("pago", ["Yes"], 9, 'allowed: \\["1", "0", "Yes"\\]'),
    ],
)
def test_what_no_setting_reads_is_explained(column, values, usable, words):
    assert pd.Series([mend(column, values, usable)]).str.contains(words).all()


@pytest.mark.parametrize(
    ("column", "values", "usable"),
    [
        ("monto", ["diez", "doce mil 3"], 0),
        ("monto", ["1,50"], 900),  # the comma is a typo where most amounts have a point
        ("dia", ["30/02/2024"], 0),
        ("pago", list("abcdef"), 0),
    ],
)
def test_nothing_is_proposed_that_would_not_help(column, values, usable):
    assert mend(column, values, usable) == ""


def repeated(**columns):
    rows = {"id": ["T1", "T1", "T2", "T2"], **columns}
    return pd.DataFrame(rows | {"_file": "a.csv", "_line": range(2, 6)})


def test_a_key_that_repeats_is_answered_with_one_that_does_not():
    rows = repeated(monto=["1", "2", "3", "4"], linea=["1", "2", "1", "2"])
    sentence = describe_repeated_keys(rows, rules(), "caso", "ventas")
    assert "a.csv line 2 and a.csv line 3 share it and differ in monto, linea" in sentence
    assert settings(sentence)["key"] == ["id", "linea"]
    assert settings(sentence)["columns"] == {"linea": {"type": "id", "missing": "quarantine"}}
    without = describe_repeated_keys(rows.drop(columns="linea"), rules(), "caso", "ventas")
    assert settings(without) == {"key": [], "made_key": "id_fila", "duplicates": "keep"}


def test_rows_that_stand_twice_need_no_other_key():
    rows = repeated(monto=["1", "1", "3", "3"])
    assert "key:" not in describe_repeated_keys(rows, rules(), "caso", "ventas")
