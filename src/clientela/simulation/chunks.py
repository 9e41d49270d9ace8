"""How a simulation is cut: blocks of rows; for a retailer, groups of customers with their share.

A block has its own random streams, keyed by its position, so any block can be drawn alone and
twice with the same result. That is what keeps memory flat and lets several tables be written one
after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from clientela.simulation.parameters import TransactionSimulation

Purpose = Literal["customers", "transactions", "dirt", "gaps", "outcome"]
_STREAMS: Final[dict[Purpose, int]] = {
    "customers": 0,
    "transactions": 1,
    "dirt": 2,
    "gaps": 3,
    "outcome": 4,
}


@dataclass(frozen=True)
class RowBlock:
    """Rows of one table that are drawn together.

    Attributes:
        position: Place among the blocks, from 0.
        seed: Seed of the simulation.
        first_row: Rows in earlier blocks.
        rows: Rows in this block.
    """

    position: int
    seed: int
    first_row: int
    rows: int

    def stream(self, purpose: Purpose) -> np.random.Generator:
        """Fresh random stream of this block, the same at every call."""
        key = (self.position, _STREAMS[purpose])
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))

    def count(self, share: float) -> int:
        """Rows of this block for a share; all blocks together have `round(share * rows)`."""
        return round(share * (self.first_row + self.rows)) - round(share * self.first_row)


@dataclass(frozen=True)
class Chunk(RowBlock):
    """One group of customers; its rows are their transactions.

    Attributes:
        first_customer: Number of customers in earlier chunks.
        customers: Customers in this chunk.
    """

    first_customer: int
    customers: int


def row_blocks(rows: int, block_rows: int, seed: int) -> Iterator[RowBlock]:
    """Cut a table into blocks of nearly equal size.

    Args:
        rows: Rows of the table.
        block_rows: Most rows of one block.
        seed: Seed of the simulation.

    Yields:
        The blocks; their rows add up to `rows`.
    """
    count = -(-rows // block_rows)
    for position in range(count):
        first, last = (rows * i // count for i in (position, position + 1))
        yield RowBlock(position, seed, first, last - first)


def chunk_count(simulation: TransactionSimulation) -> int:
    """Number of chunks: about `chunk_rows` transactions each, one customer at least."""
    wanted = -(-simulation.transactions // simulation.chunk_rows)
    return min(wanted, simulation.customers)


def chunks(simulation: TransactionSimulation) -> Iterator[Chunk]:
    """Yield the chunks; customers and transactions add up to those asked for."""
    count = chunk_count(simulation)
    for position in range(count):
        first, last = (simulation.customers * i // count for i in (position, position + 1))
        first_row, last_row = (
            simulation.transactions * i // simulation.customers for i in (first, last)
        )
        yield Chunk(position, simulation.seed, first_row, last_row - first_row, first, last - first)
