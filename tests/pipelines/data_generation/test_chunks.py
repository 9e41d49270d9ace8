import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clientela.pipelines.data_generation.retail import TransactionSimulation
from clientela.pipelines.data_generation.simulation import TableSimulation


@given(
    customers=st.integers(1, 3_000),
    transactions=st.integers(1, 200_000),
    chunk_rows=st.integers(1_000, 50_000),
)
def test_chunks_cover_all_customers_and_transactions_once(customers, transactions, chunk_rows):
    simulation = TransactionSimulation(
        customers=customers, transactions=transactions, chunk_rows=chunk_rows
    )
    parts = list(simulation.blocks())
    first_customer = first_row = 0
    for position, part in enumerate(parts):
        assert (part.position, part.first_customer, part.first_row) == (
            position,
            first_customer,
            first_row,
        )
        assert part.customers >= 1
        first_customer += part.customers
        first_row += part.rows
    assert (first_customer, first_row) == (customers, transactions)


def test_a_stream_begins_anew_at_every_call(chunk):
    once, again = chunk.create_rng("customers").random(5), chunk.create_rng("customers").random(5)
    np.testing.assert_array_equal(once, again)


def test_streams_differ_by_purpose_chunk_and_seed(simulation):
    first, second = list(simulation.blocks())[:2]
    reseeded = next(simulation.model_copy(update={"seed": 4}).blocks())
    draws = {
        part.create_rng(purpose).integers(2**60)
        for part in (first, second, reseeded)
        for purpose in ("customers", "transactions", "dirt", "gaps")
    }
    assert len(draws) == 12


@given(rows=st.integers(1, 10_000), block_rows=st.integers(1_000, 3_000), share=st.floats(0, 1))
def test_blocks_cover_all_rows_and_their_counts_add_up(rows, block_rows, share):
    blocks = list(TableSimulation(rows=rows, chunk_rows=block_rows).blocks())
    assert [block.position for block in blocks] == list(range(len(blocks)))
    assert sum(block.rows for block in blocks) == rows
    assert max(block.rows for block in blocks) <= block_rows
    assert sum(block.count(share) for block in blocks) == round(share * rows)
    assert all(0 <= block.count(share) <= block.rows for block in blocks)
