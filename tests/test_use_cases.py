import pytest

from clientela.exceptions import ConfigurationError
from clientela.use_cases import parse_use_cases

RETAIL = {
    "kind": "transactions",
    "stages": ["ingestion"],
    "tables": {"customers": {}, "transactions": {"references": {"id_cliente": "customers"}}},
}
INTENSITY = {"kind": "transactions", "task": "ordinal", "shares": "retail", "stages": ["training"]}
SEGMENTS = INTENSITY | {"task": "segments"}
CREDIT = {"kind": "table", "task": "binary", "stages": ["training"], "tables": {"loans": {}}}
EVERYTHING = {
    "retail": RETAIL,
    "purchase_intensity": INTENSITY,
    "customer_segments": SEGMENTS,
    "credit_payment": CREDIT,
}


def off(entry):
    return entry | {"enabled": False}


def test_everything_that_exists_is_on_and_shared_tables_come_first():
    use_cases = parse_use_cases(EVERYTHING)
    assert list(use_cases) == list(EVERYTHING)
    late = parse_use_cases({"purchase_intensity": INTENSITY, "retail": RETAIL})
    assert list(late) == ["retail", "purchase_intensity"]


def test_an_entry_switched_off_is_gone():
    use_cases = parse_use_cases(EVERYTHING | {"credit_payment": off(CREDIT)})
    assert list(use_cases) == ["retail", "purchase_intensity", "customer_segments"]


def test_shared_tables_are_on_while_someone_uses_them():
    one = EVERYTHING | {"purchase_intensity": off(INTENSITY)}
    assert parse_use_cases(one)["retail"].tags == ("customer_segments",)
    none = one | {"customer_segments": off(SEGMENTS)}
    assert list(parse_use_cases(none)) == ["credit_payment"]


def test_shared_stages_carry_the_tag_of_each_use_case_they_serve():
    use_cases = parse_use_cases(EVERYTHING)
    assert {name: entry.tags for name, entry in use_cases.items()} == {
        "retail": ("purchase_intensity", "customer_segments"),
        "purchase_intensity": ("purchase_intensity",),
        "customer_segments": ("customer_segments",),
        "credit_payment": ("credit_payment",),
    }


def test_shared_tables_carry_no_namespace_for_any_of_their_users():
    use_cases = parse_use_cases(EVERYTHING)
    shared = ("customers", "transactions")
    assert {name: entry.shared_tables for name, entry in use_cases.items()} == {
        "retail": shared,
        "purchase_intensity": shared,
        "customer_segments": shared,
        "credit_payment": (),
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (INTENSITY | {"stages": ["trainig"]}, r"stage 'trainig', which.*Did you mean .*'training'"),
        (INTENSITY | {"shares": "retial"}, r"tables of 'retial', which.*Did you mean 'retail'"),
        (INTENSITY | {"stages": []}, r"'purchase_intensity' is wrong: stages: .*at least 1 item"),
        (INTENSITY | {"enabeld": False}, r"is wrong: enabeld: Extra inputs are not permitted"),
        (
            INTENSITY | {"task": "regression"},
            r"is wrong: task: Input should be 'ordinal'",
        ),
        (None, r"'purchase_intensity' should hold fields such as kind and stages, but holds None"),
        (
            CREDIT | {"tables": {"loans": {"references": {"id": "people"}}, "people": {}}},
            r"table 'loans' references \['people'\], listed later or not at all",
        ),
    ],
)
def test_a_wrong_entry_is_named_with_a_hint(entry, message):
    with pytest.raises(ConfigurationError, match=rf"use_cases.yml: .*{message}"):
        parse_use_cases({"retail": RETAIL, "purchase_intensity": entry})


def test_a_name_that_no_namespace_can_have_is_refused():
    with pytest.raises(ConfigurationError, match="the entry 'Credit Payment' is wrong: name"):
        parse_use_cases({"Credit Payment": CREDIT})
