"""The two raw files of a simulated retailer: the ledger of its transactions, its customers, dirt.

Each file draws anew from the same seeds: drawing twice costs less than holding both tables.
"""

from decimal import Decimal
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from clientela.pipelines.data_generation.retail import (
    CATEGORIES,
    CITIES,
    CUSTOMER_COLUMNS,
    HOURS_PER_DAY,
    Calendar,
    Chunk,
    Customers,
    Ledger,
    TransactionSimulation,
    build_customers_table,
    draw_customers,
    draw_purchases,
    draw_truncated_exponential,
    encode_customer_ids,
    list_spellings,
)
from clientela.pipelines.data_generation.simulation import (
    IMPOSSIBLE_DAYS,
    NO_NUMBERS,
    PULL,
    SECONDS_PER_HOUR,
    Change,
    Ints,
    Plant,
    Shift,
    SimulatedTable,
    choose_rows,
    clear_column,
    count_drawn_rows,
    create_next_simulation,
    draw_planted,
    empty_values,
    join_texts,
    kernels,
    list_shifts,
    pad_numbers,
    replace_column,
    replace_values,
    scale_column,
)

COLUMNS: Final = (
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
ID_DIGITS: Final = 10

KINDS: Final = ("ACUMULACION", "REDENCION", "DEVOLUCION")
EARNING, REDEEMING, REFUNDING = range(3)
REFUND_SHARE: Final = 0.015
REDEMPTION_SHARE: Final = 0.05
CENTS_PER_POINT: Final = 200  # spent to earn one point
POINT_VALUE_CENTS: Final = 4  # paid by one redeemed point, 2 % of what earned it
REFUND_MEAN_DAYS: Final = 9.0

CHANNELS: Final = ("TIENDA", "APP", "WEB")
APP_SHARE_ONLINE: Final = 0.6
AWAY_FROM_HOME: Final = 0.05
SPELLING_SHARES: Final = (0.90, 0.03, 0.03, 0.02, 0.02)
_SPELLINGS = pa.array([text for category in CATEGORIES for text in list_spellings(category.name)])

DISTANT_YEARS: Final = ("1904", "2192")  # leap years, so that 29 February stays a real day


def simulate_retailer(
    simulation: TransactionSimulation,
) -> tuple[SimulatedTable, SimulatedTable, dict[str, Any]]:
    """The two raw tables of a simulated retailer, not yet drawn, and what they will hold.

    Returns:
        Transactions (one row per transaction, in order of time within each group of customers);
        customers (one row per customer, PII, never dirty); and the report, known before anything
        is drawn: `customers`, `transactions` (lines of the CSV without its header), `refunds` and
        `dirt` (rows per kind; those of another width exist in CSV only). They are saved in this
        order, so no report outlives a refusal.
    """
    report = {
        "customers": simulation.customers,
        "transactions": simulation.lines(),
        "refunds": sum(count_refunds(chunk.rows) for chunk in simulation.blocks()),
        "dirt": simulation.count_dirty_rows(),
    }
    return simulate_transactions(simulation), simulate_customers(simulation), report


def simulate_transactions(simulation: TransactionSimulation) -> SimulatedTable:
    """One row per transaction, not yet drawn; see `build_transactions_table`."""
    draw = partial(build_transactions_table, calendar=Calendar.of(simulation))
    return SimulatedTable(simulation, COLUMNS, draw, list_changes(simulation))


def simulate_customers(simulation: TransactionSimulation) -> SimulatedTable:
    """One row per customer, points balance at the end of the window included, not yet drawn."""
    calendar = Calendar.of(simulation)

    def draw(chunk: Chunk) -> pa.Table:
        customers, ledger, _ = _draw_ledger(chunk, calendar)
        return build_customers_table(chunk, customers, ledger.balance(chunk.customers))

    return SimulatedTable(simulation, CUSTOMER_COLUMNS, draw)


# What each change does to the transactions. None of an outcome: the quarter that a score is about
# lies ahead of the period.
PLANTS: Final[dict[Shift, Plant]] = {
    "broken_unit": scale_column("valor_transaccion", 100),  # cents
    "missing_column": clear_column("puntos"),
    # tills call a rubro otherwise, so that nothing is bought in the old one
    "new_category": lambda rows, _: _rename_category(rows, "TECNOLOGÍA", "ELECTRO DIGITAL"),
    # of whole customers, in place
    "changed_population": lambda rows, _: rows,
}


def simulate_next_retail(
    simulation: TransactionSimulation,
) -> tuple[SimulatedTable, SimulatedTable, SimulatedTable, SimulatedTable]:
    """Transactions and customers one year later, as before; and two years later, changed.

    Whole years, so that the season is the same one; customers of that time with all their history.
    """
    tables = []
    for period, shift in enumerate(list_shifts(simulation, PLANTS), start=1):
        customers = count_drawn_rows(simulation, shift)
        end = (simulation.end + pd.DateOffset(years=period)).date()
        changes: dict[str, Any] = {
            "customers": customers,
            "transactions": simulation.transactions * customers // simulation.customers,
            # as many days: who was there from the first one on is as old as before
            "start": end - (simulation.end - simulation.start),
            "end": end,
        }
        next_one = create_next_simulation(simulation, period, changes)
        drawn = simulate_transactions(next_one), simulate_customers(next_one)
        for table, plant in zip(drawn, (PLANTS.get(shift), None), strict=True):
            draw = partial(draw_planted, table, plant)
            if shift == "changed_population":
                draw = partial(_draw_of_rare_customers, drawn[0], table)
            tables.append(SimulatedTable(next_one, table.columns, draw, shift=shift))
    return tables[0], tables[1], tables[2], tables[3]


def _rename_category(rows: pa.Table, old: str, new: str) -> pa.Table:
    spelt = kernels.is_in(rows["categoria"], value_set=pa.array(list_spellings(old)))
    return replace_column(rows, "categoria", kernels.if_else(spelt, new, rows["categoria"]))


def _draw_of_rare_customers(
    transactions: SimulatedTable, table: SimulatedTable, chunk: Chunk
) -> pa.Table:
    """The rows of those customers who buy least."""
    counts = transactions.draw(chunk)["id_cliente"].value_counts().flatten()
    sizes = pa.table({"id_cliente": counts[0], "rows": counts[1]})
    chosen = choose_rows("rows", -PULL)(sizes, chunk.create_rng("shift"))["id_cliente"]
    rows = table.draw(chunk)
    return rows.filter(kernels.is_in(rows["id_cliente"], value_set=chosen.combine_chunks()))


def list_changes(simulation: TransactionSimulation) -> dict[str, tuple[str, Change]]:
    """What each kind of dirt does to the transactions; `TransactionDirtShares` describes them."""

    def set_other_amount(amounts: pa.ChunkedArray) -> pa.Array:
        return pa.array([str(Decimal(amount) + 10) for amount in amounts.to_pylist()], pa.string())

    def set_unknown_customer(ids: pa.ChunkedArray) -> pa.Array:
        return encode_customer_ids(simulation.customers + np.arange(len(ids)))

    def replace_start(others: tuple[str, ...]) -> Change:
        width, replace = len(others[0]), replace_values(others)
        return lambda dates: join_texts(replace(dates), kernels.utf8_slice_codeunits(dates, width))

    return {
        "conflicting_duplicate": ("valor_transaccion", set_other_amount),
        "missing_transaction_id": ("id_transaccion", empty_values),
        "missing_customer_id": ("id_cliente", empty_values),
        "unknown_customer": ("id_cliente", set_unknown_customer),
        "impossible_date": ("fecha", replace_start(IMPOSSIBLE_DAYS)),
        "year_out_of_range": ("fecha", replace_start(DISTANT_YEARS)),
        "unparseable_amount": ("valor_transaccion", replace_values(NO_NUMBERS)),
        "missing_amount": ("valor_transaccion", empty_values),
        "excess_decimals": ("valor_transaccion", lambda amounts: join_texts(amounts, "7")),
    }


def build_transactions_table(chunk: Chunk, calendar: Calendar) -> pa.Table:
    """One row per transaction of the chunk's customers, in order of time.

    Returns:
        `id_transaccion` (text, unique), `id_cliente` (text, PII), `fecha` (local time, seconds),
        `categoria` (as written by the till), `valor_transaccion` (DECIMAL(18,2), negative for
        refunds), `puntos` (earned or, negative, redeemed or taken back), `tipo_transaccion`,
        `canal`, `ciudad`.
    """
    customers, ledger, rng = _draw_ledger(chunk, calendar)
    buyer, count = ledger.customer, chunk.rows
    variant = np.searchsorted(np.cumsum(SPELLING_SHARES)[:-1], rng.random(count), "right")
    spelling = ledger.category * len(SPELLING_SHARES) + variant
    online, draw = customers.online[buyer], rng.random(count)
    channel = (draw < online).astype(np.int64) + (draw < online * (1 - APP_SHARE_ONLINE))
    away = rng.random(count) < AWAY_FROM_HOME
    city = np.where(away, rng.integers(len(CITIES), size=count), customers.city[buyer])
    # hundredths as DECIMAL(18,2): two 64-bit words each, the upper one repeats the sign
    words = np.ascontiguousarray(np.column_stack([ledger.cents, ledger.cents >> 63]))
    columns = (
        join_texts("T", pad_numbers(chunk.first_row + 1 + np.arange(count), ID_DIGITS)),
        encode_customer_ids(customers.number).take(pa.array(buyer)),
        pa.array(ledger.second).cast(pa.timestamp("s")),
        _SPELLINGS.take(pa.array(spelling)),
        pa.Array.from_buffers(pa.decimal128(18, 2), count, [None, pa.py_buffer(words)]),
        pa.array(ledger.points),
        pa.array(KINDS).take(pa.array(ledger.kind)),
        pa.array(CHANNELS).take(pa.array(channel)),
        pa.array(CITIES).take(pa.array(city)),
    )
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def _draw_ledger(chunk: Chunk, calendar: Calendar) -> tuple[Customers, Ledger, np.random.Generator]:
    """The customers of a chunk, its `chunk.rows` entries, and the stream behind them."""
    customers, rng = draw_customers(chunk, calendar), chunk.create_rng("transactions")
    refunds = count_refunds(chunk.rows)
    purchases = draw_purchases(rng, customers, calendar, chunk.rows - refunds)
    return customers, build_ledger(rng, purchases, refunds, calendar), rng


def count_refunds(rows: int) -> int:
    """Refunds among this many transactions."""
    return int(rows * REFUND_SHARE)


def build_ledger(
    rng: np.random.Generator, purchases: Ledger, refunds: int, calendar: Calendar
) -> Ledger:
    """Books the purchases of a chunk, and as many refunds as asked for.

    Returns:
        The entries in order of time; the running balance of every customer stays at or above zero.
    """
    bought = purchases.take(np.lexsort((purchases.second, purchases.customer)))
    refunded = np.zeros(len(bought.cents), bool)
    refunded[rng.choice(len(refunded), refunds, replace=False)] = True
    points = _draw_points(rng, bought, refunded)
    kind = np.where(points < 0, REDEEMING, EARNING)
    booked = Ledger(**(vars(bought) | {"points": points, "kind": kind}))
    refund_entries = _draw_refunds(rng, booked.take(np.flatnonzero(refunded)), calendar)
    entries = Ledger.concatenate(booked, refund_entries)
    return entries.take(np.argsort(entries.second, kind="stable"))


def _draw_points(rng: np.random.Generator, purchases: Ledger, refunded: NDArray[np.bool_]) -> Ints:
    """Points of each purchase; points of a refunded one are never spent before they are taken.

    Purchases are ordered by customer and time. A redemption may spend only the points earned since
    the customer's last one; these stretches do not overlap, so no balance ever falls below zero,
    without a loop over entries.
    """
    redeeming = (rng.random(len(refunded)) < REDEMPTION_SHARE) & ~refunded
    earned = purchases.cents // CENTS_PER_POINT
    starts = np.flatnonzero(redeeming | np.diff(purchases.customer, prepend=-1).astype(bool))
    stretch = np.add.reduceat(np.where(refunded | redeeming, 0, earned), starts)
    same_customer = np.diff(purchases.customer[starts], prepend=-1) == 0
    before = np.concatenate([[0], stretch[:-1]])
    available = np.where(same_customer, before, 0)[redeeming[starts]]
    affordable = purchases.cents[redeeming] // POINT_VALUE_CENTS
    wanted = (available * rng.uniform(0.3, 1.0, len(available))).astype(np.int64)
    redeemed = np.zeros_like(earned)
    redeemed[redeeming] = np.minimum(wanted, affordable)
    return np.where(redeemed > 0, -redeemed, earned)


def _draw_refunds(rng: np.random.Generator, refunded: Ledger, calendar: Calendar) -> Ledger:
    """One entry per refunded purchase, later than it, with its amount and points reversed."""
    last = calendar.first_second + calendar.hours * SECONDS_PER_HOUR - 1
    mean = REFUND_MEAN_DAYS * HOURS_PER_DAY * SECONDS_PER_HOUR
    wait = draw_truncated_exponential(rng, mean, (last - refunded.second).astype(np.float64))
    return Ledger(
        customer=refunded.customer,
        category=refunded.category,
        second=refunded.second + wait.astype(np.int64),
        cents=-refunded.cents,
        points=-refunded.points,
        kind=np.full(len(wait), REFUNDING),
    )
