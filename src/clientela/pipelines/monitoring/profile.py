"""The baseline profile: all that is kept of a baseline, whose rows are never needed again.

A column is counted in disjoint cells, so that counts of batches, files and periods add up. Those of
a number alternate between what lies strictly between two points and what equals a point, then
MISSING: `< p1, = p1, p1..p2, = p2, ..., > pn, missing`; F(p-) and F(p) of every point follow
exactly. Those of a category are its values, OTHER (known, but rare), NEW (never in the baseline),
MISSING. Null, None, NaN, NaT and `pandas.NA` are all missing; booleans are texts; dates always
move, so they are not watched.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final, Literal, Self, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from pydantic import (
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from clientela.exceptions import IncompatibleDataError, InvalidProfileError, did_you_mean
from clientela.settings_base import FrozenSettings


class ProfileSettings(FrozenSettings):
    """How a baseline profile is made; frozen with it.

    Attributes:
        bins: Quantile bins of a number; values with at least this share of the rows (one in
            `bins`) get a bin of their own.
        points: Quantiles at which a number's distribution is kept; KS is certified to 1 / `points`.
        top_values: Most values of a category that get a cell of their own.
        minimum_share: Smallest share of the rows with which a value gets one.
        known_values: Most rarer values that the profile remembers, as digests.
    """

    bins: int = Field(default=10, ge=2)
    points: int = Field(default=200, ge=10)
    top_values: PositiveInt = 20
    minimum_share: float = Field(default=0.005, ge=0, lt=1)
    known_values: PositiveInt = 10_000


class DriftSettings(FrozenSettings):
    """How two distributions are compared.

    Attributes:
        pseudo_count: Rows added to every cell before PSI takes a logarithm (Jeffreys' prior: .5).
        fewest_expected: Expected rows below which a cell is pooled in the chi-square test
            (Cochran 1954: 5).
        noise_quantile: Quantile of PSI without any drift that is shown as its noise.
    """

    pseudo_count: PositiveFloat = 0.5
    fewest_expected: PositiveFloat = 5.0
    noise_quantile: float = Field(default=0.99, gt=0, lt=1)


# Hexadecimal digits of a digest: among 10,000 values two collide once in 10^11 columns.
DIGEST_LENGTH = 16

Numbers = NDArray[np.float64]
Cells = NDArray[np.int64]


def count_number_cells(ordered: Numbers, points: Numbers) -> Cells:
    """How many values fall into each cell of a number.

    Args:
        ordered: Values in ascending order, the missing (NaN) last, as NumPy sorts them.
    """
    marks = np.empty(2 * len(points) + 3, dtype=np.int64)
    marks[0], marks[-1] = 0, len(ordered)
    marks[1:-2:2] = np.searchsorted(ordered, points, side="left")
    marks[2:-2:2] = np.searchsorted(ordered, points, side="right")
    marks[-2] = np.searchsorted(ordered, np.nan, side="left")
    return np.diff(marks)


def find_bin_starts(points: ArrayLike, edges: Sequence[tuple[float, bool]]) -> Cells:
    """The cell that each bin of a number begins with; the last start is that of MISSING.

    Args:
        edges: Where a bin ends, and whether it includes that value.
    """
    known = np.asarray(points, dtype=np.float64)
    at = np.searchsorted(known, [value for value, _ in edges])
    after = 2 * at + 1 + np.asarray([included for _, included in edges], dtype=np.int64)
    return np.concatenate([[0], after, [2 * len(known) + 1]]).astype(np.int64)


def compute_digest(value: str) -> str:
    """What the profile remembers of a rare value, which may be somebody's name.

    Returns:
        The first digits of its SHA-256, which every engine can compute.
    """
    return hashlib.sha256(value.encode()).hexdigest()[:DIGEST_LENGTH]


Kind: TypeAlias = Literal["numeric", "categorical"]
CATEGORICAL_TYPES = (pa.bool_(), pa.string(), pa.large_string(), pa.string_view())
Rows: TypeAlias = pd.DataFrame | pa.Table | Iterable[pa.RecordBatch]

# Rows in memory at a time: sorting them stays in the processor's cache.
BATCH_ROWS = 131_072


def infer_column_kind(type_: pa.DataType) -> Kind | None:
    """What a column of an Arrow type is watched as."""
    if pa.types.is_dictionary(type_):
        return infer_column_kind(type_.value_type)
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "numeric"
    if pa.types.is_null(type_) or type_ in CATEGORICAL_TYPES:
        return "categorical"
    return None


def iter_record_batches(
    rows: Rows, columns: Iterable[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows as Arrow batches of bounded size.

    Args:
        rows: A frame, an Arrow table, or batches, which are passed on as they are.
        columns: Those that a frame is narrowed to before it is converted; None: all.

    Raises:
        CurrentDataUnfit: A column of the frame mixes types.
    """
    if isinstance(rows, pd.DataFrame):
        wanted = rows.columns if columns is None else sorted(columns)
        # where one is missing all stay, for the error to name the column that was meant
        frame = rows[wanted] if set(wanted) <= set(rows.columns) else rows
        try:
            rows = pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as err:
            raise IncompatibleDataError(
                f"Every column should hold values of one type, under a name of its own; "
                f"{err.args[-1]}. Type the data at ingestion first."
            ) from err
    if not isinstance(rows, pa.Table):
        return iter(rows)
    if rows.num_rows == 0:
        return iter([pa.RecordBatch.from_pylist([], schema=rows.schema)])
    return iter(rows.to_batches(max_chunksize=BATCH_ROWS))


def to_float_array(column: pa.Array | pa.ChunkedArray) -> Numbers:
    """The values of a numeric column, or of one without any value."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type) or pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    whole = isinstance(column, pa.Array)
    values = column.to_numpy(zero_copy_only=False) if whole else column.to_numpy()
    return np.asarray(values, dtype=np.float64)


def count_text_values(column: pa.Array | pa.ChunkedArray) -> dict[str | None, int]:
    """How often each value of a categorical column occurs."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = column.cast(pa.string()).value_counts()
    return dict(
        zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    )


# A value seen once is not heavy, however few rows there are, unless there is no other.
FEWEST_REPEATS = 2


def compute_bin_edges(ordered: Numbers, bins: int) -> list[tuple[float, bool]]:
    """Where bins end, and whether they include that value.

    Without heavy values these are the quantiles of `numpy.quantile` (linear interpolation).
    Else each stretch between heavy values gets quantile bins in proportion to its rows.

    Args:
        bins: How many quantile bins; a value with 1 / `bins` of the rows is heavy.

    Returns:
        Edges, ascending; a heavy value v has two, (v, False) and (v, True).
    """
    values, counts = np.unique(ordered, return_counts=True)
    heavy = counts >= max(len(ordered) / bins, FEWEST_REPEATS if len(values) > 1 else 1)
    marks = [-np.inf, *values[heavy].tolist(), np.inf]
    edges = {(value, included) for value in marks[1:-1] for included in (False, True)}
    for lower, upper in pairwise(marks):
        stretch = ordered[
            np.searchsorted(ordered, lower, "right") : np.searchsorted(ordered, upper, "left")
        ]
        own_bins = round(len(stretch) * bins / len(ordered))
        if own_bins > 1:
            inner = np.quantile(stretch, np.arange(1, own_bins) / own_bins)
            edges |= {(float(edge), True) for edge in inner[inner < stretch[-1]]}
    return sorted(edges)


VERSION: Final = 1
REBUILD = "Restore the file, or build the profile anew from the baseline data."


class Period(FrozenSettings):
    """The moments between which a baseline lies, both included.

    Moments, not days, so that rows of the last day that came later are told from the baseline.
    """

    first: datetime
    last: datetime


class BinEdge(FrozenSettings):
    """Where one bin of a number ends and the next begins."""

    value: FiniteFloat
    included: bool = True


class NumericProfile(FrozenSettings):
    """The distribution of a number in the baseline.

    Attributes:
        missing: Rows without a value (null or NaN).
        minimum: Smallest value; None when there are none.
        standard_deviation: Of the values (n - 1); None when there are fewer than two.
        edges: Where bins end; both ends are open, and a heavy value is a bin of its own.
        deciles: The different deciles, extremes included (for the classic figures).
        cells: Rows per cell of the points (see above), MISSING last.
    """

    type: Literal["numeric"] = "numeric"
    n: PositiveInt
    missing: NonNegativeInt
    minimum: FiniteFloat | None
    maximum: FiniteFloat | None
    mean: FiniteFloat | None
    standard_deviation: FiniteFloat | None
    edges: tuple[BinEdge, ...]
    counts: tuple[NonNegativeInt, ...]
    deciles: tuple[FiniteFloat, ...]
    points: tuple[FiniteFloat, ...]
    cells: tuple[NonNegativeInt, ...]

    @property
    def is_constant(self) -> bool:
        """Whether all values are one."""
        return self.minimum is not None and self.minimum == self.maximum

    @staticmethod
    def get_single_values(cells: Sequence[int]) -> Sequence[int]:
        """Of rows per cell those of cells that stand for one value."""
        return cells[1:-2:2]

    @property
    def bin_starts(self) -> list[int]:
        """The cell that each bin begins with, MISSING last."""
        edges = [(edge.value, edge.included) for edge in self.edges]
        return [int(start) for start in find_bin_starts(self.points, edges)]

    @model_validator(mode="after")
    def _validate_totals(self) -> Self:
        _check_ascending("points", self.points)
        _check_ascending("edges", [(edge.value, edge.included) for edge in self.edges])
        _check_ascending("deciles", self.deciles)
        borders = {edge.value for edge in self.edges} | set(self.deciles)
        if lost := borders - set(self.points):
            raise ValueError(f"every edge and decile should be a point; {sorted(lost)} are none")
        if (self.minimum, self.maximum) != (self.points[:1] + self.points[-1:] or (None, None)):
            raise ValueError("the first and last point should be the minimum and the maximum")
        if len(self.cells) != 2 * len(self.points) + 2:
            raise ValueError(
                f"{len(self.points)} points make {2 * len(self.points) + 2} cells; "
                f"got {len(self.cells)}"
            )
        _check_total("cells", self.cells, self.n)
        _check_total("the cell of missing values", self.cells[-1:], self.missing)
        in_bins = np.add.reduceat(self.cells, self.bin_starts)[:-1].tolist()
        if in_bins != list(self.counts):
            raise ValueError(f"the cells make bins of {in_bins} rows; counts says {self.counts}")
        return self


class CategoricalProfile(FrozenSettings):
    """The distribution of a category in the baseline.

    Attributes:
        values: The values with a cell of their own, the most frequent first, ties by value.
        other_values: Digests of those values, sorted: a value that is neither here nor in
            `values` is NEW.
    """

    type: Literal["categorical"] = "categorical"
    n: PositiveInt
    missing: NonNegativeInt
    values: tuple[str, ...]
    counts: tuple[NonNegativeInt, ...]
    other: NonNegativeInt
    other_values: tuple[str, ...]

    @property
    def is_constant(self) -> bool:
        """Whether all values are one."""
        return len(self.values) == 1 and self.other == 0

    @property
    def cells(self) -> tuple[int, ...]:
        """Rows per cell: values, OTHER, NEW (none), MISSING."""
        return (*self.counts, self.other, 0, self.missing)

    @staticmethod
    def get_single_values(cells: Sequence[int]) -> Sequence[int]:
        """Of rows per cell those of cells that stand for one value."""
        return cells[:-3]

    @model_validator(mode="after")
    def _validate_totals(self) -> Self:
        if len(self.values) != len(self.counts) or len(set(self.values)) != len(self.values):
            raise ValueError(
                f"each of {len(self.values)} values should be there once and have one count; "
                f"got {len(self.counts)} counts for {len(set(self.values))} different values"
            )
        _check_ascending("other_values", self.other_values)
        _check_total("counts, other and missing", self.cells, self.n)
        return self


ColumnProfile = Annotated[NumericProfile | CategoricalProfile, Field(discriminator="type")]


class BaselineProfile(FrozenSettings):
    """What is kept of a baseline, sufficient for every figure of drift.

    Attributes:
        period: The time covered; None when the data have no dates.
        data_hash: Of the columns' sorted values, whatever the order of the rows.
        columns: Column to its distribution, sorted by name.
    """

    version: Literal[1] = VERSION
    use_case: str
    rows: PositiveInt
    period: Period | None
    schema_hash: str
    data_hash: str
    settings: ProfileSettings
    columns: dict[str, ColumnProfile]

    @model_validator(mode="after")
    def _validate_column_rows(self) -> Self:
        for name, column in self.columns.items():
            if column.n != self.rows:
                raise ValueError(f"{name} should have the {self.rows} rows; it has {column.n}")
        return self


def read_profile(text: str) -> BaselineProfile:
    """A stored profile, checked.

    Raises:
        InvalidProfileError: The file is truncated, of another version, or contradicts itself.
    """
    try:
        content = from_json(text)
    except ValueError as err:
        raise InvalidProfileError(
            f"The baseline profile should be one JSON object; it can't be read ({err}). {REBUILD}"
        ) from err
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise InvalidProfileError(
            f"The baseline profile should be of version {VERSION}; got {version!r}. {REBUILD}"
        )
    try:
        return BaselineProfile.model_validate_json(text)
    except ValidationError as err:
        problem = err.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "profile"
        message = problem["msg"].removeprefix("Value error, ")
        raise InvalidProfileError(
            f"The baseline profile contradicts itself: {place}: {message}. {REBUILD}"
        ) from err


def _check_ascending(name: str, values: Sequence[object]) -> None:
    if not all(left < right for left, right in pairwise(values)):  # type: ignore[operator]
        raise ValueError(f"{name} should ascend without repetition")


def _check_total(name: str, counts: Sequence[int], expected: int) -> None:
    if sum(counts) != expected:
        raise ValueError(f"{name} should add up to {expected} rows; got {sum(counts)}")


def build_baseline_profile(
    rows: Rows,
    settings: ProfileSettings,
    *,
    use_case: str,
    period: Period | None = None,
    columns: Sequence[str] | None = None,
) -> BaselineProfile:
    """The profile of a baseline, the same whatever the order of its rows.

    Args:
        rows: The baseline; its watched columns are held in memory, one is sorted at a time.

    Raises:
        InvalidProfileError: No rows, nothing to watch, no such column, infinite numbers, or a
            column of identifiers.
    """
    table = pa.Table.from_batches(list(iter_record_batches(rows, columns)))
    if table.num_rows == 0:
        raise InvalidProfileError(
            "A baseline should have rows; got none. Widen the baseline period."
        )
    kinds = _select_column_kinds(table.schema, columns)
    profiles: dict[str, NumericProfile | CategoricalProfile] = {}
    data_hash = hashlib.sha256()
    for name, kind in kinds.items():
        if kind == "numeric":
            # adding 0 makes -0, which equals 0, the same byte for byte
            ordered = np.asarray(np.sort(to_float_array(table[name])) + 0.0)
            profiles[name] = build_numeric_profile(ordered, name, settings)
            known = ordered[: np.searchsorted(ordered, np.nan)]
            encoded = json.dumps([name, len(ordered)]).encode() + known.tobytes()
        else:
            counts = count_text_values(table[name])
            profiles[name] = build_categorical_profile(counts, name, settings)
            values = sorted((value, n) for value, n in counts.items() if value is not None)
            encoded = json.dumps([name, values, counts.get(None, 0)]).encode()
        data_hash.update(encoded)
    return BaselineProfile(
        use_case=use_case,
        rows=table.num_rows,
        period=period,
        schema_hash=hashlib.sha256(json.dumps(kinds).encode()).hexdigest(),
        data_hash=data_hash.hexdigest(),
        settings=settings,
        columns=profiles,
    )


def _select_column_kinds(schema: pa.Schema, columns: Sequence[str] | None) -> dict[str, Kind]:
    """Column to what it is watched as, sorted by name."""
    found = {field.name: infer_column_kind(field.type) for field in schema}
    for name in columns or ():
        if name not in found:
            raise InvalidProfileError(
                f"{name} is no column of the data. {did_you_mean(name, found)}"
            )
        if found[name] is None:
            raise InvalidProfileError(
                f"{name} should hold numbers, texts or booleans; it holds "
                f"{schema.field(name).type}. Make a number from it (an age in days), or leave it "
                f"out of the watched columns."
            )
    wanted = found if columns is None else {name: found[name] for name in columns}
    kinds = {name: kind for name, kind in sorted(wanted.items()) if kind is not None}
    if not kinds:
        raise InvalidProfileError(
            f"A baseline should have numbers, texts or booleans to watch; its columns are "
            f"{sorted(found)}. Name others, or add features."
        )
    return kinds


def build_numeric_profile(ordered: Numbers, name: str, settings: ProfileSettings) -> NumericProfile:
    """The distribution of a number."""
    known = ordered[: np.searchsorted(ordered, np.nan)]
    if np.isinf(known).any():
        raise InvalidProfileError(
            f"{name} should hold finite numbers in the baseline; it holds infinite ones. Make them "
            f"missing, or drop the rows."
        )
    edges = compute_bin_edges(known, settings.bins) if len(known) else []
    deciles = np.unique(np.quantile(known, np.linspace(0, 1, 11))) if len(known) else known
    points = _choose_points(known, [*deciles, *(value for value, _ in edges)], settings.points)
    cells = count_number_cells(ordered, points)
    return NumericProfile(
        n=len(ordered),
        missing=len(ordered) - len(known),
        minimum=float(known[0]) if len(known) else None,
        maximum=float(known[-1]) if len(known) else None,
        mean=float(known.mean()) if len(known) else None,
        standard_deviation=float(known.std(ddof=1)) if len(known) > 1 else None,
        edges=tuple(BinEdge(value=value, included=included) for value, included in edges),
        deciles=tuple(deciles.tolist()),
        counts=tuple(np.add.reduceat(cells, find_bin_starts(points, edges))[:-1].tolist()),
        points=tuple(points.tolist()),
        cells=tuple(cells.tolist()),
    )


def _choose_points(known: Numbers, borders: list[float], count: int) -> Numbers:
    """Borders, and quantiles that are values: between two points lie < n / `count` rows.

    Towards both ends quantiles get denser (every doubling of the rank), as the few values of a long
    tail would else count as if they were spread evenly up to the extreme.
    """
    if len(known) == 0:
        return known
    quantiles = -(-np.arange(1, count + 1) * len(known) // count) - 1
    tail = 2 ** np.arange(len(known).bit_length()) - 1
    tail = tail[tail <= len(known) // count]
    places = np.concatenate([[0], quantiles, tail, len(known) - 1 - tail])
    return np.unique(np.concatenate([known[places], borders]))


def build_categorical_profile(
    found: dict[str | None, int], name: str, settings: ProfileSettings
) -> CategoricalProfile:
    """The distribution of a category.

    Raises:
        ProfileUnusable: So many values that these are identifiers or free text.
    """
    rows, missing = sum(found.values()), found.get(None, 0)
    ranked = sorted((-count, value) for value, count in found.items() if value is not None)
    own = [
        (value, -negative)
        for negative, value in ranked[: settings.top_values]
        if -negative >= settings.minimum_share * rows
    ]
    others = sorted(compute_digest(value) for _, value in ranked[len(own) :])
    if len(others) > settings.known_values:
        raise InvalidProfileError(
            f"{name} should have at most {settings.known_values} rare values; it has "
            f"{len(others)} in {rows} rows, like an identifier or free text. Leave it out of the "
            f"watched columns, or raise known_values."
        )
    return CategoricalProfile(
        n=rows,
        missing=missing,
        values=tuple(value for value, _ in own),
        counts=tuple(count for _, count in own),
        other=rows - missing - sum(count for _, count in own),
        other_values=tuple(others),
    )
