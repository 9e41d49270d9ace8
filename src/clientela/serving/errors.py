"""What the API says when it does not answer: one form for every refusal, without any value."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic_core import ValidationError

from clientela.exceptions import InvalidCaseError, did_you_mean
from clientela.features.columns import InputField
from clientela.serving.schemas import ID, LONGEST_ID, describe_expectation

# What the API says when it does not answer: one form for every refusal, without any value.
#
# {"error": {"code", "message", "problems": [{"row", "field", "problem"}]}, "request_id"}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request.

    Attributes:
        row: Position of the case, from 0; None where no case is at fault.
        field: Name of the field, as the model calls it; None where no known one is at fault.
        problem: What was expected and what kind of thing came; never the value.
    """

    row: int | None
    field: str | None
    problem: str


class ApiError(InvalidCaseError):
    """A request that is not answered, as its sender is told.

    Args:
        message: For people: what was expected, and how to mend it.
        problems: Each thing that is wrong, as far as they are listed.
        headers: That the reply carries beside its own.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.problems = tuple(problems)
        self.headers = dict(headers or {})

    def body(self, request_id: str) -> bytes:
        """The reply."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        error["problems"] = [vars(problem) for problem in self.problems]
        return orjson.dumps({"error": error, "request_id": request_id})


def make_too_large_error(limit: int) -> ApiError:
    """The refusal of a body above the limit."""
    return ApiError(
        413,
        "body_too_large",
        f"The body should be of at most {limit} bytes. Send fewer cases at a time.",
        headers={"connection": "close"},
    )


# What is wrong with a case, in words that hold no value of it.
#
# The name of an unknown field is shown only where it looks like a column's: somebody may have sent
# ids as keys.


LIKE_A_COLUMN: Final = re.compile(r"(?!.*\d{4})[A-Za-z_][A-Za-z0-9_]{0,39}")
KINDS: Final = ((bool, "true or false"), (dict, "an object"), (list, "an array"))


class ProblemFormatter:
    """Errors of pydantic-core as problems."""

    def __init__(self, fields: Sequence[InputField], longest_word: int) -> None:
        self._fields = {field.name: field for field in fields}
        self._longest = longest_word

    def problems(self, err: ValidationError, row: int | None) -> Iterator[Problem]:
        """What is wrong with one case; one problem per field.

        Yields:
            In the order of the errors, each worded only when it is asked for: there may be as many
            as a body can hold.
        """
        named: set[str | None] = set()
        for error in err.errors(include_url=False, include_context=False):
            name = str(error["loc"][0]) if error["loc"] else None
            # a word or a whole number has one error per way in which it could have been one
            if name not in named:
                named.add(name)
                yield self._describe_problem(error["type"], name, error["input"], row)

    def describe_unknown_field(self, key: str) -> str:
        """A field that the model does not know.

        Returns:
            A sentence, with the known name that is nearest.
        """
        shown = f"a field {key!r}" if LIKE_A_COLUMN.fullmatch(key) else "a field"
        return f"the model does not know {shown}. {did_you_mean(key[:64], self._fields)}"

    def repeated(self, key: str) -> str:
        """A key that comes twice."""
        shown = repr(key) if key in self._fields or key in ("data", "instances", ID) else "a key"
        return f"expected each field once; {shown} comes more than once"

    def _describe_problem(
        self, kind: str, name: str | None, value: Any, row: int | None
    ) -> Problem:
        if name is None:
            expected = "an object with the fields of the model"
            return Problem(
                row, None, f"expected {expected}; got {_describe_value_type(value, None)}"
            )
        if kind == "extra_forbidden":
            return Problem(row, None, self.describe_unknown_field(name))
        if name == ID:
            return Problem(row, None, f"{ID}: expected text of 1 to {LONGEST_ID} characters")
        field = self._fields[name]
        expected = describe_expectation(field, self._longest)
        came = "nothing" if kind == "missing" else _describe_value_type(value, field)
        return Problem(row, name, f"expected {expected}; got {came}")


def limit_problems(problems: Iterable[Problem], most: int) -> tuple[list[Problem], bool]:
    """The first problems.

    Returns:
        The first ones, and whether there are more.
    """
    first: list[Problem] = []
    for problem in problems:
        if len(first) == most:
            return first, True
        first.append(problem)
    return first, False


def _describe_value_type(value: Any, field: InputField | None) -> str:
    """What kind of thing a value is."""
    if value is None:
        return "null"
    if isinstance(value, str):
        if field is None or field.kind in ("number", "integer"):
            return "text"
        return "text of another form" if field.kind == "moment" else "text of another length"
    for kind, name in KINDS:
        if isinstance(value, kind):
            return name
    return _describe_number(value, field)


def _describe_number(value: float, field: InputField | None) -> str:
    numeric = field is not None and field.kind in ("number", "integer")
    try:
        if not math.isfinite(value):
            return "no finite number"
    except OverflowError:
        return "a number too large"
    if not numeric:
        return "a number"
    whole = field is not None and field.kind == "integer"
    return "one with decimals" if whole and not float(value).is_integer() else "one outside"
