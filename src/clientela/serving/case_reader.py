"""What a JSON parser does not tell of a text: keys that come twice, and how much is in it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final, TypeAlias

from pydantic_core import (
    CoreSchema,
    SchemaValidator,
    ValidationError,
    core_schema,
    from_json,
    to_json,
)

from clientela.features.columns import InputField
from clientela.serving.errors import ApiError, Problem, ProblemFormatter, limit_problems
from clientela.serving.schemas import ID, build_case_schema

# What a JSON parser does not tell of a text: keys that come twice, and how much is in it.


HARMLESS_BYTES: Final = 512 * 1024
"""A text of this size can't fill the memory: what it holds takes some fifty times its bytes."""


def has_more_values_than(text: bytes, values: int) -> bool:
    """Whether a text has far more values than it may, before anything is made of it.

    A parser makes a hundred bytes of the two characters `0,`: a body within its limit could take
    half a gigabyte.

    Args:
        values: The most that it may have.

    Returns:
        True where it has twice as many separators: words may hold some too.
    """
    if len(text) <= HARMLESS_BYTES:
        return False
    return sum(map(text.count, (b",", b"[", b"{"))) > 2 * values


def count_strings(text: bytes) -> int:
    r"""How many strings a JSON text holds, keys among them.

    Each has two quotes that are not escaped. Outside strings there is no backslash, and inside
    they are read from the left: `\\` is taken away first, so that `\"` is an escaped quote.
    """
    if b"\\" in text:
        text = text.replace(rb"\\", b"")
        return (text.count(b'"') - text.count(rb"\"")) // 2
    return text.count(b'"') // 2


