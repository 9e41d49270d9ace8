"""Counts rows in the cells of a profile, on two engines that give the same integers.

Rows in memory or in a stream are sorted batch by batch, once per column, and let go. Columns are
counted beside one another, as many at a time as Arrow takes threads to read them: sorting releases
Python's lock, and sums of integers don't depend on who comes first. A table that stays in a
database is counted there, by `clientela.drift.table_counting`.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.drift.cells import Cells, Numbers, digest, number_cells
from clientela.drift.columns import Kind, Rows, batches, kind_of, numbers, text_counts
from clientela.drift.counts import Counts, Range, check_columns, joint_range
from clientela.drift.profile import BaselineProfile, CategoricalProfile, NumericProfile
from clientela.drift.table_counting import cell_counts, counts_from_cells

ColumnCount: TypeAlias = Callable[[pa.Array], tuple[Cells, Range | None]]
Computed: TypeAlias = Callable[[ir.Table], pd.DataFrame]
"""What has an engine compute a small table: `ibis.Table.to_pandas`, or a dataset's way to do it."""


def counts(
    rows: Rows | ir.Table, profile: BaselineProfile, computed: Computed = ir.Table.to_pandas
) -> Counts:
    """How many of the rows fall into each cell of a profile.

    Args:
        rows: A frame, an Arrow table, record batches, of which one is in memory at a time, or a
            lazy table, which is counted where it lies.
        profile: The baseline.
        computed: How the counts of a lazy table are fetched.

    Returns:
        Counts that are the same on either engine, whatever the order of the rows and the size of
        the batches.

    Raises:
        CurrentDataUnfit: A column is missing or changed its type.
    """
    if isinstance(rows, ir.Table):
        return counts_from_cells(computed(cell_counts(rows, profile)), profile)
    return _streamed(rows, profile)


def _streamed(rows: Rows, profile: BaselineProfile) -> Counts:
    counting = {name: _column_count(column) for name, column in profile.columns.items()}
    cells: dict[str, Cells] = {
        name: np.zeros(len(column.cells), dtype=np.int64)
        for name, column in profile.columns.items()
    }
    ranges: dict[str, Range] = {}
    total = 0
    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        for batch in _fitting(batches(rows, profile.columns), profile):
            total += batch.num_rows
            columns = [batch.column(name) for name in counting]
            counted = threads.map(lambda count, column: count(column), counting.values(), columns)
            for name, (in_batch, found) in zip(counting, counted, strict=True):
                cells[name] += in_batch
                if found is not None:
                    ranges[name] = joint_range(ranges.get(name, found), found)
    return Counts(
        data_hash=profile.data_hash,
        rows=total,
        cells={name: tuple(found.tolist()) for name, found in cells.items()},
        ranges=dict(sorted(ranges.items())),
    )


def _fitting(
    stream: Iterator[pa.RecordBatch], profile: BaselineProfile
) -> Iterator[pa.RecordBatch]:
    """The batches, each with the columns of the profile in their types."""
    for batch in stream:
        check_columns(profile, watched_as(batch.schema, profile))
        yield batch


def watched_as(schema: pa.Schema, profile: BaselineProfile) -> dict[str, Kind | None]:
    """What each column can be compared as; without a type, as whatever it was in the baseline.

    Args:
        schema: Of the data.
        profile: The baseline.

    Returns:
        Column to kind.
    """
    return {
        field.name: profile.columns[field.name].type
        if pa.types.is_null(field.type) and field.name in profile.columns
        else kind_of(field.type)
        for field in schema
    }


def _column_count(column: NumericProfile | CategoricalProfile) -> ColumnCount:
    if isinstance(column, NumericProfile):
        return _number_count(column)
    return _category_count(column)


def _number_count(column: NumericProfile) -> ColumnCount:
    points = np.asarray(column.points, dtype=np.float64)

    def count(values: pa.Array) -> tuple[Cells, Range | None]:
        ordered = np.sort(numbers(values))
        cells = number_cells(ordered, points)
        return cells, _range(ordered, cells)

    return count


def _range(ordered: Numbers, cells: Cells) -> Range | None:
    known = len(ordered) - int(cells[-1])
    if known == 0:
        return None
    below, above = int(cells[0]), int(cells[-2])
    return Range(
        minimum=float(ordered[0]),
        maximum=float(ordered[known - 1]),
        below=float(ordered[below - 1]) if below else -np.inf,
        above=float(ordered[known - above]) if above else np.inf,
    )


def _category_count(column: CategoricalProfile) -> ColumnCount:
    size = len(column.values)
    other, new, missing = size, size + 1, size + 2
    places: dict[str | None, int] = {value: at for at, value in enumerate(column.values)}
    places[None] = missing
    known = frozenset(column.other_values)

    def place(value: str | None) -> int:
        if value is None or value in places:
            return places[value]
        return other if digest(value) in known else new

    def count(values: pa.Array) -> tuple[Cells, None]:
        cells = np.zeros(size + 3, dtype=np.int64)
        for value, rows in text_counts(values).items():
            cells[place(value)] += rows
        return cells, None

    return count
