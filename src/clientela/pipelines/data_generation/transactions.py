"""What goes wrong in a retailer's export of transactions."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from clientela.pipelines.data_generation.retail import (
    CITIES,
    KINDS,
    Customers,
    Ledger,
    build_customers_table,
    build_ledger,
    count_refunds,
    draw_customers,
    draw_purchases,
    encode_customer_ids,
)
from clientela.pipelines.data_generation.retail import COLUMNS as CUSTOMER_COLUMNS
from clientela.pipelines.data_generation.simulation import (
    ADDED_KINDS,
    CATEGORIES,
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    Calendar,
    Chunk,
    Dirt,
    Floats,
    Ints,
    Spoiler,
    TransactionSimulation,
    add_table_dirt,
    convert_to_text,
    copy_rows,
    count_customer_chunks,
    cycle_values,
    empty_column,
    format_csv_lines,
    format_dirty_lines,
    get_csv_buffer,
    join_texts,
    list_spellings,
    pad_numbers,
    replace_values,
    set_column,
    slice_text,
    split_into_chunks,
)

# What goes wrong in a retailer's export of transactions.


DISTANT_YEARS: Final = ("1904", "2192")  # leap years, so that 29 February stays a real day


def _set_other_amount(rows: pa.Table) -> pa.Table:
    amounts = [str(Decimal(amount) + 10) for amount in rows["valor_transaccion"].to_pylist()]
    return set_column(rows, "valor_transaccion", pa.array(amounts, pa.string()))


def _set_unknown_customer(customers: int) -> Spoiler:
    def spoil(rows: pa.Table) -> pa.Table:
        return set_column(rows, "id_cliente", encode_customer_ids(customers + np.arange(len(rows))))

    return spoil


def _set_impossible_date(rows: pa.Table) -> pa.Table:
    days = cycle_values(IMPOSSIBLE_DAYS, len(rows))
    return set_column(rows, "fecha", join_texts(days, slice_text(rows["fecha"], len("2023-02-30"))))


def _set_distant_year(rows: pa.Table) -> pa.Table:
    years = cycle_values(DISTANT_YEARS, len(rows))
    return set_column(rows, "fecha", join_texts(years, slice_text(rows["fecha"], len("2023"))))


def _add_third_decimal(rows: pa.Table) -> pa.Table:
    return set_column(rows, "valor_transaccion", join_texts(rows["valor_transaccion"], "7"))


def create_transaction_dirt(simulation: TransactionSimulation) -> Dirt:
    """The kinds of dirt in a retailer's transactions; `DirtShares` tells what each one is.

    Args:
        simulation: Says how many of which kind, and which customers exist.
    """
    spoilers: dict[str, Spoiler] = {
        "exact_duplicate": copy_rows,
        "conflicting_duplicate": _set_other_amount,
        "missing_transaction_id": empty_column("id_transaccion"),
        "missing_customer_id": empty_column("id_cliente"),
        "unknown_customer": _set_unknown_customer(simulation.customers),
        "impossible_date": _set_impossible_date,
        "year_out_of_range": _set_distant_year,
        "unparseable_amount": replace_values("valor_transaccion", NO_NUMBERS),
        "missing_amount": empty_column("valor_transaccion"),
        "excess_decimals": _add_third_decimal,
    }
    return Dirt(simulation.dirt_shares, spoilers)


# The transactions of one chunk, as the retailer's system exports them.


COLUMNS = (
    "id_transaccion",
    "id_cliente",
    "fecha",
    "categoria",
    "valor_transaccion",
    "puntos",
    "tipo_transaccion",
    "canal",
    "ciudad",
)

CHANNELS = ("TIENDA", "APP", "WEB")
APP_SHARE_ONLINE = 0.6
AWAY_FROM_HOME = 0.05
SPELLING_SHARES = (0.90, 0.03, 0.03, 0.02, 0.02)
ID_DIGITS = 10

_SPELLINGS = pa.array([text for category in CATEGORIES for text in list_spellings(category.name)])


def build_chunk_ledger(
    rng: np.random.Generator, chunk: Chunk, customers: Customers, calendar: Calendar
) -> Ledger:
    """The entries of a chunk, `chunk.rows` of them, in order of time."""
    refunds = count_refunds(chunk.rows)
    purchases = draw_purchases(rng, customers, calendar, chunk.rows - refunds)
    return build_ledger(rng, purchases, refunds, calendar)


def _decode_labels(names: tuple[str, ...], position: Ints) -> pa.Array:
    return pa.array(names).take(pa.array(position))


def _convert_to_amounts(cents: Ints) -> pa.Array:
    """Hundredths as DECIMAL(18,2): two 64-bit words each, the upper one repeats the sign."""
    words = np.column_stack([cents, cents >> 63])
    return pa.Array.from_buffers(
        pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(np.ascontiguousarray(words))]
    )


def _encode_transaction_ids(chunk: Chunk) -> pa.Array:
    return join_texts("T", pad_numbers(chunk.first_row + 1 + np.arange(chunk.rows), ID_DIGITS))


def _draw_spellings(rng: np.random.Generator, category: Ints) -> Ints:
    """Position in `_SPELLINGS` of each entry's rubro as one till writes it."""
    variant = np.searchsorted(np.cumsum(SPELLING_SHARES)[:-1], rng.random(len(category)), "right")
    return category * len(SPELLING_SHARES) + variant


