import csv
import io
import re
from collections import Counter

import pyarrow as pa
import pytest

from clientela.pipelines.data_generation.retail import TransactionDirtShares, TransactionSimulation
from clientela.pipelines.data_generation.simulation import STRUCTURAL_KINDS
from clientela.pipelines.data_generation.transactions import (
    list_changes,
    simulate_customers,
    simulate_transactions,
)

DIRTY = TransactionSimulation(
    customers=200,
    transactions=6_000,
    chunk_rows=2_500,
    dirt=TransactionDirtShares(
        **{kind: 0.004 + 0.001 * i for i, kind in enumerate(TransactionDirtShares.model_fields)}
    ),
)
EXPECTED = {
    kind: sum(simulate_transactions(DIRTY).dirt.count_rows(chunk)[kind] for chunk in DIRTY.blocks())
    for kind in DIRTY.dirt_shares
}


def parsed(source):
    return list(csv.reader(io.StringIO(b"".join(map(bytes, source.csv_blocks())).decode())))


def kind_of(row, seen, known):  # noqa: PLR0911 - one rule per kind, in the plainest words
    if len(row) != 9:
        return "extra_columns" if len(row) > 9 else "missing_columns"
    key, customer, day, _category, amount = row[:5]
    if not key:
        return "missing_transaction_id"
    if key in seen:
        return "exact_duplicate" if row == seen[key] else "conflicting_duplicate"
    seen[key] = row
    if not customer:
        return "missing_customer_id"
    if customer not in known:
        return "unknown_customer"
    if not amount:
        return "missing_amount"
    if not re.fullmatch(r"-?\d+\.\d\d", amount):
        return "excess_decimals" if re.fullmatch(r"-?\d+\.\d{3}", amount) else "unparseable_amount"
    if day[:4] in {"1904", "2192"}:
        return "year_out_of_range"
    return "impossible_date" if day[5:10] in {"02-30", "13-05", "04-31", "00-12"} else "clean"


def test_every_kind_has_a_spoiler():
    copied = {"exact_duplicate"}
    assert {*list_changes(DIRTY), *STRUCTURAL_KINDS} | copied == {
        *TransactionDirtShares.model_fields
    }


def test_counts_are_the_rounded_shares():
    assert {kind: round(share * 6_000) for kind, share in DIRTY.dirt_shares.items()} == EXPECTED


def test_a_plain_reader_finds_exactly_the_promised_number_of_each_kind():
    known = {row[0] for row in parsed(simulate_customers(DIRTY))}
    seen = {}
    found = Counter(kind_of(row, seen, known) for row in parsed(simulate_transactions(DIRTY)))
    del found["clean"]
    assert found == EXPECTED


def test_rows_left_alone_equal_those_of_a_clean_sample():
    clean = parsed(simulate_transactions(DIRTY.model_copy(update={"dirt": None})))
    dirty = parsed(simulate_transactions(DIRTY))
    spoiled = sum(EXPECTED.values())
    added = EXPECTED["exact_duplicate"] + EXPECTED["conflicting_duplicate"]
    assert len(dirty) == len(clean) + added
    untouched = {tuple(row) for row in clean} & {tuple(row) for row in dirty}
    assert len(untouched) == len(clean) - (spoiled - added)


def test_parquet_batches_hold_the_same_dirt_but_no_broken_rows():
    table = pa.concat_tables(simulate_transactions(DIRTY).tables())
    assert set(table.schema.types) == {pa.string()}
    assert table["valor_transaccion"].null_count == EXPECTED["missing_amount"]
    assert table["id_transaccion"].null_count == EXPECTED["missing_transaction_id"]
    assert table["id_cliente"].null_count == EXPECTED["missing_customer_id"]
    assert len(table) == 6_000 + EXPECTED["exact_duplicate"] + EXPECTED["conflicting_duplicate"]


@pytest.mark.parametrize("kind", sorted(TransactionDirtShares.model_fields))
def test_each_kind_works_alone_on_few_rows(kind):
    only = dict.fromkeys(TransactionDirtShares.model_fields, 0.0) | {kind: 0.05}
    simulation = TransactionSimulation(
        customers=3, transactions=30, dirt=TransactionDirtShares(**only)
    )
    assert simulation.count_dirty_rows() == {kind: 2}
    lines = 32 if "duplicate" in kind else 30
    assert len(parsed(simulate_transactions(simulation))) == lines
