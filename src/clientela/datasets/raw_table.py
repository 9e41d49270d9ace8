"""Reads raw files as text, so that no value is guessed and no row is lost on the way in.

A CSV parser that meets garbage gives up, skips, or merges rows. Here the unit is the physical line.
Lines are found before anything is decoded, so that bytes without meaning break their own line
alone; line feeds, carriage returns and both together end a line alike. Whole blocks of lines are
split at once, and only lines with quotes take the slow, exact way through Python's `csv`. A line
that can't be split keeps its text and says why. A line break inside quotes is therefore a broken
row, by decision.
"""

import codecs
import csv
import io
import json
import lzma
import re
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal, Never, NoReturn
from unicodedata import normalize
from zoneinfo import available_timezones

import duckdb
import fsspec
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from kedro.io import AbstractDataset
from pydantic import Field, NonNegativeInt, field_validator
from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from clientela.column_rules import ROW_NUMBER
from clientela.datasets.table import EngineSettings, get_engine_connection, resolve_engine_path
from clientela.exceptions import RawFileNotFoundError, RawFileUnreadableError, did_you_mean
from clientela.settings_base import FrozenSettings
from clientela.storage import make_temporary_folder

# Arrow makes these functions when it is imported, where type checkers do not see them.
pc: Any = pyarrow.compute

BLOCK_BYTES = 8 * 1024 * 1024
LONGEST_LINE = 8 * 1024 * 1024
SAMPLE_BYTES = 32 * 1024 * 1024
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError)

# How files begin that are taken for text by mistake.
BINARY = {
    b"PK\x03\x04": "an Excel file (or another archive of the ZIP kind)",
    b"\xd0\xcf\x11\xe0": "an Excel file",
    b"%PDF": "a PDF",
    b"PAR1": "Parquet, but its name does not end in .parquet",
    b"\x1f\x8b": "compressed with gzip, but its name does not end in .gz",
}

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
# From here on a float is no longer every whole number.
LARGEST_EXACT = 2**53

# A moment that says how far its clock is from UTC.
ZONED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"

# What the reader itself says of each row.
LINEAGE = ("_file", "_line", "_raw", "_problem")


