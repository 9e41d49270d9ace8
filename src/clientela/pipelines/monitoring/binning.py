"""How a column is counted: disjoint cells, so that counts of batches, files and periods add up.

The cells of a number alternate between what lies strictly between two points and what equals a
point, then MISSING: `< p1, = p1, p1..p2, = p2, ..., > pn, missing`. F(p-) and F(p) of every point,
hence every bin, follow from them exactly. The cells of a category are its values, OTHER (known,
but rare), NEW (never in the baseline), MISSING.

Null, None, NaN, NaT and `pandas.NA` are all missing. Numbers are integers, floats and decimals;
categories are texts and booleans (`true`, `false`); texts that look like numbers stay texts. Dates
always move, so they are not watched; a number made from them (an age in days) can be.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, PositiveFloat, PositiveInt

from clientela.exceptions import IncompatibleDataError
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
        rows = _convert_to_arrow(_select_frame_columns(rows, columns))
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
    values = column.to_numpy() if _is_chunked(column) else column.to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def count_text_values(column: pa.Array | pa.ChunkedArray) -> dict[str | None, int]:
    """How often each value of a categorical column occurs."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = column.cast(pa.string()).value_counts()
    return dict(
        zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    )


def _is_chunked(column: pa.Array | pa.ChunkedArray) -> bool:
    return isinstance(column, pa.ChunkedArray)


def _select_frame_columns(frame: pd.DataFrame, columns: Iterable[str] | None) -> pd.DataFrame:
    wanted = frame.columns if columns is None else sorted(columns)
    # where one is missing all stay, for the error to name the column that was meant
    return frame[wanted] if set(wanted) <= set(frame.columns) else frame


def _convert_to_arrow(frame: pd.DataFrame) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as err:
        raise IncompatibleDataError(
            f"Every column should hold values of one type, under a name of its own; "
            f"{err.args[-1]}. Type the data at ingestion first."
        ) from err


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
        edges |= {(edge, True) for edge in _compute_inner_quantiles(stretch, bins, len(ordered))}
    return sorted(edges)


def _compute_inner_quantiles(stretch: Numbers, bins: int, rows: int) -> list[float]:
    own_bins = round(len(stretch) * bins / rows)
    if own_bins <= 1:
        return []
    edges = np.unique(np.quantile(stretch, np.arange(1, own_bins) / own_bins))
    return [float(edge) for edge in edges if edge < stretch[-1]]
