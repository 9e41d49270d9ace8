"""Frames as tables of a relational database, from where other systems read them.

A table is brought to hold given rows in one transaction, and what it holds already is not written
again. The rows go to a temporary table first, whose columns have the types of the stored ones.
There the database itself compares: no row comes back, and no rounding of a type looks like a
change. Only rows that differ are written: the table belongs to whoever reads it. Messages count
rows and name columns; they never show a value (PII).
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

import pandas as pd
import sqlalchemy as sa
from kedro.io import AbstractDataset
from pandas.api import types as dtypes
from sqlalchemy.schema import CreateColumn, CreateTableAs

from clientela.datasets.database import (
    POSTGRESQL,
    format_url_without_secrets,
    has_database,
    open_transaction,
    resolve_database_url,
)
from clientela.exceptions import ConfigurationError, InvalidTableError, MissingStageInputError
from clientela.progress import iter_with_progress
from clientela.storage import make_parent_folder

logger = logging.getLogger(__name__)

Departed = Literal["remove", "mark"]
Kind = Literal["text", "integer", "number", "boolean", "date"]
Chunk = list[tuple[Any, ...]]

SQL_TYPES: dict[Kind, sa.types.TypeEngine[Any]] = {
    "text": sa.TEXT(),
    "integer": sa.INTEGER(),
    "number": sa.DOUBLE_PRECISION(),
    "boolean": sa.BOOLEAN(),
    "date": sa.DATE(),
}
DTYPES: dict[Kind, str] = {
    "text": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "str",
}
# In this order: SQLAlchemy's Boolean and Enum are types of others.
FAMILIES: list[tuple[Any, Kind]] = [
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    ((sa.Numeric, sa.Float), "number"),
    (sa.Date, "date"),
    ((sa.Enum, sa.String), "text"),
]
KINDS_OF_DAYS = {"string", "date", "datetime", "datetime64", "empty"}
LARGEST_INTEGER = 2**31 - 1
# Bytes: PostgreSQL cuts longer names without a word.
LONGEST_NAME = 63
ROWS_PER_CHUNK = 50_000
STAGED = "_clientela_rows"
# What tells customers of the last load from those who left.
MARK, PRESENT = "mark", "vigente"
NOT_CONFIGURED = "no database is configured"


@dataclass(frozen=True)
class SqlRows:
    """Rows in the order of their key.

    Attributes:
        frame: The rows (PII), dates as ISO text.
        kinds: What each column holds, in order.
    """

    frame: pd.DataFrame
    kinds: dict[str, Kind]

    def get_sql_type(self, column: str) -> sa.types.TypeEngine[Any]:
        """The type of a column in a table that is made for these rows.

        Returns:
            BIGINT for whole numbers of more than 32 bits, else the type of its kind.
        """
        kind, known = self.kinds[column], self.frame[column].dropna()
        if kind == "integer" and not known.between(-LARGEST_INTEGER, LARGEST_INTEGER).all():
            return sa.BIGINT()
        return SQL_TYPES[kind]

    def create_column(self, name: str, *, is_key: bool = False) -> sa.Column[Any]:
        """A column for these rows in a table of a database."""
        return sa.Column(name, self.get_sql_type(name), primary_key=is_key, autoincrement=False)

    def iter_chunks(self) -> Iterator[Chunk]:
        """The rows as Python values, some thousand at a time; missing values are None."""
        for start in range(0, len(self.frame), ROWS_PER_CHUNK):
            part = self.frame.iloc[start : start + ROWS_PER_CHUNK].astype(object)
            columns = [part[name].where(part[name].notna(), None) for name in part]
            yield list(zip(*columns, strict=True))


@dataclass(frozen=True)
class SqlLoad:
    """How rows come into one table.

    Attributes:
        key: Columns of its primary key.
        replaces: Stored rows that equal any of the new ones in these columns are replaced; without
            columns, all rows are.
        newest_by: A table that holds a greater value in this column is left as it is.
        departed: Whether rows in what is replaced that are not given are removed, or marked by
            `vigente`, which is true in all others.
        own_prefixes: How names of columns begin that only these loads fill: one that the rows no
            longer have becomes NULL. Other columns belong to somebody else and keep their values.
    """

    table: str
    key: Sequence[str]
    replaces: Sequence[str] = ()
    newest_by: str | None = None
    departed: Departed = "remove"
    own_prefixes: Sequence[str] = ()

    @property
    def non_null_columns(self) -> list[str]:
        """Columns in which each row needs a value."""
        return [*self.key, *self.replaces, *([self.newest_by] if self.newest_by else [])]


class SqlTableDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """A table in SQLite or PostgreSQL; loading the same rows twice changes nothing.

    A table that is missing is made, columns that are new are added. Only rows that differ are
    written, and only in columns of the load: what others added to the table, or hang on its rows,
    stays.

    Args:
        filepath: Where the embedded SQLite file lies, for when there is no `url`.
        url: Address of the database, as SQLAlchemy writes it; with a `filepath` on an object store
            and no `url`, nothing is loaded.
        replaces: Stored rows that equal any of the new ones in these columns are replaced; without
            columns, all rows are.
        newest_by: A table that holds a greater value in this column is left as it is.
        departed, own_prefixes: See `SqlLoad`.
        dates: Columns that hold days; they are given, and come back, as ISO text.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(  # noqa: PLR0913 - the fields of a catalog entry
        self,
        *,
        table: str,
        key: Sequence[str],
        filepath: str,
        url: str | None = None,
        replaces: Sequence[str] = (),
        newest_by: str | None = None,
        departed: Departed = "remove",
        own_prefixes: Sequence[str] = (),
        dates: Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if not key:
            raise ConfigurationError(f"Table {table}: `key` names no column. Expected one or more.")
        if departed not in get_args(Departed):
            raise ConfigurationError(
                f"Table {table}: `departed` is {departed!r}. Expected remove or mark."
            )
        self._rule = SqlLoad(table, key, replaces, newest_by, departed, own_prefixes)
        self._filepath = filepath
        self._url = resolve_database_url(url, filepath)
        self._is_embedded = not url
        self._dates = list(dates)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The table: its rows in the order of their key, days as ISO text.

        Raises:
            MissingStageInputError: There is no such table.
            DatabaseConnectionError: There is no connection.
        """
        with self._open_stored_table() as (con, table):
            if con is not None and table is not None:
                return _read_frame(con, table).sort_values(list(self._rule.key), ignore_index=True)
        raise MissingStageInputError(
            f"No table {self._rule.table} ({self._place}). Run the stage that loads it first."
        )

    def save(self, data: pd.DataFrame) -> None:
        """Brings the table to hold these rows, all of them or, if anything fails, none.

        Raises:
            InvalidTableError: The rows can't have this key, or do not fit the table that stands
                there.
            DatabaseConnectionError: There is no connection.
            DatabaseOperationError: The database did not take the rows.
        """
        name = self._rule.table
        if self._url is None:
            logger.info("Table %s: %s; its rows are not loaded", name, NOT_CONFIGURED)
            return
        if self._rule.departed == MARK:
            data = data.assign(**{PRESENT: True})
        rows = build_sql_rows(data, self._rule.key, self._dates, self._rule.non_null_columns, name)
        if self._is_embedded:
            make_parent_folder(self._filepath)
        with open_transaction(self._url, name, writes=True) as con:
            outcome = replace_rows(con, self._rule, rows)
        logger.info("Table %s: %s", name, outcome)

    @contextmanager
    def _open_stored_table(self) -> Iterator[tuple[sa.Connection | None, sa.Table | None]]:
        """A connection and the table that stands there; to look for it must not make a file."""
        if self._url is None or not has_database(self._url):
            yield None, None
            return
        with open_transaction(self._url, self._rule.table, writes=False) as con:
            yield con, find_table(con, self._rule.table)

    def _exists(self) -> bool:
        with self._open_stored_table() as (_, table):
            return table is not None

    @property
    def _place(self) -> str:
        return NOT_CONFIGURED if self._url is None else format_url_without_secrets(self._url)

    def _describe(self) -> dict[str, Any]:
        return {
            "path": self._place,
            "table": self._rule.table,
            "key": list(self._rule.key),
            "replaces": list(self._rule.replaces),
        }


def _read_frame(con: sa.Connection, table: sa.Table) -> pd.DataFrame:
    """Every row, with one dtype per kind of column, so that it is the same from each database."""
    kinds = {column.name: get_sql_type_kind(column.type) for column in table.c}
    types = {name: DTYPES[kind] for name, kind in kinds.items() if kind is not None}
    days = [name for name, kind in kinds.items() if kind == "date"]
    parts = [
        part.assign(**{name: part[name].map(str, na_action="ignore") for name in days}).astype(
            types
        )
        for part in pd.read_sql_query(sa.select(table), con, chunksize=ROWS_PER_CHUNK)
    ]
    frame = pd.concat(parts, ignore_index=True)
    whole = [name for name in frame if frame[name].dtype == "Int64" and frame[name].notna().all()]
    return frame.astype(dict.fromkeys(whole, "int64"))


def build_sql_rows(
    data: pd.DataFrame,
    key: Sequence[str],
    dates: Sequence[str],
    complete: Sequence[str],
    table: str,
) -> SqlRows:
    """A frame in the order of its key, once it is sure that a table with this key can take it.

    Args:
        dates: Columns of days: ISO text, dates or timestamps at midnight.
        complete: Columns in which no value may be missing, those of the key among them.

    Raises:
        InvalidTableError: There are no rows; a column is absent, of no known kind or of a bad name;
            a value of the key is missing or repeated.
    """
    for fault in _find_frame_faults(data, key, dates, complete):
        raise InvalidTableError(f"Table {table}: {fault}")
    days = {name: _format_iso_dates(data[name], table) for name in dates}
    frame = data.assign(**days).sort_values(list(key), ignore_index=True)
    names = [str(name) for name in data]
    kinds = {name: "date" if name in days else _infer_kind(frame[name], table) for name in names}
    return SqlRows(frame, kinds)


def _find_frame_faults(
    data: pd.DataFrame, key: Sequence[str], dates: Sequence[str], complete: Sequence[str]
) -> Iterator[str]:
    """What keeps a frame from being loaded; each test relies on those before it."""
    missing = sorted({*complete, *dates} - set(data.columns))
    if missing:
        yield (
            f"expected the columns {', '.join(missing)}, which its catalog entry names; the rows "
            f"have {', '.join(map(str, data.columns))}. Correct the entry."
        )
    if data.empty:
        yield (
            "there are no rows to load. Expected one at least: an empty load would empty the table."
        )
    names = [str(name) for name in data]
    folded = [name.casefold() for name in names]
    bad = [
        name
        for name, fold in zip(names, folded, strict=True)
        if not name or len(name.encode()) > LONGEST_NAME or folded.count(fold) > 1
    ]
    if bad:
        yield (
            f"can't name columns {bad}. Expected names of 1 to {LONGEST_NAME} bytes that differ in "
            "more than their case. Rename them."
        )
    holes = data[list(dict.fromkeys(complete))].isna().sum()
    if holes.any():
        counts = ", ".join(f"{name} {count:,}" for name, count in holes[holes > 0].items())
        yield (
            f"rows without a value: {counts}. Expected one in every row. Nothing was loaded; "
            "correct the rows."
        )
    repeated = int(data.duplicated(list(key)).sum())
    if repeated:
        yield (
            f"{repeated:,} of {len(data):,} rows repeat the key {', '.join(key)} of another. "
            "Expected one row per key. Nothing was loaded; correct the rows, or name more columns "
            "under `key`."
        )


def get_sql_type_kind(sql_type: sa.types.TypeEngine[Any]) -> Kind | None:
    """What a column of a database holds; None for types that no frame here is made of."""
    return next((kind for family, kind in FAMILIES if isinstance(sql_type, family)), None)


def _format_iso_dates(values: "pd.Series[Any]", table: str) -> "pd.Series[Any]":
    """Days as ISO text; few differ, so each is read once."""
    codes, different = pd.factorize(values)
    days = None
    if dtypes.infer_dtype(different) in KINDS_OF_DAYS:
        with suppress(ValueError):
            days = pd.Series(pd.to_datetime(pd.Series(different), format="%Y-%m-%d"))
    if days is None or days.dt.tz is not None or (days != days.dt.normalize()).any():
        raise InvalidTableError(
            f"Table {table}: column {values.name} holds values that are no days. Expected "
            "dates, or text such as 2024-06-30."
        )
    texts = days.dt.strftime("%Y-%m-%d").astype(object)
    return pd.Series(codes, index=values.index).map(dict(enumerate(texts)))


def _infer_kind(values: "pd.Series[Any]", table: str) -> Kind:
    if dtypes.is_bool_dtype(values.dtype):
        return "boolean"
    if dtypes.is_integer_dtype(values.dtype):
        return "integer"
    if dtypes.is_float_dtype(values.dtype):
        return "number"
    if dtypes.infer_dtype(values, skipna=True) in {"string", "empty"}:
        return "text"
    raise InvalidTableError(
        f"Table {table}: column {values.name} holds {dtypes.infer_dtype(values)} ({values.dtype}). "
        "Expected text, numbers or booleans; name days under `dates`, cast others before."
    )


def find_table(con: sa.Connection, name: str) -> sa.Table | None:
    """A table as it stands in the database; None where there is none."""
    if not sa.inspect(con).has_table(name):
        return None
    return sa.Table(name, sa.MetaData(), autoload_with=con, resolve_fks=False)


def replace_rows(con: sa.Connection, load: SqlLoad, rows: SqlRows) -> str:
    """Writes what differs.

    Args:
        con: A connection within a transaction, for all of this to happen or nothing.
        rows: What the table is to hold.

    Returns:
        What happened, for the log.

    Raises:
        InvalidTableError: The rows do not fit the table that stands there.
    """
    stored = find_table(con, load.table)
    if stored is not None:
        _require_matching_columns(stored, load, rows)
        newer = _find_newer_value(con, stored, load, rows)
        if newer is not None:
            return f"left as it is: it holds {load.newest_by} {newer}, newer than these rows"
    table = _ensure_columns(con, stored, load, rows)
    with _load_staging_table(con, table, load, rows) as staged:
        counts = _write_differences(con, load, table, staged)
    if not any(counts.values()):
        return f"already holds these {len(rows.frame):,} rows"
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    return f"{len(rows.frame):,} rows loaded ({told})"


def _write_differences(
    con: sa.Connection, load: SqlLoad, table: sa.Table, staged: sa.TableClause
) -> dict[str, int]:
    """Updates rows that differ, inserts new ones, and removes or marks those that left."""
    scope: sa.ColumnElement[bool] = sa.true()
    if load.replaces:
        rows = staged.alias()
        given = sa.select(*(rows.c[name] for name in load.replaces)).distinct()
        scope = sa.tuple_(*(table.c[name] for name in load.replaces)).in_(given)
    same = sa.and_(scope, *(table.c[name] == staged.c[name] for name in load.key))
    names = [column.name for column in staged.c if column.name not in load.key]
    differs = sa.or_(*(table.c[name].is_distinct_from(staged.c[name]) for name in names))
    values = {name: staged.c[name] for name in names}
    changed = sa.update(table).values(values).where(same, differs) if values else None
    absent = ~sa.exists().where(same).correlate(staged)
    new = sa.insert(table).from_select(staged.c.keys(), sa.select(staged).where(absent))
    left = sa.and_(scope, ~sa.exists().where(same).correlate(table))
    counts = {
        "changed": 0 if changed is None else con.execute(changed).rowcount,
        "new": con.execute(new, execution_options={"preserve_rowcount": True}).rowcount,
    }
    if load.departed == MARK:
        present = table.c[PRESENT]
        mark = (
            sa.update(table).values({PRESENT: False}).where(left, present.is_distinct_from(False))
        )
        return counts | {"marked": con.execute(mark).rowcount}
    try:
        with con.begin_nested():
            return counts | {"removed": con.execute(sa.delete(table).where(left)).rowcount}
    except sa.exc.IntegrityError:
        logger.warning(
            "Table %s: another table of yours refers to rows of customers who left, so they stay. "
            "Mark such rows instead of removing them: departed: mark in its catalog entry.",
            load.table,
        )
        return counts


def _require_matching_columns(stored: sa.Table, load: SqlLoad, rows: SqlRows) -> None:
    key = sorted(column.name for column in stored.primary_key)
    if key != sorted(load.key):
        raise InvalidTableError(
            f"Table {load.table} of the database has the primary key {', '.join(key) or 'none'}; "
            f"expected {', '.join(load.key)}. Rename or drop it, and it is made anew; or name "
            "another table in the catalog."
        )
    wrong = []
    for name, kind in rows.kinds.items():
        held = get_sql_type_kind(stored.c[name].type) if name in stored.c else kind
        # of types unknown here the database decides
        if held not in {kind, None} and (kind, held) != ("integer", "number"):
            wrong.append(f"{name} is {stored.c[name].type}, expected {rows.get_sql_type(name)}")
    if wrong:
        raise InvalidTableError(
            f"Table {load.table} of the database has columns of another type: {'; '.join(wrong)}. "
            "Change them there; or drop the table, and it is made anew."
        )


def _find_newer_value(con: sa.Connection, stored: sa.Table, load: SqlLoad, rows: SqlRows) -> Any:
    """The greatest value that the table holds, where it is greater than any of the rows."""
    if load.newest_by is None or load.newest_by not in stored.c:
        return None
    greatest = con.scalar(sa.select(sa.func.max(stored.c[load.newest_by])))
    held = greatest.isoformat() if isinstance(greatest, date) else greatest
    return held if held is not None and held > rows.frame[load.newest_by].max() else None


def _ensure_columns(
    con: sa.Connection, stored: sa.Table | None, load: SqlLoad, rows: SqlRows
) -> sa.Table:
    """The table, made where there is none, with a column for each of the rows."""
    if stored is None:
        columns = [rows.create_column(name, is_key=name in load.key) for name in rows.kinds]
        table = sa.Table(load.table, sa.MetaData(), *columns)
        table.create(con)
        return table
    new = [name for name in rows.kinds if name not in stored.c]
    place = con.dialect.identifier_preparer.format_table(stored)
    for name in new:
        column = CreateColumn(rows.create_column(name)).compile(con)
        con.exec_driver_sql(f"ALTER TABLE {place} ADD COLUMN {column}")
    grown = find_table(con, stored.name) if new else stored
    return stored if grown is None else grown


@contextmanager
def _load_staging_table(
    con: sa.Connection, table: sa.Table, load: SqlLoad, rows: SqlRows
) -> Iterator[sa.TableClause]:
    """A temporary table of the rows and, empty, those of our columns that they no longer have."""
    gone = [
        column
        for column in table.c
        if column.name not in rows.kinds and column.name.startswith(tuple(load.own_prefixes))
    ]
    columns = [*(table.c[name] for name in rows.kinds), *gone]
    con.execute(CreateTableAs(sa.select(*columns).where(sa.false()), STAGED, temporary=True))
    count = -(-len(rows.frame) // ROWS_PER_CHUNK)
    chunks = iter_with_progress(rows.iter_chunks(), count, f"table {table.name}")
    send = _send_by_copy if con.dialect.name == POSTGRESQL else _send_by_insert
    send(con, list(rows.kinds), chunks)
    yield sa.table(STAGED, *(sa.column(column.name, column.type) for column in columns))
    # behind a pool of connections the next load may come by the same one
    con.exec_driver_sql(f"DROP TABLE {STAGED}")


def _send_by_insert(con: sa.Connection, names: list[str], chunks: Iterable[Chunk]) -> None:
    # the values go to the driver as they are: types would only turn text of days into days
    target = sa.table(STAGED, *map(sa.column, names))
    order = str(sa.insert(target).compile(con))
    for chunk in chunks:
        con.exec_driver_sql(order, chunk)


def _send_by_copy(con: sa.Connection, names: list[str], chunks: Iterable[Chunk]) -> None:
    """PostgreSQL's own bulk load."""
    from psycopg import sql  # noqa: PLC0415 - SQLite needs no driver of PostgreSQL

    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    order = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(STAGED), columns)
    driver: Any = con.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(order) as copy:
        for chunk in chunks:
            for row in chunk:
                copy.write_row(row)
