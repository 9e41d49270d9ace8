"""Arrow columns as text, and rows as lines of CSV, all made by Arrow itself.

Arrow's CSV writer quotes all text or none and cannot write a row of another width, which a sample
of dirty data needs.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

# Arrow makes these functions when it is imported, where type checkers do not see them.
_kernels: Any = pyarrow.compute


def as_text(rows: pa.Table) -> pa.Table:
    """The rows with every column as text, missing values still null."""
    return rows.cast(pa.schema([(name, pa.string()) for name in rows.column_names]))


def joined(*parts: pa.Array | str, separator: str = "") -> pa.Array:
    """Texts joined element by element; missing ones count as empty."""
    return _kernels.binary_join_element_wise(
        *parts, separator, null_handling="replace", null_replacement=""
    )


def padded(number: NDArray[np.int64], digits: int) -> pa.StringArray:
    """Numbers as text with leading zeros."""
    return _kernels.utf8_lpad(pa.array(number).cast(pa.string()), digits, "0")


def text_from(column: pa.ChunkedArray, position: int) -> pa.ChunkedArray:
    """Texts from a position on."""
    return _kernels.utf8_slice_codeunits(column, position)


def csv_lines(rows: pa.Table) -> pa.StringArray:
    """One line of CSV per row, line end included; no value may hold a comma, quote or line end."""
    *columns, last = rows.combine_chunks().columns
    return joined(*columns, joined(last, "\n"), separator=",").combine_chunks()


def csv_block(lines: pa.StringArray) -> pa.Buffer:
    """The bytes of all lines, UTF-8, without copying: text columns lie end to end in memory."""
    _validity, offsets, text = lines.buffers()
    ends = memoryview(offsets).cast("B").cast("i")
    first, last = ends[lines.offset], ends[lines.offset + len(lines)]
    return text.slice(first, last - first)
