import pytest
from pydantic import ValidationError

from clientela.column_rules import ColumnRule, IntakeRules, TableRules


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "text", "minimum": 1}, "minimum and maximum fit numbers, not text"),
        ({"type": "date", "maximum": 1}, "minimum and maximum fit numbers, not date"),
        ({"type": "integer", "earliest": "2020-01-01"}, "earliest and latest fit dates"),
        ({"type": "integer", "allowed": ["a"]}, "allowed fits text and category, not integer"),
        ({"type": "text", "folded_as": "rubro"}, "folded_as fits category, not text"),
        (
            {"type": "date", "missing": "quarantine", "invalid": "set_missing"},
            "set_missing would empty what missing: quarantine demands",
        ),
        ({"type": "date", "max_invalid_share": 0.1}, "max_invalid_share fits invalid: set_missing"),
        ({"type": "money"}, "Input should be 'id', 'text'"),
        ({"type": "text", "requierd": True}, "Extra inputs are not permitted"),
    ],
)
def test_a_rule_that_does_not_fit_its_type_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        ColumnRule.model_validate(fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": ["id"], "columns": {}}, r"the key columns \['id'\] have no rule"),
        ({"key": [], "columns": {}}, "needs either key .* or made_key"),
        ({"made_key": "fila"}, "needs either key .* or made_key"),
        ({"key": [], "made_key": "id"}, "'id' is a column of the table; name it as key"),
        ({"duplicates": "keep"}, "duplicates: keep needs made_key"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands separators must differ"),
        ({"unknown_references": "drop"}, "Input should be 'keep' or 'quarantine'"),
    ],
)
def test_rules_that_contradict_each_other_are_refused(fields, message):
    sound = {"key": ["id"], "columns": {"id": {"type": "id"}}}
    with pytest.raises(ValidationError, match=message):
        TableRules.model_validate(sound | fields)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_tolerated_share_lies_between_nothing_and_everything(share):
    with pytest.raises(ValidationError, match="max_bad_share"):
        IntakeRules(max_bad_share=share, tables={})