class TextLines:
    """The lines of one text file.

    Args:
        path: Where it lies, with protocol or without; a compression is known by its ending.
        encoding: `auto`, or any encoding that Python knows and whose line ends are one byte.
    """

    def __init__(self, path: str, encoding: str) -> None:
        self._path = path
        self._declared = encoding
        self._name = PurePosixPath(path).name

    @cached_property
    def encoding(self) -> str:
        """The declared encoding, or the one that fits the beginning of the file.

        Raises:
            RawFileUnreadableError: It is not known, or its line ends take more than one byte.
        """
        if self._declared == "auto":
            with self._open_file() as file:
                sample = file.read(SAMPLE_BYTES)
            if not sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-8" if _is_mostly_utf8(sample) else "latin-1"
            known = "utf-16"
        else:
            try:
                known = codecs.lookup(self._declared).name.removesuffix("-sig")
                if "\n".encode(known) == b"\n":
                    return known
            except LookupError as err:
                raise RawFileUnreadableError(
                    f"{self._name}: the declared encoding {self._declared!r} is not known. Use "
                    "auto, utf-8, latin-1, or another name from Python's list of encodings."
                ) from err
        raise RawFileUnreadableError(
            f"{self._name} is written in {known.upper()}, which is not read line by line. Save it "
            "as UTF-8 (in Excel: CSV UTF-8)."
        )

    def blocks(self) -> Iterator[pa.Array]:
        """Every line, in blocks of some megabytes.

        Yields:
            Lines as bytes, without their ends and without the file's byte order mark.

        Raises:
            RawFileUnreadableError: A line is longer than 8 MB, or compressed data is damaged.
        """
        done = 0
        with self._open_file() as file:
            chunk, rest = file.read(BLOCK_BYTES).removeprefix(codecs.BOM_UTF8), b""
            while chunk or rest:
                whole, rest = rest + chunk, b""
                if chunk:
                    # a carriage return at the very end may be the first half of a line end
                    last = whole.rfind(b"\r", 0, len(whole) - 1)
                    cut = max(whole.rfind(b"\n"), last) + 1
                    whole, rest = whole[:cut], whole[cut:]
                text = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n")
                lines = pc.split_pattern(pa.array([text], pa.binary()), "\n").values
                lines = lines if whole else lines[:0]
                self._require_short_lines(lines, len(rest), done)
                done += len(lines)
                if len(lines):
                    yield lines
                chunk = file.read(BLOCK_BYTES)

    def decode_lines(self, lines: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Lines as text, and which of them hold bytes that mean nothing in the encoding.

        Returns:
            Text (bytes without meaning replaced), and a flag per line.
        """
        broken = [False] * len(lines)
        try:
            if self.encoding == "utf-8" or not len(lines):
                text = lines.cast(pa.string())
            else:
                joined = b"\n".join(lines.to_pylist()).decode(self.encoding)
                text = pc.split_pattern(pa.array([joined], pa.string()), "\n").values
        except (pa.ArrowInvalid, UnicodeDecodeError):
            found = [line.decode(self.encoding, "replace") for line in lines.to_pylist()]
            sound = [_is_encoded(line, self.encoding) for line in lines.to_pylist()]
            text, broken = pa.array(found, pa.string()), [not whole for whole in sound]
        apart = pc.match_substring_regex(text, "[\u0300-\u036f]")  # accents beside their letter
        composed = [normalize("NFC", line) for line in text.filter(apart).to_pylist()]
        text = pc.replace_with_mask(text, apart, pa.array(composed, pa.string()))
        return text, pa.array(broken, pa.bool_())

    def _require_short_lines(self, lines: pa.Array, rest: int, done: int) -> None:
        """Stops at an endless line: the file is no table."""
        lengths = pc.binary_length(lines)
        if max(pc.max(lengths).as_py() or 0, rest) <= LONGEST_LINE:
            return
        longer = pc.index(pc.greater(lengths, LONGEST_LINE), pa.scalar(value=True)).as_py()
        line = done + 1 + (len(lines) if longer < 0 else longer)
        raise RawFileUnreadableError(
            f"{self._name}: line {line} is longer than {LONGEST_LINE:,} bytes. Expected a text "
            "file with one row per line."
        )

    @contextmanager
    def _open_file(self) -> Iterator[io.BufferedReader]:
        """The open file; damage that shows while it is read gets its name."""
        try:
            with fsspec.open(self._path, "rb", compression="infer") as file:
                # files on S3 and in archives may deliver less than is asked for
                yield io.BufferedReader(file)
        except PermissionError:
            raise
        except DAMAGE as err:
            raise RawFileUnreadableError(
                f"{self._name} is damaged, or not compressed as its ending says: {err}. Copy it "
                "again from where it came from."
            ) from err


def _is_encoded(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_mostly_utf8(sample: bytes) -> bool:
    """Whether accented letters are UTF-8, even where a few bytes are broken.

    Read as UTF-8, the letters of a Latin-1 file are broken nearly all.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        text = sample.decode("utf-8", errors="replace")
        accented = len(text) - len(text.encode("ascii", errors="ignore"))
        broken = text.count("\N{REPLACEMENT CHARACTER}")
        return accented - broken > broken
    return True


class TextFormat(FrozenSettings):
    """How a delimited text file is written.

    Attributes:
        encoding: `auto` takes UTF-8 (with or without byte order mark) where most accented letters
            of the first 32 MB are UTF-8, else Latin-1; or any encoding that Python knows.
        delimiter: The character between columns.
        skip_rows: Rows above the header, such as a title.
        sheet: Of a workbook; None: the first one.
        rename: Column of the file to the name that the project knows, in files of every kind.
        timezone: Zone whose local time moments with an offset or a zone become, such as
            America/Lima; None: such moments are refused.
    """

    encoding: Literal["auto"] | str = "auto"  # noqa: PYI051 - `auto` is worth naming
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    skip_rows: NonNegativeInt = 0
    sheet: str | None = None
    rename: dict[str, str] = {}
    timezone: str | None = None

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"no time zone is called {name!r}; one is America/Lima")
        return name