def _draw_channels(rng: np.random.Generator, online: Floats) -> Ints:
    draw = rng.random(len(online))
    return (draw < online).astype(np.int64) + (draw < online * (1 - APP_SHARE_ONLINE))


def _draw_cities(rng: np.random.Generator, home: Ints) -> Ints:
    away = rng.random(len(home)) < AWAY_FROM_HOME
    return np.where(away, rng.integers(len(CITIES), size=len(home)), home)


def build_transactions_table(chunk: Chunk, calendar: Calendar, customers: Customers) -> pa.Table:
    """One row per transaction of the chunk's customers, in order of time.

    Returns:
        `id_transaccion` (text, unique), `id_cliente` (text, PII), `fecha` (local time, seconds),
        `categoria` (as written by the till), `valor_transaccion` (DECIMAL(18,2), negative for
        refunds), `puntos` (earned or, negative, redeemed or taken back), `tipo_transaccion`,
        `canal`, `ciudad`.
    """
    rng = chunk.create_rng("transactions")
    ledger = build_chunk_ledger(rng, chunk, customers, calendar)
    buyer = ledger.customer
    return pa.table(
        {
            "id_transaccion": _encode_transaction_ids(chunk),
            "id_cliente": encode_customer_ids(customers.number).take(pa.array(buyer)),
            "fecha": pa.array(ledger.second).cast(pa.timestamp("s")),
            "categoria": _SPELLINGS.take(pa.array(_draw_spellings(rng, ledger.category))),
            "valor_transaccion": _convert_to_amounts(ledger.cents),
            "puntos": pa.array(ledger.points),
            "tipo_transaccion": _decode_labels(KINDS, ledger.kind),
            "canal": _decode_labels(CHANNELS, _draw_channels(rng, customers.online[buyer])),
            "ciudad": _decode_labels(CITIES, _draw_cities(rng, customers.city[buyer])),
        }
    )


# The two simulated tables as streams: nothing is drawn before someone reads, chunk by chunk.
#
# Each stream draws anew from the same seeds. Drawing twice costs less than holding both tables.


@dataclass(frozen=True)
class SimulatedTransactions:
    """One row per transaction, ordered by time within each group of customers.

    Attributes:
        simulation: Size, dates, seed and dirt.
        columns: Names of the columns, in order.
    """

    simulation: TransactionSimulation
    columns: ClassVar[tuple[str, ...]] = COLUMNS

    def __len__(self) -> int:
        return count_customer_chunks(self.simulation)

    @property
    def origin(self) -> dict[str, Any]:
        """The parameters that make these rows, as JSON holds them."""
        return self.simulation.model_dump(mode="json")

    def clean_tables(self) -> Iterator[pa.Table]:
        """Typed tables without dirt; columns as in `transactions_table`."""
        calendar = Calendar(self.simulation.start, self.simulation.end)
        for chunk in split_into_chunks(self.simulation):
            customers = draw_customers(chunk, calendar)
            yield build_transactions_table(chunk, calendar, customers)

    def tables(self) -> Iterator[pa.Table]:
        """Tables with the dirt that columns can hold, all text; typed when there is no dirt."""
        dirt = create_transaction_dirt(self.simulation)
        for chunk, table in zip(
            split_into_chunks(self.simulation), self.clean_tables(), strict=True
        ):
            yield add_table_dirt(convert_to_text(table), dirt, chunk) if dirt.shares else table

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """Lines of CSV with all dirt, without header, missing values empty."""
        dirt = create_transaction_dirt(self.simulation)
        for chunk, table in zip(
            split_into_chunks(self.simulation), self.clean_tables(), strict=True
        ):
            yield get_csv_buffer(format_dirty_lines(convert_to_text(table), dirt, chunk))


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
        return count_customer_chunks(self.simulation)

    @property
    def origin(self) -> dict[str, Any]:
        """The parameters that make these rows, as JSON holds them."""
        return self.simulation.model_dump(mode="json")

    def tables(self) -> Iterator[pa.Table]:
        """Typed tables; columns as in `customers_table`."""
        calendar = Calendar(self.simulation.start, self.simulation.end)
        for chunk in split_into_chunks(self.simulation):
            customers = draw_customers(chunk, calendar)
            rng = chunk.create_rng("transactions")
            ledger = build_chunk_ledger(rng, chunk, customers, calendar)
            yield build_customers_table(chunk, customers, ledger.balance(chunk.customers))

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """Lines of CSV, without header, missing values empty."""
        for table in self.tables():
            yield get_csv_buffer(format_csv_lines(convert_to_text(table)))


def generation_report(simulation: TransactionSimulation) -> dict[str, Any]:
    """What a simulation holds, known before it is drawn.

    Returns:
        `customers`, `transactions` (lines of the CSV without its header), `refunds`, and `dirt`:
        rows per kind. The kinds in `STRUCTURAL_KINDS` exist in CSV only.
    """
    dirt = {
        kind: round(share * simulation.transactions)
        for kind, share in simulation.dirt_shares.items()
    }
    refunds = sum(count_refunds(chunk.rows) for chunk in split_into_chunks(simulation))
    added = sum(dirt.get(kind, 0) for kind in ADDED_KINDS)
    return {
        "customers": simulation.customers,
        "transactions": simulation.transactions + added,
        "refunds": refunds,
        "dirt": dirt,
    }
