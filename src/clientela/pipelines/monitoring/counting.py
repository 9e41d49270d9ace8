"""Counts of current rows in the cells of a baseline profile, in memory or in an engine.

Both give the same integers. Rows in memory or in a stream are sorted batch by batch, once per
column, and let go; columns are counted beside one another, since sorting releases Python's lock. A
table that stays in its engine is counted there by one CASE and GROUP BY per column.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.exceptions import IncompatibleDataError, did_you_mean
from clientela.pipelines.monitoring.binning import (
    DIGEST_LENGTH,
    Cells,
    Kind,
    Numbers,
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
        rows: How many rows were counted.
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
            ranges=merge_column_ranges(self.ranges, other.ranges),
        )


def merge_column_ranges(left: Mapping[str, Range], right: Mapping[str, Range]) -> dict[str, Range]:
    """Where the values of two parts together lie, by column."""
    return {
        name: merge_ranges(*(part[name] for part in (left, right) if name in part))
        for name in sorted({*left, *right})
    }


def merge_ranges(*parts: Range) -> Range:
    """Where the values of all parts together lie.

    Returns:
        The outermost extremes, and the values outside the baseline that are nearest to it.
    """
    minima, maxima, below, above = zip(*parts, strict=True)
    return Range(min(minima), max(maxima), max(below), min(above))


def validate_current_columns(profile: BaselineProfile, found: Mapping[str, Kind | None]) -> None:
    """Refuses data that can't be compared with a profile; further columns are no matter.

    Args:
        found: Column of the data to what it can be watched as.

    Raises:
        CurrentDataUnfit: A column is missing, or holds another type than in the baseline.
    """
    if missing := sorted(set(profile.columns) - set(found)):
        raise IncompatibleDataError(
            f"The current data should have the columns of the baseline; {missing} are missing. "
            f"{did_you_mean(missing[0], found)} Mend the extract, or build the profile anew."
        )
    changed = [
        f"{name} is {column.type} in the baseline and {found[name] or 'of another type'} now"
        for name, column in profile.columns.items()
        if found[name] != column.type
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

    Raises:
        CurrentDataUnfit: A column is missing or changed its type.
    """
    kinds = {name: _infer_expression_kind(type_) for name, type_ in table.schema().items()}
    untyped = {name for name, type_ in table.schema().items() if type_.is_null()}
    kinds |= {name: profile.columns[name].type for name in untyped & set(profile.columns)}
    validate_current_columns(profile, kinds)
    parts = [_count_column_cells(table, name, column) for name, column in profile.columns.items()]
    return _union_tables(parts)


def convert_cells_to_counts(cells: pd.DataFrame, profile: BaselineProfile) -> Counts:
    """The counts that `cell_counts` found, the same integers as `clientela.pipelines.monitoring.counting`.

    Args:
        cells: The materialised table, rows in any order.
    """
    found = {
        name: part.set_index("cell")["rows"].reindex(range(len(column.cells)), fill_value=0)
        for name, column in profile.columns.items()
        for part in [cells[cells["feature"] == name]]
    }
    return Counts(
        data_hash=profile.data_hash,
        rows=int(next(iter(found.values())).sum()) if found else 0,
        cells={name: tuple(int(rows) for rows in part) for name, part in found.items()},
        ranges={
            str(name): _extract_value_range(
                part.set_index("cell"), len(profile.columns[str(name)].cells) - 2
            )
            for name, part in cells.dropna(subset="smallest").groupby("feature")
        },
    )


def _extract_value_range(known: pd.DataFrame, last: int) -> Range:
    """Where values lie, of the cells that have any; the last cell is beyond the maximum."""
    return Range(
        minimum=float(known["smallest"].min()),
        maximum=float(known["largest"].max()),
        below=float(known["largest"].get(0, -np.inf)),
        above=float(known["smallest"].get(last, np.inf)),
    )


