"""A key for rows of tables that bring none: what a row says, and which of its equals it is.

A line number would do for one file, but not for a table that is exported anew each week: the same
loan has to keep its key when rows move, files are cut otherwise, or columns change their order.
"""

from collections.abc import Collection
from typing import Literal

import ibis
import ibis.expr.types as ir

from clientela.intake.typing import present

DIGITS = 16
"""Hexadecimal digits of the content's digest; rows that collide still get numbers of their own."""
REPEATED = "duplicate_row"
ROW_NUMBER = "Unnamed: 0"
"""What pandas calls the first column where its name is empty: the row numbers of an export."""
_END_OF_CELL = "\x1f"


def content_digest(
    raw: ir.Table, lineage: Collection[str], missing_words: Collection[str] = ()
) -> ir.StringValue:
    """A short digest of all that a raw row says.

    Args:
        raw: Text columns.
        lineage: Columns that tell where the row stood, which is not what it says.
        missing_words: Words that stand for nothing.

    Returns:
        Hexadecimal digits, equal for rows with equal cells under equal names; missing cells count
        like absent columns.
    """
    cells = [
        (f"{name}=" + present(raw[name], missing_words) + _END_OF_CELL).fill_null("")
        for name in sorted(set(raw.columns) - set(lineage))
    ]
    return ibis.literal("").join(cells).hexdigest("md5").left(DIGITS)


def numbered(judged: ir.Table, key: str, duplicates: Literal["keep", "quarantine"]) -> ir.Table:
    """The rows with a unique key: the digest, and a number among those that share it.

    Args:
        judged: Rows with their verdict, `_file`, `_line`, and the digest in the key's column.
        key: The made key.
        duplicates: Whether further rows of equal content are kept, or refused.

    Returns:
        The same rows; `<digest>-1` for the first, `<digest>-2` for its next equal.
    """
    accepted = judged["_reason"].isnull()
    # numbers follow the place in the files, but equal rows are interchangeable: the keys of a
    # table are the same set in any order
    place = ibis.row_number().over(
        ibis.window(group_by=[key, accepted], order_by=[judged["_file"], judged["_line"]])
    )
    made: dict[str, ir.Value] = {key: judged[key] + "-" + (place + 1).cast("string")}
    if duplicates == "quarantine":
        made["_reason"] = (accepted & (place > 0)).ifelse(REPEATED, judged["_reason"])
    return judged.mutate(**made)


def is_repeated(table: ir.Table, key: str) -> ir.BooleanValue:
    """Whether a row with a made key says again what another one says.

    Args:
        table: Accepted rows.
        key: The made key.

    Returns:
        A condition per row.
    """
    return ~table[key].endswith("-1")
