"""Counts of current rows in the cells of a baseline profile.

Rows are sorted batch by batch, once per column, and let go; columns are counted beside one another,
since sorting releases Python's lock.
"""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from clientela.exceptions import IncompatibleDataError, did_you_mean
from clientela.pipelines.monitoring.profile import (
    BaselineProfile,
    CategoricalProfile,
    Cells,
    NumericProfile,
    Rows,
    compute_digest,
    count_number_cells,
    count_text_values,
    infer_column_kind,
    iter_record_batches,
    to_float_array,
)


class Range(NamedTuple):
    """Where the values of a number lie.

    Attributes:
        below: Largest value below the baseline's minimum; -inf when there is none.
        above: Smallest value above the baseline's maximum; inf when there is none.
    """

    minimum: float
    maximum: float
    below: float = -math.inf
    above: float = math.inf


@dataclass(frozen=True)
class Counts:
    """How many rows of some data fall into each cell of a profile.

    `a + b` are the counts of both parts together, so that batches, files and periods can be counted
    apart, in any order.

    Attributes:
        data_hash: Of the profile that the cells belong to.
        cells: Column to rows per cell (see `clientela.pipelines.monitoring.profile`).
        ranges: Numeric column to where its values lie; without columns that have none.
    """

    data_hash: str
    rows: int
    cells: Mapping[str, tuple[int, ...]]
    ranges: Mapping[str, Range]

    def __add__(self, other: "Counts") -> "Counts":
        """The counts of both parts."""
        if self.data_hash != other.data_hash:
            raise IncompatibleDataError(
                f"Counts add up against one profile; got {self.data_hash[:8]} and "
                f"{other.data_hash[:8]}. Count both against the same baseline."
            )
        return Counts(
            data_hash=self.data_hash,
            rows=self.rows + other.rows,
            cells={
                name: tuple(np.add(cells, other.cells[name]).tolist())
                for name, cells in self.cells.items()
            },
            ranges=merge_ranges(self.ranges, other.ranges),
        )


def merge_ranges(*parts: Mapping[str, Range]) -> dict[str, Range]:
    """Where the values of all parts together lie, by column.

    Returns:
        The outermost extremes, and the values outside the baseline that are nearest to it.
    """
    merged = {}
    for name in sorted({name for part in parts for name in part}):
        ranges = [part[name] for part in parts if name in part]
        minima, maxima, below, above = zip(*ranges, strict=True)
        merged[name] = Range(min(minima), max(maxima), max(below), min(above))
    return merged


def validate_current_columns(profile: BaselineProfile, schema: pa.Schema) -> None:
    """Refuses data that can't be compared with a profile; further columns are no matter.

    Raises:
        IncompatibleDataError: A column is missing, or holds another type than in the baseline.
    """
    kinds = {field.name: infer_column_kind(field.type) for field in schema}
    if missing := sorted(set(profile.columns) - set(kinds)):
        raise IncompatibleDataError(
            f"The current data should have the columns of the baseline; {missing} are missing. "
            f"{did_you_mean(missing[0], kinds)} Mend the extract, or build the profile anew."
        )
    changed = [
        f"{name} is {column.type} in the baseline and {kinds[name] or 'of another type'} now"
        for name, column in profile.columns.items()
        # a column that lost its type with its values is compared as what it was
        if kinds[name] != column.type and not pa.types.is_null(schema.field(name).type)
    ]
    if changed:
        raise IncompatibleDataError(
            f"The current data should have the types of the baseline; {'; '.join(changed)}. "
            f"Type the data as then, or build the profile anew."
        )


ColumnCounter: TypeAlias = Callable[[pa.Array], tuple[Cells, Range | None]]


def count_rows_by_cell(rows: Rows, profile: BaselineProfile) -> Counts:
    """How many of the rows fall into each cell of a profile.

    Args:
        rows: A frame, an Arrow table, or record batches, of which one is in memory at a time.

    Returns:
        Counts that are the same whatever the order of the rows and the size of the batches.

    Raises:
        IncompatibleDataError: A column is missing or changed its type.
    """
    names = list(profile.columns)
    counters = [_make_column_counter(column) for column in profile.columns.values()]
    cells: dict[str, Cells] = {
        name: np.zeros(len(column.cells), dtype=np.int64)
        for name, column in profile.columns.items()
    }
    ranges: dict[str, Range] = {}
    total = 0
    # as many threads as Arrow takes to read; sums of integers don't depend on who comes first
    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        for batch in iter_record_batches(rows, names):
            validate_current_columns(profile, batch.schema)
            total += batch.num_rows
            columns = [batch.column(name) for name in names]
            counted = threads.map(lambda count, column: count(column), counters, columns)
            for name, (in_batch, value_range) in zip(names, counted, strict=True):
                cells[name] += in_batch
                if value_range is not None:
                    ranges |= merge_ranges(
                        {name: value_range}, {name: ranges.get(name, value_range)}
                    )
    return Counts(
        data_hash=profile.data_hash,
        rows=total,
        cells={name: tuple(counts.tolist()) for name, counts in cells.items()},
        ranges=dict(sorted(ranges.items())),
    )


def _make_column_counter(column: NumericProfile | CategoricalProfile) -> ColumnCounter:
    if isinstance(column, CategoricalProfile):
        return _make_category_counter(column)
    points = np.asarray(column.points, dtype=np.float64)

    def count(values: pa.Array) -> tuple[Cells, Range | None]:
        ordered = np.sort(to_float_array(values))
        cells = count_number_cells(ordered, points)
        below, above, known = int(cells[0]), int(cells[-2]), len(ordered) - int(cells[-1])
        if known == 0:
            return cells, None
        return cells, Range(
            minimum=float(ordered[0]),
            maximum=float(ordered[known - 1]),
            below=float(ordered[below - 1]) if below else -np.inf,
            above=float(ordered[known - above]) if above else np.inf,
        )

    return count


def _make_category_counter(column: CategoricalProfile) -> ColumnCounter:
    size = len(column.values)
    other, new, missing = size, size + 1, size + 2
    places: dict[str | None, int] = {value: at for at, value in enumerate(column.values)}
    places[None] = missing
    known = frozenset(column.other_values)

    def count(values: pa.Array) -> tuple[Cells, None]:
        cells = np.zeros(size + 3, dtype=np.int64)
        for value, rows in count_text_values(values).items():
            place = places.get(value)
            if place is None:
                place = other if compute_digest(str(value)) in known else new
            cells[place] += rows
        return cells, None

    return count
