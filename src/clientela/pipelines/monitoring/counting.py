"""Counts of current rows in the cells of a baseline profile, in memory or in an engine.

Both give the same integers. Rows in memory or in a stream are sorted batch by batch, once per
column, and let go; columns are counted beside one another, since sorting releases Python's lock. A
table that stays in its engine is counted there by one CASE and GROUP BY per column.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.exceptions import IncompatibleDataError, did_you_mean
from clientela.pipelines.monitoring.binning import (
    DIGEST_LENGTH,
    Cells,
    Rows,
    compute_digest,
    count_number_cells,
    count_text_values,
    infer_column_kind,
    iter_record_batches,
    to_float_array,
)
from clientela.pipelines.monitoring.profile import (
    BaselineProfile,
    CategoricalProfile,
    NumericProfile,
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
        cells: Column to rows per cell (see `clientela.pipelines.monitoring.binning`).
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


def build_cell_count_query(table: ir.Table, profile: BaselineProfile) -> ir.Table:
    """One row per column and cell that has rows.

    Returns:
        `feature`, `cell` (its number), `rows`, `smallest`, `largest` (of the cell's numbers).
    """
    parts = []
    for name, column in profile.columns.items():
        if isinstance(column, NumericProfile):
            value = table[name].cast("float64")
            if table[name].type().is_floating():
                # NaN is a value to some engines, greater than any other
                value = value.isnan().ifelse(None, value)
            # the column is computed once, below the CASE, which names it at every step
            computed = table.select(value=value)
            keyed = computed.mutate(cell=_assign_number_cell(computed["value"], column))
        else:
            computed = table.select(value=table[name].cast("string"))
            cell = _assign_category_cell(computed["value"], column)
            keyed = computed.select(cell=cell, value=ibis.null("float64"))
        counts = keyed.group_by("cell").agg(
            rows=keyed.count(), smallest=keyed["value"].min(), largest=keyed["value"].max()
        )
        feature = ibis.literal(name)
        parts.append(counts.select("cell", "rows", "smallest", "largest", feature=feature))
    return _union_tables(parts)


def convert_cells_to_counts(cells: pd.DataFrame, profile: BaselineProfile) -> Counts:
    """The counts of a materialised `build_cell_count_query`, its rows in any order."""
    counts: dict[str, Cells] = {}
    ranges: dict[str, Range] = {}
    for name, column in profile.columns.items():
        by_cell = cells[cells["feature"] == name].set_index("cell")
        size = len(column.cells)
        counts[name] = by_cell["rows"].reindex(range(size), fill_value=0).to_numpy(dtype=np.int64)
        known = by_cell.dropna(subset="smallest")
        if len(known):
            # the first cell lies below the baseline's minimum, the last but one above its maximum
            ranges[name] = Range(
                minimum=float(known["smallest"].min()),
                maximum=float(known["largest"].max()),
                below=float(known["largest"].get(0, -np.inf)),
                above=float(known["smallest"].get(size - 2, np.inf)),
            )
    rows = int(next(iter(counts.values())).sum()) if counts else 0
    return _build_counts(profile, rows, counts, ranges)


def _build_counts(
    profile: BaselineProfile, rows: int, cells: Mapping[str, Cells], ranges: Mapping[str, Range]
) -> Counts:
    return Counts(
        data_hash=profile.data_hash,
        rows=rows,
        cells={name: tuple(counts.tolist()) for name, counts in cells.items()},
        ranges=dict(sorted(ranges.items())),
    )


def _union_tables(parts: Sequence[ir.Table]) -> ir.Table:
    """All rows of all parts; joined in halves, since hundreds in a row nest too deep to compile."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return _union_tables(parts[:half]).union(_union_tables(parts[half:]))


def _assign_number_cell(value: ir.FloatingValue, column: NumericProfile) -> ir.IntegerValue:
    missing = len(column.cells) - 1

    def between(first: int, last: int) -> ir.Value:
        """The cell of a value that lies between two points, outside both."""
        if first == last:
            return ibis.literal(2 * first)
        middle = (first + last) // 2
        # a text, since DuckDB reads -0.09088043304793189 as a decimal, then as another float
        point = ibis.literal(repr(column.points[middle])).cast("float64")
        return ibis.cases(
            (value < point, between(first, middle)),
            (value == point, ibis.literal(2 * middle + 1)),
            else_=between(middle + 1, last),
        )

    inside = between(0, len(column.points))
    return value.isnull().ifelse(missing, inside).cast("int64")


def _assign_category_cell(value: ir.StringValue, column: CategoricalProfile) -> ir.IntegerValue:
    size = len(column.values)
    own = [(value == known, ibis.literal(at)) for at, known in enumerate(column.values)]
    known = value.hexdigest("sha256").substr(0, DIGEST_LENGTH).isin(column.other_values)
    branches = [(value.isnull(), ibis.literal(size + 2)), *own]
    if column.other_values:
        branches.append((known, ibis.literal(size)))
    return ibis.cases(*branches, else_=ibis.literal(size + 1)).cast("int64")


ColumnCounter: TypeAlias = Callable[[pa.Array], tuple[Cells, Range | None]]
# What has an engine compute a small table: `ibis.Table.to_pandas`, or a dataset's way to do it.
Computed: TypeAlias = Callable[[ir.Table], pd.DataFrame]


def count_rows_by_cell(
    rows: Rows | ir.Table, profile: BaselineProfile, computed: Computed = ir.Table.to_pandas
) -> Counts:
    """How many of the rows fall into each cell of a profile.

    Args:
        rows: A frame, an Arrow table, record batches, of which one is in memory at a time, or a
            lazy table, which is counted where it lies.

    Returns:
        Counts that are the same on either engine, whatever the order of the rows and the size of
        the batches.

    Raises:
        IncompatibleDataError: A column is missing or changed its type.
    """
    if isinstance(rows, ir.Table):
        validate_current_columns(profile, rows.schema().to_pyarrow())
        return convert_cells_to_counts(computed(build_cell_count_query(rows, profile)), profile)
    return _count_batches(rows, profile)


def _count_batches(rows: Rows, profile: BaselineProfile) -> Counts:
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
    return _build_counts(profile, total, cells, ranges)


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