def find_repeated_key(text: bytes) -> tuple[int | None, str]:
    """Where a text that has a key twice has it, found by reading it once more, slowly.

    Args:
        text: Valid JSON: an object with one array of flat objects.

    Returns:
        Position of the inner object, None for the outer one, and the key.
    """
    objects: list[str | None] = []

    def remembered(pairs: Sequence[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        objects.append(next((key for key in keys if keys.count(key) > 1), None))

    json.loads(text, object_pairs_hook=remembered)
    *cases, outer = objects
    if outer is not None:
        return None, outer
    return next((row, key) for row, key in enumerate(cases) if key is not None)


# Cases as CSV, with or without a header, as SageMaker's own containers take them.


@dataclass(frozen=True)
class CsvRows:
    """The rows of a CSV text.

    Attributes:
        rows: Column to text; the empty cells are left out (PII).
        header: Whether the first line named the columns.
    """

    names: list[str]
    rows: list[dict[str, Any]]
    header: bool


def parse_csv_rows(content: bytes, fields: Sequence[str], most: int) -> CsvRows:
    """The rows of a CSV text.

    Args:
        content: In UTF-8; the first line is a header where it names a field.
        fields: Names, in the order of the columns of a text without header.
        most: Rows that are asked for; one more is read, so that too many can be told.

    Raises:
        Refusal: It is no CSV (400), or a line is of another width (422).
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ApiError(400, "no_csv", "The body should be CSV in UTF-8; it is no UTF-8.") from None
    try:
        lines = list(islice(_iter_csv_lines(text), most + 2))
    except csv.Error as err:
        # in the module's fixed words, which repeat nothing of the text
        raise ApiError(400, "no_csv", f"The body should be CSV: {err}.") from None
    header = bool(lines) and not set(fields).isdisjoint(lines[0])
    names = lines[0] if header else list(fields)
    cells = lines[1:] if header else lines
    _require_width(cells, len(names))
    rows = [{name: cell for name, cell in zip(names, line, strict=True) if cell} for line in cells]
    return CsvRows(names, rows, header)


def _iter_csv_lines(text: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return (line for line in reader if line)


def _require_width(lines: Sequence[Sequence[str]], expected: int) -> None:
    for row, line in enumerate(lines):
        if len(line) != expected:
            words = f"expected {expected} columns; got {len(line)}"
            raise ApiError(
                422,
                "wrong_cases",
                "The lines should have one value per field, in the order of the model's fields, or "
                "name their columns in a header. See problems, and GET /models.",
                [Problem(row, None, words)],
            )


# From the bytes of a request to its cases; what breaks the fields of the model is refused.


DATA: Final = "data"
INSTANCES: Final = "instances"
MOST_ERRORS: Final = 1_000
"""Of one case; beyond them, to look at each would take longer than the answer to a large batch."""

FOREIGN: Final = "a case has far more fields than the model knows. GET /models lists those"
NO_CASE: Final = "expected one case at least; got none"

Value: TypeAlias = str | float | datetime | None
Case: TypeAlias = dict[str, Value]
"""The fields that came; those left out are absent."""


@dataclass(frozen=True)
class RequestLimits:
    """How much a request may hold.

    Attributes:
        word: Most characters of a word.
        problems: Most problems that a refusal lists.
    """

    batch: int
    word: int
    problems: int


@dataclass(frozen=True)
class CaseBatch:
    """The cases of a request.

    Attributes:
        cases: In order (PII); under `_id` what the sender calls each, where they said so.
    """

    cases: list[Case]


class CaseReader:
    """Reads requests to one model.

    Args:
        limits: How much a request may hold.

    Attributes:
        case: The schema of one case.
    """

    def __init__(self, fields: Sequence[InputField], limits: RequestLimits) -> None:
        self.case = build_case_schema(fields, limits.word)
        self._limits = limits
        self._wording = ProblemFormatter(fields, limits.word)
        self._names = [field.name for field in fields]
        self._texts = [field.name for field in fields if field.kind in ("word", "moment")] + [ID]
        self._most_values = (limits.batch + 1) * (len(fields) + 2)
        self._one = SchemaValidator(self.case)
        self._bodies = {
            (DATA,): SchemaValidator(_build_body_schema(self.case, (DATA,), limits.batch)),
            (DATA, INSTANCES): SchemaValidator(
                _build_body_schema(self.case, (DATA, INSTANCES), limits.batch)
            ),
        }

    def batch(self, text: bytes, names: tuple[str, ...] = (DATA,)) -> CaseBatch:
        """The cases of a JSON text.

        Args:
            text: An object with one array of cases.
            names: What the array may be called: `data`, or `data` and `instances`.

        Raises:
            Refusal: It is no JSON (400), holds too many cases (413), or breaks the fields (422).
        """
        if has_more_values_than(text, self._most_values):
            raise self._make_too_many_cases_error()
        try:
            found = self._bodies[names].validate_json(text)
        except ValidationError as err:
            raise self._make_json_error(err, text, names) from None
        present = [name for name in names if name in found]
        if len(present) != 1:
            raise _make_invalid_cases_error([Problem(None, None, _describe_expected_array(names))])
        cases = found[present[0]]
        if count_strings(text) != self._count_expected_strings(found, cases):
            row, key = find_repeated_key(text)
            raise _make_invalid_cases_error(
                [Problem(row, None, self._wording.repeated(key))], "repeated_key"
            )
        return CaseBatch(cases)

    def parse_csv_batch(self, content: bytes) -> tuple[CaseBatch, bool]:
        """The cases of a CSV text.

        Args:
            content: One case per line, with or without a header.

        Returns:
            The cases, and whether there was a header.

        Raises:
            Refusal: It is no CSV (400), holds too many cases (413), or breaks the fields (422).
        """
        found = parse_csv_rows(content, self._names, self._limits.batch)
        if len(found.rows) > self._limits.batch:
            raise self._make_too_many_cases_error()
        if not found.rows:
            raise _make_invalid_cases_error([Problem(None, None, NO_CASE)])
        self._require_names(found.names)
        try:
            return CaseBatch([self._one.validate_strings(row) for row in found.rows]), found.header
        except ValidationError:
            raise self._make_problem_list_error(self._find_problems_in_text(found.rows)) from None

    def parse_text_row(self, text: Mapping[str, str]) -> Case:
        """A case of one row of text.

        Args:
            text: Field to text; without the empty ones, and without problems.
        """
        found: Case = self._one.validate_strings(dict[str, Any](text))
        return found

    def problem(self, text: dict[str, Any]) -> list[Problem]:
        """What is wrong with one row of text.

        Args:
            text: Field to text; without the empty ones.
        """
        return list(self._find_problems_in_text([text]))

    def _require_names(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in (*self._names, ID):
                raise _make_invalid_cases_error(
                    [Problem(None, None, self._wording.describe_unknown_field(name))]
                )
            if names.count(name) > 1:
                raise _make_invalid_cases_error(
                    [Problem(None, name, self._wording.repeated(name))], "repeated_key"
                )

    def _count_expected_strings(self, found: dict[str, Any], cases: list[Case]) -> int:
        """How many strings a text must have had that has no key twice."""
        keys = len(found) + sum(map(len, cases))
        texts = 0
        for name in self._texts:
            kinds = [type(case.get(name)) for case in cases]
            texts += kinds.count(str) + kinds.count(datetime)
        return keys + texts

    def _make_too_many_cases_error(self) -> ApiError:
        return ApiError(
            413,
            "too_many_cases",
            f"At most {self._limits.batch} cases can be asked for at a time. Send them in parts.",
        )

    def _make_json_error(
        self, err: ValidationError, text: bytes, names: tuple[str, ...]
    ) -> ApiError:
        if err.error_count() > MOST_ERRORS:
            return _make_invalid_cases_error([Problem(None, None, FOREIGN)])
        (first, *_) = err.errors(include_url=False, include_input=False)
        place = first["loc"]
        if first["type"] == "json_invalid":
            # where it breaks, in the parser's fixed words, which repeat nothing of the text
            return ApiError(400, "no_json", f"The body should be JSON: {first['ctx']['error']}.")
        if first["type"] == "too_long" and place[0] in names:
            return self._make_too_many_cases_error()
        if len(place) > 1 and place[0] in names:
            rows = from_json(text)[place[0]]
            return self._make_problem_list_error(self._find_problems_in_json(rows, int(place[1])))
        return self._make_problem_list_error(
            [Problem(None, None, _describe_wrong_body(first["type"], names))]
        )

    def _make_problem_list_error(self, problems: Iterator[Problem] | list[Problem]) -> ApiError:
        first, more = limit_problems(problems, self._limits.problems)
        return _make_invalid_cases_error(first, more=more)

    def _find_problems_in_json(self, rows: Sequence[Any], start: int) -> Iterator[Problem]:
        """One case after the other, so that no more is looked at than is listed."""
        for row in range(start, len(rows)):
            try:
                self._one.validate_json(to_json(rows[row], inf_nan_mode="constants"))
            except ValidationError as err:
                many = err.error_count() > MOST_ERRORS
                foreign = [Problem(row, None, FOREIGN)]
                yield from foreign if many else self._wording.problems(err, row)

    def _find_problems_in_text(self, rows: Sequence[dict[str, Any]]) -> Iterator[Problem]:
        for row, text in enumerate(rows):
            try:
                self._one.validate_strings(text)
            except ValidationError as err:
                yield from self._wording.problems(err, row)


def _build_body_schema(case: CoreSchema, names: tuple[str, ...], most: int) -> CoreSchema:
    cases = core_schema.list_schema(case, min_length=1, max_length=most, fail_fast=True)
    members = {
        name: core_schema.typed_dict_field(cases, required=len(names) == 1) for name in names
    }
    return core_schema.typed_dict_schema(members, extra_behavior="forbid")


def _make_invalid_cases_error(
    problems: Sequence[Problem], code: str = "wrong_cases", *, more: bool = False
) -> ApiError:
    message = "The request does not fit the fields of the model, see problems"
    return ApiError(422, code, f"{message}{' (the first ones)' if more else ''}.", problems)


def _describe_expected_array(names: tuple[str, ...]) -> str:
    listing = " or ".join(f'{{"{name}": [...]}}' for name in names)
    return f"expected an object with one array of cases: {listing}"


def _describe_wrong_body(kind: str, names: tuple[str, ...]) -> str:
    if kind == "too_short":
        return NO_CASE
    return _describe_expected_array(names)