class DelimitedText:
    """One text file with a header line.

    Args:
        path: Where it lies, with protocol or without; a compression is known by its ending.
        key: By what name the settings of a person know it.
    """

    def __init__(self, path: str, text: TextFormat, key: str = "<table>") -> None:
        self._lines = TextLines(path, text.encoding)
        self._delimiter = text.delimiter
        self._skip_rows = text.skip_rows
        self._name = PurePosixPath(path).name
        self._key = key

    @cached_property
    def header(self) -> list[str]:
        """The column names of the first line; a first one that is empty is `ROW_NUMBER`.

        Raises:
            RawFileUnreadableError: The file is empty or its header can't be read as distinct names.
        """
        lines = next(self._lines.blocks(), pa.array([], pa.binary()))
        first = lines[self._skip_rows : self._skip_rows + 1]
        line = "".join(self._lines.decode_lines(first)[0].to_pylist())
        self._require_text(b"".join(first.to_pylist()))
        if declared := re.fullmatch(r'"?sep=(.)"?', line.strip()):
            delimiter = json.dumps(declared[1])
            raise RawFileUnreadableError(
                f"{self._name}: the first line is {line.strip()!r}, which only Excel reads. "
                "Declare in conf/local/globals.yml: raw_text: "
                f"{{{self._key}: {{skip_rows: {self._skip_rows + 1}, delimiter: {delimiter}}}}}"
            )
        if not line.strip():
            raise RawFileUnreadableError(
                f"{self._name} is empty: a header line with the column names was expected first."
            )
        try:
            fields = next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error as err:
            raise RawFileUnreadableError(
                f"{self._name}: the header can't be split into names: {err}. Mend its quotes."
            ) from err
        names = [name.strip() for name in fields]
        names[0] = names[0] or ROW_NUMBER
        self._require_delimiter(names, line)
        require_distinct(names, self._name)
        return names

    def _require_delimiter(self, names: list[str], line: str) -> None:
        others = [other for other in ";,\t|" if other != self._delimiter and other in line]
        if len(names) == 1 and others:
            # as JSON writes it YAML reads it, tabs included
            declared = f"raw_text: {{{self._key}: {{delimiter: {json.dumps(others[0])}}}}}"
            raise RawFileUnreadableError(
                f"{self._name}: no {self._delimiter!r} in the header, but {others[0]!r} is. "
                f"Declare it in conf/local/globals.yml: {declared}"
            )

    def _require_text(self, line: bytes) -> None:
        kinds = [words for mark, words in BINARY.items() if line.startswith(mark)]
        if kinds or b"\0" in line:
            kind = kinds[0] if kinds else "no text: its first line holds binary data"
            raise RawFileUnreadableError(
                f"{self._name} is {kind}. Save it as CSV (in Excel: CSV UTF-8), and name that file "
                f"under raw_files.{self._key} in conf/local/globals.yml."
            )

    def iter_batches(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows after the header.

        Args:
            schema: Text columns (those that the file lacks become null), then `_file`, `_line`,
                `_raw` and `_problem`.

        Yields:
            Tables of that schema; each line of the file is one row.

        Raises:
            RawFileUnreadableError: A line is longer than 8 MB, or compressed data is damaged.
        """
        done = 0
        for block in self._lines.blocks():
            skipped = self._skip_rows + 1 if done == 0 else 0  # what stands above, and the header
            numbers = pa.array(np.arange(done + 1 + skipped, done + 1 + len(block)))
            done += len(block)
            text, broken = self._lines.decode_lines(block[skipped:])
            quoted = pc.match_substring(text, '"')
            blank = pc.equal(pc.utf8_trim_whitespace(text), "")
            plain = pc.invert(pc.or_(pc.or_(quoted, broken), blank))
            quoted, blank = (pc.and_(flag, pc.invert(broken)) for flag in (quoted, blank))
            parts = [
                self._split_plain_lines(text.filter(plain), numbers.filter(plain), schema),
                self._parse_quoted_lines(text, numbers, quoted, schema),
                self._collect_broken_lines(text, numbers, broken, "invalid_encoding", schema),
                self._collect_broken_lines(text, numbers, blank, "blank_line", schema),
            ]
            yield pa.concat_tables(parts)

    def _split_plain_lines(self, text: pa.Array, numbers: pa.Array, schema: pa.Schema) -> pa.Table:
        """Lines without quotes, all at once."""
        fields = pc.split_pattern(text, self._delimiter)
        counts = pc.list_value_length(fields)
        fits = pc.equal(counts, len(self.header))
        whole = fields.filter(fits)
        values = {name: pc.list_element(whole, i) for i, name in enumerate(self.header)}
        many, few = pc.greater(counts, len(self.header)), pc.less(counts, len(self.header))
        return pa.concat_tables(
            [
                self._table(values, text.filter(fits), numbers.filter(fits), None, schema),
                self._collect_broken_lines(text, numbers, many, "extra_columns", schema),
                self._collect_broken_lines(text, numbers, few, "missing_columns", schema),
            ]
        )

    def _parse_quoted_lines(
        self, text: pa.Array, numbers: pa.Array, chosen: pa.Array, schema: pa.Schema
    ) -> pa.Table:
        """Lines with quotes, one by one through Python's csv."""
        lines = text.filter(chosen)
        width = len(self.header)
        fields: list[list[str] | None] = []
        problems: list[str | None] = []
        for line in lines.to_pylist():
            try:
                row = next(csv.reader([line], delimiter=self._delimiter, strict=True))
                problem = "extra_columns" if len(row) > width else "missing_columns"
            except csv.Error:
                row, problem = [], "unbalanced_quotes"
            is_whole = len(row) == width
            fields.append(row if is_whole else None)
            problems.append(None if is_whole else problem)
        values = {
            name: pa.array([row[i] if row else None for row in fields], pa.string())
            for i, name in enumerate(self.header)
        }
        problem = pa.array(problems, pa.string())
        return self._table(values, lines, numbers.filter(chosen), problem, schema)

    def _collect_broken_lines(
        self, text: pa.Array, numbers: pa.Array, chosen: pa.Array, problem: str, schema: pa.Schema
    ) -> pa.Table:
        """Lines that could not be split: no columns, the text, and why."""
        lines = text.filter(chosen)
        reasons = pa.repeat(pa.scalar(problem), len(lines))
        return self._table({}, lines, numbers.filter(chosen), reasons, schema)

    def _table(
        self,
        values: dict[str, pa.Array],
        raw: pa.Array,
        numbers: pa.Array,
        problem: pa.Array | None,
        schema: pa.Schema,
    ) -> pa.Table:
        count = len(raw)
        known = values | {
            "_file": pa.repeat(pa.scalar(self._name), count),
            "_line": numbers,
            "_raw": raw,
        }
        if problem is not None:
            known["_problem"] = problem
        return pa.table(
            [known.get(field.name, pa.nulls(count, field.type)) for field in schema], schema=schema
        )


class Workbook:
    """One sheet of an Excel or OpenDocument file; its cells keep their type, as text.

    Args:
        path: Where it lies, with protocol or without.
        key: By what name the settings of a person know it.
    """

    def __init__(self, path: str, text: TextFormat, key: str = "<table>") -> None:
        self._path, self._text, self._key = path, text, key
        self._name = PurePosixPath(path).name

    @cached_property
    def _rows(self) -> list[list[str | None]]:
        """Every row of the sheet as text; what is empty is None."""
        with fsspec.open(self._path, "rb") as file:
            content = io.BytesIO(file.read())
        try:
            book = CalamineWorkbook.from_filelike(content)
            sheet = self._text.sheet or next(iter(book.sheet_names), "")
            rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except WorksheetNotFound as err:
            raise RawFileUnreadableError(
                f"{self._name} has no sheet {self._text.sheet!r} (raw_text.{self._key}.sheet). "
                f"{did_you_mean(self._text.sheet or '', book.sheet_names)}"
            ) from err
        except CalamineError as err:
            raise RawFileUnreadableError(
                f"{self._name} can't be read as a workbook: {err}. Save it anew as .xlsx."
            ) from err
        return [[_format_cell(cell) for cell in row] for row in rows]

    @cached_property
    def header(self) -> list[str]:
        """The column names; empty columns at the end are none.

        Raises:
            RawFileUnreadableError: The sheet is empty, or the row holds no distinct names.
        """
        cells = next(iter(self._rows[self._text.skip_rows :]), [])
        names = [cell or "" for cell in cells]
        while names and not names[-1]:
            names.pop()
        widths = [sum(cell is not None for cell in row) for row in self._rows]
        widest = max(widths, default=0)
        if len(names) < widest or "" in names:
            title = widths.index(widest) if widths else 0
            if title > self._text.skip_rows:
                raise RawFileUnreadableError(
                    f"{self._name}: row {self._text.skip_rows + 1} holds {len(names)} name(s), and "
                    f"the widest rows {widest} cells: it seems to be a title. The names seem to be "
                    f"in row {title + 1}. Declare in conf/local/globals.yml: "
                    f"raw_text: {{{self._key}: {{skip_rows: {title}}}}}"
                )
        if not names:
            raise RawFileUnreadableError(f"{self._name} is empty: column names were expected.")
        names[0] = names[0] or ROW_NUMBER
        require_distinct(names, self._name)
        return names

    def iter_batches(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """As `DelimitedText.iter_batches`; `_line` is the row of the sheet."""
        width, first = len(self.header), self._text.skip_rows + 1
        rows = [(row + [None] * width)[: max(width, len(row))] for row in self._rows[first:]]
        too_wide = [any(cell is not None for cell in row[width:]) for row in rows]
        blank = [not any(cell is not None for cell in row) for row in rows]
        whole = [not (wide or empty) for wide, empty in zip(too_wide, blank, strict=True)]
        columns: dict[str, list[Any]] = {
            name: [row[i] if sound else None for row, sound in zip(rows, whole, strict=True)]
            for i, name in enumerate(self.header)
        }
        columns |= {
            "_file": [self._name] * len(rows),
            "_line": list(range(first + 1, first + 1 + len(rows))),
            "_raw": [self._text.delimiter.join(cell or "" for cell in row) for row in rows],
            "_problem": [
                "extra_columns" if wide else "blank_line" if empty else None
                for wide, empty in zip(too_wide, blank, strict=True)
            ],
        }
        nothing = [None] * len(rows)
        yield pa.table([columns.get(name, nothing) for name in schema.names], schema=schema)


def _format_cell(value: Any) -> str | None:
    """A cell of a workbook as text: dates in ISO form, whole numbers without a decimal point."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return normalize("NFC", str(value))


def require_distinct(
    names: Collection[str], file: str, reserved: Collection[str] = LINEAGE
) -> None:
    """Checks that each column can be told from every other.

    Args:
        names: The column names of a raw file.
        reserved: Names by which the reader knows the place of a row.

    Raises:
        RawFileUnreadableError: A name is empty, repeated (in any case) or taken by the reader.
    """
    own = [name.casefold() for name in names]
    twice = sorted({name for name in names if own.count(name.casefold()) > 1})
    taken = sorted(name for name in names if name.casefold() in reserved)
    if "" in own:
        fault = "has a column without a name. Name each column."
    elif twice:
        fault = f"repeats {', '.join(twice)}. Name each column once."
    elif taken:
        fault = f"uses {', '.join(taken)}, by which each row's place is named. Rename the column."
    else:
        return
    raise RawFileUnreadableError(f"{file}: the header {fault}")


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
    raw_text: dict[str, dict[str, Any]] = {}


class RawTableDataset(AbstractDataset[Never, ir.Table]):
    """Raw files as one table of text columns; loads only.

    Beside the files' own columns each row carries `_file` (name), `_line` (its line in a text
    file, its row in a Parquet file, both from 1), `_raw` (the text as it stands) and `_problem`
    (why the reader could not split the row into columns, null where it could; its columns are
    null then).

    Args:
        filepath: A file or a pattern: `.csv`, `.csv.gz` (or any other ending that names a
            compression), `.parquet`, `.xlsx`, `.xls` or `.ods`; local or `s3://`.
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
        own = NamedFiles.model_validate(named or {})
        name = own.raw_files.get(own.key or "")
        self._filepath = filepath if name is None else f"{own.root}/{name}"
        self._text = TextFormat.model_validate(own.raw_text.get(own.key or "") or text or {})
        self._setting = own.key or "<table>"  # below what a person writes both
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
        return self._convert_moments(self._rename_columns(self._read_files(paths)))

    def _read_files(self, paths: list[str]) -> ir.Table:
        if all(path.endswith(".parquet") for path in paths):
            return self._read_parquet_files(paths)
        mixed = [PurePosixPath(path).name for path in paths if path.endswith(".parquet")]
        if mixed:
            raise RawFileUnreadableError(
                f"{self._filepath} matches Parquet and text files alike ({mixed[0]} is Parquet). "
                "Give a pattern that matches one kind."
            )
        return self._read_text_files(paths)

    def _rename_columns(self, table: ir.Table) -> ir.Table:
        """The table with the names that the project knows."""
        for old, new in self._text.rename.items():
            if old in table.columns and new not in table.columns:
                continue
            fault = f"it has the column {new!r} already" if old in table.columns else "it has none"
            raise RawFileUnreadableError(
                f"{self._filepath}: raw_text.{self._setting}.rename names the column {old!r} anew "
                f"as {new!r}, but {fault}. {did_you_mean(old, table.columns)}"
            )
        return table.rename({new: old for old, new in self._text.rename.items()})

    def _convert_moments(self, table: ir.Table) -> ir.Table:
        """Moments with an offset, as local time of the declared zone; without one they stay."""
        zone = self._text.timezone
        if zone is None:
            return table
        changed = {}
        for name in (column for column in table.columns if column not in LINEAGE):
            text = table[name].cast("string").strip()
            moment = text.try_cast(dt.Timestamp(timezone="UTC"))
            local = convert_to_zone(zone, moment).cast("string")
            # text that only looks like a moment stays, so that ingestion refuses it by name
            moved = ibis.coalesce(local, table[name])
            changed[name] = text.re_search(ZONED).ifelse(moved, table[name])
        return table.mutate(**changed)

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
        others = [name for path in paths if not (name := PurePosixPath(path).name).startswith(".")]
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
            require_distinct(own, self._filepath, (*LINEAGE, "filename", "file_row_number"))
            table = con.read_parquet(
                addresses, filename=True, file_row_number=True, union_by_name=True
            )
        except duckdb.Error as err:
            raise RawFileUnreadableError(
                f"{self._filepath} can't be read as Parquet: {err}. Write it anew, or rename it if "
                "it is text."
            ) from err
        text = table.mutate(**{name: _convert_to_text(table[name]) for name in own})
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
        target = make_temporary_folder("raw") / "rows.parquet"
        sources = [
            (Workbook if path.endswith(WORKBOOKS) else DelimitedText)(
                path, self._text, self._setting
            )
            for path in paths
        ]
        columns = list(dict.fromkeys(name for source in sources for name in source.header))
        texts = dict.fromkeys((*columns, *LINEAGE), pa.string())
        schema = pa.schema(texts | {"_line": pa.int64()})
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


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def nfc_normalize(text: str) -> str:  # type: ignore[empty-body]
    """The engine's own function: text with each accent in its letter."""


@ibis.udf.scalar.builtin(  # type: ignore[untyped-decorator]
    name="timezone", signature=((dt.string, dt.Timestamp(timezone="UTC")), dt.timestamp)
)
def convert_to_zone(zone: str, moment: ir.TimestampValue) -> ir.TimestampValue:
    """The engine's own function: the local time of an instant."""


def _convert_to_text(column: ir.Value) -> ir.StringValue:
    text = column.cast("string")
    if column.type().is_string():
        return nfc_normalize(text)
    # pandas makes 7.0 of 7 where a column has gaps: an id or a code among them is 7
    return text.re_replace(r"\.0$", "") if column.type().is_floating() else text
