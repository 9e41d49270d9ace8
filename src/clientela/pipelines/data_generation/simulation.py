"""What a simulated retailer looks like: size, dates, seed and dirt."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

# What a simulated retailer looks like: size, dates, seed and dirt.


Share = Annotated[float, Field(ge=0.0, le=0.05, description="Share of all rows, 0 to 0.05.")]


def select_positive_shares(dirt: BaseModel | None) -> dict[str, float]:
    """Shares of the kinds of dirt that occur at all.

    Args:
        dirt: A model whose fields are kinds and whose values are shares; None for no dirt.
    """
    shares: dict[str, float] = dirt.model_dump() if dirt else {}
    return {kind: share for kind, share in shares.items() if share > 0.0}


class DirtShares(BaseModel):
    """Share of rows per kind of dirt; a row carries one kind at most.

    The defaults spoil about half a per cent of the rows, so that every kind occurs in the default
    sample and ingestion still passes its threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")
    conflicting_duplicate: Share = Field(
        0.0003, description="Further row with an earlier row's id and another amount."
    )
    missing_transaction_id: Share = Field(0.0003, description="Empty id_transaccion.")
    missing_customer_id: Share = Field(0.0005, description="Empty id_cliente.")
    unknown_customer: Share = Field(
        0.0005, description="Well-formed id_cliente that the customers table lacks."
    )
    impossible_date: Share = Field(0.0005, description="A day no calendar has, 2023-02-30.")
    year_out_of_range: Share = Field(0.0003, description="A real day in 1904 or 2192.")
    unparseable_amount: Share = Field(0.0005, description="Text that is no number, as 12.5x.")
    missing_amount: Share = Field(0.0005, description="Empty valor_transaccion.")
    excess_decimals: Share = Field(0.0004, description="An amount with three decimals.")
    extra_columns: Share = Field(0.0003, description="A CSV row with two fields too many.")
    missing_columns: Share = Field(0.0003, description="A CSV row cut off after the amount.")


