"""The proof itself is on trial: scrambling must notice features that look past the cutoff."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import ibis.expr.types as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.tables import Engine, Person, Retailer, Tx, at, retailers

from clientela.features.leakage import FUTURE, scramble_customers, scramble_transactions
from clientela.features.settings import FeatureParams
from clientela.features.transactions import Cutoff, add_cutoff, customer_features

TECH = FeatureParams(category="tecnologia")
LAST = Cutoff("last_transaction", None, 3)
LEAP_DAY = Cutoff("calendar", date(2024, 2, 29), 3)
RETAILER = Retailer(
    [
        Tx("ana", at("2024-01-15"), "tecnologia", Decimal("300.10"), 30),
        Tx("ana", at("2024-02-29"), "tecnologia", Decimal("99.00"), 9),
        Tx("ana", at("2024-05-29"), "hogar", Decimal("20.00"), None),
        Tx("beto", at("2024-04-01"), "ropa", Decimal("80.00"), 8),
    ],
    [Person("ana", saldo_puntos=200), Person("celia", saldo_puntos=5)],
)
Leak = Callable[[ir.Table], ir.Value]


def scrambled(cutoff: Cutoff) -> tuple[ir.Table, ir.Table]:
    return (
        scramble_transactions(Engine.transactions, cutoff),
        scramble_customers(Engine.transactions, Engine.customers, cutoff),
    )


@pytest.mark.parametrize("cutoff", [LAST, LEAP_DAY])
def test_the_past_stays_and_later_rows_return_twice_with_all_changed_but_what_defines_cutoffs(
    engine: Engine, cutoff: Cutoff
) -> None:
    rows = engine.rows(scrambled(cutoff)[0], *RETAILER)
    original = {row["id_transaccion"]: row for row in engine.rows(Engine.transactions, *RETAILER)}
    assert sorted(row["id_transaccion"] for row in rows) == [
        "t0",
        "t1",
        "t1",
        "t2",
        "t2",
        "t3",
        "t3",
    ]
    assert [row for row in rows if row["id_transaccion"] == "t0"] == [original["t0"]]
    moved = {"fecha"} if cutoff is LEAP_DAY else set()
    for row in rows:
        old = original[row["id_transaccion"]]
        changed = {name for name in row if row[name] != old[name]}
        assert changed in (set(), set(FUTURE) | moved)


@pytest.mark.parametrize("cutoff", [LAST, LEAP_DAY])
def test_balances_move_by_what_the_scrambled_points_move(engine: Engine, cutoff: Cutoff) -> None:
    transactions, customers = scrambled(cutoff)
    before = engine.by_customer(Engine.customers, *RETAILER)
    after = engine.by_customer(customers, *RETAILER)
    sums = points_sums(engine, Engine.transactions), points_sums(engine, transactions)
    assert after["ana"]["saldo_puntos"] - before["ana"]["saldo_puntos"] == (
        sums[1]["ana"] - sums[0]["ana"]
    )
    assert after["ana"]["saldo_puntos"] != before["ana"]["saldo_puntos"]
    assert after["celia"] == before["celia"]


def points_sums(engine: Engine, transactions: ir.Table) -> dict[str, int]:
    points = transactions.group_by("id_cliente").agg(p=transactions["puntos"].sum())
    return {row["id_cliente"]: row["p"] for row in engine.rows(points, *RETAILER)}


@settings(max_examples=8, deadline=None)
@given(retailers(rows=8), st.sampled_from([LAST, LEAP_DAY]))
def test_the_cutoff_and_honest_features_survive_scrambling(
    engine: Engine, retailer: Retailer, cutoff: Cutoff
) -> None:
    honest = customer_features(Engine.transactions, Engine.customers, cutoff, TECH)
    after = customer_features(*scrambled(cutoff), cutoff, TECH)
    assert engine.by_customer(after, *retailer) == engine.by_customer(honest, *retailer)


# each is what remains of a feature when somebody forgets where its window ends
LEAKS: dict[str, Leak] = {
    "amount": lambda t: t["valor_transaccion"].sum(),
    "rows": lambda t: t.count(),
    "points": lambda t: t["puntos"].sum(),
    "points_earned": lambda t: t["puntos"].sum(where=t["puntos"] > 0),
    "purchases": lambda t: t.count(where=t["rubro"] == "tecnologia"),
    "refunds": lambda t: t.count(where=t["valor_transaccion"] < 0),
    "categories": lambda t: t["rubro"].nunique(),
    "kinds": lambda t: t["tipo_transaccion"].nunique(),
    "largest": lambda t: t["valor_transaccion"].max(),
}


def leaking(transactions: ir.Table, leak: Leak) -> ir.Table:
    return transactions.group_by("id_cliente").agg(leak=leak(transactions))


@pytest.mark.parametrize("cutoff", [LAST, LEAP_DAY])
@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_feature_that_reads_past_the_cutoff_is_noticed(
    engine: Engine, cutoff: Cutoff, leak: Leak
) -> None:
    before = engine.by_customer(leaking(Engine.transactions, leak), *RETAILER)
    after = engine.by_customer(leaking(scrambled(cutoff)[0], leak), *RETAILER)
    assert before["ana"] != after["ana"]


def test_a_cutoff_that_is_off_by_one_moment_is_noticed(engine: Engine) -> None:
    def upto(transactions: ir.Table) -> ir.Table:
        dated = add_cutoff(transactions, LAST)
        included = dated["fecha"] <= dated["_cutoff"]
        return dated.group_by("id_cliente").agg(
            total=dated["valor_transaccion"].sum(where=included)
        )

    before = engine.by_customer(upto(Engine.transactions), *RETAILER)
    after = engine.by_customer(upto(scrambled(LAST)[0]), *RETAILER)
    assert before["ana"] != after["ana"]


def test_a_last_date_past_the_cutoff_is_noticed_with_a_calendar_cutoff(engine: Engine) -> None:
    def recency(transactions: ir.Table) -> ir.Table:
        return leaking(transactions, lambda t: t["fecha"].max())

    before = engine.by_customer(recency(Engine.transactions), *RETAILER)
    after = engine.by_customer(recency(scrambled(LEAP_DAY)[0]), *RETAILER)
    assert before["ana"] != after["ana"]


def test_the_balance_as_extracted_is_noticed_and_the_one_at_the_cutoff_is_not(
    engine: Engine,
) -> None:
    found = {}
    for balance in ("snapshot", "at_cutoff"):
        params = TECH.model_copy(update={"points_balance": balance})
        before = customer_features(Engine.transactions, Engine.customers, LAST, params)
        after = customer_features(*scrambled(LAST), LAST, params)
        both = [engine.by_customer(table, *RETAILER)["ana"] for table in (before, after)]
        found[balance] = {name for name in both[0] if both[0][name] != both[1][name]}
    assert found == {"snapshot": {"saldo_puntos"}, "at_cutoff": set()}
