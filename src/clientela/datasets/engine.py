"""The one place that knows which engine computes: DuckDB behind Ibis.

Every table dataset shares one connection per set of settings, because expressions over tables of
two connections can't be joined.
"""

import atexit
import shutil
import tempfile
from functools import cache
from typing import Any, Literal

import fsspec
import ibis
from ibis.backends.duckdb import Backend
from pydantic import BaseModel, ByteSize, ConfigDict, PositiveInt

LOCAL = ("file", "local")
ROWS_PER_BUCKET = 25_000_000
# Customer features of 1 million rows completed under 200 MB, of 1.25 million they did not.
BYTES_PER_ROW = 200
# Rows a thread holds back while it writes buckets; the default takes more than small limits give.
ROWS_HELD_BACK = 65_536


class EngineSettings(BaseModel):
    """What computes, and with how much.

    Attributes:
        backend: The engine; `duckdb` is embedded and needs no service.
        memory_limit: Most memory it takes before it spills to disk, e.g. `2GB`.
        threads: Cores it takes; None takes all.
        max_rows_per_bucket: Source rows above which a table is computed and written in several
            hash buckets, so that no step has to hold all of it. None: what fits the memory limit,
            or 25 million rows without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

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
def connection(settings: EngineSettings) -> Backend:
    """The connection for these settings, opened at its first use.

    Args:
        settings: What computes, and with how much.

    Returns:
        An Ibis backend on an in-memory database; it spills to a temporary folder.
    """
    spill = tempfile.mkdtemp(prefix="clientela-spill-")
    atexit.register(shutil.rmtree, spill, ignore_errors=True)
    config: dict[str, Any] = {
        # results are ordered where order matters; elsewhere keeping it costs memory
        "preserve_insertion_order": False,
        "temp_directory": spill,
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


def engine_path(con: Backend, path: str) -> str:
    """A path as the engine must be given it; object stores go through their fsspec file system.

    Ibis answers the prefix `s3://` by downloading a DuckDB extension, which closed networks refuse;
    `s3a://` is the same place through the registered file system.

    Args:
        con: The connection that will read or write.
        path: A local path, or an address such as `s3://` or `abfs://`.

    Returns:
        The same path for the engine.
    """
    protocol, separator, place = path.partition("://")
    if not separator or protocol in LOCAL:
        return path
    name = "s3" if protocol == "s3a" else protocol
    if not con.con.filesystem_is_registered(name):
        con.register_filesystem(fsspec.filesystem(name))
    return f"s3a://{place}" if name == "s3" else path