def _union_tables(parts: Sequence[ir.Table]) -> ir.Table:
    """All rows of all parts; joined in halves, since hundreds in a row nest too deep to compile."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return _union_tables(parts[:half]).union(_union_tables(parts[half:]))


def _infer_expression_kind(type_: dt.DataType) -> Kind | None:
    if type_.is_numeric() and not type_.is_boolean():
        return "numeric"
    return "categorical" if type_.is_string() or type_.is_boolean() else None


def _count_column_cells(
    table: ir.Table, name: str, column: NumericProfile | CategoricalProfile
) -> ir.Table:
    if isinstance(column, NumericProfile):
        value = _convert_to_float(table[name])
        # the column is computed once, below the CASE, which names it at every step
        computed = table.select(value=value)
        keyed = computed.mutate(cell=_assign_number_cell(computed["value"], column))
    else:
        computed = table.select(value=table[name].cast("string"))
        cell = _assign_category_cell(computed["value"], column)
        keyed = computed.select(cell=cell, value=ibis.null("float64"))
    return (
        keyed.group_by("cell")
        .agg(rows=keyed.count(), smallest=keyed["value"].min(), largest=keyed["value"].max())
        .select("cell", "rows", "smallest", "largest", feature=ibis.literal(name))
    )


def _convert_to_float(values: ir.Value) -> ir.FloatingValue:
    """Floats, null where missing: NaN is a value to some engines, greater than any other."""
    floats = values.cast("float64")
    return floats if not values.type().is_floating() else floats.isnan().ifelse(None, floats)


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


ColumnCount: TypeAlias = Callable[[pa.Array], tuple[Cells, Range | None]]
Computed: TypeAlias = Callable[[ir.Table], pd.DataFrame]
"""What has an engine compute a small table: `ibis.Table.to_pandas`, or a dataset's way to do it."""


def count_rows_by_cell(
    rows: Rows | ir.Table, profile: BaselineProfile, computed: Computed = ir.Table.to_pandas
) -> Counts:
    """How many of the rows fall into each cell of a profile.

    Args:
        rows: A frame, an Arrow table, record batches, of which one is in memory at a time, or a
            lazy table, which is counted where it lies.
        computed: How the counts of a lazy table are fetched.

    Returns:
        Counts that are the same on either engine, whatever the order of the rows and the size of
        the batches.

    Raises:
        CurrentDataUnfit: A column is missing or changed its type.
    """
    if isinstance(rows, ir.Table):
        return convert_cells_to_counts(computed(build_cell_count_query(rows, profile)), profile)
    return _count_batches(rows, profile)


def _count_batches(rows: Rows, profile: BaselineProfile) -> Counts:
    counting = {name: _make_column_counter(column) for name, column in profile.columns.items()}
    cells: dict[str, Cells] = {
        name: np.zeros(len(column.cells), dtype=np.int64)
        for name, column in profile.columns.items()
    }
    ranges: dict[str, Range] = {}
    total = 0
    with ThreadPoolExecutor(pa.cpu_count()) as threads:
        for batch in _validate_batches(iter_record_batches(rows, profile.columns), profile):
            total += batch.num_rows
            columns = [batch.column(name) for name in counting]
            counted = threads.map(lambda count, column: count(column), counting.values(), columns)
            for name, (in_batch, found) in zip(counting, counted, strict=True):
                cells[name] += in_batch
                if found is not None:
                    ranges[name] = merge_ranges(ranges.get(name, found), found)
    return Counts(
        data_hash=profile.data_hash,
        rows=total,
        cells={name: tuple(found.tolist()) for name, found in cells.items()},
        ranges=dict(sorted(ranges.items())),
    )


def _validate_batches(
    stream: Iterator[pa.RecordBatch], profile: BaselineProfile
) -> Iterator[pa.RecordBatch]:
    """The batches, each with the columns of the profile in their types."""
    for batch in stream:
        validate_current_columns(profile, resolve_column_kinds(batch.schema, profile))
        yield batch


def resolve_column_kinds(schema: pa.Schema, profile: BaselineProfile) -> dict[str, Kind | None]:
    """What each column can be compared as; without a type, as whatever it was in the baseline."""
    return {
        field.name: profile.columns[field.name].type
        if pa.types.is_null(field.type) and field.name in profile.columns
        else infer_column_kind(field.type)
        for field in schema
    }


def _make_column_counter(column: NumericProfile | CategoricalProfile) -> ColumnCount:
    if isinstance(column, NumericProfile):
        return _make_number_counter(column)
    return _make_category_counter(column)


def _make_number_counter(column: NumericProfile) -> ColumnCount:
    points = np.asarray(column.points, dtype=np.float64)

    def count(values: pa.Array) -> tuple[Cells, Range | None]:
        ordered = np.sort(to_float_array(values))
        cells = count_number_cells(ordered, points)
        return cells, _find_value_range(ordered, cells)

    return count


def _find_value_range(ordered: Numbers, cells: Cells) -> Range | None:
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


def _make_category_counter(column: CategoricalProfile) -> ColumnCount:
    size = len(column.values)
    other, new, missing = size, size + 1, size + 2
    places: dict[str | None, int] = {value: at for at, value in enumerate(column.values)}
    places[None] = missing
    known = frozenset(column.other_values)

    def place(value: str | None) -> int:
        if value is None or value in places:
            return places[value]
        return other if compute_digest(value) in known else new

    def count(values: pa.Array) -> tuple[Cells, None]:
        cells = np.zeros(size + 3, dtype=np.int64)
        for value, rows in count_text_values(values).items():
            cells[place(value)] += rows
        return cells, None

    return count
