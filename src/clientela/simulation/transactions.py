"""The transactions of one chunk, as the retailer's system exports them."""

import numpy as np
import pyarrow as pa

from clientela.simulation.categories import CATEGORIES, spellings
from clientela.simulation.chunks import Chunk
from clientela.simulation.customers import CITIES, Customers, customer_ids
from clientela.simulation.ledger import KINDS, Ledger, ledger_of, refund_count
from clientela.simulation.purchases import purchases_of
from clientela.simulation.seasonality import Calendar, Floats, Ints
from clientela.simulation.text_columns import joined, padded

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

_SPELLINGS = pa.array([text for category in CATEGORIES for text in spellings(category.name)])


def chunk_ledger(
    rng: np.random.Generator, chunk: Chunk, customers: Customers, calendar: Calendar
) -> Ledger:
    """The entries of a chunk, `chunk.rows` of them, in order of time.

    Args:
        rng: The chunk's stream for transactions.
        chunk: Which rows.
        customers: Customers of the chunk.
        calendar: Window and seasons.
    """
    refunds = refund_count(chunk.rows)
    purchases = purchases_of(rng, customers, calendar, chunk.rows - refunds)
    return ledger_of(rng, purchases, refunds, calendar)


def _labels(names: tuple[str, ...], position: Ints) -> pa.Array:
    return pa.array(names).take(pa.array(position))


def _amounts(cents: Ints) -> pa.Array:
    """Hundredths as DECIMAL(18,2): two 64-bit words each, the upper one repeats the sign."""
    words = np.column_stack([cents, cents >> 63])
    return pa.Array.from_buffers(
        pa.decimal128(18, 2), len(cents), [None, pa.py_buffer(np.ascontiguousarray(words))]
    )


def _transaction_ids(chunk: Chunk) -> pa.Array:
    return joined("T", padded(chunk.first_row + 1 + np.arange(chunk.rows), ID_DIGITS))


def _spelling(rng: np.random.Generator, category: Ints) -> Ints:
    """Position in `_SPELLINGS` of each entry's rubro as one till writes it."""
    variant = np.searchsorted(np.cumsum(SPELLING_SHARES)[:-1], rng.random(len(category)), "right")
    return category * len(SPELLING_SHARES) + variant


def _channel(rng: np.random.Generator, online: Floats) -> Ints:
    draw = rng.random(len(online))
    return (draw < online).astype(np.int64) + (draw < online * (1 - APP_SHARE_ONLINE))


def _city(rng: np.random.Generator, home: Ints) -> Ints:
    away = rng.random(len(home)) < AWAY_FROM_HOME
    return np.where(away, rng.integers(len(CITIES), size=len(home)), home)


def transactions_table(chunk: Chunk, calendar: Calendar, customers: Customers) -> pa.Table:
    """One row per transaction of the chunk's customers, in order of time.

    Args:
        chunk: Which rows.
        calendar: Window and seasons.
        customers: Customers of the chunk.

    Returns:
        `id_transaccion` (text, unique), `id_cliente` (text, PII), `fecha` (local time, seconds),
        `categoria` (as written by the till), `valor_transaccion` (DECIMAL(18,2), negative for
        refunds), `puntos` (earned or, negative, redeemed or taken back), `tipo_transaccion`,
        `canal`, `ciudad`.
    """
    rng = chunk.stream("transactions")
    ledger = chunk_ledger(rng, chunk, customers, calendar)
    buyer = ledger.customer
    return pa.table(
        {
            "id_transaccion": _transaction_ids(chunk),
            "id_cliente": customer_ids(customers.number).take(pa.array(buyer)),
            "fecha": pa.array(ledger.second).cast(pa.timestamp("s")),
            "categoria": _SPELLINGS.take(pa.array(_spelling(rng, ledger.category))),
            "valor_transaccion": _amounts(ledger.cents),
            "puntos": pa.array(ledger.points),
            "tipo_transaccion": _labels(KINDS, ledger.kind),
            "canal": _labels(CHANNELS, _channel(rng, customers.online[buyer])),
            "ciudad": _labels(CITIES, _city(rng, customers.city[buyer])),
        }
    )
