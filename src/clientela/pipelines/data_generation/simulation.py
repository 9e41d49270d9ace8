"""Simulated tables as streams: parameters, random streams, dirt and CSV.

A use case gives its parameters, its columns and how one block of rows is drawn; cutting, text,
dirt and CSV are the same for all of them, and nothing is drawn before someone reads. Each block
has its own random streams, keyed by its position, so any block can be drawn alone and twice with
the same result. That keeps memory flat and lets several tables be written one after the other.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from clientela.exceptions import ConfigurationError
from clientela.settings_base import FrozenSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Purpose = Literal["customers", "transactions", "dirt", "gaps", "outcome", "shift"]
Shift = Literal[
    "none",
    "broken_unit",
    "missing_column",
    "new_category",
    "changed_population",
    "changed_relation",
]
Change = Callable[[pa.ChunkedArray], pa.Array]
Share = Annotated[float, Field(ge=0.0, le=0.05, description="Share of all rows, 0 to 0.05.")]

SECONDS_PER_HOUR: Final = 3600
PROBABILITY_DECIMALS: Final = 6
IMPOSSIBLE_DAYS: Final = ("2023-02-30", "2023-13-05", "2023-04-31", "2023-00-12")
NO_NUMBERS: Final = ("N/A", "12.5x", "S/ 45", "--")
FIELDS_LEFT: Final = 5
ADDED_KINDS: Final = ("exact_duplicate", "conflicting_duplicate")
# Arrow tables hold columns of one length, so rows of another width exist in CSV only.
STRUCTURAL_KINDS: Final = ("extra_columns", "missing_columns")
_STREAMS: Final[dict[Purpose, int]] = {
    "customers": 0,
    "transactions": 1,
    "dirt": 2,
    "gaps": 3,
    "outcome": 4,
    "shift": 5,
}

# Arrow makes these functions when it is imported, where type checkers do not see them.
kernels: Any = pyarrow.compute


class DirtShares(FrozenSettings):
    """Share of rows per kind of dirt; a row carries one kind at most.

    The order of the kinds belongs to the identity of the data: it decides which rows each takes.
    """

    exact_duplicate: Share = Field(0.0005, description="Further row equal to an earlier one.")


class DateWindow(BaseModel):
    """First and last day of a simulation, both included."""

    start: date
    end: date

    @model_validator(mode="after")
    def _validate_date_order(self) -> Self:
        if self.end < self.start:
            message = (
                f"expected end >= start, got start={self.start} and end={self.end}: "
                "swap them or move one of them"
            )
            raise ValueError(message)
        return self


class NextPeriod(FrozenSettings):
    """What comes after the sample, for monitoring to find: an unchanged period, and a changed one.

    Attributes:
        rows: Rows of each; customers, where a retailer is simulated.
        shift: The change that is planted in the second one.
        seed: Added to that of the sample.
    """

    rows: int = Field(1_000, ge=100, le=100_000)
    shift: Shift = "none"
    seed: int = Field(1, ge=1)


@dataclass(frozen=True)
class RowBlock:
    """Rows of one table that are drawn together."""

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


class Simulation(FrozenSettings):
    """What a simulated table looks like; equal parameters give equal bytes.

    `chunk_rows` belongs to the identity of the data: every block of rows draws from its own
    random stream, so another size gives another (equally valid) sample.
    """

    seed: int = Field(20240630, ge=0, description="Seed of every random draw.")
    dirt: DirtShares | None = Field(None, description="Share of rows per kind; null for none.")
    chunk_rows: int = Field(
        250_000, ge=1_000, le=2_000_000, description="Rows held in memory at a time."
    )
    next_period: NextPeriod = NextPeriod()

    @property
    @abstractmethod
    def size(self) -> int:
        """Rows, added duplicates not counted."""

    @abstractmethod
    def blocks(self) -> Iterator[RowBlock]:
        """The blocks in which the table is drawn."""

    @property
    def dirt_shares(self) -> dict[str, float]:
        """Shares of the kinds of dirt that occur at all."""
        shares = self.dirt.model_dump() if self.dirt else {}
        return {kind: share for kind, share in shares.items() if share > 0.0}

    def count_dirty_rows(self) -> dict[str, int]:
        """Rows per kind of dirt that occurs."""
        return {kind: round(share * self.size) for kind, share in self.dirt_shares.items()}

    def lines(self) -> int:
        """Lines of the CSV without its header."""
        counts = self.count_dirty_rows()
        return self.size + sum(counts.get(kind, 0) for kind in ADDED_KINDS)


class TableSimulation(Simulation):
    """One simulated table that stands alone."""

    rows: int = Field(ge=1, le=100_000_000, description="Rows, added duplicates not counted.")

    @property
    def size(self) -> int:
        """Rows, added duplicates not counted."""
        return self.rows

    def blocks(self) -> Iterator[RowBlock]:
        """Blocks of nearly equal size; their rows add up to `rows`."""
        count = -(-self.rows // self.chunk_rows)
        for position in range(count):
            first, last = (self.rows * i // count for i in (position, position + 1))
            yield RowBlock(position, self.seed, first, last - first)


def join_texts(*parts: pa.Array | str, separator: str = "") -> pa.Array:
    """Texts joined element by element; missing ones count as empty."""
    return kernels.binary_join_element_wise(
        *parts, separator, null_handling="replace", null_replacement=""
    )


def pad_numbers(number: Ints, digits: int) -> pa.StringArray:
    """Numbers as text with leading zeros."""
    return kernels.utf8_lpad(pa.array(number).cast(pa.string()), digits, "0")


def convert_to_text(rows: pa.Table) -> pa.Table:
    """The rows with every column as text, missing values still null."""
    return rows.cast(pa.schema([(name, pa.string()) for name in rows.column_names]))


def format_csv_lines(rows: pa.Table) -> pa.StringArray:
    """One line of CSV per row, line end included; no value may hold a comma, quote or line end.

    Arrow's own writer quotes all text or none, and can't write a row of another width.
    """
    *columns, last = convert_to_text(rows).combine_chunks().columns
    return join_texts(*columns, join_texts(last, "\n"), separator=",").combine_chunks()


def get_csv_buffer(lines: pa.StringArray) -> pa.Buffer:
    """The bytes of all lines, UTF-8, without copying: text columns lie end to end in memory."""
    _validity, offsets, text = lines.buffers()
    ends = memoryview(offsets).cast("B").cast("i")
    first, last = ends[lines.offset], ends[lines.offset + len(lines)]
    return text.slice(first, last - first)


def empty_values(values: pa.ChunkedArray) -> pa.Array:
    """Nothing in the place of each value."""
    return pa.nulls(len(values), pa.string())


def negate_values(values: pa.ChunkedArray) -> pa.Array:
    """Numbers above zero, never missing, each with a minus before it."""
    return join_texts("-", values)


def replace_values(others: tuple[str, ...]) -> Change:
    """A change that writes the other values into a column, in turn."""
    return lambda values: pa.array(
        [others[i % len(others)] for i in range(len(values))], pa.string()
    )


@dataclass(frozen=True)
class Dirt:
    """What goes wrong in one table: rows spoiled on purpose, one kind each, in known numbers.

    The rows come from a stream of their own, so the clean rows of a dirty sample equal those of a
    clean one.

    Attributes:
        shares: Share of all rows per kind that occurs.
        changes: The column that each kind spoils, and how; kinds without one leave every column
            as it is.
    """

    shares: Mapping[str, float]
    changes: Mapping[str, tuple[str, Change]]

    def count_rows(self, block: RowBlock) -> dict[str, int]:
        """Rows of each kind in a block; all blocks together have `round(share * rows)`."""
        return {kind: block.count(share) for kind, share in self.shares.items()}

    def add_to_table(self, rows: pa.Table, block: RowBlock) -> pa.Table:
        """The rows of a block as text, with the dirt that a table can hold (columns stay whole).

        Returns:
            The rows, victims replaced, duplicates behind them; empty values are null.
        """
        text = convert_to_text(rows)
        victims = {k: v for k, v in self._draw_victims(block).items() if k not in STRUCTURAL_KINDS}
        spoiled = [self._spoil(kind, text.take(places)) for kind, places in victims.items()]
        return pa.concat_tables([text, *spoiled]).take(_compute_row_order(len(text), victims))

    def format_csv_lines(self, rows: pa.Table, block: RowBlock) -> pa.StringArray:
        """The rows of a block as lines of CSV with every kind of dirt, wrong widths included."""
        text = convert_to_text(rows)
        victims = self._draw_victims(block)
        spoiled = [
            format_csv_lines(self._spoil(kind, text.take(places)))
            for kind, places in victims.items()
        ]
        order = pa.array(_compute_row_order(len(text), victims))
        return pa.concat_arrays([format_csv_lines(text), *spoiled]).take(order)

    def _draw_victims(self, block: RowBlock) -> dict[str, Ints]:
        """Rows of the block that each kind takes; no row is taken twice."""
        counts = self.count_rows(block)
        chosen = block.create_rng("dirt").choice(block.rows, sum(counts.values()), replace=False)
        ends = np.cumsum(list(counts.values()))
        return dict(zip(counts, np.split(chosen, ends)[:-1], strict=True))

    def _spoil(self, kind: str, rows: pa.Table) -> pa.Table:
        if kind == "extra_columns":
            return rows.append_column("", pa.array(["sobra,1"] * len(rows), pa.string()))
        if kind == "missing_columns":
            return rows.select(range(FIELDS_LEFT))
        if kind not in self.changes:
            return rows
        column, change = self.changes[kind]
        return rows.set_column(rows.schema.get_field_index(column), column, change(rows[column]))


def _compute_row_order(rows: int, victims: Mapping[str, Ints]) -> Ints:
    """Where to take each row from, when the spoiled ones stand behind the clean ones, by kind."""
    order = np.arange(rows)
    behind = rows
    added = []
    for kind, places in victims.items():
        sources = behind + np.arange(len(places))
        behind += len(places)
        if kind in ADDED_KINDS:
            added.append(sources)
        else:
            order[places] = sources
    return np.concatenate([order, *added])


@dataclass(frozen=True)
class SimulatedTable:
    """One table, drawn block by block; `len` is the number of blocks.

    Attributes:
        draw: The clean, typed rows of one block.
        changes: See `Dirt`; None for a table that dirt never touches.
        shift: Of a later period: what was planted in it; None for the sample itself.
    """

    simulation: Simulation
    columns: tuple[str, ...]
    draw: Callable[[Any], pa.Table]
    changes: Mapping[str, tuple[str, Change]] | None = None
    shift: Shift | None = None

    def __len__(self) -> int:
        return sum(1 for _ in self.simulation.blocks())

    @property
    def origin(self) -> dict[str, Any]:
        """The parameters that make these rows, as JSON holds them."""
        parameters = self.simulation.model_dump(mode="json", exclude={"next_period"})
        return parameters if self.shift is None else parameters | {"shift": self.shift}

    @property
    def dirt(self) -> Dirt:
        """What goes wrong in the rows."""
        if self.changes is None:
            return Dirt({}, {})
        return Dirt(self.simulation.dirt_shares, self.changes)

    def clean_tables(self) -> Iterator[pa.Table]:
        """Typed tables without dirt."""
        return map(self.draw, self.simulation.blocks())

    def tables(self) -> Iterator[pa.Table]:
        """Tables with the dirt that columns can hold, all text; typed when there is no dirt."""
        dirt = self.dirt
        for block, rows in zip(self.simulation.blocks(), self.clean_tables(), strict=True):
            yield dirt.add_to_table(rows, block) if dirt.shares else rows

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """Lines of CSV with all dirt, without header, missing values empty."""
        for block, rows in zip(self.simulation.blocks(), self.clean_tables(), strict=True):
            yield get_csv_buffer(self.dirt.format_csv_lines(rows, block))


def expected_roc_auc(probability: Floats) -> float:
    """ROC-AUC that the true probabilities reach on average over the outcomes they allow.

    No score of the same columns ranks better (lemma of Neyman and Pearson): it is the limit that
    the simulated noise sets to every model. Each row counts as a positive with weight p and as a
    negative with weight 1 - p, so no outcome is drawn and the figure has no luck in it but that of
    the rows. A row is also compared with itself, as a tie, which costs less than 1/n.

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


