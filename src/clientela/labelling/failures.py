"""Why a row ends without a label, and which failures may pass.

CallFailed
├── Passing         busy, slow, or briefly away: the same call may succeed later
├── Unanswerable    this row gets no usable answer, however often it is asked
└── Hopeless        no row will get one: no permission, no such model, no budget
"""

from typing import Literal, TypeAlias

from clientela.labelling.chat import Usage

LostReason: TypeAlias = Literal[
    "throttled",
    "timeout",
    "unavailable",
    "refused",
    "guardrail",
    "truncated",
    "malformed",
    "rejected",
    "suspicious_text",
]
"""Why a row has no label though it was meant to have one."""


class CallFailed(Exception):
    """A call without a usable answer.

    Args:
        reason: In one word.
        detail: For people; never what the row holds.
        usage: What it cost all the same.
    """

    def __init__(self, reason: LostReason, detail: str, usage: Usage | None = None) -> None:
        super().__init__(detail)
        self.reason: LostReason = reason
        self.detail = detail
        self.usage = usage or Usage()


class Passing(CallFailed):
    """Busy, slow, or briefly away: the same call may succeed later."""


class Unanswerable(CallFailed):
    """This row gets no usable answer, however often it is asked."""


class Hopeless(Exception):
    """No row will get an answer; the message says how to mend it."""
