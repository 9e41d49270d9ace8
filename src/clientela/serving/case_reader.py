"""From the bytes of a request to its cases; what breaks the fields of the model is refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from pydantic_core import (
    CoreSchema,
    SchemaValidator,
    ValidationError,
    core_schema,
    from_json,
    to_json,
)

from clientela.inference.fields import InputField
from clientela.serving.case_schema import ID, case_schema
from clientela.serving.csv_text import csv_rows
from clientela.serving.json_text import holds_more_than, repeated_key, string_count
from clientela.serving.refusals import Problem, Refusal
from clientela.serving.wording import Wording, listed

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
class Limits:
    """How much a request may hold.

    Attributes:
        batch: Most cases.
        word: Most characters of a word.
        problems: Most problems that a refusal lists.
    """

    batch: int
    word: int
    problems: int


@dataclass(frozen=True)
class Batch:
    """The cases of a request.

    Attributes:
        cases: In order (PII); under `_id` what the sender calls each, where they said so.
    """

    cases: list[Case]


class CaseReader:
    """Reads requests to one model.

    Args:
        fields: Of its manifest.
        limits: How much a request may hold.

    Attributes:
        case: The schema of one case.
    """

    def __init__(self, fields: Sequence[InputField], limits: Limits) -> None:
        self.case = case_schema(fields, limits.word)
        self._limits = limits
        self._wording = Wording(fields, limits.word)
        self._names = [field.name for field in fields]
        self._texts = [field.name for field in fields if field.kind in ("word", "moment")] + [ID]
        self._most_values = (limits.batch + 1) * (len(fields) + 2)
        self._one = SchemaValidator(self.case)
        self._bodies = {
            (DATA,): SchemaValidator(_body(self.case, (DATA,), limits.batch)),
            (DATA, INSTANCES): SchemaValidator(_body(self.case, (DATA, INSTANCES), limits.batch)),
        }

    def batch(self, text: bytes, names: tuple[str, ...] = (DATA,)) -> Batch:
        """The cases of a JSON text.

        Args:
            text: An object with one array of cases.
            names: What the array may be called: `data`, or `data` and `instances`.

        Returns:
            The cases, as they came.

        Raises:
            Refusal: It is no JSON (400), holds too many cases (413), or breaks the fields (422).
        """
        if holds_more_than(text, self._most_values):
            raise self._too_many()
        try:
            found = self._bodies[names].validate_json(text)
        except ValidationError as err:
            raise self._refusal(err, text, names) from None
        present = [name for name in names if name in found]
        if len(present) != 1:
            raise _refused([Problem(None, None, _one_array(names))])
        cases = found[present[0]]
        if string_count(text) != self._strings(found, cases):
            row, key = repeated_key(text)
            raise _refused([Problem(row, None, self._wording.repeated(key))], "repeated_key")
        return Batch(cases)

    def batch_of_csv(self, content: bytes) -> tuple[Batch, bool]:
        """The cases of a CSV text.

        Args:
            content: One case per line, with or without a header.

        Returns:
            The cases, and whether there was a header.

        Raises:
            Refusal: It is no CSV (400), holds too many cases (413), or breaks the fields (422).
        """
        found = csv_rows(content, self._names, self._limits.batch)
        if len(found.rows) > self._limits.batch:
            raise self._too_many()
        if not found.rows:
            raise _refused([Problem(None, None, NO_CASE)])
        self._require_names(found.names)
        try:
            return Batch([self._one.validate_strings(row) for row in found.rows]), found.header
        except ValidationError:
            raise self._listed(self._problems_of_text(found.rows)) from None

    def case_of_text(self, text: Mapping[str, str]) -> Case:
        """A case of one row of text.

        Args:
            text: Field to text; without the empty ones, and without problems.

        Returns:
            The case.
        """
        found: Case = self._one.validate_strings(dict[str, Any](text))
        return found

    def problem(self, text: dict[str, Any]) -> list[Problem]:
        """What is wrong with one row of text.

        Args:
            text: Field to text; without the empty ones.

        Returns:
            Empty where nothing is.
        """
        return list(self._problems_of_text([text]))

    def _require_names(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in (*self._names, ID):
                raise _refused([Problem(None, None, self._wording.unknown(name))])
            if names.count(name) > 1:
                raise _refused([Problem(None, name, self._wording.repeated(name))], "repeated_key")

    def _strings(self, found: dict[str, Any], cases: list[Case]) -> int:
        """How many strings a text must have had that has no key twice."""
        keys = len(found) + sum(map(len, cases))
        texts = 0
        for name in self._texts:
            kinds = [type(case.get(name)) for case in cases]
            texts += kinds.count(str) + kinds.count(datetime)
        return keys + texts

    def _too_many(self) -> Refusal:
        return Refusal(
            413,
            "too_many_cases",
            f"At most {self._limits.batch} cases can be asked for at a time. Send them in parts.",
        )

    def _refusal(self, err: ValidationError, text: bytes, names: tuple[str, ...]) -> Refusal:
        if err.error_count() > MOST_ERRORS:
            return _refused([Problem(None, None, FOREIGN)])
        (first, *_) = err.errors(include_url=False, include_input=False)
        place = first["loc"]
        if first["type"] == "json_invalid":
            # where it breaks, in the parser's fixed words, which repeat nothing of the text
            return Refusal(400, "no_json", f"The body should be JSON: {first['ctx']['error']}.")
        if first["type"] == "too_long" and place[0] in names:
            return self._too_many()
        if len(place) > 1 and place[0] in names:
            rows = from_json(text)[place[0]]
            return self._listed(self._problems_from(rows, int(place[1])))
        return self._listed([Problem(None, None, _wrong_body(first["type"], names))])

    def _listed(self, problems: Iterator[Problem] | list[Problem]) -> Refusal:
        first, more = listed(problems, self._limits.problems)
        return _refused(first, more=more)

    def _problems_from(self, rows: Sequence[Any], start: int) -> Iterator[Problem]:
        """One case after the other, so that no more is looked at than is listed."""
        for row in range(start, len(rows)):
            try:
                self._one.validate_json(to_json(rows[row], inf_nan_mode="constants"))
            except ValidationError as err:
                many = err.error_count() > MOST_ERRORS
                foreign = [Problem(row, None, FOREIGN)]
                yield from foreign if many else self._wording.problems(err, row)

    def _problems_of_text(self, rows: Sequence[dict[str, Any]]) -> Iterator[Problem]:
        for row, text in enumerate(rows):
            try:
                self._one.validate_strings(text)
            except ValidationError as err:
                yield from self._wording.problems(err, row)


def _body(case: CoreSchema, names: tuple[str, ...], most: int) -> CoreSchema:
    cases = core_schema.list_schema(case, min_length=1, max_length=most, fail_fast=True)
    members = {
        name: core_schema.typed_dict_field(cases, required=len(names) == 1) for name in names
    }
    return core_schema.typed_dict_schema(members, extra_behavior="forbid")


def _refused(
    problems: Sequence[Problem], code: str = "wrong_cases", *, more: bool = False
) -> Refusal:
    message = "The request does not fit the fields of the model, see problems"
    return Refusal(422, code, f"{message}{' (the first ones)' if more else ''}.", problems)


def _one_array(names: tuple[str, ...]) -> str:
    listing = " or ".join(f'{{"{name}": [...]}}' for name in names)
    return f"expected an object with one array of cases: {listing}"


def _wrong_body(kind: str, names: tuple[str, ...]) -> str:
    if kind == "too_short":
        return NO_CASE
    return _one_array(names)
