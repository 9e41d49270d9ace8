"""What every language model does for this project, whoever runs it: one answer to one question."""

import json
import math
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from threading import Lock
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.models.labels import LanguageModelSettings, RetrySettings

# What every language model does for this project, whoever runs it: one answer to one question.


StopReason: TypeAlias = Literal["end", "truncated", "refused", "guardrail", "other"]

BYTES_PER_TOKEN = 2
"""So few bytes make a token at worst: byte-pair vocabularies need 3 to 4 for Spanish or English
prose, less for digits and rare words. A budget is checked against the worst."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more calls."""

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
        stop: Why the model stopped.
    """

    text: str
    stop: StopReason
    usage: Usage


class Chat(Protocol):
    """A language model."""

    def __call__(self, question: Question) -> Completion:
        """The answer to one question."""


# Why a row ends without a label, and which failures may pass.
#
# CallFailed
# ├── Passing         busy, slow, or briefly away: the same call may succeed later
# ├── Unanswerable    this row gets no usable answer, however often it is asked
# └── Hopeless        no row will get one: no permission, no such model, no budget


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


class ModelCallError(Exception):
    """A call without a usable answer.

    Args:
        detail: For people; never what the row holds.
        usage: What it cost all the same.
    """

    def __init__(self, reason: LostReason, detail: str, usage: Usage | None = None) -> None:
        super().__init__(detail)
        self.reason: LostReason = reason
        self.detail = detail
        self.usage = usage or Usage()


class TransientError(ModelCallError):
    """Busy, slow, or briefly away: the same call may succeed later."""


class UnanswerableError(ModelCallError):
    """This row gets no usable answer, however often it is asked."""


class FatalError(Exception):
    """No row will get an answer; the message says how to mend it."""


# The one form of an answer: a JSON object with one known key, and nothing around it.


LONGEST_DESCRIPTION = 4000
"""Characters; a longer one repeats itself."""


_REFUSAL = re.compile(
    r"\W*(i'?m sorry|i am sorry|sorry|i can(no|')t|i am (unable|not able)|i'm (unable|not able)|"
    r"as an ai|lo siento|no puedo|no me es posible|como (modelo|ia))\b",
    re.IGNORECASE,
)


class InvalidResponse(ValueError):
    """An answer in another form; the message says what is wrong, and never repeats the answer."""


class RefusalResponse(InvalidResponse):
    """Words of apology in the place of an answer: to ask for another form would not help."""


def parse_description(answer: str) -> str:
    """The description in an answer.

    Args:
        answer: What the model wrote: `{"description": "…"}`.

    Raises:
        OffContract: It is something else.
        Refusal: It is an apology.
    """
    text = _parse_single_value(answer, "description")
    if len(text) > LONGEST_DESCRIPTION:
        raise InvalidResponse(
            f'"description" must have at most {LONGEST_DESCRIPTION} characters, has {len(text)}'
        )
    return text


def parse_label(answer: str, labels: Sequence[str]) -> str:
    """The label in an answer.

    Args:
        answer: What the model wrote: `{"label": "…"}`.
        labels: The labels there are; one is to be repeated letter by letter.

    Raises:
        OffContract: It is something else.
        Refusal: It is an apology.
    """
    label = _parse_single_value(answer, "label")
    if label not in labels:
        raise InvalidResponse(
            f'"label" must be exactly one of {", ".join(map(json.dumps, labels))}'
        )
    return label


def _parse_single_value(answer: str, key: str) -> str:
    try:
        found = json.loads(
            answer, object_pairs_hook=_reject_duplicate_keys, parse_constant=_reject_constant
        )
    except json.JSONDecodeError as err:
        if _REFUSAL.match(answer):
            raise RefusalResponse("the model refused to answer") from err
        raise InvalidResponse("the answer must be one JSON object, with no text around it") from err
    except RecursionError as err:
        raise InvalidResponse("the answer must be one flat JSON object") from err
    if not isinstance(found, dict) or list(found) != [key]:
        raise InvalidResponse(f'the JSON object must have the one key "{key}"')
    value = found[key]
    if not isinstance(value, str) or not value.strip():
        raise InvalidResponse(f'"{key}" must be a string that is not empty')
    return value.strip()


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidResponse("the JSON object must not repeat a key")
    return found


def _reject_constant(constant: str) -> Any:
    raise InvalidResponse(f"{constant} is no JSON")


# Rows as a labeller sees them: a few named values, and nothing that tells whose they are.


Value: TypeAlias = str | int | float
Fields: TypeAlias = Mapping[str, Value]

MISSING = "unknown"
"""What a labeller reads where a value is missing, as the requirement has it."""


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        key: Its key; no labeller sees it (PII).
        fields: The shown columns in their order, missing values filled.
    """

    key: Value
    fields: Fields


