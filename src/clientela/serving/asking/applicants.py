"""A CSV of applicants, as the fields of a model: its columns are those of the original data."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fsspec.core import url_to_fs

from clientela.exceptions import ScoringDataError, did_you_mean
from clientela.inference.fields import InputField
from clientela.serving.case_reader import CaseReader, Limits

NOTHING: Final = frozenset({"", "na", "n/a", "nan", "null"})
"""What stands in a cell without a value, in any case, as pandas reads it."""

LIMITS: Final = Limits(batch=1, word=1_000, problems=100)
"""The server has the last word on lengths."""


@dataclass(frozen=True)
class Applicant:
    """One row of the file.

    Attributes:
        case: Field to value, as JSON carries it (PII).
        key: What its key column says; None without one (PII).
        problem: Why it can't be asked about; empty where it can.
    """

    case: dict[str, Any]
    key: str | None
    problem: str


@dataclass(frozen=True)
class Applicants:
    """The rows of a file.

    Attributes:
        rows: In order.
        ignored: Columns that the model does not ask for.
    """

    rows: list[Applicant]
    ignored: list[str]


def applicants(
    address: str, fields: Sequence[InputField], key: str | None, delimiter: str
) -> Applicants:
    """The rows of a file.

    Args:
        address: Of the CSV: local, or with its protocol; UTF-8, else Latin-1.
        fields: What the model asks for.
        key: Column that names each row; None without one.
        delimiter: Between cells.

    Returns:
        One applicant per row; what breaks a field is told with the row.

    Raises:
        ScoringDataError: The file is absent, is no CSV, or lacks a column that every case needs.
    """
    lines = _lines(_text(address), delimiter, address)
    if not lines:
        raise ScoringDataError(
            f"{address} is empty; expected a CSV with a header and one row per applicant."
        )
    header, *cells = lines
    _require_columns(header, fields, key, address)
    reader = CaseReader(fields, LIMITS)
    names = [field.name for field in fields]
    rows = [_applicant(line, header, names, key, reader) for line in cells]
    known = {*names, key}
    return Applicants(rows, [name for name in header if name not in known])


def _text(address: str) -> str:
    fs, path = url_to_fs(address)
    try:
        content: bytes = fs.cat_file(path)
    except FileNotFoundError as err:
        raise ScoringDataError(f"No file lies at {address}. Name the CSV of applicants.") from err
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _lines(text: str, delimiter: str, address: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        return [[cell.strip() for cell in line] for line in reader if line]
    except csv.Error as err:
        raise ScoringDataError(
            f"{address} can't be read as CSV: line {reader.line_num}: {err}."
        ) from err


def _require_columns(
    header: Sequence[str], fields: Sequence[InputField], key: str | None, address: str
) -> None:
    needed = [field.name for field in fields if field.required]
    needed += [] if key is None else [key]
    absent = [name for name in needed if name not in header]
    if absent:
        raise ScoringDataError(
            f"{address} lacks the columns {', '.join(absent)}, which every row needs. "
            f"{did_you_mean(absent[0], header)}"
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ScoringDataError(
            f"{address} has columns of the same name: {', '.join(repeated)}. Rename them."
        )


def _applicant(
    line: Sequence[str],
    header: Sequence[str],
    names: Sequence[str],
    key: str | None,
    reader: CaseReader,
) -> Applicant:
    if len(line) != len(header):
        return Applicant({}, None, f"expected {len(header)} values; got {len(line)}")
    row = dict(zip(header, line, strict=True))
    told = {name: row[name] for name in header if name in names and _is_value(row[name])}
    problems = reader.problem(told)
    if problems:
        words = "; ".join(f"{problem.field}: {problem.problem}" for problem in problems)
        return Applicant(told, row.get(key or ""), words)
    return Applicant(_case(told, reader), row.get(key or ""), "")


def _is_value(cell: str) -> bool:
    return cell.casefold() not in NOTHING


def _case(told: Mapping[str, str], reader: CaseReader) -> dict[str, Any]:
    """In the order of the file."""
    case = reader.case_of_text(told)
    return {name: _plain(case[name]) for name in told}


def _plain(value: Any) -> Any:
    """As JSON carries it: a whole number without decimals."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