class TransactionSimulation(BaseModel):
    """One simulated retailer; equal parameters give equal bytes.

    `chunk_rows` belongs to the identity of the data: every chunk of customers draws from its own
    random stream, so another chunk size gives another (equally valid) sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customers: int = Field(4_000, ge=1, le=50_000_000, description="Rows of the customers table.")
    transactions: int = Field(
        200_000, ge=1, le=2_000_000_000, description="Transactions, added duplicates not counted."
    )
    start: date = Field(date(2022, 7, 1), description="First day with transactions.")
    end: date = Field(date(2024, 6, 30), description="Last day with transactions, included.")
    seed: int = Field(20240630, ge=0, description="Seed of every random draw.")
    dirt: DirtShares | None = Field(
        default_factory=DirtShares, description="Share of rows per kind; null for a clean sample."
    )
    chunk_rows: int = Field(
        250_000, ge=1_000, le=2_000_000, description="Transactions held in memory at a time."
    )

    @property
    def dirt_shares(self) -> dict[str, float]:
        """Shares of the kinds of dirt that occur at all."""
        return select_positive_shares(self.dirt)

    @model_validator(mode="after")
    def _validate_date_order(self) -> Self:
        if self.end < self.start:
            message = (
                f"expected end >= start, got start={self.start} and end={self.end}: "
                "swap them or move one of them"
            )
            raise ValueError(message)
        return self


# Arrow columns as text, and rows as lines of CSV, all made by Arrow itself.
#
# Arrow's CSV writer quotes all text or none and cannot write a row of another width, which a sample
# of dirty data needs.


# Arrow makes these functions when it is imported, where type checkers do not see them.
_kernels: Any = pyarrow.compute


def convert_to_text(rows: pa.Table) -> pa.Table:
    """The rows with every column as text, missing values still null."""
    return rows.cast(pa.schema([(name, pa.string()) for name in rows.column_names]))


def join_texts(*parts: pa.Array | str, separator: str = "") -> pa.Array:
    """Texts joined element by element; missing ones count as empty."""
    return _kernels.binary_join_element_wise(
        *parts, separator, null_handling="replace", null_replacement=""
    )


def pad_numbers(number: NDArray[np.int64], digits: int) -> pa.StringArray:
    """Numbers as text with leading zeros."""
    return _kernels.utf8_lpad(pa.array(number).cast(pa.string()), digits, "0")


def slice_text(column: pa.ChunkedArray, position: int) -> pa.ChunkedArray:
    """Texts from a position on."""
    return _kernels.utf8_slice_codeunits(column, position)


def format_csv_lines(rows: pa.Table) -> pa.StringArray:
    """One line of CSV per row, line end included; no value may hold a comma, quote or line end."""
    *columns, last = rows.combine_chunks().columns
    return join_texts(*columns, join_texts(last, "\n"), separator=",").combine_chunks()


def get_csv_buffer(lines: pa.StringArray) -> pa.Buffer:
    """The bytes of all lines, UTF-8, without copying: text columns lie end to end in memory."""
    _validity, offsets, text = lines.buffers()
    ends = memoryview(offsets).cast("B").cast("i")
    first, last = ends[lines.offset], ends[lines.offset + len(lines)]
    return text.slice(first, last - first)


# How a simulation is cut: blocks of rows; for a retailer, groups of customers with their share.
#
# A block has its own random streams, keyed by its position, so any block can be drawn alone and
# twice with the same result. That is what keeps memory flat and lets several tables be written one
# after the other.


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

    def create_rng(self, purpose: Purpose) -> np.random.Generator:
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


def split_into_blocks(rows: int, block_rows: int, seed: int) -> Iterator[RowBlock]:
    """Cut a table into blocks of nearly equal size.

    Yields:
        The blocks; their rows add up to `rows`.
    """
    count = -(-rows // block_rows)
    for position in range(count):
        first, last = (rows * i // count for i in (position, position + 1))
        yield RowBlock(position, seed, first, last - first)


def count_customer_chunks(simulation: TransactionSimulation) -> int:
    """Number of chunks: about `chunk_rows` transactions each, one customer at least."""
    wanted = -(-simulation.transactions // simulation.chunk_rows)
    return min(wanted, simulation.customers)


def split_into_chunks(simulation: TransactionSimulation) -> Iterator[Chunk]:
    """Yield the chunks; customers and transactions add up to those asked for."""
    count = count_customer_chunks(simulation)
    for position in range(count):
        first, last = (simulation.customers * i // count for i in (position, position + 1))
        first_row, last_row = (
            simulation.transactions * i // simulation.customers for i in (first, last)
        )
        yield Chunk(position, simulation.seed, first_row, last_row - first_row, first, last - first)


# The rubros a simulated retailer sells, how they are written, and what drives their sales.


@dataclass(frozen=True)
class Category:
    """One rubro: its weight in the basket, its prices, and how differently people want it.

    Attributes:
        name: Official spelling, upper case with accents.
        share: Expected share of all purchases.
        median_amount: Median ticket in currency units (soles).
        amount_sigma: Standard deviation of the logarithm of the ticket.
        taste_shape: Shape of the gamma-distributed taste of a customer; the smaller it is, the
            fewer customers make most of the purchases.
        follow_ups: Further purchases that one purchase brings on average (a phone, then its case).
        month_factors: Factor on sales per month of the year, 1 where absent.
        event_factor: Factor on sales during Black Friday, Cyber Monday and Hot Sale.
        age_slope: Change of the log-taste per year of age.
        estrato_slope: Change of the log-taste per estrato.
    """

    name: str
    share: float
    median_amount: float
    amount_sigma: float
    taste_shape: float
    follow_ups: float = 0.0
    month_factors: dict[int, float] = field(default_factory=dict)
    event_factor: float = 1.0
    age_slope: float = 0.0
    estrato_slope: float = 0.0


_SCHOOL = {2: 1.3, 3: 1.4}
_GIFTS = {5: 1.2, 7: 1.15, 11: 1.25, 12: 1.7}

CATEGORIES: Final = (
    Category("SUPERMERCADO", 0.315, 95.0, 0.70, 2.5, month_factors={12: 1.25}),
    Category("FARMACIA", 0.12, 38.0, 0.75, 1.2, age_slope=0.015),
    Category("RESTAURANTES", 0.14, 62.0, 0.60, 1.2, month_factors={12: 1.2}, age_slope=-0.008),
    Category(
        "TECNOLOGÍA",
        0.125,
        260.0,
        1.05,
        1.6,
        follow_ups=0.3,
        month_factors=_SCHOOL | _GIFTS,
        event_factor=2.5,
        age_slope=-0.022,
        estrato_slope=0.14,
    ),
    Category("ROPA", 0.11, 110.0, 0.70, 1.1, 0.2, _GIFTS, 1.8),
    Category("HOGAR", 0.07, 140.0, 0.90, 0.9, 0.4, {5: 1.2, 12: 1.3}, 1.6, estrato_slope=0.06),
    Category("DEPORTES", 0.04, 120.0, 0.80, 0.6, 0.2, {1: 1.3, 12: 1.3}, age_slope=-0.012),
    Category("BELLEZA", 0.04, 55.0, 0.65, 0.7, month_factors=_GIFTS),
    Category("JUGUETERÍA", 0.02, 75.0, 0.75, 0.5, 0.3, {7: 1.3, 12: 3.0}, 1.5),
    Category("MASCOTAS", 0.02, 68.0, 0.55, 0.4),
)


def list_spellings(name: str) -> tuple[str, ...]:
    """Ways in which tills write one rubro, the official one first.

    Returns:
        `TECNOLOGÍA`, `TECNOLOGIA`, `Tecnología`, `Tecnologia` and `tecnología`; the unaccented ones
        equal the accented ones where the name has no accent.
    """
    plain = "".join(
        letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter)
    )
    return (name, plain, name.capitalize(), plain.capitalize(), name.lower())


# When people buy: the intensity of each rubro over the hours of the window.
#
# Purchases are drawn in operational time, in which customers buy at an even pace, and carried to the
# clock by the inverse of the cumulative intensity (Cinlar, 1975, time change of a Poisson process).
# That makes a seasonal process as cheap as an even one, without rejected draws.


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOURS_PER_DAY: Final = 24
SECONDS_PER_HOUR: Final = 3600

# Invented, shaped like the opening hours of a shopping centre with an online shop at night.
_HOUR_WEIGHTS: Final = np.array(
    [2, 1, 1, 1, 1, 2, 4, 8, 18, 35, 52, 64, 72, 68, 58, 54, 58, 70, 86, 92, 78, 48, 22, 8], float
)
_WEEKDAY_WEIGHTS: Final = np.array([0.85, 0.85, 0.9, 0.95, 1.15, 1.35, 1.1])


def _is_sales_event(day: date) -> bool:
    """Whether a day is Black Friday, its Cyber Monday, or in the Hot Sale of late May."""
    first_of_november = date(day.year, 11, 1)
    thanksgiving = first_of_november + timedelta(days=(3 - first_of_november.weekday()) % 7 + 21)
    black_friday = thanksgiving + timedelta(days=1)
    hot_sale_begins = date(day.year, 5, 27)
    return day in {black_friday, black_friday + timedelta(days=3)} or (
        hot_sale_begins <= day < hot_sale_begins + timedelta(days=5)
    )


def _compute_day_weights(category: Category, days: list[date]) -> Floats:
    return np.array(
        [
            category.month_factors.get(day.month, 1.0)
            * (category.event_factor if _is_sales_event(day) else 1.0)
            * _WEEKDAY_WEIGHTS[day.weekday()]
            for day in days
        ]
    )


@dataclass(frozen=True)
class Calendar:
    """The window of the simulation and the pace of sales in it."""

    start: date
    end: date

    @property
    def hours(self) -> int:
        """Length of the window in hours."""
        return ((self.end - self.start).days + 1) * HOURS_PER_DAY

    @property
    def first_second(self) -> int:
        """First second of the window, counted from 1970 in local time."""
        return (self.start - date(1970, 1, 1)).days * HOURS_PER_DAY * SECONDS_PER_HOUR

    @cached_property
    def _clock(self) -> Floats:
        return np.arange(self.hours + 1, dtype=np.float64)

    @cached_property
    def _cumulative(self) -> tuple[Floats, ...]:
        """Operational time at each full hour, per rubro; scaled so that it ends at `hours`."""
        first = self.start.toordinal()
        days = [date.fromordinal(first + i) for i in range(self.hours // HOURS_PER_DAY)]
        curves = []
        for category in CATEGORIES:
            weights = np.outer(_compute_day_weights(category, days), _HOUR_WEIGHTS).ravel()
            total = np.concatenate([[0.0], np.cumsum(weights)])
            curves.append(total * (self.hours / total[-1]))
        return tuple(curves)

    def to_operational_time(self, category: int, hour: Floats) -> Floats:
        """Operational time of clock hours since the start, for the rubro at this position."""
        return np.interp(hour, self._clock, self._cumulative[category])

    def second(self, category: int, operational: Floats) -> Ints:
        """Second since 1970 of operational times, for the rubro at this position."""
        hour = np.interp(operational, self._cumulative[category], self._clock)
        offset = np.minimum(hour * SECONDS_PER_HOUR, self.hours * SECONDS_PER_HOUR - 1)
        return self.first_second + offset.astype(np.int64)


# What goes wrong in real exports: rows spoiled on purpose, one kind each, in known numbers.
#
# The positions come from a stream of their own, so the clean rows of a dirty sample equal those of a
# clean one.


IMPOSSIBLE_DAYS: Final = ("2023-02-30", "2023-13-05", "2023-04-31", "2023-00-12")
NO_NUMBERS: Final = ("N/A", "12.5x", "S/ 45", "--")
FIELDS_LEFT: Final = 5

ADDED_KINDS: Final = ("exact_duplicate", "conflicting_duplicate")
STRUCTURAL_KINDS: Final = ("extra_columns", "missing_columns")

Spoiler = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Dirt:
    """The kinds of dirt in one table.

    Attributes:
        shares: Share of all rows per kind that occurs.
        spoilers: How each kind spoils rows of text; `STRUCTURAL_KINDS` need none.
    """

    shares: Mapping[str, float]
    spoilers: Mapping[str, Spoiler]


def set_column(rows: pa.Table, column: str, values: pa.Array) -> pa.Table:
    """The rows with other values in one column."""
    return rows.set_column(rows.schema.get_field_index(column), column, values)


def cycle_values(values: tuple[str, ...], count: int) -> pa.Array:
    """The values in turn, as many as asked for."""
    return pa.array([values[i % len(values)] for i in range(count)], pa.string())


def copy_rows(rows: pa.Table) -> pa.Table:
    """Spoils nothing: the row itself is one too many."""
    return rows


def empty_column(column: str) -> Spoiler:
    """Leaves the column empty."""

    def spoil(rows: pa.Table) -> pa.Table:
        return set_column(rows, column, pa.nulls(len(rows), pa.string()))

    return spoil


def replace_values(column: str, values: tuple[str, ...]) -> Spoiler:
    """Writes the values into the column, in turn."""

    def spoil(rows: pa.Table) -> pa.Table:
        return set_column(rows, column, cycle_values(values, len(rows)))

    return spoil


def negate_column(column: str) -> Spoiler:
    """Puts a minus before the column's numbers, which are above zero and never missing."""

    def spoil(rows: pa.Table) -> pa.Table:
        return set_column(rows, column, join_texts("-", rows[column]))

    return spoil


