"""The two simulated tables as streams: nothing is drawn before someone reads, chunk by chunk.

Each stream draws anew from the same seeds. Drawing twice costs less than holding both tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from clientela.simulation import transactions
from clientela.simulation.chunks import chunk_count, chunks
from clientela.simulation.customers import COLUMNS as CUSTOMER_COLUMNS
from clientela.simulation.customers import customers_of, customers_table
from clientela.simulation.dirt import ADDED_KINDS, spoiled_lines, spoiled_table
from clientela.simulation.ledger import refund_count
from clientela.simulation.parameters import TransactionSimulation
from clientela.simulation.seasonality import Calendar
from clientela.simulation.text_columns import as_text, csv_block, csv_lines
from clientela.simulation.transaction_dirt import transaction_dirt


@dataclass(frozen=True)
class SimulatedTransactions:
    """One row per transaction, ordered by time within each group of customers.

    Attributes:
        simulation: Size, dates, seed and dirt.
        columns: Names of the columns, in order.
    """

    simulation: TransactionSimulation
    columns: ClassVar[tuple[str, ...]] = transactions.COLUMNS

    def __len__(self) -> int:
        return chunk_count(self.simulation)

    @property
    def origin(self) -> dict[str, Any]:
        """The parameters that make these rows, as JSON holds them."""
        return self.simulation.model_dump(mode="json")

    def clean_tables(self) -> Iterator[pa.Table]:
        """Typed tables without dirt; columns as in `transactions_table`."""
        calendar = Calendar(self.simulation.start, self.simulation.end)
        for chunk in chunks(self.simulation):
            customers = customers_of(chunk, calendar)
            yield transactions.transactions_table(chunk, calendar, customers)

    def tables(self) -> Iterator[pa.Table]:
        """Tables with the dirt that columns can hold, all text; typed when there is no dirt."""
        dirt = transaction_dirt(self.simulation)
        for chunk, table in zip(chunks(self.simulation), self.clean_tables(), strict=True):
            yield spoiled_table(as_text(table), dirt, chunk) if dirt.shares else table

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """Lines of CSV with all dirt, without header, missing values empty."""
        dirt = transaction_dirt(self.simulation)
        for chunk, table in zip(chunks(self.simulation), self.clean_tables(), strict=True):
            yield csv_block(spoiled_lines(as_text(table), dirt, chunk))


@dataclass(frozen=True)
class SimulatedCustomers:
    """One row per customer, points balance at the end of the window included.

    Attributes:
        simulation: Size, dates and seed; dirt never touches customers.
        columns: Names of the columns, in order.
    """

    simulation: TransactionSimulation
    columns: ClassVar[tuple[str, ...]] = CUSTOMER_COLUMNS

    def __len__(self) -> int:
        return chunk_count(self.simulation)

    @property
    def origin(self) -> dict[str, Any]:
        """The parameters that make these rows, as JSON holds them."""
        return self.simulation.model_dump(mode="json")

    def tables(self) -> Iterator[pa.Table]:
        """Typed tables; columns as in `customers_table`."""
        calendar = Calendar(self.simulation.start, self.simulation.end)
        for chunk in chunks(self.simulation):
            customers = customers_of(chunk, calendar)
            rng = chunk.stream("transactions")
            ledger = transactions.chunk_ledger(rng, chunk, customers, calendar)
            yield customers_table(chunk, customers, ledger.balance(chunk.customers))

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """Lines of CSV, without header, missing values empty."""
        for table in self.tables():
            yield csv_block(csv_lines(as_text(table)))


def generation_report(simulation: TransactionSimulation) -> dict[str, Any]:
    """What a simulation holds, known before it is drawn.

    Args:
        simulation: Size, dates, seed and dirt.

    Returns:
        `customers`, `transactions` (lines of the CSV without its header), `refunds`, and `dirt`:
        rows per kind. The kinds in `STRUCTURAL_KINDS` exist in CSV only.
    """
    dirt = {
        kind: round(share * simulation.transactions)
        for kind, share in simulation.dirt_shares.items()
    }
    refunds = sum(refund_count(chunk.rows) for chunk in chunks(simulation))
    added = sum(dirt.get(kind, 0) for kind in ADDED_KINDS)
    return {
        "customers": simulation.customers,
        "transactions": simulation.transactions + added,
        "refunds": refunds,
        "dirt": dirt,
    }
