"""Splits delimited text into columns, line by line, without ever failing on a row's content.

A CSV parser that meets garbage gives up, skips, or merges rows. Here the unit is the physical
line: Arrow cuts the file into lines, whole batches are split at once, and only lines with quotes
take the slow, exact way through Python's `csv`. A line that can't be split keeps its text and says
why. A line break inside quotes is therefore a broken row, by decision.
"""

import codecs
import csv
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import IO, Literal

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from pydantic import BaseModel, ConfigDict, Field

from clientela.exceptions import RawFileUnreadable

SAMPLE_BYTES = 32 * 1024 * 1024
BLOCK_BYTES = 8 * 1024 * 1024
# No text file separates its columns by this control character: each line stays one value.
NO_DELIMITER = "\x1f"


class TextFormat(BaseModel):
    """How a delimited text file is written.

    Attributes:
        encoding: `auto` takes UTF-8 (with or without byte order mark) where the first 32 MB are
            valid UTF-8, else Latin-1; or any encoding that Python knows.
        delimiter: The character between columns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: Literal["auto"] | str = "auto"  # noqa: PYI051 - `auto` is worth naming
    delimiter: str = Field(default=",", min_length=1, max_length=1)


class DelimitedText:
    """One text file with a header line.

    Args:
        path: Where it lies, with protocol or without; a compression is known by its ending.
        text: How it is written.
    """

    def __init__(self, path: str, text: TextFormat) -> None:
        self._path = path
        self._text = text
        self._name = PurePosixPath(path).name

    @cached_property
    def encoding(self) -> str:
        """The declared encoding, or the one that fits the beginning of the file."""
        if self._text.encoding != "auto":
            return _known_encoding(self._text.encoding, self._name)
        with self._open() as file:
            decoder = codecs.getincrementaldecoder("utf-8")()
            try:
                decoder.decode(file.read(SAMPLE_BYTES))
            except UnicodeDecodeError:
                return "latin-1"
        return "utf-8"

    @cached_property
    def header(self) -> list[str]:
        """The column names of the first line.

        Raises:
            RawFileUnreadable: The file is empty or its header can't be read as distinct names.
        """
        with self._open() as file:
            first = file.readline(BLOCK_BYTES).removeprefix(codecs.BOM_UTF8)
        line = first.decode(self.encoding, errors="replace").rstrip("\r\n")
        if not line.strip():
            raise RawFileUnreadable(
                f"{self._name} is empty: a header line with the column names was expected first."
            )
        names = [name.strip() for name in next(csv.reader([line], delimiter=self._text.delimiter))]
        self._check(names, line)
        return names

    def _check(self, names: list[str], line: str) -> None:
        if len(names) == 1:
            for other in set(";,\t|") - {self._text.delimiter}:
                if other in line:
                    raise RawFileUnreadable(
                        f"{self._name}: no {self._text.delimiter!r} in the header, but {other!r} "
                        f"is. Declare it in the catalog entry: text: {{delimiter: {other!r}}}"
                    )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or "" in names:
            what = f"repeats {', '.join(twice)}" if twice else "has a column without a name"
            raise RawFileUnreadable(f"{self._name}: the header {what}. Name each column once.")

    def batches(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows after the header.

        Args:
            schema: Text columns (those that the file lacks become null), then `_file`, `_line`,
                `_raw` and `_problem`.

        Yields:
            Tables of that schema; each line of the file is one row.

        Raises:
            RawFileUnreadable: A line is longer than 8 MB, or the compressed data is damaged.
        """
        misread: list[tuple[int, str]] = []

        def keep(row: pa_csv.InvalidRow) -> str:
            misread.append((row.number, row.text))
            return "skip"

        line_number = 2
        try:
            for lines in self._line_batches(keep):
                numbers, line_number = _line_numbers(len(lines), line_number, misread)
                yield self._rows(lines, numbers, schema)
            if misread:
                numbers = pa.array([number for number, _ in misread], pa.int64())
                texts = pa.array([text.encode() for _, text in misread], pa.binary())
                yield self._rows(texts, numbers, schema)
        except (pa.ArrowInvalid, EOFError, OSError) as err:
            raise RawFileUnreadable(
                f"{self._name} can't be read past line {line_number}: {err}. Expected lines of at "
                "most 8 MB in an undamaged file."
            ) from err

    def _line_batches(self, keep: "pa_csv.InvalidRowHandler") -> Iterator[pa.Array]:
        """The file's lines after the header, as binary, or as text where it was transcoded."""
        transcoded = self.encoding != "utf-8"
        with self._open() as file:
            if not _has_second_line(file):
                return
            file.seek(0)
            reader = pa_csv.open_csv(
                file,
                read_options=pa_csv.ReadOptions(
                    column_names=["line"],
                    skip_rows=1,
                    block_size=BLOCK_BYTES,
                    use_threads=False,
                    encoding=self.encoding,
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=NO_DELIMITER,
                    quote_char=False,
                    double_quote=False,
                    escape_char=False,
                    ignore_empty_lines=False,
                    invalid_row_handler=keep,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types={"line": pa.string() if transcoded else pa.binary()},
                ),
            )
            for batch in reader:
                yield batch.column(0)

    def _rows(self, lines: pa.Array, numbers: pa.Array, schema: pa.Schema) -> pa.Table:
        text, broken = _decoded(lines)
        quoted = pc.match_substring(text, '"')
        blank = pc.equal(pc.utf8_trim_whitespace(text), "")
        plain = pc.invert(pc.or_(pc.or_(quoted, broken), blank))
        parts = [
            self._split(text.filter(plain), numbers.filter(plain), schema),
            self._parsed(text, numbers, pc.and_(quoted, pc.invert(broken)), schema),
            self._unsplit(text, numbers, broken, "invalid_encoding", schema),
            self._unsplit(text, numbers, pc.and_(blank, pc.invert(broken)), "blank_line", schema),
        ]
        return pa.concat_tables(parts)

    def _split(self, text: pa.Array, numbers: pa.Array, schema: pa.Schema) -> pa.Table:
        """Lines without quotes, all at once."""
        fields = pc.split_pattern(text, self._text.delimiter)
        counts = pc.list_value_length(fields)
        fits = pc.equal(counts, len(self.header))
        whole = fields.filter(fits)
        values = {name: pc.list_element(whole, i) for i, name in enumerate(self.header)}
        many, few = pc.greater(counts, len(self.header)), pc.less(counts, len(self.header))
        return pa.concat_tables(
            [
                self._table(values, text.filter(fits), numbers.filter(fits), None, schema),
                self._unsplit(text, numbers, many, "extra_columns", schema),
                self._unsplit(text, numbers, few, "missing_columns", schema),
            ]
        )

    def _parsed(
        self, text: pa.Array, numbers: pa.Array, chosen: pa.Array, schema: pa.Schema
    ) -> pa.Table:
        """Lines with quotes, one by one through Python's csv."""
        lines = text.filter(chosen)
        fields, problems = [], []
        for line in lines.to_pylist():
            row, problem = _fields_of(line, self._text.delimiter, len(self.header))
            fields.append(row)
            problems.append(problem)
        values = {
            name: pa.array([row[i] if row else None for row in fields], pa.string())
            for i, name in enumerate(self.header)
        }
        problem = pa.array(problems, pa.string())
        return self._table(values, lines, numbers.filter(chosen), problem, schema)

    def _unsplit(
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

    def _open(self) -> IO[bytes]:
        return fsspec.open(self._path, "rb", compression="infer").open()


def _known_encoding(declared: str, name: str) -> str:
    try:
        return codecs.lookup(declared).name
    except LookupError as err:
        raise RawFileUnreadable(
            f"{name}: the declared encoding {declared!r} is not known. Use auto, utf-8, latin-1, "
            "or another name from Python's list of encodings."
        ) from err


def _has_second_line(file: IO[bytes]) -> bool:
    file.readline(BLOCK_BYTES)
    return bool(file.read(1))


def _line_numbers(
    count: int, start: int, misread: list[tuple[int, str]]
) -> tuple[pa.Array, int]:
    """Line numbers of the next `count` good lines, stepping over those that were set aside."""
    aside = {number for number, _ in misread if number >= start}
    if not aside:
        return pa.array(np.arange(start, start + count)), start + count
    numbers: list[int] = []
    line = start
    while len(numbers) < count:
        if line not in aside:
            numbers.append(line)
        line += 1
    return pa.array(numbers, pa.int64()), line


def _decoded(lines: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The lines as text, and which of them are not valid UTF-8 (their bad bytes replaced)."""
    try:
        return lines.cast(pa.string()), pa.repeat(pa.scalar(value=False), len(lines))
    except pa.ArrowInvalid:
        texts, broken = [], []
        for line in lines.to_pylist():
            text = line.decode("utf-8", errors="replace")
            texts.append(text)
            broken.append(text.encode("utf-8") != line)
        return pa.array(texts, pa.string()), pa.array(broken, pa.bool_())


def _fields_of(line: str, delimiter: str, width: int) -> tuple[list[str] | None, str | None]:
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None, "unbalanced_quotes"
    if len(fields) == width:
        return fields, None
    return None, "extra_columns" if len(fields) > width else "missing_columns"