def count_dirty_rows(dirt: Dirt, block: RowBlock) -> dict[str, int]:
    """Rows of each kind of dirt in a block; all blocks together have `round(share * rows)`."""
    return {kind: block.count(share) for kind, share in dirt.shares.items()}


def _draw_dirty_rows(dirt: Dirt, block: RowBlock) -> dict[str, Ints]:
    """Rows of the block that each kind takes as its victims; no row is taken twice."""
    counts = count_dirty_rows(dirt, block)
    rng = block.create_rng("dirt")
    chosen = rng.choice(block.rows, sum(counts.values()), replace=False)
    return dict(zip(counts, np.split(chosen, np.cumsum(list(counts.values())))[:-1], strict=True))


def _compute_row_order(rows: int, positions: dict[str, Ints]) -> Ints:
    """Where to take each row from, when the spoiled ones stand behind the clean ones, by kind."""
    order = np.arange(rows)
    behind = rows
    added = []
    for kind, victims in positions.items():
        sources = behind + np.arange(len(victims))
        behind += len(victims)
        if kind in ADDED_KINDS:
            added.append(sources)
        else:
            order[victims] = sources
    return np.concatenate([order, *added])


def add_table_dirt(rows: pa.Table, dirt: Dirt, block: RowBlock) -> pa.Table:
    """The rows of a block with the dirt that a table can hold (columns stay whole).

    Args:
        rows: Clean rows of the block, all columns text.
        dirt: Says how many of which kind.

    Returns:
        The rows, victims replaced, duplicates behind them; empty values are null.
    """
    positions = {
        kind: victims
        for kind, victims in _draw_dirty_rows(dirt, block).items()
        if kind not in STRUCTURAL_KINDS
    }
    spoiled = [dirt.spoilers[kind](rows.take(victims)) for kind, victims in positions.items()]
    return pa.concat_tables([rows, *spoiled]).take(_compute_row_order(len(rows), positions))


