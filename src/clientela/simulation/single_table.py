"""A simulated table that stands alone, as a stream: nothing is drawn before someone reads.

A use case on one raw file gives the parameters, the columns and how one block is drawn; cutting,
text, dirt and CSV are the same for all of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from clientela.simulation.chunks import RowBlock, row_blocks
from clientela.simulation.dirt import ADDED_KINDS, Dirt, spoiled_lines, spoiled_table
from clientela.simulation.parameters import occurring_shares
from clientela.simulation.text_columns import as_text, csv_block


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
        return row_blocks(self.rows, self.chunk_rows, self.seed)

    def dirt_counts(self) -> dict[str, int]:
        """Rows per kind of dirt that occurs."""
        shares = occurring_shares(self.dirt)
        return {kind: round(share * self.rows) for kind, share in shares.items()}

    def lines(self) -> int:
        """Lines of the CSV without its header."""
        counts = self.dirt_counts()
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
            yield spoiled_table(as_text(rows), self.dirt, block) if self.dirt.shares else rows

    def csv_blocks(self) -> Iterator[pa.Buffer]:
        """Lines of CSV with all dirt, without header, missing values empty."""
        for block in self.simulation.blocks():
            yield csv_block(spoiled_lines(as_text(self.drawn(block)), self.dirt, block))
