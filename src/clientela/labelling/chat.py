"""What every language model does for this project, whoever runs it: one answer to one question."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

StopReason: TypeAlias = Literal["end", "truncated", "refused", "guardrail", "other"]

BYTES_PER_TOKEN = 2
"""So few bytes make a token at worst: byte-pair vocabularies need 3 to 4 for Spanish or English
prose, less for digits and rare words. A budget is checked against the worst."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more calls.

    Attributes:
        input_tokens: That were sent.
        output_tokens: That came back.
    """

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Both directions together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        )


NOTHING = Usage()
"""What an answer costs that nobody is paid for."""


@dataclass(frozen=True)
class Question:
    """One question, with what was answered and objected before.

    Attributes:
        system: Who the model is to be, and the form of its answer.
        turns: What was said, the user first, in turns.
        most_tokens: Longest answer.
    """

    system: str
    turns: tuple[str, ...]
    most_tokens: int

    @property
    def worst(self) -> Usage:
        """Tokens it can't exceed."""
        written = len(self.system.encode()) + sum(len(turn.encode()) for turn in self.turns)
        return Usage(math.ceil(written / BYTES_PER_TOKEN), self.most_tokens)


@dataclass(frozen=True)
class Completion:
    """What came back.

    Attributes:
        text: The answer.
        stop: Why the model stopped.
        usage: What it cost.
    """

    text: str
    stop: StopReason
    usage: Usage


class Chat(Protocol):
    """A language model."""

    def __call__(self, question: Question) -> Completion:
        """The answer to one question.

        Args:
            question: What is asked.

        Returns:
            The answer, also where the model refused or was cut short.

        Raises:
            CallFailed: There is no answer.
        """
