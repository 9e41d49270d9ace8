"""A language model as a labeller: one question, one strictly read answer, one attempt to mend it.

Rows are shown as a few named values that do not tell whose they are. Prompts are files of the
catalog, filled in without markup. An answer is a JSON object with one known key and nothing around
it. Failures:

ModelCallError
├── TransientError      busy, slow, or briefly away: the same call may succeed later
└── UnanswerableError   this row gets no usable answer, however often it is asked
FatalError              no row will get one: no permission, no such model, no budget
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.models.settings import LanguageModelSettings

StopReason: TypeAlias = Literal["end", "truncated", "refused", "guardrail", "other"]

# So few bytes make a token at worst: byte-pair vocabularies need 3 to 4 for Spanish or English
# prose, less for digits and rare words. A budget is checked against the worst.
BYTES_PER_TOKEN = 2


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
    """What came back, and why the model stopped."""

    text: str
    stop: StopReason
    usage: Usage


class Chat(Protocol):
    """A language model."""

    def __call__(self, question: Question) -> Completion:
        """The answer to one question."""


# Why a row has no label though it was meant to have one.
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


class ModelCallError(Exception):
    """A call without a usable answer."""

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


# Characters; a longer one repeats itself.
LONGEST_DESCRIPTION = 4000


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
    """The description in an answer `{"description": "…"}`."""
    text = _parse_single_value(answer, "description")
    if len(text) > LONGEST_DESCRIPTION:
        raise InvalidResponse(
            f'"description" must have at most {LONGEST_DESCRIPTION} characters, has {len(text)}'
        )
    return text


def parse_label(answer: str, labels: Sequence[str]) -> str:
    """The label in an answer `{"label": "…"}`, which is one of `labels`, letter by letter."""
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


Value: TypeAlias = str | int | float
Fields: TypeAlias = Mapping[str, Value]

# What a labeller reads where a value is missing, as the requirement has it.
MISSING = "unknown"


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
    """The text that asks for a description (place: `$row`), and the one that asks for a label."""

    describe: Prompt
    label: Prompt


def parse_prompts(describe: str, label: str) -> Prompts:
    """Both texts, checked.

    Raises:
        ConfigurationError: A text is not in two parts, or its places are other ones.
    """
    return Prompts(
        _parse_prompt("describe", describe, {"row"}),
        _parse_prompt("label", label, {"description", "labels"}),
    )


def format_row_as_json(fields: Fields) -> str:
    """A row as a language model reads it: JSON, in which no text can end its own quotes."""
    return json.dumps(dict(fields), ensure_ascii=False, indent=1)


def fill_prompt(prompt: Prompt, **places: str) -> Prompt:
    """Both parts with their places filled in; what a text holds is never taken for a place."""
    return Prompt(
        Template(prompt.system).safe_substitute(places),
        Template(prompt.user).safe_substitute(places),
    )


def _parse_prompt(name: str, text: str, places: set[str]) -> Prompt:
    system, divider, user = text.replace("\r\n", "\n").partition("\n---\n")
    if not divider or not system.strip() or not user.strip():
        raise ConfigurationError(
            f"The prompt {name!r} should be two texts divided by a line of three dashes: what the "
            "model is told of its task, and what it is asked. Mend the file that the catalog names "
            f"for {name}_prompt."
        )
    present = set(Template(system).get_identifiers()) | set(Template(user).get_identifiers())
    if present != places:
        expected, actual = (
            ", ".join(f"${place}" for place in sorted(each)) or "none" for each in (places, present)
        )
        raise ConfigurationError(
            f"The prompt {name!r} should have the places {expected}, and has {actual}. A dollar "
            "sign of your own is written $$."
        )
    return Prompt(system.strip(), user.strip())


@dataclass(frozen=True)
class Reply:
    """The description or the label; None where the labeller abstains."""

    text: str | None
    usage: Usage = Usage()


class Labeller(Protocol):
    """Rules, or a language model.

    Attributes:
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
            FatalError: There will be none for any row.
        """

    def label(self, fields: Fields, description: str) -> Reply:
        """The label of a row; a language model looks at the description alone.

        Raises:
            FatalError: There will be none for any row.
        """

    def compute_worst_usage(self, fields: Fields) -> Usage:
        """Tokens that describing and labelling one row can't exceed, if all goes well."""


Read = TypeVar("Read")

# A reason to stop other than having ended, which comes with HTTP 200, to what it means.
STOPPED: dict[str, tuple[LostReason, str]] = {
    "truncated": ("truncated", "the answer was cut off at the largest number of tokens"),
    "refused": ("refused", "the model refused to answer"),
    "guardrail": ("guardrail", "a guardrail stepped in"),
    "other": ("malformed", "the model stopped for a reason that is not known here"),
}

OBJECTION = (
    "That answer can't be used: {problem}. Answer the same question again, with nothing but the "
    "JSON object."
)


class LanguageModelLabeller:
    """A language model that labels from the description alone; see `Labeller`."""

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
        """Asks for a description."""
        return self._ask(self._build_description_question(fields), parse_description)

    def label(self, fields: Fields, description: str) -> Reply:
        """Asks for a label by the description; the row itself is not looked at."""
        del fields
        question = self._build_label_question(description)
        return self._ask(question, lambda answer: parse_label(answer, self._labels))

    def compute_worst_usage(self, fields: Fields) -> Usage:
        """The worst of both questions, with the longest description there may be."""
        described = self._build_description_question(fields)
        longest = "x" * min(LONGEST_DESCRIPTION, 4 * self._settings.description_tokens)
        return described.worst + self._build_label_question(longest).worst

    def _build_description_question(self, fields: Fields) -> Question:
        prompt = fill_prompt(self._prompts.describe, row=format_row_as_json(fields))
        return Question(prompt.system, (prompt.user,), self._settings.description_tokens)

    def _build_label_question(self, description: str) -> Question:
        prompt = fill_prompt(
            self._prompts.label,
            # as data in quotes, too: whoever wrote the description read text of the row
            description=json.dumps(description, ensure_ascii=False),
            labels=" | ".join(json.dumps(label, ensure_ascii=False) for label in self._labels),
        )
        return Question(prompt.system, (prompt.user,), self._settings.label_tokens)

    def _ask(self, question: Question, read: Callable[[str], str]) -> Reply:
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


def _parse_completion(completion: Completion, read: Callable[[str], str], spent: Usage) -> str:
    if completion.stop != "end":
        reason, detail = STOPPED[completion.stop]
        raise UnanswerableError(reason, detail, spent)
    try:
        return read(completion.text)
    except RefusalResponse as refusal:
        raise UnanswerableError("refused", str(refusal), spent) from refusal
