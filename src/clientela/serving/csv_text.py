"""Cases as CSV, with or without a header, as SageMaker's own containers take them."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from clientela.serving.refusals import Problem, Refusal


@dataclass(frozen=True)
class CsvRows:
    """The rows of a CSV text.

    Attributes:
        names: Of the columns.
        rows: Column to text; the empty cells are left out (PII).
        header: Whether the first line named the columns.
    """

    names: list[str]
    rows: list[dict[str, Any]]
    header: bool


def csv_rows(content: bytes, fields: Sequence[str], most: int) -> CsvRows:
    """The rows of a CSV text.

    Args:
        content: In UTF-8; the first line is a header where it names a field.
        fields: Names, in the order of the columns of a text without header.
        most: Rows that are asked for; one more is read, so that too many can be told.

    Returns:
        Its rows.

    Raises:
        Refusal: It is no CSV (400), or a line is of another width (422).
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(400, "no_csv", "The body should be CSV in UTF-8; it is no UTF-8.") from None
    try:
        lines = list(islice(_lines(text), most + 2))
    except csv.Error as err:
        # in the module's fixed words, which repeat nothing of the text
        raise Refusal(400, "no_csv", f"The body should be CSV: {err}.") from None
    header = bool(lines) and not set(fields).isdisjoint(lines[0])
    names = lines[0] if header else list(fields)
    cells = lines[1:] if header else lines
    _require_width(cells, len(names))
    rows = [{name: cell for name, cell in zip(names, line, strict=True) if cell} for line in cells]
    return CsvRows(names, rows, header)


def _lines(text: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return (line for line in reader if line)


def _require_width(lines: Sequence[Sequence[str]], expected: int) -> None:
    for row, line in enumerate(lines):
        if len(line) != expected:
            words = f"expected {expected} columns; got {len(line)}"
            raise Refusal(
                422,
                "wrong_cases",
                "The lines should have one value per field, in the order of the model's fields, or "
                "name their columns in a header. See problems, and GET /models.",
                [Problem(row, None, words)],
            )
