"""A language model as a labeller: asks, reads strictly, and lets it mend its form once."""

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from clientela.labelling.cases import Fields
from clientela.labelling.chat import Chat, Completion, Question, Usage
from clientela.labelling.contract import (
    LONGEST_DESCRIPTION,
    OffContract,
    Refusal,
    description_in,
    label_in,
)
from clientela.labelling.failures import LostReason, Unanswerable
from clientela.labelling.labeller import Reply
from clientela.labelling.prompts import Prompt, Prompts, filled, labels_as_data, row_as_data
from clientela.labelling.settings import LanguageModelSettings

Read = TypeVar("Read")

STOPPED: dict[str, tuple[LostReason, str]] = {
    "truncated": ("truncated", "the answer was cut off at the largest number of tokens"),
    "refused": ("refused", "the model refused to answer"),
    "guardrail": ("guardrail", "a guardrail stepped in"),
    "other": ("malformed", "the model stopped for a reason that is not known here"),
}
"""A reason to stop other than having ended, which comes with HTTP 200, to what it means."""

OBJECTION = (
    "That answer can't be used: {problem}. Answer the same question again, with nothing but the "
    "JSON object."
)


class LanguageModel:
    """A language model that labels from the description alone; see `Labeller`.

    Args:
        chat: The model, patient and within its budget.
        prompts: What it is asked with.
        labels: The labels there are.
        settings: Model and lengths.
        provider: Whose model it is; part of the identity.
    """

    paid: bool = True

    def __init__(
        self,
        chat: Chat,
        prompts: Prompts,
        labels: Sequence[str],
        settings: LanguageModelSettings,
        provider: str,
    ) -> None:
        self._chat = chat
        self._prompts = prompts
        self._labels = tuple(labels)
        self._settings = settings
        self.source: str = settings.model
        self.identity: str = json.dumps(
            {
                "provider": provider,
                "model": settings.model,
                "temperature": settings.temperature,
                "tokens": [settings.description_tokens, settings.label_tokens],
                "prompts": [vars(prompts.describe), vars(prompts.label)],
                "labels": self._labels,
            },
            sort_keys=True,
        )

    def describe(self, fields: Fields) -> Reply:
        """See `Labeller`."""
        return self._asked(self._description_question(fields), description_in)

    def label(self, fields: Fields, description: str) -> Reply:
        """See `Labeller`; the row itself is not looked at."""
        del fields
        question = self._label_question(description)
        return self._asked(question, lambda answer: label_in(answer, self._labels))

    def most(self, fields: Fields) -> Usage:
        """See `Labeller`."""
        described = self._description_question(fields)
        longest = "x" * min(LONGEST_DESCRIPTION, 4 * self._settings.description_tokens)
        return described.worst + self._label_question(longest).worst

    def _description_question(self, fields: Fields) -> Question:
        prompt = filled(self._prompts.describe, row=row_as_data(fields))
        return _question(prompt, self._settings.description_tokens)

    def _label_question(self, description: str) -> Question:
        prompt = filled(
            self._prompts.label,
            # as data in quotes, too: whoever wrote the description read text of the row
            description=json.dumps(description, ensure_ascii=False),
            labels=labels_as_data(self._labels),
        )
        return _question(prompt, self._settings.label_tokens)

    def _asked(self, question: Question, read: Callable[[str], str]) -> Reply:
        first = self._chat(question)
        spent = first.usage
        try:
            return Reply(_read(first, read, spent), spent)
        except OffContract as problem:
            objection = OBJECTION.format(problem=problem)
        turns = (*question.turns, first.text or "(nothing)", objection)
        second = self._chat(Question(question.system, turns, question.most_tokens))
        spent += second.usage
        try:
            return Reply(_read(second, read, spent), spent)
        except OffContract as problem:
            detail = f"twice in another form than asked for: {problem}"
            raise Unanswerable("malformed", detail, spent) from problem


def _question(prompt: Prompt, most_tokens: int) -> Question:
    return Question(prompt.system, (prompt.user,), most_tokens)


def _read(completion: Completion, read: Callable[[str], str], spent: Usage) -> str:
    if completion.stop != "end":
        reason, detail = STOPPED[completion.stop]
        raise Unanswerable(reason, detail, spent)
    try:
        return read(completion.text)
    except Refusal as refusal:
        raise Unanswerable("refused", str(refusal), spent) from refusal
