"""How a column is counted: disjoint cells, so that counts of batches, files and periods add up.

The cells of a number alternate between what lies strictly between two points and what equals a
point, then MISSING: `< p1, = p1, p1..p2, = p2, ..., > pn, missing`. F(p-) and F(p) of every point,
hence every bin, follow from them exactly. The cells of a category are its values, OTHER (known,
but rare), NEW (never in the baseline), MISSING.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIGEST_LENGTH = 16
"""Hexadecimal digits of a digest: among 10,000 values two collide once in 10^11 columns."""

Numbers = NDArray[np.float64]
Cells = NDArray[np.int64]


def number_cells(ordered: Numbers, points: Numbers) -> Cells:
    """How many values fall into each cell of a number.

    Args:
        ordered: Values in ascending order, the missing (NaN) last, as NumPy sorts them.
        points: The points of the profile, ascending.

    Returns:
        2 x points + 2 counts.
    """
    marks = np.empty(2 * len(points) + 3, dtype=np.int64)
    marks[0], marks[-1] = 0, len(ordered)
    marks[1:-2:2] = np.searchsorted(ordered, points, side="left")
    marks[2:-2:2] = np.searchsorted(ordered, points, side="right")
    marks[-2] = np.searchsorted(ordered, np.nan, side="left")
    return np.diff(marks)


def bin_starts(points: ArrayLike, edges: Sequence[tuple[float, bool]]) -> Cells:
    """The cell that each bin of a number begins with; the last start is that of MISSING.

    Args:
        points: The points of the profile.
        edges: Where a bin ends, and whether it includes that value.

    Returns:
        As many starts as there are bins, MISSING included.
    """
    known = np.asarray(points, dtype=np.float64)
    at = np.searchsorted(known, [value for value, _ in edges])
    after = 2 * at + 1 + np.asarray([included for _, included in edges], dtype=np.int64)
    return np.concatenate([[0], after, [2 * len(known) + 1]]).astype(np.int64)


def digest(value: str) -> str:
    """What the profile remembers of a rare value, which may be somebody's name.

    Args:
        value: As it stands in the data.

    Returns:
        The first digits of its SHA-256, which every engine can compute.
    """
    return hashlib.sha256(value.encode()).hexdigest()[:DIGEST_LENGTH]
