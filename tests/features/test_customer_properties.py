"""What must never change a feature: the future, the order of rows, the files they lie in."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.features.oracle import cutoff_of_customer
from tests.features.tables import (
    Engine,
    Retailer,
    Tx,
    arrow_customers,
    arrow_transactions,
    at,
    retailers,
    transactions_of,
)

from clientela.features.settings import FeatureParams
from clientela.features.transactions import Cutoff, customer_features

TECH = FeatureParams(category="tecnologia")
CUTOFFS = [
    Cutoff("last_transaction", None, 3),
    Cutoff("calendar", date(2024, 2, 29), 3),
    Cutoff("calendar", date(2023, 8, 31), 3),
]


@st.composite
def other_future(draw: st.DrawFn, mine: list[Tx], cutoff: Cutoff) -> list[Tx]:
    """The rows of one customer with everything at or past their cutoff drawn anew.

    In last_transaction mode some row has to keep the last date, which defines the cutoff.
    """
    moment = cutoff_of_customer(cutoff, mine)
    last = max(row.fecha for row in mine)
    lasting = cutoff.mode == "last_transaction"
    span = last - moment if lasting else timedelta(days=500)
    offsets = draw(st.lists(st.sampled_from([0.0, 0.3, 0.99, 1.0]), max_size=4))
    dates = [moment + span * share for share in offsets] + ([last] if lasting else [])
    drawn = [draw(transactions_of(mine[0].id_cliente))._replace(fecha=day) for day in dates]
    return [row for row in mine if row.fecha < moment] + drawn


@st.composite
def two_futures(draw: st.DrawFn) -> tuple[Retailer, Retailer, Cutoff]:
    """One past with two futures, each with the balance that its points explain."""
    retailer, cutoff = draw(retailers(rows=8)), draw(st.sampled_from(CUTOFFS))
    histories = retailer.by_customer()
    others = {key: draw(other_future(mine, cutoff)) for key, mine in histories.items()}
    moved = {
        key: sum(row.puntos or 0 for row in others[key]) - sum(row.puntos or 0 for row in mine)
        for key, mine in histories.items()
    }
    people = [
        p if p.saldo_puntos is None else p._replace(saldo_puntos=p.saldo_puntos + change)
        for p in retailer.people
        for change in [moved.get(p.id_cliente, 0)]
    ]
    return retailer, Retailer([row for rows in others.values() for row in rows], people), cutoff


@settings(max_examples=20, deadline=None)
@given(two_futures())
def test_rows_at_or_after_the_cutoff_never_change_a_feature(
    engine: Engine, futures: tuple[Retailer, Retailer, Cutoff]
) -> None:
    one, other, cutoff = futures
    features = customer_features(Engine.transactions, Engine.customers, cutoff, TECH)
    found, again = engine.by_customer(features, *one), engine.by_customer(features, *other)
    kept = found.keys() & again.keys()
    assert {key: found[key] for key in kept} == {key: again[key] for key in kept}
    # a customer may only vanish together with their last row
    assert found.keys() - kept <= one.by_customer().keys() - other.by_customer().keys()


@settings(max_examples=5, deadline=None)
@given(retailers(), st.sampled_from(CUTOFFS), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_changes_a_feature(
    engine: Engine, retailer: Retailer, cutoff: Cutoff, random: Random
) -> None:
    features = customer_features(Engine.transactions, Engine.customers, cutoff, TECH)
    shuffled = Retailer([*retailer.transactions], [*retailer.people])
    random.shuffle(shuffled.transactions)
    random.shuffle(shuffled.people)
    assert engine.by_customer(features, *shuffled) == engine.by_customer(features, *retailer)


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: tmp_path_factory.mktemp("split")  # DuckDB remembers files it has read


@settings(max_examples=5, deadline=None)
@given(retailers(), st.sampled_from(CUTOFFS), st.lists(st.integers(0, 20), max_size=3))
def test_how_rows_are_split_into_files_never_changes_a_feature(
    engine: Engine,
    new_folder: Callable[[], Path],
    retailer: Retailer,
    cutoff: Cutoff,
    breaks: list[int],
) -> None:
    folder, transactions = new_folder(), arrow_transactions(retailer.transactions)
    edges = [0, *sorted(min(b, transactions.num_rows) for b in breaks), transactions.num_rows]
    paths = [folder / f"part-{i}.parquet" for i in range(len(edges) - 1)]
    for path, (start, end) in zip(paths, pairwise(edges), strict=True):
        pq.write_table(transactions.slice(start, end - start), path)  # type: ignore[no-untyped-call]
    pq.write_table(arrow_customers(retailer.people), folder / "people.parquet")  # type: ignore[no-untyped-call]
    con = engine.backend
    split = customer_features(
        con.read_parquet(paths), con.read_parquet(folder / "people.parquet"), cutoff, TECH
    )
    whole = customer_features(Engine.transactions, Engine.customers, cutoff, TECH)
    rows: pa.Table = con.to_pyarrow(split)
    found = {row.pop("id_cliente"): row for row in rows.to_pylist()}
    assert found == engine.by_customer(whole, *retailer)


@settings(max_examples=8, deadline=None)
@given(retailers(), st.sampled_from(CUTOFFS))
def test_every_customer_with_a_transaction_has_one_row_without_nulls(
    engine: Engine, retailer: Retailer, cutoff: Cutoff
) -> None:
    features = customer_features(Engine.transactions, Engine.customers, cutoff, TECH)
    found = engine.by_customer(features, *retailer)
    assert found.keys() == retailer.by_customer().keys()
    assert all(value is not None for row in found.values() for value in row.values())


@settings(max_examples=8, deadline=None)
@given(st.permutations([Decimal("0.10")] * 7 + [Decimal("1000000000.01"), Decimal("-0.37")]))
def test_sums_of_amounts_are_exact(engine: Engine, amounts_in_some_order: list[Decimal]) -> None:
    rows = [Tx("ana", at("2024-01-01"), "ropa", amount) for amount in amounts_in_some_order]
    features = customer_features(Engine.transactions, Engine.customers, CUTOFFS[1], TECH)
    assert engine.by_customer(features, rows)["ana"]["gasto_3m"] == 1000000000.34
