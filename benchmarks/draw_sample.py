"""Draws the tables that the variants read: the simulator's clean rows as ingestion leaves them.

Called as `draw_sample.py <rows> <transactions> <customers>`. Transactions lie in order of time, as
a retailer's export does, so that one customer's rows are spread over the whole file.
"""

import sys
import tempfile
from pathlib import Path

import ibis.expr.types as ir
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from clientela.datasets.table import TableDataset
from clientela.pipelines.data_generation.retail import TransactionSimulation
from clientela.pipelines.data_generation.simulation import SimulatedTable
from clientela.pipelines.data_generation.transactions import (
    simulate_customers,
    simulate_transactions,
)
from clientela.schemas import Customers, Transactions
from clientela.text import normalize_text

ROWS_PER_CUSTOMER = 20
TYPED = (
    "id_transaccion",
    "id_cliente",
    "fecha",
    "categoria",
    "rubro",
    "valor_transaccion",
    "puntos",
    "tipo_transaccion",
)


def main(rows: int, transactions: Path, customers: Path) -> None:
    """Writes both tables.

    Args:
        rows: How many transactions.
        transactions: Where they go.
        customers: Where the customers go.
    """
    simulation = TransactionSimulation(
        transactions=rows, customers=max(1, rows // ROWS_PER_CUSTOMER), dirt=None
    )
    transactions.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=transactions.parent) as folder:
        bought = _as_drawn(simulate_transactions(simulation), Path(folder) / "transactions.parquet")
        people = _as_drawn(simulate_customers(simulation), Path(folder) / "customers.parquet")
        TableDataset(filepath=str(transactions), order_by=["fecha", "id_transaccion"]).save(
            Transactions.validate(typed(bought))
        )
        TableDataset(filepath=str(customers), order_by="id_cliente").save(
            Customers.validate(people)
        )


def typed(drawn: ir.Table) -> ir.Table:
    """One row per transaction with the columns and types of ingestion's table.

    Args:
        drawn: Transactions of the simulator.

    Returns:
        The columns of `TYPED`.
    """
    return drawn.mutate(
        fecha=drawn["fecha"].cast("timestamp(6)"), rubro=normalize_text(drawn["categoria"])
    ).select(*TYPED)


def _as_drawn(simulated: SimulatedTable, place: Path) -> ir.Table:
    """The simulated table, written chunk by chunk so that no chunk has to stay in memory."""
    chunks = track(
        simulated.clean_tables(), place.stem, total=len(simulated), console=Console(stderr=True)
    )
    first = next(chunks := iter(chunks))
    with pq.ParquetWriter(place, first.schema) as writer:
        writer.write_table(first)
        for chunk in chunks:
            writer.write_table(chunk)
    return TableDataset(filepath=str(place)).load()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
