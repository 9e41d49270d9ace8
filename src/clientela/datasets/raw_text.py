"""Delimited text, split into columns line by line, without ever failing on a row's content.

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
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute
from pydantic import Field

from clientela.column_rules import ROW_NUMBER
from clientela.exceptions import RawFileUnreadableError
from clientela.settings_base import FrozenSettings

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
        if self._declared != "auto":
            return _resolve_encoding(self._declared, self._name)
        with self._open_file() as file:
            sample = file.read(SAMPLE_BYTES)
        if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise _make_wide_encoding_error("UTF-16", self._name)
        return "utf-8" if _is_mostly_utf8(sample) else "latin-1"

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
        try:
            if self.encoding == "utf-8" or not len(lines):
                text = lines.cast(pa.string())
            else:
                joined = b"\n".join(lines.to_pylist()).decode(self.encoding)
                text = pc.split_pattern(pa.array([joined], pa.string()), "\n").values
            return text, pa.repeat(pa.scalar(value=False), len(lines))
        except (pa.ArrowInvalid, UnicodeDecodeError):
            texts, broken = [], []
            for line in lines.to_pylist():
                try:
                    texts.append(line.decode(self.encoding))
                    broken.append(False)
                except UnicodeDecodeError:
                    texts.append(line.decode(self.encoding, errors="replace"))
                    broken.append(True)
            return pa.array(texts, pa.string()), pa.array(broken, pa.bool_())

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


def _resolve_encoding(declared: str, name: str) -> str:
    try:
        known = codecs.lookup(declared).name.removesuffix("-sig")
        line_end = "\n".encode(known)
    except LookupError as err:
        raise RawFileUnreadableError(
            f"{name}: the declared encoding {declared!r} is not known. Use auto, utf-8, latin-1, "
            "or another name from Python's list of encodings."
        ) from err
    if line_end != b"\n":
        raise _make_wide_encoding_error(known.upper(), name)
    return known


def _make_wide_encoding_error(encoding: str, name: str) -> RawFileUnreadableError:
    return RawFileUnreadableError(
        f"{name} is written in {encoding}, which is not read line by line. Save it as UTF-8 (in "
        "Excel: CSV UTF-8)."
    )


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
    """

    encoding: Literal["auto"] | str = "auto"  # noqa: PYI051 - `auto` is worth naming
    delimiter: str = Field(default=",", min_length=1, max_length=1)


class DelimitedText:
    """One text file with a header line.

    Args:
        path: Where it lies, with protocol or without; a compression is known by its ending.
        key: By what name the settings of a person know it.
    """

    def __init__(self, path: str, text: TextFormat, key: str = "<table>") -> None:
        self._lines = TextLines(path, text.encoding)
        self._delimiter = text.delimiter
        self._name = PurePosixPath(path).name
        self._key = key

    @cached_property
    def header(self) -> list[str]:
        """The column names of the first line; a first one that is empty is `ROW_NUMBER`.

        Raises:
            RawFileUnreadableError: The file is empty or its header can't be read as distinct names.
        """
        first = next(self._lines.blocks(), pa.array([], pa.binary()))[:1]
        line = "".join(self._lines.decode_lines(first)[0].to_pylist())
        self._require_text(b"".join(first.to_pylist()))
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
            skipped = 1 if done == 0 else 0  # the header
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


def require_distinct(names: Collection[str], file: str) -> None:
    """Checks that each column can be told from every other.

    Args:
        names: The column names of a raw file.

    Raises:
        RawFileUnreadableError: A name is empty, repeated (in any case) or taken by the reader.
    """
    own = [name.casefold() for name in names]
    twice = sorted({name for name in names if own.count(name.casefold()) > 1})
    taken = sorted(name for name in names if name.casefold() in LINEAGE)
    if "" in own:
        fault = "has a column without a name. Name each column."
    elif twice:
        fault = f"repeats {', '.join(twice)}. Name each column once."
    elif taken:
        fault = f"uses {', '.join(taken)}, by which each row's place is named. Rename the column."
    else:
        return
    raise RawFileUnreadableError(f"{file}: the header {fault}")
