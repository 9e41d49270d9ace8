"""Which columns can be watched, and what their values are, whatever library holds them.

Null, None, NaN, NaT and `pandas.NA` are all missing. Numbers are integers, floats and decimals;
categories are texts and booleans (`true`, `false`). Dates are the axis that periods are cut along
and always move, so they are not watched; a number made from them (an age in days) can be. Texts
that look like numbers stay texts.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from clientela.drift.cells import Numbers
from clientela.exceptions import CurrentDataUnfit

Kind: TypeAlias = Literal["numeric", "categorical"]
CATEGORICAL_TYPES = (pa.bool_(), pa.string(), pa.large_string(), pa.string_view())
Rows: TypeAlias = pd.DataFrame | pa.Table | Iterable[pa.RecordBatch]

BATCH_ROWS = 131_072
"""Rows in memory at a time: sorting them stays in the processor's cache."""


def kind_of(type_: pa.DataType) -> Kind | None:
    """What a column of an Arrow type is watched as.

    Args:
        type_: Of the column.

    Returns:
        `numeric`, `categorical`, or None when it can't be watched.
    """
    if pa.types.is_dictionary(type_):
        return kind_of(type_.value_type)
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "numeric"
    if pa.types.is_null(type_) or type_ in CATEGORICAL_TYPES:
        return "categorical"
    return None


def batches(rows: Rows, columns: Iterable[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows as Arrow batches of bounded size.

    Args:
        rows: A frame, an Arrow table, or batches, which are passed on as they are.
        columns: Those that a frame is narrowed to before it is converted; None: all.

    Returns:
        Batches; one without rows when there are none.

    Raises:
        CurrentDataUnfit: A column of the frame mixes types.
    """
    if isinstance(rows, pd.DataFrame):
        rows = _arrow_table(_narrowed(rows, columns))
    if not isinstance(rows, pa.Table):
        return iter(rows)
    if rows.num_rows == 0:
        return iter([pa.RecordBatch.from_pylist([], schema=rows.schema)])
    return iter(rows.to_batches(max_chunksize=BATCH_ROWS))


def numbers(column: pa.Array | pa.ChunkedArray) -> Numbers:
    """The values of a numeric column, or of one without any value.

    Args:
        column: Of Arrow.

    Returns:
        Floats in the column's order; NaN where missing.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type) or pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    values = column.to_numpy() if _is_chunked(column) else column.to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def text_counts(column: pa.Array | pa.ChunkedArray) -> dict[str | None, int]:
    """How often each value of a categorical column occurs.

    Args:
        column: Of Arrow.

    Returns:
        Value to rows, None for the missing.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = column.cast(pa.string()).value_counts()
    return dict(
        zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    )


def _is_chunked(column: pa.Array | pa.ChunkedArray) -> bool:
    return isinstance(column, pa.ChunkedArray)


def _narrowed(frame: pd.DataFrame, columns: Iterable[str] | None) -> pd.DataFrame:
    wanted = frame.columns if columns is None else sorted(columns)
    # where one is missing all stay, for the error to name the column that was meant
    return frame[wanted] if set(wanted) <= set(frame.columns) else frame


def _arrow_table(frame: pd.DataFrame) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as err:
        raise CurrentDataUnfit(
            f"Every column should hold values of one type, under a name of its own; "
            f"{err.args[-1]}. Type the data at ingestion first."
        ) from err