def compute_outcome_figures(event: str, probability: Floats, outcome: Ints) -> dict[str, float]:
    """How frequent an event is and how well the true probability foretells it.

    Returns:
        `expected_<event>` (mean of the probability), `<event>` (share of the rows),
        `ceiling_roc_auc` (see `expected_roc_auc`) and `truth_roc_auc` (what the probability scores
        on these very rows: the ceiling and their luck), each with four decimals.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - a second that reports only need

    figures = {
        f"expected_{event}": probability.mean(),
        event: outcome.mean(),
        "ceiling_roc_auc": expected_roc_auc(probability),
        "truth_roc_auc": roc_auc_score(outcome, probability),
    }
    return {name: round(float(figure), 4) for name, figure in figures.items()}


# The period after a sample, twice: as before, and with one change planted on purpose. A newcomer
# sees with them what monitoring is for, and a test knows what it should have found. Both are drawn
# anew, with seeds of their own and without dirt; nothing of them is ever learned from.

AnySimulation = TypeVar("AnySimulation", bound=Simulation)
Plant: TypeAlias = Callable[[pa.Table, np.random.Generator], pa.Table]
# Of so many drawn rows one is chosen where the population changes.
DRAWN_PER_CHOSEN = 5
# How strongly the choice depends on the column, in standard deviations.
PULL = 2.0
NEW_CATEGORY_SHARE = 0.3
LARGEST_CHUNK = 2_000_000


def scale_column(column: str, factor: float) -> Plant:
    """A broken unit: cents for pesos, seconds for minutes."""

    def plant(rows: pa.Table, _: np.random.Generator) -> pa.Table:
        kind = rows.schema.field(column).type
        scaled = rows[column].cast(pa.float64()).to_numpy() * factor
        values = np.rint(scaled) if pa.types.is_integer(kind) else scaled.round(2)
        return replace_column(rows, column, pa.array(values, from_pandas=True).cast(kind))

    return plant


def clear_column(column: str) -> Plant:
    """A missing column: its name is there, none of its values."""
    return lambda rows, _: replace_column(
        rows, column, pa.nulls(len(rows), rows.schema.field(column).type)
    )


def write_value(column: str, value: object, share: float = NEW_CATEGORY_SHARE) -> Plant:
    """A value in the column of some rows, whatever else they hold: a new category, an outcome."""

    def plant(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        chosen = pa.array(rng.random(len(rows)) < share)
        other = pa.scalar(value, rows.schema.field(column).type)
        return replace_column(rows, column, kernels.if_else(chosen, other, rows[column]))

    return plant


def redraw_outcome(column: str, values: tuple[object, object], share: float) -> Plant:
    """A changed relation: the outcome no longer depends on anything, and is more frequent."""

    def plant(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        happens = (rng.random(len(rows)) < share).astype(np.int64)
        kind = rows.schema.field(column).type
        return replace_column(rows, column, pa.array(values, kind).take(pa.array(happens)))

    return plant


def choose_rows(column: str, pull: float = PULL) -> Plant:
    """A changed population: of the rows those with a larger (or smaller) value, more often.

    Each row is kept as it is, so that what depends on what stays the same. The largest of weights
    with Gumbel noise are a draw without replacement (Efraimidis and Spirakis 2006).
    """

    def plant(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
        rank = pd.Series(rows[column].cast(pa.float64()).to_numpy()).rank(pct=True).fillna(0.5)
        keys = pull * np.sqrt(12) * rank.to_numpy() + rng.gumbel(size=len(rows))
        chosen = np.sort(np.argsort(-keys)[: len(rows) // DRAWN_PER_CHOSEN])
        return rows.take(pa.array(chosen))

    return plant


def replace_column(rows: pa.Table, column: str, values: Any) -> pa.Table:
    """The rows with other values in a column."""
    return rows.set_column(rows.schema.get_field_index(column), column, values)


def simulate_next_period(
    simulation: AnySimulation,
    simulate: Callable[[AnySimulation], SimulatedTable],
    plants: Mapping[Shift, Plant],
    later: Callable[[AnySimulation, int], dict[str, Any]],
) -> tuple[SimulatedTable, SimulatedTable]:
    """The unchanged and the changed next period of a table that stands alone, not yet drawn.

    Args:
        simulate: The table of a simulation.
        plants: What each kind of change does to the rows of a period.
        later: Parameters of the first or second period after the sample.
    """
    tables = []
    for period, shift in enumerate(list_shifts(simulation, plants), start=1):
        changes = {"rows": count_drawn_rows(simulation, shift)} | later(simulation, period)
        next_one = create_next_simulation(simulation, period, changes)
        table = simulate(next_one)
        draw = partial(draw_planted, table, plants.get(shift))
        tables.append(SimulatedTable(next_one, table.columns, draw, shift=shift))
    return tables[0], tables[1]


def list_shifts(simulation: Simulation, plants: Mapping[Shift, Plant]) -> tuple[Shift, Shift]:
    """None, then the change that is asked for.

    Raises:
        ConfigurationError: The table has no such change.
    """
    shift = simulation.next_period.shift
    if shift != "none" and shift not in plants:
        raise ConfigurationError(
            f"data_generation.next_period.shift: {shift!r} can't be planted in this sample, whose "
            f"data would not show it. Take none, {', '.join(sorted(plants))}, or name one use case "
            "by --tags=."
        )
    return "none", shift


def count_drawn_rows(simulation: Simulation, shift: Shift) -> int:
    """Rows to be drawn, so that enough of them can be chosen."""
    return simulation.next_period.rows * (DRAWN_PER_CHOSEN if shift == "changed_population" else 1)


def create_next_simulation(
    simulation: AnySimulation, period: int, changes: dict[str, Any]
) -> AnySimulation:
    """The parameters of a later period: clean, of one block, with a seed of its own."""
    seed = simulation.seed + simulation.next_period.seed + period - 1
    fixed = {"seed": seed, "dirt": None, "chunk_rows": LARGEST_CHUNK}
    return simulation.model_copy(update=fixed | changes)


def draw_planted(table: SimulatedTable, plant: Plant | None, block: RowBlock) -> pa.Table:
    """The rows of a block, changed."""
    rows = table.draw(block)
    return rows if plant is None else plant(rows, block.create_rng("shift"))
