import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import cohen_kappa_score

from clientela.pipelines.data_generation.retail import TransactionSimulation
from clientela.pipelines.data_generation.transactions import (
    simulate_customers,
    simulate_retailer,
    simulate_transactions,
)


def digest(source):
    return hashlib.sha256(b"".join(map(bytes, source.csv_blocks()))).hexdigest()


@pytest.mark.parametrize("source", [simulate_transactions, simulate_customers])
def test_equal_parameters_give_equal_bytes(source, simulation):
    assert digest(source(simulation)) == digest(source(simulation.model_copy()))


@pytest.mark.parametrize("source", [simulate_transactions, simulate_customers])
def test_another_seed_gives_other_bytes(source, simulation):
    other = simulation.model_copy(update={"seed": simulation.seed + 1})
    assert digest(source(simulation)) != digest(source(other))


def test_length_is_the_number_of_batches(simulation):
    rows = simulate_transactions(simulation)
    assert len(rows) == len(list(rows.csv_blocks())) == len(list(rows.tables())) == 3


def test_a_clean_sample_is_typed_and_as_large_as_asked_for(simulation):
    clean = simulation.model_copy(update={"dirt": None})
    table = pa.concat_tables(simulate_transactions(clean).tables())
    assert len(table) == simulation.transactions
    assert len(set(table["id_transaccion"].to_pylist())) == len(table)
    assert table.schema.field("valor_transaccion").type == pa.decimal128(18, 2)


def test_balances_of_customers_are_the_sums_of_their_points(simulation):
    moved = pa.concat_tables(simulate_transactions(simulation).clean_tables()).to_pandas()
    people = pa.concat_tables(simulate_customers(simulation).tables()).to_pandas()
    expected = moved.groupby("id_cliente")["puntos"].sum()
    got = people.set_index("id_cliente")["saldo_puntos"]
    assert len(got) == simulation.customers
    assert got.eq(expected.reindex(got.index, fill_value=0)).all()


def test_the_report_tells_what_the_file_will_hold(simulation):
    report = simulate_retailer(simulation)[2]
    text = b"".join(map(bytes, simulate_transactions(simulation).csv_blocks()))
    assert report["transactions"] == text.count(b"\n")
    clean = pa.concat_tables(simulate_transactions(simulation).clean_tables())
    kinds = clean["tipo_transaccion"].to_pylist()
    assert report["refunds"] == kinds.count("DEVOLUCION")
    assert report["customers"] == simulation.customers
    assert report["dirt"] == {
        kind: round(share * simulation.transactions)
        for kind, share in simulation.dirt_shares.items()
    }


@pytest.mark.parametrize(("customers", "transactions"), [(1, 1), (1, 500), (50, 1)])
def test_the_smallest_retailers_work(customers, transactions):
    simulation = TransactionSimulation(customers=customers, transactions=transactions)
    assert sum(map(len, simulate_transactions(simulation).clean_tables())) == transactions
    assert sum(map(len, simulate_customers(simulation).tables())) == customers


@pytest.fixture(scope="module")
def quarters():
    """Classes of TECNOLOGÍA purchases in the last two quarters of each active customer."""
    simulation = TransactionSimulation(dirt=None)
    rows = pa.concat_tables(simulate_transactions(simulation).clean_tables())
    frame = rows.select(["id_cliente", "fecha", "categoria", "tipo_transaccion"]).to_pandas()
    last = frame.groupby("id_cliente")["fecha"].max()
    bought = frame["categoria"].str.upper().str.replace("Í", "I").eq("TECNOLOGIA")
    frame = frame[bought & frame["tipo_transaccion"].ne("DEVOLUCION")]
    age = frame["id_cliente"].map(last) - frame["fecha"]
    counts = {
        name: frame[(age >= pd.Timedelta(days=lo)) & (age < pd.Timedelta(days=lo + 91))]
        .groupby("id_cliente")
        .size()
        .reindex(last.index, fill_value=0)
        for name, lo in (("target", 0), ("before", 91))
    }
    return {name: np.digitize(n, [1, 2, 4]) for name, n in counts.items()}


def test_all_four_classes_of_technology_buyers_have_weight(quarters):
    shares = np.bincount(quarters["target"]) / len(quarters["target"])
    assert shares == pytest.approx([0.51, 0.20, 0.19, 0.10], abs=0.03)


def test_the_last_quarter_says_something_about_the_next_but_not_everything(quarters):
    agreement = cohen_kappa_score(quarters["target"], quarters["before"], weights="quadratic")
    assert 0.36 < agreement < 0.48
