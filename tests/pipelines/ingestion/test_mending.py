import pytest
import yaml

from clientela.column_rules import TableRules
from clientela.pipelines.ingestion.validation import build_format_hint, format_settings_line

COLUMNS = {
    "id": {"type": "id"},
    "monto": {"type": "decimal"},
    "dia": {"type": "date"},
    "canal": {"type": "category", "allowed": ["web"]},
}


def hint(columns, **table):
    rules = TableRules.model_validate({"key": ["id"], "columns": COLUMNS} | table)
    return build_format_hint("retail", "ventas", rules, columns)


def test_a_line_of_settings_is_yaml_that_says_the_same():
    settings = {"date_formats": ["%d/%m/%Y"], "columns": {"día": {"max_invalid_share": 1.0}}}
    read = yaml.safe_load(format_settings_line("retail", "ventas", settings))
    assert read == {"retail": {"ingestion": {"tables": {"ventas": settings}}}}


@pytest.mark.parametrize(
    ("columns", "table", "declared"),
    [
        (["monto"], {}, {"decimal": ",", "thousands": "."}),
        (["monto"], {"decimal": ","}, {"decimal": ".", "thousands": ","}),
        (["dia"], {}, {"date_formats": ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y"]}),
    ],
)
def test_unreadable_values_are_answered_with_another_form_that_the_rules_accept(
    columns, table, declared
):
    line = hint(columns, **table).split("example: ")[1].removesuffix(". ")
    assert yaml.safe_load(line)["retail"]["ingestion"]["tables"]["ventas"] == declared
    TableRules.model_validate({"key": ["id"], "columns": COLUMNS} | table | declared)


def test_words_have_no_other_form():
    assert hint(["canal"]) == ""
