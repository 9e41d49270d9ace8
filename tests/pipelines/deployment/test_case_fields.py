import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from tests.pipelines.deployment.test_typical_case import PARAMS

from clientela.column_rules import IntakeRules
from clientela.features.columns import InputField
from clientela.features.table_settings import feature_schema
from clientela.pipelines.deployment.case_inputs import (
    WORDS_LISTED,
    build_number_fields,
    build_table_fields,
    select_model_fields,
)

RULES = IntakeRules.model_validate(
    {
        "tables": {
            "loans": {
                "key": ["id"],
                "columns": {
                    "id": {"type": "id"},
                    "salario": {"type": "decimal", "minimum": "1.50", "invalid": "set_missing"},
                    "creditos": {"type": "integer", "minimum": 0, "maximum": 60},
                    "tipo": {"type": "integer", "minimum": 1, "maximum": 9},
                    "fecha": {"type": "timestamp", "earliest": "2000-01-01"},
                },
            }
        }
    }
)
TRAIN = pd.DataFrame(
    {
        "salario": [10.0, np.nan, 30.0],
        "creditos": [1.0, 2.0, 5.0],
        "tipo": ["7", "4", None],
        "tendencia": ["sube", None, "sube"],
    }
)


@pytest.fixture
def fields():
    return {f.name: f for f in build_table_fields(PARAMS, RULES, TRAIN, {"salario": "sueldo"})}


def test_fields_are_the_columns_that_features_are_made_of_in_their_order(fields):
    assert [*fields] == PARAMS.inputs


def test_kinds_follow_the_meaning_first_and_the_rule_of_ingestion_second(fields):
    assert {name: field.kind for name, field in fields.items()} == {
        "salario": "number",
        "creditos": "integer",
        "tipo": "word",  # numbers that name something
        "tendencia": "word",
        "fecha": "moment",
        "desde": "moment",
        "hasta": "moment",
    }


def test_what_can_not_be_is_limited_as_in_ingestion_and_only_there(fields):
    limits = {
        name: (field.minimum, field.maximum, field.earliest, field.latest)
        for name, field in fields.items()
    }
    assert limits["salario"] == (1.5, None, None, None)
    assert limits["creditos"] == (0.0, 60.0, None, None)
    assert limits["tipo"] == (1.0, 9.0, None, None)
    assert str(limits["fecha"][2]) == "2000-01-01"
    assert limits["desde"] == (None, None, None, None)


def test_what_was_learned_from_is_told(fields):
    assert (fields["salario"].seen_minimum, fields["salario"].seen_maximum) == (10.0, 30.0)
    assert fields["tipo"].words == ("4", "7")
    assert fields["tendencia"].words == ("sube",)
    assert fields["salario"].description == "sueldo"


def test_the_word_for_no_word_is_told():
    words = PARAMS.model_dump()["cleaning"]["words"] | {"tipo": {"missing": "ninguno"}}
    rules = PARAMS.cleaning.model_dump() | {"words": words}
    params = type(PARAMS).model_validate(PARAMS.model_dump() | {"cleaning": rules})
    found = build_table_fields(params, RULES, TRAIN, {})
    assert {f.name: f.missing for f in found if f.missing} == {"tipo": "ninguno"}


def test_a_column_without_any_value_has_no_range(fields):
    empty = TRAIN.assign(salario=np.nan, tipo=None)
    found = {f.name: f for f in build_table_fields(PARAMS, RULES, empty, {})}
    assert found["salario"].seen_minimum is None
    assert found["tipo"].words == ()


def test_more_words_than_people_read_are_not_listed():
    words = [f"w{place:04d}" for place in range(WORDS_LISTED + 1)]
    many = pd.DataFrame({name: [TRAIN[name].iloc[0]] * len(words) for name in TRAIN}).assign(
        tipo=words
    )
    found = {f.name: f for f in build_table_fields(PARAMS, RULES, many, {})}
    assert found["tipo"].words == ()


def test_required_are_the_configured_ones_or_all_of_them(fields):
    assert all(field.required for field in fields.values())
    some = PARAMS.model_copy(update={"required": ("salario",)})
    found = build_table_fields(some, RULES, TRAIN, {})
    assert [field.name for field in found if field.required] == ["salario"]


def test_every_model_of_a_table_has_all_its_fields_and_says_which_it_reads():
    some = PARAMS.model_copy(update={"required": ("salario", "tipo")})
    all_fields = build_table_fields(some, RULES, TRAIN, {})
    sources = feature_schema(some)["sources"]
    found = select_model_fields(all_fields, ["salario", "antiguedad"], sources)
    assert [field.name for field in found] == PARAMS.inputs
    assert [field.name for field in found if field.read] == ["salario", "desde", "hasta"]
    assert [field.name for field in found if field.required] == ["salario", "tipo"]


def test_a_field_that_is_not_read_keeps_its_limits_and_nothing_was_learned_from_it():
    sources = feature_schema(PARAMS)["sources"]
    all_fields = build_table_fields(PARAMS, RULES, TRAIN, {})
    found = {field.name: field for field in select_model_fields(all_fields, ["salario"], sources)}
    count, kind = found["creditos"], found["tipo"]
    assert (count.minimum, count.maximum) == (0.0, 60.0)
    assert (count.seen_minimum, count.seen_maximum, kind.words) == (None, None, ())
    # as a manifest is read
    assert InputField.model_validate_json(count.model_dump_json()) == count


def test_no_field_can_claim_that_something_was_learned_and_not_read():
    with pytest.raises(ValidationError, match="learns nothing from what it does not read"):
        InputField(name="tipo", kind="word", required=False, read=False, words=("4",))


def test_features_of_customers_are_required_numbers_whole_where_they_are_stored_so():
    rows = pd.DataFrame({"edad": [20.5, 30.0], "num_tx": [3, 4]})
    age, count = build_number_fields(["edad", "num_tx"], rows, {"edad": "edad en años"})
    assert (age.kind, count.kind) == ("number", "integer")
    assert (age.seen_minimum, age.seen_maximum) == (20.5, 30.0)
    assert age.required
    assert (age.description, count.description) == ("edad en años", "num tx")


def test_features_that_only_other_models_of_customers_read_may_come_and_need_not():
    rows = pd.DataFrame({"edad": [20.5, 30.0], "num_tx": [3, 4]})
    age, count = build_number_fields(["edad"], rows, {}, ["num_tx"])
    assert (age.read, age.required) == (True, True)
    assert (count.name, count.kind, count.read, count.required) == (
        "num_tx",
        "integer",
        False,
        False,
    )
    assert count.seen_maximum is None
