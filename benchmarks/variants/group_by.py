"""A plain group-by: the cheapest pass over the transactions that still ends in customers."""

from pathlib import Path

import duckdb

QUERY = """
COPY (
    SELECT id_cliente, count(*) AS num_tx, sum(valor_transaccion) AS gasto
    FROM read_parquet('{transactions}')
    GROUP BY id_cliente
    ORDER BY id_cliente
) TO '{output}' (FORMAT parquet, COMPRESSION zstd)
"""


def save(transactions: Path, customers: Path, output: Path) -> None:  # noqa: ARG001
    """Writes one row per customer with the count and the sum of their transactions.

    Args:
        transactions: One row per transaction.
        customers: Not read.
        output: Where to write.
    """
    con = duckdb.connect(config={"preserve_insertion_order": False})
    con.execute(QUERY.format(transactions=transactions, output=output))
