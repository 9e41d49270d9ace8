"""Splits delimited text into columns, line by line, without ever failing on a row's content.

A CSV parser that meets garbage gives up, skips, or merges rows. Here the unit is the physical
line: whole blocks of lines are split at once, and only lines with quotes take the slow, exact way
through Python's `csv`. A line that can't be split keeps its text and says why. A line break inside
quotes is therefore a broken row, by decision.
"""

import csv
import json
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute
from pydantic import BaseModel, ConfigDict, Field

from clientela.datasets.text_lines import TextLines
from clientela.exceptions import RawFileUnreadable
from clientela.intake.keys import ROW_NUMBER

# Arrow makes these functions when it is imported, where type checkers do not see them.
pc: Any = pyarrow.compute

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


class TextFormat(BaseModel):
    """How a delimited text file is written.

    Attributes:
        encoding: `auto` takes UTF-8 (with or without byte order mark) where most accented letters
            of the first 32 MB are UTF-8, else Latin-1; or any encoding that Python knows.
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
            RawFileUnreadable: The file is empty or its header can't be read as distinct names.
        """
        first = next(self._lines.blocks(), pa.array([], pa.binary()))[:1]
        line = "".join(self._lines.decoded(first)[0].to_pylist())
        self._require_text(b"".join(first.to_pylist()))
        if not line.strip():
            raise RawFileUnreadable(
                f"{self._name} is empty: a header line with the column names was expected first."
            )
        try:
            fields = next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except csv.Error as err:
            raise RawFileUnreadable(
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
            raise RawFileUnreadable(
                f"{self._name}: no {self._delimiter!r} in the header, but {others[0]!r} is. "
                f"Declare it in conf/local/globals.yml: {declared}"
            )

    def _require_text(self, line: bytes) -> None:
        kinds = [words for mark, words in BINARY.items() if line.startswith(mark)]
        if kinds or b"\0" in line:
            kind = kinds[0] if kinds else "no text: its first line holds binary data"
            raise RawFileUnreadable(
                f"{self._name} is {kind}. Save it as CSV (in Excel: CSV UTF-8), and name that file "
                f"under raw_files.{self._key} in conf/local/globals.yml."
            )

    def batches(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows after the header.

        Args:
            schema: Text columns (those that the file lacks become null), then `_file`, `_line`,
                `_raw` and `_problem`.

        Yields:
            Tables of that schema; each line of the file is one row.

        Raises:
            RawFileUnreadable: A line is longer than 8 MB, or compressed data is damaged.
        """
        done = 0
        for lines in self._lines.blocks():
            numbers = np.arange(done + 1, done + 1 + len(lines))
            skipped = 1 if done == 0 else 0
            done += len(lines)
            yield self._rows(lines[skipped:], pa.array(numbers[skipped:]), schema)

    def _rows(self, lines: pa.Array, numbers: pa.Array, schema: pa.Schema) -> pa.Table:
        text, broken = self._lines.decoded(lines)
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
        fields = pc.split_pattern(text, self._delimiter)
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
            row, problem = _fields_of(line, self._delimiter, len(self.header))
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


def require_distinct(names: Collection[str], file: str) -> None:
    """Checks that each column can be told from every other.

    Args:
        names: The column names of a raw file.
        file: Its name.

    Raises:
        RawFileUnreadable: A name is empty, repeated (in any case) or taken by the reader.
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
    raise RawFileUnreadable(f"{file}: the header {fault}")


def _fields_of(line: str, delimiter: str, width: int) -> tuple[list[str] | None, str | None]:
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None, "unbalanced_quotes"
    if len(fields) == width:
        return fields, None
    return None, "extra_columns" if len(fields) > width else "missing_columns"