def _format_lines_of_kind(
    kind: str, rows: pa.Table, spoilers: Mapping[str, Spoiler]
) -> pa.StringArray:
    if kind == "extra_columns":
        return format_csv_lines(
            rows.append_column("", pa.array(["sobra,1"] * len(rows), pa.string()))
        )
    if kind == "missing_columns":
        return format_csv_lines(rows.select(range(FIELDS_LEFT)))
    return format_csv_lines(spoilers[kind](rows))


def format_dirty_lines(rows: pa.Table, dirt: Dirt, block: RowBlock) -> pa.StringArray:
    """The rows of a block as lines of CSV with every kind of dirt, wrong widths included.

    Args:
        rows: Clean rows of the block, all columns text.
        dirt: Says how many of which kind.

    Returns:
        One line per row, victims replaced, duplicates behind them.
    """
    positions = _draw_dirty_rows(dirt, block)
    spoiled = [
        _format_lines_of_kind(kind, rows.take(victims), dirt.spoilers)
        for kind, victims in positions.items()
    ]
    return pa.concat_arrays([format_csv_lines(rows), *spoiled]).take(
        pa.array(_compute_row_order(len(rows), positions))
    )


# A simulated table that stands alone, as a stream: nothing is drawn before someone reads.
#
# A use case on one raw file gives the parameters, the columns and how one block is drawn; cutting,
# text, dirt and CSV are the same for all of them.


