"""The rows of a frame as a relational table takes them: typed, ordered, with a unique key."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import sqlalchemy as sa
from pandas.api import types as dtypes

from clientela.exceptions import WrongTable

Kind = Literal["text", "integer", "number", "boolean", "date"]

SQL_TYPES: dict[Kind, sa.types.TypeEngine[Any]] = {
    "text": sa.TEXT(),
    "integer": sa.INTEGER(),
    "number": sa.DOUBLE_PRECISION(),
    "boolean": sa.BOOLEAN(),
    "date": sa.DATE(),
}
KINDS_OF_DAYS = {"string", "date", "datetime", "datetime64", "empty"}
LARGEST_INTEGER = 2**31 - 1
LONGEST_NAME = 63
"""Bytes: PostgreSQL cuts longer names without a word."""
ROWS_PER_CHUNK = 50_000


@dataclass(frozen=True)
class SqlRows:
    """Rows in the order of their key.

    Attributes:
        frame: The rows (PII), dates as ISO text.
        kinds: What each column holds, in order.
    """

    frame: pd.DataFrame
    kinds: dict[str, Kind]

    def sql_type(self, column: str) -> sa.types.TypeEngine[Any]:
        """The type of a column in a table that is made for these rows.

        Args:
            column: Its name.

        Returns:
            BIGINT for whole numbers of more than 32 bits, else the type of its kind.
        """
        kind, known = self.kinds[column], self.frame[column].dropna()
        if kind == "integer" and not known.between(-LARGEST_INTEGER, LARGEST_INTEGER).all():
            return sa.BIGINT()
        return SQL_TYPES[kind]

    def chunks(self) -> Iterator[list[tuple[Any, ...]]]:
        """The rows as Python values, in pieces.

        Yields:
            Some thousand rows; missing values are None.
        """
        for start in range(0, len(self.frame), ROWS_PER_CHUNK):
            part = self.frame.iloc[start : start + ROWS_PER_CHUNK].astype(object)
            columns = [part[name].where(part[name].notna(), None) for name in part]
            yield list(zip(*columns, strict=True))

    def chunk_count(self) -> int:
        """How many pieces `chunks` gives."""
        return -(-len(self.frame) // ROWS_PER_CHUNK)


def sql_rows(
    data: pd.DataFrame,
    key: Sequence[str],
    dates: Sequence[str],
    complete: Sequence[str],
    table: str,
) -> SqlRows:
    """A frame, once it is sure that a table with this key can take it.

    Args:
        data: One row per key.
        key: Columns of the primary key.
        dates: Columns of days: ISO text, dates or timestamps at midnight.
        complete: Columns in which no value may be missing, those of the key among them.
        table: Its name, for messages.

    Returns:
        The rows in the order of their key.

    Raises:
        WrongTable: There are no rows; a column is absent, of no known kind or of a bad name; a
            value of the key is missing or repeated.
    """
    _require_columns(data, [*complete, *dates], table)
    _require_names(data, table)
    _require_values(data, complete, table)
    _require_key(data, key, table)
    names = [str(name) for name in data]
    days = {name: _iso_days(data[name], table) for name in dates}
    frame = data.assign(**days).sort_values(list(key), ignore_index=True)
    kinds = {name: "date" if name in days else _kind(frame[name], table) for name in names}
    return SqlRows(frame, kinds)


def kind_of_type(sql_type: sa.types.TypeEngine[Any]) -> Kind | None:
    """What a column of a table that stands in a database holds.

    Args:
        sql_type: Its type, as read from the database.

    Returns:
        The kind; None for types that no frame here is made of.
    """
    families: list[tuple[Any, Kind]] = [
        (sa.Boolean, "boolean"),
        (sa.Integer, "integer"),
        ((sa.Numeric, sa.Float), "number"),
        (sa.Date, "date"),
        (sa.Enum, "text"),
        (sa.String, "text"),
    ]
    return next((kind for family, kind in families if isinstance(sql_type, family)), None)


def _require_columns(data: pd.DataFrame, needed: Sequence[str], table: str) -> None:
    missing = sorted(set(needed) - set(data.columns))
    if missing:
        raise WrongTable(
            f"Table {table}: expected the columns {', '.join(missing)}, which its catalog entry "
            f"names; the rows have {', '.join(map(str, data.columns))}. Correct the entry."
        )
    if data.empty:
        raise WrongTable(
            f"Table {table}: there are no rows to load. Expected one at least: an empty load would "
            "empty the table."
        )


def _require_names(data: pd.DataFrame, table: str) -> None:
    names = [str(name) for name in data]
    folded = [name.casefold() for name in names]
    bad = [
        name
        for name, fold in zip(names, folded, strict=True)
        if not name or len(name.encode()) > LONGEST_NAME or folded.count(fold) > 1
    ]
    if bad:
        raise WrongTable(
            f"Table {table}: can't name columns {bad}. Expected names of 1 to {LONGEST_NAME} bytes "
            "that differ in more than their case. Rename them."
        )


def _require_values(data: pd.DataFrame, complete: Sequence[str], table: str) -> None:
    holes = data[list(dict.fromkeys(complete))].isna().sum()
    holes = holes[holes > 0]
    if len(holes):
        found = ", ".join(f"{name} {count:,}" for name, count in holes.items())
        raise WrongTable(
            f"Table {table}: rows without a value: {found}. Expected one in every row. Nothing was "
            "loaded; correct the rows."
        )


def _require_key(data: pd.DataFrame, key: Sequence[str], table: str) -> None:
    repeated = int(data.duplicated(list(key)).sum())
    if repeated:
        raise WrongTable(
            f"Table {table}: {repeated:,} of {len(data):,} rows repeat the key {', '.join(key)} of "
            "another. Expected one row per key. Nothing was loaded; correct the rows, or name more "
            "columns under `key`."
        )


def _iso_days(values: "pd.Series[Any]", table: str) -> "pd.Series[Any]":
    """Days as ISO text; few differ, so each is read once."""
    codes, different = pd.factorize(values)
    days = None
    if dtypes.infer_dtype(different) in KINDS_OF_DAYS:
        with suppress(ValueError):
            days = pd.Series(pd.to_datetime(pd.Series(different), format="%Y-%m-%d"))
    if days is None or days.dt.tz is not None or (days != days.dt.normalize()).any():
        raise WrongTable(
            f"Table {table}: column {values.name} holds values that are no days. Expected "
            "dates, or text such as 2024-06-30."
        )
    texts = days.dt.strftime("%Y-%m-%d").astype(object)
    return pd.Series(codes, index=values.index).map(dict(enumerate(texts)))


def _kind(values: "pd.Series[Any]", table: str) -> Kind:
    if dtypes.is_bool_dtype(values.dtype):
        return "boolean"
    if dtypes.is_integer_dtype(values.dtype):
        return "integer"
    if dtypes.is_float_dtype(values.dtype):
        return "number"
    if dtypes.infer_dtype(values, skipna=True) in {"string", "empty"}:
        return "text"
    raise WrongTable(
        f"Table {table}: column {values.name} holds {dtypes.infer_dtype(values)} ({values.dtype}). "
        "Expected text, numbers or booleans; name days under `dates`, cast others before."
    )
