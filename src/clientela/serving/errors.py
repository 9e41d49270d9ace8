"""What the API says when it does not answer: one form for every refusal, without any value.

`{"error": {"code", "message", "problems": [{"row", "field", "problem"}]}, "request_id"}`
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from starlette.responses import Response

from clientela.exceptions import InvalidCaseError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request; see `clientela.serving.schemas.ProblemDetail`."""

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

    def to_response(self, request_id: str) -> Response:
        """The reply that refuses."""
        problems = [vars(problem) for problem in self.problems]
        error = {"code": self.code, "message": self.message, "problems": problems}
        content = orjson.dumps({"error": error, "request_id": request_id})
        return Response(content, self.status, self.headers, "application/json")


def make_too_large_error(limit: int) -> ApiError:
    """The refusal of a body above the limit of bytes."""
    return ApiError(
        413,
        "body_too_large",
        f"The body should be of at most {limit} bytes. Send fewer cases at a time.",
        headers={"connection": "close"},
    )
