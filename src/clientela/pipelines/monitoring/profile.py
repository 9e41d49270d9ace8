"""The baseline profile: all that is kept of a baseline, whose rows are never needed again."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import (
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from clientela.exceptions import InvalidProfileError, did_you_mean
from clientela.pipelines.monitoring.binning import (
    Kind,
    Numbers,
    ProfileSettings,
    Rows,
    compute_bin_edges,
    compute_digest,
    count_number_cells,
    count_text_values,
    find_bin_starts,
    infer_column_kind,
    iter_record_batches,
    to_float_array,
)
from clientela.settings_base import FrozenSettings

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
        cells: Rows per cell of the points (see `binning`), MISSING last.
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