def build_cases(rows: pd.DataFrame, key: str, columns: Sequence[str]) -> list[Case]:
    """The rows in the order of their keys.

    Returns:
        One case per row; whole numbers without a decimal point, missing values as `unknown`.
    """
    ordered = rows.sort_values(key, ignore_index=True)
    shown = ordered[list(columns)].astype(object)
    values = shown.where(shown.notna(), MISSING).to_dict("records")
    return [
        Case(
            _convert_to_python(key_),
            {str(name): _convert_to_python(value) for name, value in row.items()},
        )
        for key_, row in zip(ordered[key], values, strict=True)
    ]


def _convert_to_python(value: object) -> Value:
    """Python's own form of a value, which prints the same on every machine."""
    item = value.item() if hasattr(value, "item") else value
    if isinstance(item, bool) or not isinstance(item, int | float):
        return str(item)
    return int(item) if item == int(item) else item


# The texts that a language model is asked with: files of the catalog, filled in without markup.


DESCRIBE_PLACES = frozenset({"row"})
LABEL_PLACES = frozenset({"description", "labels"})


@dataclass(frozen=True)
class Prompt:
    """One text in two parts, divided by a line of three dashes.

    Attributes:
        system: Who the model is to be, and the form of its answer.
        user: What it is asked; `$name` is a place that is filled in.
    """

    system: str
    user: str


@dataclass(frozen=True)
class Prompts:
    """Both texts.

    Attributes:
        describe: Asks for a description; its place is `$row`.
        label: Asks for a label; its places are `$description` and `$labels`.
    """

    describe: Prompt
    label: Prompt


def parse_prompts(describe: str, label: str) -> Prompts:
    """Both texts, checked.

    Args:
        describe: Content of the file that asks for a description.
        label: Content of the file that asks for a label.

    Raises:
        ConfigurationError: A file is not in two parts, or its places are other ones.
    """
    return Prompts(
        _parse_prompt("describe", describe, DESCRIBE_PLACES),
        _parse_prompt("label", label, LABEL_PLACES),
    )


def format_row_as_json(fields: Fields) -> str:
    """A row as a language model reads it: JSON, in which no text can end its own quotes."""
    return json.dumps(dict(fields), ensure_ascii=False, indent=1)


def format_labels(labels: Sequence[str]) -> str:
    """The labels to choose from, each in quotes."""
    return " | ".join(json.dumps(label, ensure_ascii=False) for label in labels)


def fill_prompt(prompt: Prompt, **places: str) -> Prompt:
    """The prompt with its places filled in, in both parts.

    Args:
        places: Name to text; what a text holds is never taken for a place itself.
    """
    return Prompt(
        Template(prompt.system).safe_substitute(places),
        Template(prompt.user).safe_substitute(places),
    )


def _parse_prompt(name: str, text: str, places: frozenset[str]) -> Prompt:
    system, divider, user = text.replace("\r\n", "\n").partition("\n---\n")
    if not divider or not system.strip() or not user.strip():
        raise ConfigurationError(
            f"The prompt {name!r} should be two texts divided by a line of three dashes: what the "
            "model is told of its task, and what it is asked. Mend the file that the catalog names "
            f"for {name}_prompt."
        )
    found = set(Template(system).get_identifiers()) | set(Template(user).get_identifiers())
    if found != places:
        raise ConfigurationError(
            f"The prompt {name!r} should have the places {_format_placeholders(places)}, and has "
            f"{_format_placeholders(found)}. A dollar sign of your own is written $$."
        )
    return Prompt(system.strip(), user.strip())


def _format_placeholders(places: frozenset[str] | set[str]) -> str:
    return ", ".join(f"${place}" for place in sorted(places)) or "none"


# What every labeller does, rules and language models alike: describe a row, and label it.


@dataclass(frozen=True)
class Reply:
    """What a labeller said.

    Attributes:
        text: The description or the label; None where it abstains.
    """

    text: str | None
    usage: Usage = NOTHING


