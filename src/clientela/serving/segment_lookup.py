"""The segment of one customer, from the table that the segmentation stage loads.

One row by its primary key; connections are kept, and only columns of the export leave the table,
whatever else somebody has added to it.
"""

import logging
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from clientela.datasets.database import POSTGRESQL, SQLITE, fetch_first_row, resolve_database_url
from clientela.features.segment_columns import order_export_columns
from clientela.serving.errors import ApiError
from clientela.serving.settings import ServingSettings

logger = logging.getLogger(__name__)

REQUIRED: Final = ("dni", "cluster_id", "cluster_nombre", "rubro_top", "fecha_modelo")
"""Columns that are replied even where they have no value; others may be of another model."""

CONNECTIONS: Final = 8
WAIT_SECONDS: Final = 5
"""For a connection, for an answer, or for a load that is being committed."""
KEPT_SECONDS: Final = 300
"""A connection that is older is made anew: the file may have been replaced, the database moved."""

Segment: TypeAlias = dict[str, Any]


class SegmentLookup:
    """Looks customers up in one table."""

    def __init__(self, url: sa.URL, table: str) -> None:
        self._engine = _create_lookup_engine(url)
        source = sa.table(table, sa.column("dni"))
        has_key = source.c.dni == sa.bindparam("dni", type_=sa.TEXT())
        columns: sa.Select[Any] = sa.select(sa.literal_column("*"))
        self._query = columns.select_from(source).where(has_key)

    def find_segment(self, dni: str) -> Segment:
        """The record of a customer.

        Returns:
            The columns of the export, in its order; measures that the customer's model did not
            have are left out.

        Raises:
            ApiError: Nobody is stored under this key (404), or the table can't be read (503).
        """
        try:
            row = fetch_first_row(self._engine, self._query, {"dni": dni})
        except sa.exc.SQLAlchemyError as err:
            # its words may repeat the key
            logger.error("Segments can't be read: %s", type(getattr(err, "orig", err)).__name__)  # noqa: TRY400
            raise ApiError(
                503,
                "no_segments",
                "The table of segments can't be read now. Run the segmentation stage if it never "
                "was; else try again.",
                headers={"retry-after": str(WAIT_SECONDS)},
            ) from None
        if row is None:
            raise ApiError(404, "no_customer", "No segment is stored for this customer.")
        columns = order_export_columns(row)
        segment = {name: row[name] for name in columns if row[name] is not None or name in REQUIRED}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in segment.items()
        }

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def create_segment_lookup(settings: ServingSettings) -> SegmentLookup | None:
    """What looks customers up; None where no database is named.

    Raises:
        ConfigurationError: Its address is none, or of another kind of database.
    """
    given = settings.database.get_secret_value() if settings.database else None
    if given is None and settings.segments_file is None:
        return None
    url = resolve_database_url(given, settings.segments_file or "")
    return None if url is None else SegmentLookup(url, settings.segments_table)


def _create_lookup_engine(url: sa.URL) -> sa.Engine:
    arguments: dict[str, Any] = {"timeout": WAIT_SECONDS}
    if url.get_backend_name() == SQLITE and not url.query:
        # read-only: to look somebody up must not make a file
        place = Path(str(url.database)).absolute().as_uri()
        url = url.set(database=place, query={"mode": "ro", "uri": "true"})
    if url.get_backend_name() == POSTGRESQL:
        milliseconds = WAIT_SECONDS * 1000
        arguments = {
            "connect_timeout": WAIT_SECONDS,
            "options": f"-c statement_timeout={milliseconds}",
        }
    return sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        pool_recycle=KEPT_SECONDS,
        pool_pre_ping=url.get_backend_name() == POSTGRESQL,
        connect_args={name: value for name, value in arguments.items() if name not in url.query},
        hide_parameters=True,
    )
