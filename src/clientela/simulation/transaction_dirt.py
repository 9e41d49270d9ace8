"""What goes wrong in a retailer's export of transactions."""

from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa

from clientela.simulation.customers import customer_ids
from clientela.simulation.dirt import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    Dirt,
    Spoiler,
    cycled,
    emptied,
    replaced,
    unchanged,
    with_column,
)
from clientela.simulation.parameters import TransactionSimulation
from clientela.simulation.text_columns import joined, text_from

DISTANT_YEARS: Final = ("1904", "2192")  # leap years, so that 29 February stays a real day


def _another_amount(rows: pa.Table) -> pa.Table:
    amounts = [str(Decimal(amount) + 10) for amount in rows["valor_transaccion"].to_pylist()]
    return with_column(rows, "valor_transaccion", pa.array(amounts, pa.string()))


def _unknown_customer(customers: int) -> Spoiler:
    def spoil(rows: pa.Table) -> pa.Table:
        return with_column(rows, "id_cliente", customer_ids(customers + np.arange(len(rows))))

    return spoil


def _impossible_date(rows: pa.Table) -> pa.Table:
    days = cycled(IMPOSSIBLE_DAYS, len(rows))
    return with_column(rows, "fecha", joined(days, text_from(rows["fecha"], len("2023-02-30"))))


def _distant_year(rows: pa.Table) -> pa.Table:
    years = cycled(DISTANT_YEARS, len(rows))
    return with_column(rows, "fecha", joined(years, text_from(rows["fecha"], len("2023"))))


def _third_decimal(rows: pa.Table) -> pa.Table:
    return with_column(rows, "valor_transaccion", joined(rows["valor_transaccion"], "7"))


def transaction_dirt(simulation: TransactionSimulation) -> Dirt:
    """The kinds of dirt in a retailer's transactions; `DirtShares` tells what each one is.

    Args:
        simulation: Says how many of which kind, and which customers exist.
    """
    spoilers: dict[str, Spoiler] = {
        "exact_duplicate": unchanged,
        "conflicting_duplicate": _another_amount,
        "missing_transaction_id": emptied("id_transaccion"),
        "missing_customer_id": emptied("id_cliente"),
        "unknown_customer": _unknown_customer(simulation.customers),
        "impossible_date": _impossible_date,
        "year_out_of_range": _distant_year,
        "unparseable_amount": replaced("valor_transaccion", NO_NUMBERS),
        "missing_amount": emptied("valor_transaccion"),
        "excess_decimals": _third_decimal,
    }
    return Dirt(simulation.dirt_shares, spoilers)
