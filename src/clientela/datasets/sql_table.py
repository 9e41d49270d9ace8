"""Carries a frame into a table of a relational database, from where other systems read it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa
from fsspec.core import url_to_fs
from kedro.io import AbstractDataset

from clientela.datasets.database import database_url, is_there, shown, transaction
from clientela.datasets.sql_load import SqlLoad, brought_to_hold, stored_table
from clientela.datasets.sql_rows import ROWS_PER_CHUNK, Kind, kind_of_type, sql_rows
from clientela.datasets.storage import folder_made
from clientela.exceptions import ConfigurationError, StageInputMissing

logger = logging.getLogger(__name__)

NOT_CONFIGURED = "no database is configured"
DTYPES: dict[Kind, str] = {
    "text": "str",
    "date": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
}


class SqlTableDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """A table in SQLite or PostgreSQL; loading the same rows twice changes nothing.

    A table that is missing is made, columns that are new are added, columns that the rows no
    longer have become NULL in the rows that are replaced.

    Args:
        table: Its name.
        key: Columns of its primary key.
        filepath: Where the embedded SQLite file lies, for when there is no `url`.
        url: Address of the database, as SQLAlchemy writes it; with a `filepath` on an object store
            and no `url`, nothing is loaded.
        replaces: Stored rows that equal any of the new ones in these columns are replaced; without
            columns, all rows are.
        newest_by: A table that holds a greater value in this column is left as it is.
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
        dates: Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if not key:
            raise ConfigurationError(f"Table {table}: `key` names no column. Expected one or more.")
        self._rule = SqlLoad(table, key, replaces, newest_by)
        self._filepath = filepath
        self._url = database_url(url, filepath)
        self._is_embedded = not url
        self._dates = list(dates)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """The table.

        Returns:
            Its rows in the order of their key, days as ISO text.

        Raises:
            StageInputMissing: There is no such table.
            DatabaseUnreachable: There is no connection.
        """
        frame = self._read()
        if frame is None:
            raise StageInputMissing(
                f"No table {self._rule.table} ({self._place}). Run the stage that loads it first."
            )
        return frame.sort_values(list(self._rule.key), ignore_index=True)

    def save(self, data: pd.DataFrame) -> None:
        """Brings the table to hold these rows, all of them or, if anything fails, none.

        Args:
            data: One row per key.

        Raises:
            WrongTable: The rows can't have this key, or do not fit the table that stands there.
            DatabaseUnreachable: There is no connection.
            DatabaseRefused: The database did not take the rows.
        """
        name = self._rule.table
        if self._url is None:
            logger.info("Table %s: %s; its rows are not loaded", name, NOT_CONFIGURED)
            return
        rows = sql_rows(data, self._rule.key, self._dates, self._rule.complete, name)
        if self._is_embedded:
            folder_made(*url_to_fs(self._filepath))
        with transaction(self._url, name, writes=True) as con:
            done = brought_to_hold(con, self._rule, rows)
        logger.info("Table %s: %s", name, done)

    def _read(self) -> pd.DataFrame | None:
        if self._url is None or not is_there(self._url):
            return None
        with transaction(self._url, self._rule.table, writes=False) as con:
            table = stored_table(con, self._rule.table)
            return None if table is None else _frame(con, table)

    def _exists(self) -> bool:
        if self._url is None or not is_there(self._url):
            return False
        with transaction(self._url, self._rule.table, writes=False) as con:
            return stored_table(con, self._rule.table) is not None

    @property
    def _place(self) -> str:
        return NOT_CONFIGURED if self._url is None else shown(self._url)

    def _describe(self) -> dict[str, Any]:
        return {
            "path": self._place,
            "table": self._rule.table,
            "key": list(self._rule.key),
            "replaces": list(self._rule.replaces),
        }


def _frame(con: sa.Connection, table: sa.Table) -> pd.DataFrame:
    """Every row, with one dtype per kind of column, so that it is the same from each database."""
    parts = pd.read_sql_query(sa.select(table), con, chunksize=ROWS_PER_CHUNK)
    kinds = {column.name: kind_of_type(column.type) for column in table.c}
    frame = pd.concat([_typed(part, kinds) for part in parts], ignore_index=True)
    whole = [name for name in frame if frame[name].dtype == "Int64" and frame[name].notna().all()]
    return frame.astype(dict.fromkeys(whole, "int64"))


def _typed(part: pd.DataFrame, kinds: Mapping[str, Kind | None]) -> pd.DataFrame:
    days = [name for name, kind in kinds.items() if kind == "date"]
    texts = {name: part[name].map(str, na_action="ignore") for name in days}
    dtypes = {name: DTYPES[kind] for name, kind in kinds.items() if kind is not None}
    return part.assign(**texts).astype(dtypes)
