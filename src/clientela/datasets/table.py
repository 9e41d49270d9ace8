"""Tables on the engine (DuckDB behind Ibis): the connection, and tables at rest as Parquet.

This is the one place that knows which engine computes. Every table dataset shares one connection
per set of settings, because expressions over tables of two connections can't be joined.
"""

import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import fsspec
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from fsspec.core import url_to_fs
from ibis.backends.duckdb import Backend
from kedro.io import AbstractDataset
from pydantic import ByteSize, PositiveInt

from clientela.exceptions import ConfigurationError, MissingStageInputError
from clientela.settings_base import FrozenSettings
from clientela.storage import (
    convert_storage_errors,
    is_stored,
    make_parent_folder,
    make_temporary_folder,
    refresh_listing,
    replace_atomically,
)

LOCAL = ("file", "local")
BUCKET = "_bucket"
ROWS_PER_BUCKET = 25_000_000
# Customer features of 1 million rows completed under 200 MB, of 1.25 million they did not.
BYTES_PER_ROW = 200
# Rows a thread holds back while it writes buckets; the default takes more than small limits give.
ROWS_HELD_BACK = 65_536


class EngineSettings(FrozenSettings):
    """What computes, and with how much.

    Attributes:
        backend: The engine; `duckdb` is embedded and needs no service.
        memory_limit: Most memory it takes before it spills to disk, e.g. `2GB`.
        threads: Cores it takes; None takes all.
        max_rows_per_bucket: Source rows above which a table is computed and written in several
            hash buckets, so that no step has to hold all of it. None: what fits the memory limit,
            or 25 million rows without one.
    """

    backend: Literal["duckdb"] = "duckdb"
    memory_limit: ByteSize | None = None
    threads: PositiveInt | None = None
    max_rows_per_bucket: PositiveInt | None = None

    @property
    def rows_per_bucket(self) -> int:
        """Source rows that one bucket may hold."""
        if self.max_rows_per_bucket is not None:
            return self.max_rows_per_bucket
        if self.memory_limit is None:
            return ROWS_PER_BUCKET
        return max(1, self.memory_limit // BYTES_PER_ROW)


@cache
def get_engine_connection(settings: EngineSettings) -> Backend:
    """The connection for these settings, opened at its first use.

    Args:
        settings: What computes, and with how much.

    Returns:
        An Ibis backend on an in-memory database; it spills to a temporary folder.
    """
    config: dict[str, Any] = {
        # results are ordered where order matters; elsewhere keeping it costs memory
        "preserve_insertion_order": False,
        "temp_directory": str(make_temporary_folder("spill")),
        # a table replaced within the cache's clock tick was read in part from the old file
        "enable_external_file_cache": False,
        "partitioned_write_flush_threshold": ROWS_HELD_BACK,
    }
    if settings.memory_limit is not None:
        config["memory_limit"] = f"{settings.memory_limit}B"
    if settings.threads is not None:
        config["threads"] = settings.threads
    backend = ibis.duckdb.connect(**config)
    # in a notebook without ipywidgets the bar is off, and to switch it off once more fails
    if backend.raw_sql("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
        backend.raw_sql("SET enable_progress_bar = false")
    return backend


def resolve_engine_path(con: Backend, path: str) -> str:
    """A path as the engine must be given it; object stores go through their fsspec file system.

    Ibis answers the prefix `s3://` by downloading a DuckDB extension, which closed networks refuse;
    `s3a://` is the same place through the registered file system.

    Args:
        con: The connection that will read or write.
        path: A local path, or an address such as `s3://` or `abfs://`.
    """
    protocol, separator, place = path.partition("://")
    if not separator or protocol in LOCAL:
        return path
    name = "s3" if protocol == "s3a" else protocol
    if not con.con.filesystem_is_registered(name):
        con.register_filesystem(fsspec.filesystem(name))
    return f"s3a://{place}" if name == "s3" else path


def iter_buckets(con: Backend, table: ir.Table, column: str, buckets: int) -> Iterator[ir.Table]:
    """The expression once per hash bucket of its sources; together the results are the whole.

    The sources are laid out in one pass each, one file per bucket, with the columns that the
    expression reads; every bucket then reads its own files alone, so that no step holds all of
    them. Measured on 10 million transactions under a limit of 200 MB, that takes half the time of
    filtering the sources once per bucket.

    Args:
        table: An expression that combines only rows of equal `column`.
        column: What the rows are bucketed by; sources without it stay whole.

    Yields:
        The expression over one bucket after the other.
    """
    sources = [leaf for leaf in table.op().find(ops.PhysicalTable) if column in leaf.schema]
    folder = make_temporary_folder("buckets")
    try:
        layouts = [folder / str(place) for place, _ in enumerate(sources)]
        for source, layout in zip(sources, layouts, strict=True):
            used = _find_used_columns(table, source) | {column}
            _write_bucket_files(
                con, source.to_expr().select(*sorted(used)), column, buckets, layout
            )
        for bucket in range(buckets):
            parts = {
                source: _read_bucket(con, source, layout, bucket)
                for source, layout in zip(sources, layouts, strict=True)
            }
            yield table.op().replace(parts).to_expr()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_used_columns(table: ir.Table, source: ops.PhysicalTable) -> set[str]:
    """The columns of a source that are read, where projections alone read it; else all of them.

    A join or a filter passes columns on under its own name, so only what reads the source by a
    projection or an aggregate is known to need no more than it names.
    """
    readers = [r for r in table.op().find(ops.Relation) if source in r.__args__]
    if not readers or not all(isinstance(r, ops.Project | ops.Aggregate) for r in readers):
        return set(source.schema)
    return {field.name for field in table.op().find(ops.Field) if field.rel == source}


def _write_bucket_files(
    con: Backend, source: ir.Table, column: str, buckets: int, layout: Path
) -> None:
    bucket = (source[column].hash() % buckets).abs().cast("int32")
    layout.mkdir()
    con.to_parquet(
        source.mutate(**{BUCKET: bucket}),
        str(layout),
        partition_by=BUCKET,
        compression="lz4_raw",
        overwrite_or_ignore=True,
    )


def _read_bucket(con: Backend, source: ops.PhysicalTable, layout: Path, bucket: int) -> ops.Node:
    """The rows of one bucket, with the columns of the source (unread ones null)."""
    files = sorted((layout / f"{BUCKET}={bucket}").glob("*.parquet"))
    if not files:
        return source.to_expr().limit(0).op()
    part = con.read_parquet([str(file) for file in files], hive_partitioning=False)
    return part.select(
        **{
            name: part[name] if name in part.columns else ibis.null(kind)
            for name, kind in source.schema.items()
        }
    ).op()


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
        """
        if not self._exists():
            raise MissingStageInputError(
                f"No table at {self._filepath}. Run the stage that writes it first."
            )
        if self._load_as == "ibis":
            return self._read_table()
        if self._order_by:
            return convert_decimals_to_float(
                self._read_table().order_by(self._order_by)
            ).to_pandas()
        # engines read in any order; what was saved in order comes back in it
        place = "file_row_number"
        table = self._read_table(**{place: True}).order_by(place).drop(place)
        return convert_decimals_to_float(table).to_pandas()

    def _read_table(self, **options: Any) -> ir.Table:
        con = get_engine_connection(self._settings)
        has_buckets = self._fs.isdir(self._filepath)
        pattern = f"{self._filepath}/*.parquet" if has_buckets else self._filepath
        # a folder named like `fecha_modelo=2024-06-30` is no column of the table
        return con.read_parquet(
            resolve_engine_path(con, pattern), hive_partitioning=False, **options
        )

    def save(self, data: ir.Table | pd.DataFrame) -> None:
        """Computes the table and puts it, once whole, in place of the one that stood there.

        Args:
            data: An expression on the same engine, or a frame.
        """
        con = get_engine_connection(self._settings)
        table = data if isinstance(data, ir.Table) else ibis.memtable(data)
        buckets = self._count_buckets(con, table)
        with replace_atomically(self._filepath, ".writing") as target:
            if buckets == 1:
                self._write(con, self._order_rows(table), target)
                return
            parts = iter_buckets(con, table, str(self._bucket_by), buckets)
            for place, part in enumerate(parts):
                self._write(con, self._order_rows(part), f"{target}/part-{place:03d}.parquet")

    def _order_rows(self, table: ir.Table) -> ir.Table:
        return table.order_by(self._order_by) if self._order_by else table

    def _write(self, con: Backend, table: ir.Table, path: str) -> None:
        make_parent_folder(path)
        with convert_storage_errors(self._filepath):
            con.to_parquet(table, resolve_engine_path(con, path), compression="zstd")

    def _count_buckets(self, con: Backend, table: ir.Table) -> int:
        """How many buckets keep each one below the limit, by the largest source table."""
        if self._bucket_by is None:
            return 1
        sources = (leaf.to_expr() for leaf in table.op().find(ops.PhysicalTable))
        rows = max((int(con.execute(source.count())) for source in sources), default=0)
        return max(1, -(-rows // self._settings.rows_per_bucket))

    def _exists(self) -> bool:
        refresh_listing(self._fs, self._filepath)
        return bool(self._fs.exists(self._filepath))

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


def read_into_memory(table: ir.Table) -> pa.Table:
    """All rows of a lazy table as Arrow, for features that NumPy makes of each row."""
    return table.to_pyarrow()


def convert_decimals_to_float(table: ir.Table) -> ir.Table:
    """The table with decimals as float64, which is what pandas computes with."""
    casts = {name: "float64" for name, kind in table.schema().items() if kind.is_decimal()}
    return table.cast(casts) if casts else table


def read_frame(table: ir.Table) -> pd.DataFrame:
    """All rows of a lazy table as pandas, decimals as float64."""
    frame: pd.DataFrame = convert_decimals_to_float(table).to_pandas()
    return frame


class SmallTablesDataset(
    AbstractDataset[Mapping[str, ir.Table | pd.DataFrame], dict[str, pd.DataFrame]]
):
    """Several small tables, by name, as one Parquet file each in a folder.

    Saving computes each lazy table; loading gives pandas frames. For aggregates of at most some
    thousand rows.

    Args:
        path: The folder; local or `s3://`. What stood in it before is removed.
        engine: Settings of the engine, the same for every table.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(
        self,
        *,
        path: str,
        engine: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path = path
        self._engine = engine
        self.metadata = metadata

    def load(self) -> dict[str, pd.DataFrame]:
        """Every table of the folder."""
        fs, folder = url_to_fs(self._path)
        fs.invalidate_cache(folder)
        files = sorted(fs.glob(f"{folder}/*.parquet"))
        if not files:
            raise MissingStageInputError(
                f"No tables in {self._path}. Run the stage that writes them."
            )
        names = [file.rsplit("/", 1)[-1].removesuffix(".parquet") for file in files]
        return {name: self._table(name, self._path).load() for name in names}

    def save(self, data: Mapping[str, ir.Table | pd.DataFrame]) -> None:
        """Computes each table; the folder takes the place of the former one once it is whole."""
        with replace_atomically(self._path, ".writing") as staged:
            for name, table in data.items():
                self._table(name, staged).save(table)

    def _table(self, name: str, folder: str) -> TableDataset:
        return TableDataset(
            filepath=f"{folder}/{name}.parquet", load_as="pandas", engine=self._engine
        )

    def _exists(self) -> bool:
        return is_stored(self._path)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
