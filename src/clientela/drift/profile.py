"""The baseline profile: all that is kept of a baseline, whose rows are never needed again."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from clientela.drift.cells import bin_starts
from clientela.drift.settings import ProfileSettings
from clientela.exceptions import ProfileUnusable

VERSION: Final = 1
REBUILD = "Restore the file, or build the profile anew from the baseline data."


class Period(BaseModel):
    """The moments between which a baseline lies, both included.

    Moments, not days, so that rows of the last day that came later are told from the baseline.

    Attributes:
        first: Earliest moment, in local time.
        last: Latest moment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: datetime
    last: datetime


class Edge(BaseModel):
    """Where one bin of a number ends and the next begins.

    Attributes:
        value: The border.
        included: Whether the lower bin includes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: FiniteFloat
    included: bool = True


class NumericProfile(BaseModel):
    """The distribution of a number in the baseline.

    Attributes:
        type: `numeric`.
        n: Rows.
        missing: Rows without a value (null or NaN).
        minimum: Smallest value; None when there are none.
        maximum: Largest value.
        mean: Of the values.
        standard_deviation: Of the values (n - 1); None when there are fewer than two.
        edges: Where bins end; both ends are open, and a heavy value is a bin of its own.
        counts: Rows per bin.
        deciles: The different deciles, extremes included (for `clientela.drift.classic`).
        points: Quantiles, extremes, edges and deciles, ascending.
        cells: Rows per cell of the points (see `clientela.drift.cells`), MISSING last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["numeric"] = "numeric"
    n: PositiveInt
    missing: NonNegativeInt
    minimum: FiniteFloat | None
    maximum: FiniteFloat | None
    mean: FiniteFloat | None
    standard_deviation: FiniteFloat | None
    edges: tuple[Edge, ...]
    counts: tuple[NonNegativeInt, ...]
    deciles: tuple[FiniteFloat, ...]
    points: tuple[FiniteFloat, ...]
    cells: tuple[NonNegativeInt, ...]

    @property
    def bin_starts(self) -> list[int]:
        """The cell that each bin begins with, MISSING last."""
        edges = [(edge.value, edge.included) for edge in self.edges]
        return [int(start) for start in bin_starts(self.points, edges)]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        _ascending("points", self.points)
        _ascending("edges", [(edge.value, edge.included) for edge in self.edges])
        _ascending("deciles", self.deciles)
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
        _sums("cells", self.cells, self.n)
        _sums("the cell of missing values", self.cells[-1:], self.missing)
        in_bins = np.add.reduceat(self.cells, self.bin_starts)[:-1].tolist()
        if in_bins != list(self.counts):
            raise ValueError(f"the cells make bins of {in_bins} rows; counts says {self.counts}")
        return self


class CategoricalProfile(BaseModel):
    """The distribution of a category in the baseline.

    Attributes:
        type: `categorical`.
        n: Rows.
        missing: Rows without a value.
        values: The values with a cell of their own, the most frequent first, ties by value.
        counts: Rows of each.
        other: Rows with any other value.
        other_values: Digests of those values, sorted: a value that is neither here nor in
            `values` is NEW.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["categorical"] = "categorical"
    n: PositiveInt
    missing: NonNegativeInt
    values: tuple[str, ...]
    counts: tuple[NonNegativeInt, ...]
    other: NonNegativeInt
    other_values: tuple[str, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        """Rows per cell: values, OTHER, NEW (none), MISSING."""
        return (*self.counts, self.other, 0, self.missing)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if len(self.values) != len(self.counts) or len(set(self.values)) != len(self.values):
            raise ValueError(
                f"each of {len(self.values)} values should be there once and have one count; "
                f"got {len(self.counts)} counts for {len(set(self.values))} different values"
            )
        _ascending("other_values", self.other_values)
        _sums("counts, other and missing", self.cells, self.n)
        return self


ColumnProfile = Annotated[NumericProfile | CategoricalProfile, Field(discriminator="type")]


class BaselineProfile(BaseModel):
    """What is kept of a baseline, sufficient for every figure of drift.

    Attributes:
        version: Of this form.
        use_case: Whose data these are.
        rows: How many.
        period: The time covered; None when the data have no dates.
        schema_hash: Of the columns' names and types.
        data_hash: Of the columns' sorted values, whatever the order of the rows.
        settings: How the profile was made.
        columns: Column to its distribution, sorted by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    use_case: str
    rows: PositiveInt
    period: Period | None
    schema_hash: str
    data_hash: str
    settings: ProfileSettings
    columns: dict[str, ColumnProfile]

    @model_validator(mode="after")
    def _columns_hold_every_row(self) -> Self:
        for name, column in self.columns.items():
            if column.n != self.rows:
                raise ValueError(f"{name} should have the {self.rows} rows; it has {column.n}")
        return self


def read_profile(text: str) -> BaselineProfile:
    """A stored profile, checked.

    Args:
        text: The content of `baseline_profile.json`.

    Returns:
        The profile.

    Raises:
        ProfileUnusable: The file is truncated, of another version, or contradicts itself.
    """
    try:
        content = from_json(text)
    except ValueError as err:
        raise ProfileUnusable(
            f"The baseline profile should be one JSON object; it can't be read ({err}). {REBUILD}"
        ) from err
    found = content.get("version") if isinstance(content, dict) else None
    if found != VERSION:
        raise ProfileUnusable(
            f"The baseline profile should be of version {VERSION}; got {found!r}. {REBUILD}"
        )
    try:
        return BaselineProfile.model_validate_json(text)
    except ValidationError as err:
        raise ProfileUnusable(
            f"The baseline profile contradicts itself: {_first_problem(err)}. {REBUILD}"
        ) from err


def _first_problem(err: ValidationError) -> str:
    problem = err.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place or 'profile'}: {problem['msg'].removeprefix('Value error, ')}"


def _ascending(name: str, values: Sequence[object]) -> None:
    if not all(left < right for left, right in pairwise(values)):  # type: ignore[operator]
        raise ValueError(f"{name} should ascend without repetition")


def _sums(name: str, counts: Sequence[int], expected: int) -> None:
    if sum(counts) != expected:
        raise ValueError(f"{name} should add up to {expected} rows; got {sum(counts)}")