class TableSimulation(BaseModel):
    """One simulated table; equal parameters give equal bytes.

    `chunk_rows` belongs to the identity of the data: every block of rows draws from its own
    random stream, so another size gives another (equally valid) sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = Field(ge=1, le=100_000_000, description="Rows, added duplicates not counted.")
    seed: int = Field(20240630, ge=0, description="Seed of every random draw.")
    dirt: BaseModel | None = Field(None, description="Share of rows per kind; null for none.")
    chunk_rows: int = Field(
        250_000, ge=1_000, le=2_000_000, description="Rows held in memory at a time."
    )

    def blocks(self) -> Iterator[RowBlock]:
        """The blocks in which the table is drawn."""
        return split_into_blocks(self.rows, self.chunk_rows, self.seed)

    def count_dirty_rows(self) -> dict[str, int]:
        """Rows per kind of dirt that occurs."""
        shares = select_positive_shares(self.dirt)
        return {kind: round(share * self.rows) for kind, share in shares.items()}

    def lines(self) -> int:
        """Lines of the CSV without its header."""
        counts = self.count_dirty_rows()
        return self.rows + sum(counts.get(kind, 0) for kind in ADDED_KINDS)


@dataclass(frozen=True)
class SimulatedTable:
    """One table, drawn block by block.

    Attributes:
        simulation: Size, seed and dirt.
        columns: Names of the columns, in order.
        drawn: The clean, typed rows of one block.
        dirt: What goes wrong in them.
    """

    simulation: TableSimulation
    columns: tuple[str, ...]
    drawn: Callable[[RowBlock], pa.Table]
    dirt: Dirt

    def __len__(self) -> int:
        return sum(1 for _ in self.simulation.blocks())

    @property
    def origin(self) -> dict[str, Any]:
        """The parameters that make these rows, as JSON holds them."""
        return self.simulation.model_dump(mode="json")

    def tables(self) -> Iterator[pa.Table]:
        """Tables with the dirt that columns can hold, all text; typed when there is no dirt."""
        for block in self.simulation.blocks():
            rows = self.drawn(block)
            yield (
                add_table_dirt(convert_to_text(rows), self.dirt, block)
                if self.dirt.shares
                else rows
            )

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """Lines of CSV with all dirt, without header, missing values empty."""
        for block in self.simulation.blocks():
            yield get_csv_buffer(
                format_dirty_lines(convert_to_text(self.drawn(block)), self.dirt, block)
            )


# How well anybody could do: the limit that the simulated noise sets to every model.


def expected_roc_auc(probability: Floats) -> float:
    """ROC-AUC that the true probabilities reach on average over the outcomes they allow.

    No score of the same columns ranks better (lemma of Neyman and Pearson). Each row counts as a
    positive with weight p and as a negative with weight 1 - p, so no outcome is drawn and the
    figure has no luck in it but that of the rows. A row is also compared with itself, as a tie,
    which costs less than 1/n.

    Args:
        probability: True probability of the event per row, given what a model can see.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - a second that reports only need

    return float(
        roc_auc_score(
            np.repeat([1, 0], len(probability)),
            np.tile(probability, 2),
            sample_weight=np.concatenate([probability, 1 - probability]),
        )
    )
