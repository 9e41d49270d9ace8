import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from clientela.decisions.case_file import CaseFile, DecisionSettings
from clientela.decisions.register import (
    DecisionRecord,
    DecisionRegister,
    HumanDecision,
    override_table,
    read_register_key,
)
from clientela.exceptions import ConfigurationError

KEY = b"k" * 32
MANY = 10_000


def record(number, **changes):
    given = {
        "use_case": "credit_payment",
        "case": f"{number:064x}",
        "version": "0123456789ab",
        "inputs": "0" * 64,
        "score": 0.25,
        "threshold": 0.5,
        "model_decision": "refuse",
        "decision": "refuse",
        "at": datetime(2026, 1, 31, 12, tzinfo=UTC),
    }
    return DecisionRecord(**given | changes)


@pytest.fixture
def url(tmp_path):
    return sa.URL.create("sqlite+pysqlite", database=str(tmp_path / "register.db"))


def execute(url, *statements):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_every_change_among_ten_thousand_records_is_named(url):
    register = DecisionRegister(url, KEY)
    assert register.append([record(number) for number in range(MANY)]) == MANY
    assert register.verify() == []
    swap = (
        "UPDATE decision_register SET number = -1 WHERE number = 70",
        "UPDATE decision_register SET number = 70 WHERE number = 71",
        "UPDATE decision_register SET number = 71 WHERE number = -1",
    )
    damages = [
        (
            ["UPDATE decision_register SET content = replace(content, '.2', '.7') WHERE number=9"],
            ["record 9 "],
        ),
        (["DELETE FROM decision_register WHERE number BETWEEN 500 AND 502"], ["500", "502"]),
        (swap, ["70", "71"]),
        (["DELETE FROM decision_register WHERE number = 10000"], ["10000"]),
        (["DELETE FROM decision_register WHERE number = 1"], ["1"]),
        (
            [
                "DELETE FROM decision_register WHERE number = 10000",
                "UPDATE decision_register_head SET records = 9999",
            ],
            ["head"],
        ),
        (["DELETE FROM decision_register_head"], ["head"]),
    ]
    path = Path(url.database)
    whole = path.read_bytes()
    for statements, named in damages:
        execute(url, *statements)
        problems = " ".join(DecisionRegister(url, KEY).verify())
        assert all(word in problems for word in named), (statements, problems)
        path.write_bytes(whole)
    assert DecisionRegister(url, KEY).verify() == []


def test_who_has_not_the_key_can_write_no_record_that_passes(url):
    DecisionRegister(url, KEY).append([record(1)])
    DecisionRegister(url, b"x" * 32).append([record(2)])
    assert DecisionRegister(url, KEY).verify()


def append_some(url, start):
    register = DecisionRegister(url, KEY)
    for number in range(start, start + 25):
        register.append([record(number)])


def test_two_analysts_at_once_lose_nothing(url):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_some, args=(url, start)) for start in (0, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    register = DecisionRegister(url, KEY)
    assert register.verify() == []
    written = {entry.case for entry in register.read("credit_payment")}
    assert written == {record(n).case for n in [*range(25), *range(100, 125)]}


def test_records_of_other_use_cases_are_left_out(url):
    register = DecisionRegister(url, KEY)
    register.append([record(1), record(2, use_case="credit_preauth", analyst="ana")])
    assert [entry.analyst for entry in register.read("credit_preauth")] == ["ana"]


@pytest.mark.parametrize("key", ["", "short"])
def test_a_register_needs_a_secret(key):
    with pytest.raises(ConfigurationError, match="CLIENTELA_REGISTER_KEY"):
        read_register_key({"CLIENTELA_REGISTER_KEY": key})


def make_file(decision, amount=1000.0):
    return CaseFile({"monto": amount}, decision, 0.2, 0.5, (), None, (), ())


LIMITED = DecisionSettings.model_validate({"second_person": {"column": "monto", "above": 5000}})


@pytest.mark.parametrize(
    ("model", "human", "amount", "problem"),
    [
        ("refuse", {"decision": "refuse"}, 1000.0, None),
        ("refuse", {"decision": "refer"}, 1000.0, None),
        ("refuse", {"decision": "approve"}, 1000.0, "override"),
        ("refuse", {"decision": "approve", "override": "porque sí"}, 1000.0, "override"),
        ("refuse", {"decision": "approve", "override": "garantia"}, 1000.0, None),
        ("approve", {"decision": "refuse"}, 1000.0, "override"),
        ("refer", {"decision": "refuse"}, 1000.0, None),
        ("approve", {"decision": "approve"}, 5001.0, "second"),
        ("approve", {"decision": "approve", "second": "ANA"}, 5001.0, "second"),
        ("approve", {"decision": "approve", "second": "luis"}, 5001.0, None),
        ("approve", {"decision": "approve"}, None, "second"),
    ],
)
def test_who_departs_gives_a_reason_and_large_amounts_need_two(model, human, amount, problem):
    decided = HumanDecision(analyst="Ana", **human)
    assert decided.find_problem(make_file(model, amount), LIMITED) == problem


def test_departures_are_counted_by_group_with_how_they_ended():
    rows = [
        record(0, analyst="ana", decision="approve", override="garantia"),
        record(1, analyst="ana", decision="approve", override="politica"),
        record(2, analyst="ana", decision="approve", override="politica"),
        record(3, analyst="ana"),
        record(4),
        record(3, analyst="luis", decision="refer"),
    ]
    people = pd.DataFrame(
        {"case": [record(n).case for n in range(5)], "outcome": [1, 0, None, 1, 1]}
    )
    found = override_table(rows, people, {"sexo": pd.Series(["F", "F", "M", "M", "M"])})
    shown = found[["group", "decided", "overridden", "approved", "known", "ended_well"]]
    assert shown.fillna(-1).to_numpy().tolist() == [
        ["", 4, 3, 3, 2, 0.5],
        ["F", 2, 2, 2, 2, 0.5],
        ["M", 2, 1, 1, 0, -1],
    ]
    assert found["rate"].tolist() == [0.75, 1, 0.5]
    assert (found["lower"] < found["rate"]).all()
