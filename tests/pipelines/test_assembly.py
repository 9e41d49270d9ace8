import pytest

from clientela.exceptions import ConfigurationError
from clientela.pipelines.assembly import get_accepted_dataset_name, get_cases_name
from clientela.use_cases import UseCase


def use_case(tables, shared=()):
    return UseCase(
        name="credit",
        kind="table",
        stages=("ingestion",),
        tables={name: {} for name in tables},
        shared_tables=shared,
    )


def test_a_shared_table_keeps_its_name_and_an_own_one_takes_that_of_a_pattern():
    assert get_accepted_dataset_name(use_case(["loans"], shared=("loans",)), "loans") == "loans"
    assert get_accepted_dataset_name(use_case(["loans"]), "loans") == "accepted_loans"


def test_the_cases_are_the_one_table_of_a_use_case():
    assert get_cases_name(use_case(["loans"])) == "accepted_loans"


@pytest.mark.parametrize(("tables", "listed"), [([], "none"), (["loans", "people"], "loans, peo")])
def test_without_one_table_of_cases_the_switchboard_is_named(tables, listed):
    with pytest.raises(ConfigurationError, match=rf"use_cases.yml: 'credit'.*lists {listed}"):
        get_cases_name(use_case(tables))
