"""Brings a table of a database to hold given rows, and writes nothing that it holds already.

The rows go to a temporary table first, whose columns have the types of the stored ones. There the
database itself compares: no row comes back, and no rounding of a type looks like a change.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn, CreateTableAs

from clientela.datasets.database import POSTGRESQL
from clientela.datasets.sql_rows import Kind, SqlRows, kind_of_type
from clientela.exceptions import WrongTable
from clientela.progress import with_progress

STAGED = "_clientela_rows"

Chunks = Iterator[list[tuple[Any, ...]]]


@dataclass(frozen=True)
class SqlLoad:
    """How rows come into one table.

    Attributes:
        table: Its name.
        key: Columns of its primary key.
        replaces: Stored rows that equal any of the new ones in these columns are replaced; without
            columns, all rows are.
        newest_by: A table that holds a greater value in this column is left as it is.
    """

    table: str
    key: Sequence[str]
    replaces: Sequence[str] = ()
    newest_by: str | None = None

    @property
    def complete(self) -> list[str]:
        """Columns in which each row needs a value."""
        return [*self.key, *self.replaces, *([self.newest_by] if self.newest_by else [])]


def brought_to_hold(con: sa.Connection, load: SqlLoad, rows: SqlRows) -> str:
    """Writes what differs.

    Args:
        con: A connection within a transaction, for all of this to happen or nothing.
        load: What is replaced.
        rows: What the table is to hold.

    Returns:
        What was done, for the log.

    Raises:
        WrongTable: The rows do not fit the table that stands there.
    """
    stored = stored_table(con, load.table)
    if stored is not None:
        _require_fit(stored, load, rows)
        newer = _newer(con, stored, load, rows)
        if newer is not None:
            return f"left as it is: it holds {load.newest_by} {newer}, newer than these rows"
    table = _made(con, load, rows) if stored is None else _widened(con, stored, rows)
    with _staged(con, table, load, rows) as staged:
        in_scope = _in_scope(table, staged, load.replaces)
        if _are_equal(con, table, staged, in_scope):
            return f"already holds these {len(rows.frame):,} rows"
        con.execute(sa.delete(table).where(in_scope))
        new = sa.select(*(staged.c[name] for name in rows.kinds))
        con.execute(sa.insert(table).from_select(list(rows.kinds), new))
    return f"{len(rows.frame):,} rows loaded"


def stored_table(con: sa.Connection, name: str) -> sa.Table | None:
    """A table as it stands in the database.

    Args:
        con: A connection.
        name: The table's.

    Returns:
        The table; None where there is none.
    """
    return _reflected(con, name) if sa.inspect(con).has_table(name) else None


def _reflected(con: sa.Connection, name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=con, resolve_fks=False)


def _require_fit(stored: sa.Table, load: SqlLoad, rows: SqlRows) -> None:
    found = sorted(column.name for column in stored.primary_key)
    if found != sorted(load.key):
        raise WrongTable(
            f"Table {load.table} of the database has the primary key {', '.join(found) or 'none'}; "
            f"expected {', '.join(load.key)}. Rename or drop it, and it is made anew; or name "
            "another table in the catalog."
        )
    wrong = [
        f"{name} is {stored.c[name].type}, expected {rows.sql_type(name)}"
        for name, kind in rows.kinds.items()
        if name in stored.c and not _takes(stored.c[name], kind)
    ]
    if wrong:
        raise WrongTable(
            f"Table {load.table} of the database has columns of another type: {'; '.join(wrong)}. "
            "Change them there; or drop the table, and it is made anew."
        )


def _takes(column: sa.Column[Any], kind: Kind) -> bool:
    """Whether values of a kind fit; of types unknown here the database decides."""
    held = kind_of_type(column.type)
    return held in {kind, None} or (kind, held) == ("integer", "number")


def _newer(con: sa.Connection, stored: sa.Table, load: SqlLoad, rows: SqlRows) -> Any:
    """The greatest value that the table holds, where it is greater than any of the rows."""
    if load.newest_by is None or load.newest_by not in stored.c:
        return None
    greatest = con.scalar(sa.select(sa.func.max(stored.c[load.newest_by])))
    held = greatest.isoformat() if isinstance(greatest, date) else greatest
    return held if held is not None and held > rows.frame[load.newest_by].max() else None


def _made(con: sa.Connection, load: SqlLoad, rows: SqlRows) -> sa.Table:
    columns = [
        sa.Column(name, rows.sql_type(name), primary_key=name in load.key, autoincrement=False)
        for name in rows.kinds
    ]
    table = sa.Table(load.table, sa.MetaData(), *columns)
    table.create(con)
    return table


def _widened(con: sa.Connection, stored: sa.Table, rows: SqlRows) -> sa.Table:
    """The table with a column for each of the rows."""
    new = [name for name in rows.kinds if name not in stored.c]
    place = con.dialect.identifier_preparer.format_table(stored)
    for name in new:
        column = CreateColumn(sa.Column(name, rows.sql_type(name))).compile(con)
        con.exec_driver_sql(f"ALTER TABLE {place} ADD COLUMN {column}")
    return _reflected(con, stored.name) if new else stored


@contextmanager
def _staged(
    con: sa.Connection, table: sa.Table, load: SqlLoad, rows: SqlRows
) -> Iterator[sa.TableClause]:
    """A temporary table of the rows, with what the stored ones are compared by."""
    gone = [column for column in table.c if column.name not in rows.kinds and _is_ours(column)]
    columns = [*(table.c[name] for name in rows.kinds), *gone]
    empty = sa.select(*columns).where(sa.false())
    con.execute(CreateTableAs(empty, STAGED, temporary=True))
    chunks = with_progress(rows.chunks(), rows.chunk_count(), f"table {load.table}")
    send = _copy if con.dialect.name == POSTGRESQL else _insert
    send(con, list(rows.kinds), chunks)
    yield sa.table(STAGED, *(sa.column(column.name, column.type) for column in columns))
    # behind a pool of connections the next load may come by the same one
    con.exec_driver_sql(f"DROP TABLE {STAGED}")


def _is_ours(column: sa.Column[Any]) -> bool:
    """Whether a column that the rows lack may be one that earlier rows had.

    What the database fills by itself, or holds in types of its own, somebody else has added.
    """
    fills_itself = column.server_default or column.computed or column.identity
    return not fills_itself and kind_of_type(column.type) is not None


def _insert(con: sa.Connection, names: list[str], chunks: Chunks) -> None:
    # the values go to the driver as they are: types would only turn text of days into days
    target = sa.table(STAGED, *map(sa.column, names))
    order = str(sa.insert(target).compile(con))
    for chunk in chunks:
        con.exec_driver_sql(order, chunk)


def _copy(con: sa.Connection, names: list[str], chunks: Chunks) -> None:
    """PostgreSQL's own bulk load."""
    from psycopg import sql  # noqa: PLC0415 - SQLite needs no driver of PostgreSQL

    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    order = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(STAGED), columns)
    driver: Any = con.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(order) as copy:
        for chunk in chunks:
            for row in chunk:
                copy.write_row(row)


def _in_scope(
    table: sa.Table, staged: sa.TableClause, replaces: Sequence[str]
) -> sa.ColumnElement[bool]:
    """Which stored rows the new ones stand for."""
    if not replaces:
        return sa.true()
    given = sa.select(*(staged.c[name] for name in replaces)).distinct()
    return sa.tuple_(*(table.c[name] for name in replaces)).in_(given)


def _are_equal(
    con: sa.Connection, table: sa.Table, staged: sa.TableClause, in_scope: sa.ColumnElement[bool]
) -> bool:
    """Whether the stored rows in scope are the staged ones; both have unique keys."""
    names = [column.name for column in staged.c]
    ours = sa.select(*(staged.c[name] for name in names))
    theirs = sa.select(*(table.c[name] for name in names))
    stored = con.scalar(sa.select(sa.func.count()).select_from(table).where(in_scope))
    if stored != con.scalar(sa.select(sa.func.count()).select_from(staged)):
        return False
    return con.execute(ours.except_(theirs).limit(1)).first() is None
