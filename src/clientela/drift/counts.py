"""Counts of current data in the cells of a baseline profile: integers that add up."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clientela.drift.columns import Kind
from clientela.drift.profile import BaselineProfile
from clientela.exceptions import CurrentDataUnfit, did_you_mean


class Range(NamedTuple):
    """Where the values of a number lie.

    Attributes:
        minimum: Smallest value.
        maximum: Largest value.
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
        cells: Column to rows per cell (see `clientela.drift.cells`).
        ranges: Numeric column to where its values lie; without columns that have none.
    """

    data_hash: str
    rows: int
    cells: Mapping[str, tuple[int, ...]]
    ranges: Mapping[str, Range]

    def __add__(self, other: "Counts") -> "Counts":
        """The counts of both parts.

        Args:
            other: Counts against the same profile.

        Returns:
            Their sum.

        Raises:
            CurrentDataUnfit: The two were counted against different profiles.
        """
        if self.data_hash != other.data_hash:
            raise CurrentDataUnfit(
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
            ranges=joint_ranges(self.ranges, other.ranges),
        )


def joint_ranges(left: Mapping[str, Range], right: Mapping[str, Range]) -> dict[str, Range]:
    """Where the values of two parts together lie, by column.

    Args:
        left: Of one part.
        right: Of the other.

    Returns:
        Sorted by column.
    """
    return {
        name: joint_range(*(part[name] for part in (left, right) if name in part))
        for name in sorted({*left, *right})
    }


def joint_range(*parts: Range) -> Range:
    """Where the values of all parts together lie.

    Args:
        parts: At least one.

    Returns:
        The outermost extremes, and the values outside the baseline that are nearest to it.
    """
    minima, maxima, below, above = zip(*parts, strict=True)
    return Range(min(minima), max(maxima), max(below), min(above))


def check_columns(profile: BaselineProfile, found: Mapping[str, Kind | None]) -> None:
    """Refuses data that can't be compared with a profile; further columns are no matter.

    Args:
        profile: The baseline.
        found: Column of the data to what it can be watched as.

    Raises:
        CurrentDataUnfit: A column is missing, or holds another type than in the baseline.
    """
    if missing := sorted(set(profile.columns) - set(found)):
        raise CurrentDataUnfit(
            f"The current data should have the columns of the baseline; {missing} are missing. "
            f"{did_you_mean(missing[0], found)} Mend the extract, or build the profile anew."
        )
    changed = [
        f"{name} is {column.type} in the baseline and {found[name] or 'of another type'} now"
        for name, column in profile.columns.items()
        if found[name] != column.type
    ]
    if changed:
        raise CurrentDataUnfit(
            f"The current data should have the types of the baseline; {'; '.join(changed)}. "
            f"Type the data as then, or build the profile anew."
        )
