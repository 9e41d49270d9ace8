"""Carries tables across stage borders: lazy in, ordered Parquet at rest, lazy or pandas out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import fsspec
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend
from kedro.io import AbstractDataset

from clientela.datasets.buckets import in_buckets
from clientela.datasets.engine import EngineSettings, connection, engine_path
from clientela.datasets.storage import (
    folder_made,
    looked_up_anew,
    put_in_place,
    refusals_of_storage,
)
from clientela.exceptions import ConfigurationError, StageInputMissing


class TableDataset(AbstractDataset[ir.Table | pd.DataFrame, ir.Table | pd.DataFrame]):
    """A table at rest as Parquet, ordered by a unique key so that its bytes never vary.

    Saving takes an Ibis expression (or a pandas frame) and computes it once. Above
    `engine.max_rows_per_bucket` source rows, a table with `bucket_by` is computed and written in
    hash buckets of that column, one file each: one big sort or join breaks small memory limits.
    That is right only for expressions that combine rows of equal `bucket_by` alone.

    Args:
        filepath: Where the Parquet file (or the folder of buckets) lies; local or `s3://`.
        order_by: Columns of a unique key; None keeps the order of the frame given.
        load_as: `ibis` gives a lazy table, `pandas` a frame with decimals as float64.
        bucket_by: Column that splits the table when it is large.
        engine: Settings of the engine, the same for every table.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(  # noqa: PLR0913 - the fields of a catalog entry
        self,
        *,
        filepath: str,
        order_by: str | list[str] | None = None,
        load_as: Literal["ibis", "pandas"] = "ibis",
        bucket_by: str | None = None,
        engine: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = filepath
        self._order_by = [order_by] if isinstance(order_by, str) else order_by
        self._load_as = load_as
        self._bucket_by = bucket_by
        self._settings = EngineSettings.model_validate(engine or {})
        self.metadata = metadata
        if bucket_by is not None and not order_by:
            raise ConfigurationError(f"{filepath}: bucket_by needs order_by, the unique key.")

    def load(self) -> ir.Table | pd.DataFrame:
        """The table at rest.

        Returns:
            A lazy table, or an ordered frame with decimals as float64.

        Raises:
            StageInputMissing: There is none.
        """
        if not self._exists():
            raise StageInputMissing(
                f"No table at {self._filepath}. Run the stage that writes it first."
            )
        if self._load_as == "ibis":
            return self._scanned()
        if self._order_by:
            return with_float_decimals(self._scanned().order_by(self._order_by)).to_pandas()
        # engines read in any order; what was saved in order comes back in it
        place = "file_row_number"
        table = self._scanned(**{place: True}).order_by(place).drop(place)
        return with_float_decimals(table).to_pandas()

    def _scanned(self, **options: Any) -> ir.Table:
        con = connection(self._settings)
        pattern = f"{self._filepath}/*.parquet" if self._is_bucketed() else self._filepath
        # a folder named like `fecha_modelo=2024-06-30` is no column of the table
        return con.read_parquet(engine_path(con, pattern), hive_partitioning=False, **options)

    def save(self, data: ir.Table | pd.DataFrame) -> None:
        """Computes the table and puts it, once whole, in place of the one that stood there.

        Args:
            data: An expression on the same engine, or a frame.
        """
        con = connection(self._settings)
        table = data if isinstance(data, ir.Table) else ibis.memtable(data)
        buckets = self._bucket_count(con, table)
        with self._replaced() as target:
            if buckets == 1:
                self._write(con, self._ordered(table), target)
                return
            parts = in_buckets(con, table, str(self._bucket_by), buckets)
            for place, part in enumerate(parts):
                self._write(con, self._ordered(part), f"{target}/part-{place:03d}.parquet")

    def _ordered(self, table: ir.Table) -> ir.Table:
        return table.order_by(self._order_by) if self._order_by else table

    def _write(self, con: Backend, table: ir.Table, path: str) -> None:
        fs, place = fsspec.core.url_to_fs(path)
        folder_made(fs, place)
        with refusals_of_storage(self._filepath):
            con.to_parquet(table, engine_path(con, path), compression="zstd")

    @contextmanager
    def _replaced(self) -> Iterator[str]:
        """Where to write; what stood before is replaced only once the new table is whole."""
        staged = self._filepath + ".writing"
        self._remove(staged)
        try:
            yield staged
        except BaseException:
            self._remove(staged)
            raise
        self._remove(self._filepath)
        put_in_place(staged, self._filepath)

    def _remove(self, path: str) -> None:
        if self._fs.exists(path):
            self._fs.rm(path, recursive=True)

    def _bucket_count(self, con: Backend, table: ir.Table) -> int:
        """How many buckets keep each one below the limit, by the largest source table."""
        if self._bucket_by is None:
            return 1
        sources = (leaf.to_expr() for leaf in table.op().find(ops.PhysicalTable))
        rows = max((int(con.execute(source.count())) for source in sources), default=0)
        return max(1, -(-rows // self._settings.rows_per_bucket))

    def _exists(self) -> bool:
        looked_up_anew(self._fs, self._filepath)
        return bool(self._fs.exists(self._filepath))

    def _is_bucketed(self) -> bool:
        return bool(self._fs.isdir(self._filepath))

    @property
    def _fs(self) -> fsspec.AbstractFileSystem:
        return fsspec.core.url_to_fs(self._filepath)[0]

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": self._filepath,
            "order_by": self._order_by,
            "load_as": self._load_as,
            "bucket_by": self._bucket_by,
        }


def with_float_decimals(table: ir.Table) -> ir.Table:
    """The table with decimals as float64, which is what pandas computes with.

    Args:
        table: Any table.

    Returns:
        The same rows and columns.
    """
    casts = {name: "float64" for name, kind in table.schema().items() if kind.is_decimal()}
    return table.cast(casts) if casts else table
