"""Reads raw files as text, so that no value is guessed and no row is lost on the way in."""

import atexit
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any, Never, NoReturn

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from kedro.io import AbstractDataset

from clientela.datasets.raw_text import LINEAGE, DelimitedText, TextFormat, require_distinct
from clientela.datasets.table import EngineSettings, get_engine_connection, resolve_engine_path
from clientela.exceptions import RawFileNotFoundError, RawFileUnreadableError
from clientela.settings_base import FrozenSettings


class NamedFiles(FrozenSettings):
    """Where the settings of a person name the files of one use case, if they do.

    Attributes:
        root: What their names are below.
        raw_files: Names of files, by use case or table.
        raw_text: How they are written, likewise.
    """

    root: str = ""
    key: str | None = None
    raw_files: dict[str, str] = {}
    raw_text: dict[str, dict[str, str]] = {}

    @property
    def filepath(self) -> str | None:
        """The file or pattern that is named; None where none is."""
        name = self.raw_files.get(self.key or "")
        return None if name is None else f"{self.root}/{name}"

    @property
    def text(self) -> dict[str, str] | None:
        """How it is written; None where nothing is said."""
        return self.raw_text.get(self.key or "")

    @property
    def setting(self) -> str:
        """Below what a person writes how the file is called and written."""
        return self.key or "<table>"


class RawTableDataset(AbstractDataset[Never, ir.Table]):
    """Raw files as one table of text columns; loads only.

    Beside the files' own columns each row carries `_file` (name), `_line` (its line in a text
    file, its row in a Parquet file, both from 1), `_raw` (the text as it stands) and `_problem`
    (why the reader could not split the row into columns, null where it could; its columns are
    null then).

    Args:
        filepath: A file or a pattern: `.csv`, `.csv.gz` (or any other ending that names a
            compression) or `.parquet`; local or `s3://`.
        text: How text files are written; see `TextFormat`.
        named: What a pattern of the catalog, which cannot look anything up, gives instead: `root`,
            the `key` to look for, and the whole of `raw_files` and `raw_text`. Where they hold the
            key, they take the place of `filepath` and `text`.
        optional_columns: None when the files must exist; otherwise the columns of the empty
            table that stands for missing files.
        engine: Settings of the engine, the same for every table.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(  # noqa: PLR0913 - as the catalog writes them
        self,
        *,
        filepath: str,
        text: dict[str, Any] | None = None,
        named: dict[str, Any] | None = None,
        optional_columns: list[str] | None = None,
        engine: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        own = NamedFiles() if named is None else NamedFiles.model_validate(named)
        self._filepath = own.filepath or filepath
        self._text = TextFormat.model_validate(own.text or text or {})
        self._setting = own.setting
        self._optional_columns = optional_columns
        self._settings = EngineSettings.model_validate(engine or {})
        self.metadata = metadata

    def load(self) -> ir.Table:
        """The rows of all files, as text.

        Returns:
            The files' columns (null where a file lacks one), then the lineage columns.

        Raises:
            RawFileNotFoundError: There is no file, and the table is not optional.
            RawFileUnreadableError: A folder, a damaged file, or a header that is none.
        """
        paths = self._find_files()
        if not paths:
            if self._optional_columns is None:
                self._raise_missing()
            texts = dict.fromkeys((*self._optional_columns, *LINEAGE), "string")
            return ibis.memtable([], schema=texts | {"_line": "int64"})
        if all(path.endswith(".parquet") for path in paths):
            return self._read_parquet_files(paths)
        mixed = [PurePosixPath(path).name for path in paths if path.endswith(".parquet")]
        if mixed:
            raise RawFileUnreadableError(
                f"{self._filepath} matches Parquet and text files alike ({mixed[0]} is Parquet). "
                "Give a pattern that matches one kind."
            )
        return self._read_text_files(paths)

    def _find_files(self) -> list[str]:
        fs, pattern = url_to_fs(self._filepath)
        fs.invalidate_cache()
        if fs.isdir(pattern):
            raise RawFileUnreadableError(
                f"{self._filepath} is a folder, where a file was expected. To read every file in "
                f"it, give a pattern such as {self._filepath}/*.csv (raw_files in "
                "conf/local/globals.yml)."
            )
        found = fs.glob(pattern) if any(c in pattern for c in "*?[") else [pattern]
        return sorted(fs.unstrip_protocol(path) for path in found if fs.isfile(path))

    def _raise_missing(self) -> NoReturn:
        fs, pattern = url_to_fs(self._filepath)
        folder = str(PurePosixPath(pattern).parent)
        paths = fs.ls(folder, detail=False) if fs.isdir(folder) else []
        names = [PurePosixPath(path).name for path in paths]
        others = [name for name in names if not name.startswith(".")]
        there = f" That folder holds: {', '.join(sorted(others))}." if others else ""
        raise RawFileNotFoundError(
            f"No raw file at {self._filepath}.{there} Put your file there, name it under "
            f"raw_files.{self._setting} in conf/local/globals.yml, or write sample data with: "
            "kedro run --pipelines=data_generation. What you do not need is switched off by "
            "enabled: false in conf/local/use_cases.yml."
        )

    def _read_parquet_files(self, paths: list[str]) -> ir.Table:
        con = get_engine_connection(self._settings)
        addresses = [resolve_engine_path(con, path.removeprefix("file://")) for path in paths]
        try:
            own = con.read_parquet(addresses, union_by_name=True).columns
            require_distinct(own, self._filepath)
            table = con.read_parquet(
                addresses, filename=True, file_row_number=True, union_by_name=True
            )
        except duckdb.Error as err:
            raise RawFileUnreadableError(
                f"{self._filepath} can't be read as Parquet: {err}. Write it anew, or rename it if "
                "it is text."
            ) from err
        text = table.mutate(**{name: table[name].cast("string") for name in own})
        return text.select(
            *own,
            _file=text.filename.re_extract(r"[^/\\]+$", 0),
            _line=text.file_row_number + 1,
            _raw=ibis.literal(self._text.delimiter).join(
                [text[name].fill_null("") for name in own]
            ),
            _problem=ibis.null("string"),
        )

    def _read_text_files(self, paths: list[str]) -> ir.Table:
        """The rows of text files, split once and kept for this process in a temporary file."""
        folder = tempfile.mkdtemp(prefix="clientela-raw-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        target = Path(folder) / "rows.parquet"
        sources = [DelimitedText(path, self._text, self._setting) for path in paths]
        columns = list(dict.fromkeys(name for source in sources for name in source.header))
        schema = pa.schema(
            [(name, pa.string()) for name in columns]
            + [("_file", pa.string()), ("_line", pa.int64())]
            + [("_raw", pa.string()), ("_problem", pa.string())]
        )
        writer: Any
        with pq.ParquetWriter(target, schema, compression="lz4") as writer:  # type: ignore[no-untyped-call]
            for source in sources:
                for batch in source.iter_batches(schema):
                    writer.write_table(batch)
        return get_engine_connection(self._settings).read_parquet(str(target))

    def save(self, data: Never) -> NoReturn:
        """Raw files belong to whoever put them there."""
        raise NotImplementedError("Raw files are never written through this dataset.")

    def _exists(self) -> bool:
        return self._optional_columns is not None or bool(self._find_files())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "text": self._text.model_dump()}