class Labeller(Protocol):
    """Rules, or a language model.

    Attributes:
        source: What `label_source` says of its labels.
        identity: Everything that its answers depend on beside the row, as text: model, parameters,
            prompts. Equal identities and rows have equal answers, so that stored ones can be used.
        paid: Whether an answer costs something, and is stored.
    """

    source: str
    identity: str
    paid: bool

    def describe(self, fields: Fields) -> Reply:
        """A description of a row for people.

        Raises:
            Hopeless: There will be none for any row.
        """

    def label(self, fields: Fields, description: str) -> Reply:
        """The label of a row.

        Args:
            fields: The row; a language model does not look at it.

        Raises:
            Hopeless: There will be none for any row.
        """

    def most(self, fields: Fields) -> Usage:
        """Tokens that describing and labelling one row can't exceed, if all goes well."""


# A language model as a labeller: asks, reads strictly, and lets it mend its form once.


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


class LanguageModelLabeller:
    """A language model that labels from the description alone; see `Labeller`.

    Args:
        chat: The model, patient and within its budget.
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
        return self._asked(self._build_description_question(fields), parse_description)

    def label(self, fields: Fields, description: str) -> Reply:
        """See `Labeller`; the row itself is not looked at."""
        del fields
        question = self._build_label_question(description)
        return self._asked(question, lambda answer: parse_label(answer, self._labels))

    def most(self, fields: Fields) -> Usage:
        """See `Labeller`."""
        described = self._build_description_question(fields)
        longest = "x" * min(LONGEST_DESCRIPTION, 4 * self._settings.description_tokens)
        return described.worst + self._build_label_question(longest).worst

    def _build_description_question(self, fields: Fields) -> Question:
        prompt = fill_prompt(self._prompts.describe, row=format_row_as_json(fields))
        return _build_question(prompt, self._settings.description_tokens)

    def _build_label_question(self, description: str) -> Question:
        prompt = fill_prompt(
            self._prompts.label,
            # as data in quotes, too: whoever wrote the description read text of the row
            description=json.dumps(description, ensure_ascii=False),
            labels=format_labels(self._labels),
        )
        return _build_question(prompt, self._settings.label_tokens)

    def _asked(self, question: Question, read: Callable[[str], str]) -> Reply:
        first = self._chat(question)
        spent = first.usage
        try:
            return Reply(_parse_completion(first, read, spent), spent)
        except InvalidResponse as problem:
            objection = OBJECTION.format(problem=problem)
        turns = (*question.turns, first.text or "(nothing)", objection)
        second = self._chat(Question(question.system, turns, question.most_tokens))
        spent += second.usage
        try:
            return Reply(_parse_completion(second, read, spent), spent)
        except InvalidResponse as problem:
            detail = f"twice in another form than asked for: {problem}"
            raise UnanswerableError("malformed", detail, spent) from problem


def _build_question(prompt: Prompt, most_tokens: int) -> Question:
    return Question(prompt.system, (prompt.user,), most_tokens)


def _parse_completion(completion: Completion, read: Callable[[str], str], spent: Usage) -> str:
    if completion.stop != "end":
        reason, detail = STOPPED[completion.stop]
        raise UnanswerableError(reason, detail, spent)
    try:
        return read(completion.text)
    except RefusalResponse as refusal:
        raise UnanswerableError("refused", str(refusal), spent) from refusal


# Asks again what failed in passing, later each time, and begins no more calls than are allowed.


SECONDS_PER_MINUTE = 60.0


class RetryingChat:
    """A language model that is asked again when it is busy.

    Args:
        patience: How often, and after which pauses.
    """

    def __init__(
        self, chat: Chat, patience: RetrySettings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._chat = chat
        self._patience = patience
        self._sleep = sleep

    def __call__(self, question: Question) -> Completion:
        """See `Chat`; raises the last failure when patience ends."""
        for attempt in range(1, self._patience.attempts):
            try:
                return self._chat(question)
            except TransientError:
                self._sleep(self._pause(attempt))
        return self._chat(question)

    def _pause(self, attempt: int) -> float:
        longest = self._patience.longest_pause_seconds
        pause: float = min(self._patience.pause_seconds * 2.0 ** (attempt - 1), longest)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, guards nothing


class RateLimitedChat:
    """A language model of which no more than so many calls are begun in a minute.

    Args:
        per_minute: How many; None: as fast as they are answered.
    """

    def __init__(
        self,
        chat: Chat,
        per_minute: float | None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat = chat
        self._interval = 0.0 if per_minute is None else SECONDS_PER_MINUTE / per_minute
        self._sleep = sleep
        self._clock = clock
        self._lock = Lock()
        self._next = float("-inf")

    def __call__(self, question: Question) -> Completion:
        """See `Chat`."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
        return self._chat(question)
