"""From the bytes of a request to its cases; what breaks the fields of the model is refused.

pydantic reads and checks in compiled code. Around it stands what its JSON parser does not tell:
that a key comes twice, and that a text within its limit of bytes would fill the memory once parsed.
Text of a table's columns, in JSON and CSV, is read as ingestion reads a cell.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from string import whitespace
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter
from pydantic_core import ValidationError, from_json, to_json

from clientela.column_rules import CellFormat
from clientela.exceptions import did_you_mean
from clientela.features.columns import (
    NUMBERS,
    PLAIN,
    CellReader,
    InputField,
    UnusableValueError,
    Value,
    describe_value_type,
)
from clientela.serving.auth import ApiError, Problem
from clientela.serving.schemas import (
    DATA,
    ID,
    INSTANCES,
    LONGEST_ID,
    build_body_type,
    build_case_type,
    describe_expectation,
)

# A text of this size can't fill the memory: what it holds takes some fifty times its bytes.
HARMLESS_BYTES: Final = 512 * 1024

# Of one case; beyond them, to look at each would take longer than the answer to a large batch.
MOST_ERRORS: Final = 1_000

FOREIGN: Final = "a case has far more fields than the model knows. GET /models lists those"
NO_CASE: Final = "expected one case at least; got none"
WRONG_ID: Final = f"{ID}: expected text of 1 to {LONGEST_ID} characters"
NO_VALUES: Final = ("nothing", "null")
COLUMN_NAME: Final = r"(?!.*\d{4})[A-Za-z_][A-Za-z0-9_]{0,39}"

ARRAYS: Final = (DATA, INSTANCES)

# The fields that came (PII), and under `_id` what the sender calls the case.
Case: TypeAlias = dict[str, Value]


@dataclass(frozen=True)
class RequestLimits:
    """How much a request may hold."""

    batch: int
    word: int
    problems: int


class CaseReader:
    """Reads requests to one model.

    Attributes:
        bodies: Name of the array of cases to the type of a body.
    """

    def __init__(
        self,
        fields: Sequence[InputField],
        limits: RequestLimits,
        use_case: str = "model",
        example: Any = None,
        form: CellFormat = PLAIN,
    ) -> None:
        self._fields = {field.name: field for field in fields}
        self._limits, self._form = limits, form
        self._cells = {field.name: CellReader(field, form, limits.word) for field in fields}
        columns = [field.name for field in fields if field.type is not None]
        self._columns = {name: self._cells[name] for name in columns}
        self._texts = [field.name for field in fields if field.kind not in NUMBERS] + [ID]
        self._most_values = (limits.batch + 1) * (len(fields) + 2)
        case = build_case_type(fields, limits.word, form, f"{use_case}_case", example)
        self.bodies = {
            array: build_body_type(case, (array,), limits.batch, f"{use_case}_{array}", example)
            for array in ARRAYS
        }
        self._case: TypeAdapter[Case] = TypeAdapter(case)
        self._adapters = {
            (DATA,): TypeAdapter(self.bodies[DATA]),
            ARRAYS: TypeAdapter(build_body_type(case, ARRAYS, limits.batch)),
        }

    def read_json(self, text: bytes, names: tuple[str, ...] = (DATA,)) -> list[Case]:
        """The cases of a JSON text.

        Raises:
            ApiError: It is no JSON (400), holds too many cases (413), or breaks the fields (422).
        """
        if has_more_values_than(text, self._most_values):
            raise self._make_too_many_cases_error()
        try:
            body: dict[str, list[Case]] = self._adapters[names].validate_json(text)
        except ValidationError as err:
            raise self._make_json_error(err, text, names) from None
        if len(body) != 1:
            raise _make_wrong_body_error(names)
        (cases,) = body.values()
        strings, expected = count_strings(text), self._count_expected_strings(cases)
        # where texts stand for numbers there are more
        is_typed = strings == expected
        numbers = self._columns.keys() - set(self._texts)
        if not is_typed and strings != expected + self._count_texts(cases, numbers):
            row, key = find_repeated_key(text)
            raise _make_invalid_cases_error(
                [Problem(row, None, self._describe_repeated_key(key))], "repeated_key"
            )
        return self._read_columns(cases, is_typed=is_typed)

    def read_csv(self, content: bytes) -> tuple[list[Case], bool]:
        """The cases of a CSV text, one per line, as SageMaker's own containers take them.

        Args:
            content: In UTF-8; the first line is a header where it names a field.

        Raises:
            ApiError: It is no CSV (400), holds too many cases (413), or breaks the fields (422).
        """
        lines = _parse_csv_lines(content, self._limits.batch + 2)
        header = bool(lines) and not self._fields.keys().isdisjoint(lines[0])
        names = lines.pop(0) if header else list(self._fields)
        self._require_width(lines, len(names))
        if len(lines) > self._limits.batch:
            raise self._make_too_many_cases_error()
        if not lines:
            raise _make_invalid_cases_error([Problem(None, None, NO_CASE)])
        self._require_names(names)
        cases, problems = self.read_texts([dict(zip(names, line, strict=True)) for line in lines])
        if problems:
            raise self._make_problem_list_error(problems)
        return cases, header

    def read_texts(self, rows: Sequence[Mapping[str, str]]) -> tuple[list[Case], list[Problem]]:
        """The cases of rows of text, as far as they are cases, and what is wrong with the others.

        A column that a row lacks is left out; so is an empty cell of what is no column of a table.
        """
        cases, problems = [], []
        for row, texts in enumerate(rows):
            case: Case = {}
            for name, field in self._fields.items():
                text = texts.get(name)
                if text is None or (field.type is None and not text.strip(whitespace)):
                    if field.required:
                        problems.append(self._describe_cell(row, name, "nothing"))
                    continue
                case[name] = text
                problems += self._read_cell(row, name, case)
            if texts.get(ID):
                case[ID] = texts[ID]
                if len(texts[ID]) > LONGEST_ID:
                    problems.append(Problem(row, None, WRONG_ID))
            cases.append(case)
        return cases, problems

    def _read_columns(self, cases: list[Case], *, is_typed: bool) -> list[Case]:
        """The cases with the text of the table's columns read; they were made for this reader.

        Args:
            is_typed: Whether no text stands for a number.
        """
        problems: list[Problem] = []
        for name, cell in self._columns.items():
            if not cell.checks_words or (is_typed and not cell.checks_numbers):
                continue
            numbers, least, most = cell.numbers, cell.least, cell.most
            for row, case in enumerate(cases):
                value: Any = case.get(name)
                if name in case and not (type(value) in numbers and least <= value <= most):
                    problems += self._read_cell(row, name, case)
        if problems:
            raise self._make_problem_list_error(sorted(problems, key=lambda each: each.row or 0))
        return cases

    def _read_cell(self, row: int, name: str, case: Case) -> list[Problem]:
        """Puts the value in place of what came; the problem where it has none."""
        try:
            case[name] = self._cells[name].read(case[name])  # type: ignore[arg-type]
        except UnusableValueError as err:
            return [self._describe_cell(row, name, err.came)]
        return []

    def _describe_cell(self, row: int, name: str, came: str) -> Problem:
        expected = describe_expectation(self._fields[name], self._limits.word, self._form)
        reason = f"{'missing' if came in NO_VALUES else 'invalid'}_{name}"
        return Problem(row, name, f"expected {expected}; got {came}", reason)

    def _require_width(self, lines: Sequence[Sequence[str]], expected: int) -> None:
        for row, line in enumerate(lines):
            if len(line) != expected:
                raise ApiError(
                    422,
                    "wrong_cases",
                    "The lines should have one value per field, in the order of the model's "
                    "fields, or name their columns in a header. See problems, and GET /models.",
                    [Problem(row, None, f"expected {expected} columns; got {len(line)}")],
                )

    def _require_names(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._fields and name != ID:
                raise _make_invalid_cases_error(
                    [Problem(None, None, self._describe_unknown_field(name))]
                )
            if names.count(name) > 1:
                problem = Problem(None, name, self._describe_repeated_key(name))
                raise _make_invalid_cases_error([problem], "repeated_key")

    def _count_expected_strings(self, cases: Sequence[Case]) -> int:
        """How many strings a text must have that has no key twice: keys, words, moments."""
        return 1 + sum(map(len, cases)) + self._count_texts(cases, self._texts)

    def _count_texts(self, cases: Sequence[Case], names: Iterable[str]) -> int:
        texts = 0
        for name in names:
            kinds = [type(case.get(name)) for case in cases]
            texts += kinds.count(str) + kinds.count(datetime)
        return texts

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
        errors = err.errors(include_url=False, include_input=False)
        kind, place = errors[0]["type"], errors[0]["loc"]
        if kind == "json_invalid":
            # where it breaks, in the parser's fixed words, which repeat nothing of the text
            words = errors[0]["ctx"]["error"]
            return ApiError(400, "no_json", f"The body should be JSON: {words}.")
        in_array = bool(place) and place[0] in names
        if kind == "too_long" and in_array:
            return self._make_too_many_cases_error()
        if in_array and len(place) > 1:
            rows = from_json(text)[place[0]]
            return self._make_problem_list_error(self._iter_json_problems(rows, int(place[1])))
        if kind == "too_short":
            return _make_invalid_cases_error([Problem(None, None, NO_CASE)])
        return _make_wrong_body_error(names)

    def _make_problem_list_error(self, problems: Iterable[Problem]) -> ApiError:
        # one more than is listed says that there are more
        first = list(islice(problems, self._limits.problems + 1))
        listed = first[: self._limits.problems]
        return _make_invalid_cases_error(listed, more=len(first) > len(listed))

    def _iter_json_problems(self, rows: Sequence[Any], start: int) -> Iterator[Problem]:
        """One case after the other, so that no more is looked at than is listed."""
        for row in range(start, len(rows)):
            named: set[str | None] = set()
            try:
                self._case.validate_json(to_json(rows[row], inf_nan_mode="constants"))
            except ValidationError as err:
                if err.error_count() > MOST_ERRORS:
                    yield Problem(row, None, FOREIGN)
                    continue
                for problem in self._iter_problems(err, row):
                    named.add(problem.field)
                    yield problem
            for name in self._columns.keys() - named if isinstance(rows[row], dict) else ():
                if name in rows[row]:
                    yield from self._read_cell(row, name, rows[row])

    def _iter_problems(self, err: ValidationError, row: int) -> Iterator[Problem]:
        """What is wrong with one case, one problem per field, without any value.

        There may be as many errors as a body can hold: each is worded only when it is needed.
        """
        named: set[str | None] = set()
        for error in err.errors(include_url=False, include_context=False):
            name = str(error["loc"][0]) if error["loc"] else None
            # a word or a whole number has one error per way in which it could have been one
            if name in named:
                continue
            named.add(name)
            kind, value = error["type"], error["input"]
            if name is None:
                came = describe_value_type(value, None)
                words = f"expected an object with the fields of the model; got {came}"
            elif kind == "extra_forbidden":
                words, name = self._describe_unknown_field(name), None
            elif name == ID:
                words, name = WRONG_ID, None
            else:
                field = self._fields[name]
                came = "nothing" if kind == "missing" else describe_value_type(value, field)
                yield self._describe_cell(row, name, came)
                continue
            yield Problem(row, name, words)

    def _describe_unknown_field(self, key: str) -> str:
        """Shown only where it looks like a column: somebody may have sent ids as keys."""
        shown = f"a field {key!r}" if re.fullmatch(COLUMN_NAME, key) else "a field"
        return f"the model does not know {shown}. {did_you_mean(key[:64], self._fields)}"

    def _describe_repeated_key(self, key: str) -> str:
        known = key in self._fields or key in (DATA, INSTANCES, ID)
        return f"expected each field once; {repr(key) if known else 'a key'} comes more than once"


def has_more_values_than(text: bytes, values: int) -> bool:
    """Whether a text has far more values than it may, before anything is made of it.

    A parser makes a hundred bytes of the two characters `0,`: a body within its limit could take
    half a gigabyte.

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

    def remember_repeated_key(pairs: Sequence[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        objects.append(next((key for key in keys if keys.count(key) > 1), None))

    json.loads(text, object_pairs_hook=remember_repeated_key)
    *cases, outer = objects
    if outer is not None:
        return None, outer
    return next((row, key) for row, key in enumerate(cases) if key is not None)


def _parse_csv_lines(content: bytes, most: int) -> list[list[str]]:
    """The first lines that are not empty."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ApiError(400, "no_csv", "The body should be CSV in UTF-8; it is no UTF-8.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return list(islice((line for line in reader if line), most))
    except csv.Error as err:
        # in the module's fixed words, which repeat nothing of the text
        raise ApiError(400, "no_csv", f"The body should be CSV: {err}.") from None


def _make_invalid_cases_error(
    problems: Sequence[Problem], code: str = "wrong_cases", *, more: bool = False
) -> ApiError:
    message = "The request does not fit the fields of the model, see problems"
    return ApiError(422, code, f"{message}{' (the first ones)' if more else ''}.", problems)


def _make_wrong_body_error(names: tuple[str, ...]) -> ApiError:
    listing = " or ".join(f'{{"{name}": [...]}}' for name in names)
    expected = f"expected an object with one array of cases: {listing}"
    return _make_invalid_cases_error([Problem(None, None, expected)])
