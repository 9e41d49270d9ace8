"""How a simulation is cut: groups of customers with their share of the transactions.

A chunk has its own random streams, keyed by its position, so any chunk can be drawn alone and
twice with the same result. That is what keeps memory flat and lets the two tables be written one
after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from clientela.simulation.parameters import TransactionSimulation

Purpose = Literal["customers", "transactions", "dirt", "gaps"]
_STREAMS: Final[dict[Purpose, int]] = {"customers": 0, "transactions": 1, "dirt": 2, "gaps": 3}


@dataclass(frozen=True)
class Chunk:
    """One group of customers.

    Attributes:
        position: Place among the chunks, from 0.
        seed: Seed of the simulation.
        first_customer: Number of customers in earlier chunks.
        customers: Customers in this chunk.
        first_row: Transactions in earlier chunks.
        rows: Transactions in this chunk.
    """

    position: int
    seed: int
    first_customer: int
    customers: int
    first_row: int
    rows: int

    def stream(self, purpose: Purpose) -> np.random.Generator:
        """Fresh random stream of this chunk, the same at every call."""
        key = (self.position, _STREAMS[purpose])
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


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
        yield Chunk(position, simulation.seed, first, last - first, first_row, last_row - first_row)
