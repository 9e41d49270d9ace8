"""The relational database that a catalog entry names: how it is reached, and what it refuses.

What a database says when it fails may repeat the row that it failed on. Its words are handed on
only where they can't.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fsspec.core import split_protocol

from clientela.exceptions import ConfigurationError, DatabaseConnectionError, DatabaseOperationError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DRIVERS = {
    SQLITE: "sqlite+pysqlite",
    POSTGRESQL: "postgresql+psycopg",
    "postgres": "postgresql+psycopg",  # as platforms that host it write it
}
CONNECT_SECONDS = 10
# of waiting for readers and other loads before giving up
LOCK_SECONDS = 60
UNCHANGED = "This table was not changed, and the files that the run wrote stay whole."
AGAIN = "Then run kedro run --pipelines=scoring again: it loads only what is not there yet."


def resolve_database_url(url: str | None, filepath: str) -> sa.URL | None:
    """The address of the database.

    Args:
        url: As SQLAlchemy writes it, for SQLite or PostgreSQL; empty means the embedded file.
        filepath: Where the embedded SQLite file lies; an object store can't hold one.

    Returns:
        The address with its driver; None where none is configured.

    Raises:
        ConfigurationError: It is no address, or of another kind of database.
    """
    if not url:
        protocol, path = split_protocol(filepath)
        is_local = protocol in {None, "file", "local"}
        return sa.URL.create(DRIVERS[SQLITE], database=path) if is_local else None
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # the words of the parser may hold the password
        raise ConfigurationError(
            "The database's URL can't be read. Expected postgresql://user:password@host:5432/name "
            "or sqlite:///path, with special characters of the password percent-encoded."
        ) from None
    backend = parsed.get_backend_name()
    if backend not in DRIVERS:
        raise ConfigurationError(
            f"The database's URL begins with {backend!r}; expected postgresql:// or sqlite:///."
        )
    if backend != SQLITE and "@" in f"{parsed.host}{parsed.database}":
        # what stands before it is the rest of a password
        raise ConfigurationError(
            "The database's URL holds an @ too many. In user and password write it as %40 (and "
            "/ as %2F, : as %3A): postgresql://user:p%40ss@host:5432/name."
        )
    return parsed.set(drivername=DRIVERS[backend])


def format_url_without_secrets(url: sa.URL) -> str:
    """An address as people may see it: without password.

    Returns:
        A file's path, or the URL with its secrets hidden.
    """
    if url.get_backend_name() == SQLITE and not url.query:
        return str(url.database)
    secrets = {name: "hidden" for name in url.query if "password" in name.casefold()}
    return url.update_query_dict(secrets).render_as_string(hide_password=True)


def has_database(url: sa.URL) -> bool:
    """Whether there is something to connect to; to look for a table must not make a file.

    Returns:
        False for an SQLite file that does not exist.
    """
    is_file = url.get_backend_name() == SQLITE and not url.query
    return not is_file or Path(str(url.database)).is_file()


@contextmanager
def open_transaction(url: sa.URL, table: str, *, writes: bool) -> Iterator[sa.Connection]:
    """A connection in one transaction: all that is done with it happens, or nothing.

    Args:
        table: What it is for; of those that write it, one waits for the other.

    Raises:
        DatabaseConnectionError: There is no connection.
        DatabaseOperationError: The database did not do what it was asked.
    """
    engine = _create_engine(url, table, writes=writes)
    with _open_connection(engine, table) as connection, connection.begin():
        if writes and engine.dialect.name == POSTGRESQL:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(table, 0))
            connection.execute(sa.select(lock))
        yield connection


def fetch_first_row(
    engine: sa.Engine, query: sa.Select[Any], values: Mapping[str, object]
) -> dict[str, Any] | None:
    """The first row that a query finds, column to value; None where nothing is found."""
    with engine.connect() as connection:
        row = connection.execute(query, dict(values)).mappings().first()
    return None if row is None else dict(row)


def _create_engine(url: sa.URL, table: str, *, writes: bool) -> sa.Engine:
    is_sqlite = url.get_backend_name() == SQLITE
    limit = {"timeout": LOCK_SECONDS} if is_sqlite else {"connect_timeout": CONNECT_SECONDS}
    limit = {name: value for name, value in limit.items() if name not in url.query}
    try:
        engine = sa.create_engine(
            url, poolclass=sa.NullPool, connect_args=limit, hide_parameters=True
        )
    except ImportError as err:
        place = format_url_without_secrets(url)
        raise DatabaseConnectionError(
            f"Table {table}: the driver for {place} is not installed ({err}). {UNCHANGED} "
            f'Install it: pip install "clientela[postgresql]". {AGAIN}'
        ) from err
    if is_sqlite:
        # Python's own driver begins transactions late: a table made before would outlive a failure.
        # Source: SQLAlchemy's documentation of pysqlite, "Serializable isolation / Savepoints /
        # Transactional DDL".
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        sa.event.listen(
            engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None)
        )
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


@contextmanager
def _open_connection(engine: sa.Engine, table: str) -> Iterator[sa.Connection]:
    """A connection; what the database refuses gets its meaning, without any row in it."""
    place = format_url_without_secrets(engine.url)
    try:
        connection = engine.connect()
    except sa.exc.DBAPIError as err:
        raise DatabaseConnectionError(
            f"Table {table}: no connection to {place}: {_get_first_line(err.orig)}. {UNCHANGED} "
            f"Check address, name, user and password, and that the database runs. {AGAIN}"
        ) from err
    driver: Any = connection.dialect.loaded_dbapi
    try:
        with connection:
            yield connection
    except (sa.exc.DBAPIError, driver.Error) as err:
        origin = err.orig if isinstance(err, sa.exc.DBAPIError) else err
        about_values = isinstance(origin, driver.DataError | driver.IntegrityError)
        words = type(origin).__name__ if about_values else _get_first_line(origin)
        # not `from err`: the chain would print the row that failed
        raise DatabaseOperationError(
            f"Table {table} in {place}: the database refused: {words}. {UNCHANGED} Check rights, "
            f"space and locks, and the table's own constraints. {AGAIN}"
        ) from None


def _get_first_line(err: BaseException | None) -> str:
    return str(err).strip().partition("\n")[0].rstrip(".")
