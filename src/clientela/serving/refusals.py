"""What the API says when it does not answer: one form for every refusal, without any value.

{"error": {"code", "message", "problems": [{"row", "field", "problem"}]}, "request_id"}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from clientela.exceptions import CaseRefused


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


class Refusal(CaseRefused):
    """A request that is not answered, as its sender is told.

    Args:
        status: Of HTTP.
        code: For programs; stable.
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
        """The reply.

        Args:
            request_id: Of the request.

        Returns:
            JSON.
        """
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        error["problems"] = [vars(problem) for problem in self.problems]
        return orjson.dumps({"error": error, "request_id": request_id})


def too_large(limit: int) -> Refusal:
    """The refusal of a body above the limit.

    Args:
        limit: In bytes.

    Returns:
        Status 413.
    """
    return Refusal(
        413,
        "body_too_large",
        f"The body should be of at most {limit} bytes. Send fewer cases at a time.",
        headers={"connection": "close"},
    )
