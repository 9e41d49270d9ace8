from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.features.oracle import expected_purchases
from tests.features.tables import Engine, Retailer, Tx, at, retailers

from clientela.features.settings import FeatureParams
from clientela.features.transactions import Cutoff, OrdinalClass, OrdinalTarget, customer_target

LAST = Cutoff("last_transaction", None, 3)
LEAP_DAY = Cutoff("calendar", date(2024, 2, 29), 3)
TECH = FeatureParams(category="TECNOLOGÍA")
REQUIRED = OrdinalTarget(
    classes=(
        OrdinalClass(name="sin_compra", at_least=0, value=0),
        OrdinalClass(name="baja", at_least=1, value=1),
        OrdinalClass(name="media", at_least=2, value=2),
        OrdinalClass(name="alta", at_least=4, value=4),
    )
)
RULE = {0: "sin_compra", 1: "baja", 2: "media", 3: "media"}


def classes_of(
    engine: Engine, cutoff: Cutoff, transactions: list[Tx], params: FeatureParams = TECH
) -> dict[str, tuple[int, str]]:
    target = customer_target(Engine.transactions, cutoff, params, REQUIRED)
    assert list(target.columns) == ["id_cliente", "compras_objetivo", params.target]
    found = engine.by_customer(target, transactions)
    return {key: (row["compras_objetivo"], row[params.target]) for key, row in found.items()}


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_classes_are_none_one_two_to_three_and_four_or_more(
    engine: Engine, purchases: list[int]
) -> None:
    window = at("2024-04-01")
    rows = [Tx(f"c{i}", window) for i, count in enumerate(purchases) for _ in range(count)]
    anchors = [Tx(f"c{i}", window, "ropa") for i in range(len(purchases))]
    assert classes_of(engine, LEAP_DAY, rows + anchors) == {
        f"c{i}": (count, RULE.get(count, "alta")) for i, count in enumerate(purchases)
    }


@settings(max_examples=15, deadline=None)
@given(
    retailers(),
    st.sampled_from([LAST, LEAP_DAY, Cutoff("calendar", date(2023, 11, 30), 6)]),
    st.sampled_from([None, ("COMPRA",), ("COMPRA", "CANJE")]),
)
def test_purchases_in_the_window_agree_with_the_oracle(
    engine: Engine, retailer: Retailer, cutoff: Cutoff, types: tuple[str, ...] | None
) -> None:
    params = FeatureParams(category="tecnologia", purchase_types=types)
    found = classes_of(engine, cutoff, retailer.transactions, params)
    expected = {
        key: expected_purchases(mine, cutoff, params)
        for key, mine in retailer.by_customer().items()
    }
    assert {key: count for key, (count, _) in found.items()} == expected


@pytest.mark.parametrize("amount", [Decimal("-35.00"), Decimal("0.00")])
def test_refunds_and_free_rows_are_no_purchases(engine: Engine, amount: Decimal) -> None:
    rows = [Tx("ana", at("2024-04-01")), Tx("ana", at("2024-04-02"), "tecnologia", amount)]
    assert classes_of(engine, LAST, rows) == {"ana": (1, "baja")}


def test_only_the_given_types_count_once_they_are_given(engine: Engine) -> None:
    moment = at("2024-04-01")
    kinds = ["COMPRA", "CANJE", None]
    rows = [Tx("ana", moment, tipo_transaccion=kind) for kind in kinds]
    assert classes_of(engine, LAST, rows) == {"ana": (3, "media")}
    only = FeatureParams(category="tecnologia", purchase_types=("COMPRA",))
    assert classes_of(engine, LAST, rows, only) == {"ana": (1, "baja")}


def test_who_bought_nothing_in_the_window_keeps_a_row(engine: Engine) -> None:
    rows = [Tx("ana", at("2023-01-01")), Tx("beto", at("2024-04-01"), "ropa")]
    assert classes_of(engine, LEAP_DAY, rows) == {
        "ana": (0, "sin_compra"),
        "beto": (0, "sin_compra"),
    }


def test_the_last_transaction_itself_counts(engine: Engine) -> None:
    assert classes_of(engine, LAST, [Tx("ana", at("2024-04-01"))]) == {"ana": (1, "baja")}


def classes(*fields: tuple[str, int, float]) -> list[dict[str, Any]]:
    return [{"name": name, "at_least": bound, "value": value} for name, bound, value in fields]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (classes(("una", 0, 0)), "at least 2 items"),
        (classes(("baja", 1, 0), ("alta", 2, 1)), "should ascend in at_least"),
        (classes(("nada", 0, 0), ("alta", 3, 1), ("media", 2, 2)), "should ascend in at_least"),
        (classes(("nada", 0, 0), ("baja", 1, 1), ("alta", 1, 2)), "should ascend in at_least"),
        (classes(("nada", 0, 0), ("baja", 1, 2), ("alta", 2, 2)), "and in value"),
        (classes(("nada", 0, 0), ("nada", 1, 1)), "class names should differ"),
        (classes(("nada", 0, 0), ("", 1, 1)), "at least 1 character"),
        (classes(("nada", 0, 0), ("baja", -1, 1)), "greater than or equal to 0"),
    ],
)
def test_a_rule_that_orders_no_classes_is_refused(rule: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        OrdinalTarget.model_validate({"classes": rule})
