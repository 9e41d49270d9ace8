"""Answers that were paid for are kept, so that no rerun and no interruption pays for them twice."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from clientela.labelling.cases import Fields
from clientela.labelling.chat import Usage
from clientela.labelling.failures import LostReason, Unanswerable
from clientela.labelling.labeller import Labeller, Reply

Step: TypeAlias = Literal["describe", "label"]


class StoredAnswer(BaseModel):
    """What a labeller said to one question, or why it said nothing that can be used.

    Attributes:
        text: The description or the label; None without one.
        lost: Why there is none; None where there is one.
        detail: The same in words.
        input_tokens: That were sent for it.
        output_tokens: That came back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = None
    lost: LostReason | None = None
    detail: str = ""
    input_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def of_reply(cls, reply: Reply) -> Self:
        """A usable answer as it is stored."""
        return cls(text=reply.text, **vars(reply.usage))

    @classmethod
    def of_failure(cls, failure: Unanswerable) -> Self:
        """An unusable answer as it is stored: it was paid for, too."""
        return cls(lost=failure.reason, detail=failure.detail, **vars(failure.usage))

    def reply(self) -> Reply:
        """The answer, which costs nothing now.

        Raises:
            Unanswerable: It can't be used.
        """
        if self.lost is not None:
            raise Unanswerable(self.lost, self.detail)
        return Reply(self.text)


class AnswerStore(Protocol):
    """Where answers are kept; safe to share between threads."""

    def get(self, key: str) -> StoredAnswer | None:
        """The answer to a question; None where there is none yet.

        Args:
            key: See `question_key`.
        """

    def put(self, key: str, answer: StoredAnswer) -> None:
        """Keeps an answer: when this returns, a kill can't take it away.

        Args:
            key: See `question_key`.
            answer: What was said.
        """

    def compact(self) -> None:
        """Puts what was kept one by one into one file."""


def question_key(labeller: Labeller, step: Step, asked: Mapping[str, Any], repeat: int) -> str:
    """The name of a question: made of all that its answer depends on, and of nobody's key.

    Args:
        labeller: Who is asked.
        step: Which of its two questions.
        asked: The row, or the description.
        repeat: 0; for a second opinion of the same labeller 1, and so on.

    Returns:
        64 hexadecimal digits.
    """
    parts = [labeller.identity, step, dict(asked), repeat]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


class Remembering:
    """A labeller that is never asked the same question twice.

    Args:
        labeller: Who is asked.
        store: Where its answers are kept; one that costs nothing is asked anew.
        repeat: Which opinion: 0 for the first one.
        retry_lost: Whether answers that could not be used are asked for again.
    """

    def __init__(
        self, labeller: Labeller, store: AnswerStore, *, repeat: int = 0, retry_lost: bool = False
    ) -> None:
        self._labeller = labeller
        self._store = store
        self._repeat = repeat
        self._retry_lost = retry_lost

    def describe(self, fields: Fields) -> Reply:
        """See `Labeller`."""
        return self._answer(self._description_key(fields), lambda: self._labeller.describe(fields))

    def label(self, fields: Fields, description: str) -> Reply:
        """See `Labeller`."""
        key = self._label_key(description)
        return self._answer(key, lambda: self._labeller.label(fields, description))

    def has_answered(self, fields: Fields) -> bool:
        """Whether nothing more is to be asked about a row."""
        described = self._stored(self._description_key(fields))
        if described is None or described.text is None:
            return described is not None
        return self._stored(self._label_key(described.text)) is not None

    def most(self, fields: Fields) -> Usage:
        """See `Labeller`."""
        return self._labeller.most(fields)

    def _answer(self, key: str, ask: Callable[[], Reply]) -> Reply:
        stored = self._stored(key)
        if stored is not None:
            return stored.reply()
        try:
            reply = ask()
        except Unanswerable as failure:
            self._keep(key, StoredAnswer.of_failure(failure))
            raise
        self._keep(key, StoredAnswer.of_reply(reply))
        return reply

    def _description_key(self, fields: Fields) -> str:
        return question_key(self._labeller, "describe", fields, self._repeat)

    def _label_key(self, description: str) -> str:
        asked = {"description": description}
        return question_key(self._labeller, "label", asked, self._repeat)

    def _stored(self, key: str) -> StoredAnswer | None:
        if not self._labeller.paid:
            return None
        found = self._store.get(key)
        return None if found is not None and found.lost and self._retry_lost else found

    def _keep(self, key: str, answer: StoredAnswer) -> None:
        if self._labeller.paid:
            self._store.put(key, answer)
