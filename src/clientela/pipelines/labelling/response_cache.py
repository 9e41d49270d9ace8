"""Answers that were paid for are kept, so that no rerun and no interruption pays for them twice."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any, Literal, Never, NoReturn, Protocol, Self, TypeAlias

from fsspec.core import url_to_fs
from kedro.io import AbstractDataset
from pydantic import BaseModel, ConfigDict, ValidationError

from clientela.aws_settings import AwsSettings, parse_aws_settings
from clientela.exceptions import LabellingError
from clientela.models.labels import LabellingSettings
from clientela.pipelines.labelling.language_model import (
    Chat,
    Fields,
    Labeller,
    LostReason,
    Reply,
    UnanswerableError,
    Usage,
)
from clientela.pipelines.labelling.providers import BedrockChat, OpenAIChat
from clientela.storage import is_stored, read_file_if_present, write_file_atomically

# Answers that were paid for are kept, so that no rerun and no interruption pays for them twice.


Step: TypeAlias = Literal["describe", "label"]


class StoredAnswer(BaseModel):
    """What a labeller said to one question, or why it said nothing that can be used.

    Attributes:
        text: The description or the label; None without one.
        lost: Why there is none; None where there is one.
        detail: The same in words.
        input_tokens: That were sent for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = None
    lost: LostReason | None = None
    detail: str = ""
    input_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def from_reply(cls, reply: Reply) -> Self:
        """A usable answer as it is stored."""
        return cls(text=reply.text, **vars(reply.usage))

    @classmethod
    def from_failure(cls, failure: UnanswerableError) -> Self:
        """An unusable answer as it is stored: it was paid for, too."""
        return cls(lost=failure.reason, detail=failure.detail, **vars(failure.usage))

    def reply(self) -> Reply:
        """The answer, which costs nothing now.

        Raises:
            Unanswerable: It can't be used.
        """
        if self.lost is not None:
            raise UnanswerableError(self.lost, self.detail)
        return Reply(self.text)


class AnswerStore(Protocol):
    """Where answers are kept; safe to share between threads."""

    def get(self, key: str) -> StoredAnswer | None:
        """The answer to a question; None where there is none yet."""

    def put(self, key: str, answer: StoredAnswer) -> None:
        """Keeps an answer: when this returns, a kill can't take it away."""

    def compact(self) -> None:
        """Puts what was kept one by one into one file."""


def build_question_key(
    labeller: Labeller, step: Step, asked: Mapping[str, Any], repeat: int
) -> str:
    """The name of a question: made of all that its answer depends on, and of nobody's key.

    Args:
        repeat: 0; for a second opinion of the same labeller 1, and so on.
    """
    parts = [labeller.identity, step, dict(asked), repeat]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


class CachedLabeller:
    """A labeller that is never asked the same question twice.

    Args:
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
        return self._answer(
            self._build_description_key(fields), lambda: self._labeller.describe(fields)
        )

    def label(self, fields: Fields, description: str) -> Reply:
        """See `Labeller`."""
        key = self._build_label_key(description)
        return self._answer(key, lambda: self._labeller.label(fields, description))

    def has_answered(self, fields: Fields) -> bool:
        """Whether nothing more is to be asked about a row."""
        described = self._load_answer(self._build_description_key(fields))
        if described is None or described.text is None:
            return described is not None
        return self._load_answer(self._build_label_key(described.text)) is not None

    def most(self, fields: Fields) -> Usage:
        """See `Labeller`."""
        return self._labeller.most(fields)

    def _answer(self, key: str, ask: Callable[[], Reply]) -> Reply:
        stored = self._load_answer(key)
        if stored is not None:
            return stored.reply()
        try:
            reply = ask()
        except UnanswerableError as failure:
            self._save_answer(key, StoredAnswer.from_failure(failure))
            raise
        self._save_answer(key, StoredAnswer.from_reply(reply))
        return reply

    def _build_description_key(self, fields: Fields) -> str:
        return build_question_key(self._labeller, "describe", fields, self._repeat)

    def _build_label_key(self, description: str) -> str:
        asked = {"description": description}
        return build_question_key(self._labeller, "label", asked, self._repeat)

    def _load_answer(self, key: str) -> StoredAnswer | None:
        if not self._labeller.paid:
            return None
        found = self._store.get(key)
        return None if found is not None and found.lost and self._retry_lost else found

    def _save_answer(self, key: str, answer: StoredAnswer) -> None:
        if self._labeller.paid:
            self._store.put(key, answer)


# Keeps answers that were paid for: each at once in a file of its own, later all in one.


ALL = "answers.jsonl"
NEW = "new"


class FileAnswerStore:
    """Answers in a folder; see `clientela.pipelines.labelling.response_cache.AnswerStore`.

    `new/<key>.json` is written when an answer comes; `compact` puts them into `answers.jsonl` and
    removes them then, so that a kill between the two leaves both, which agree.
    """

    def __init__(self, path: str) -> None:
        self._path = path.rstrip("/")
        self._lock = Lock()
        self._known = _read_answer_file(f"{self._path}/{ALL}")
        self._new = _read_new_answers(f"{self._path}/{NEW}")
        self._known |= self._new

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> StoredAnswer | None:
        """See `AnswerStore`."""
        return self._known.get(key)

    def put(self, key: str, answer: StoredAnswer) -> None:
        """See `AnswerStore`."""
        write_file_atomically(f"{self._path}/{NEW}/{key}.json", answer.model_dump_json().encode())
        with self._lock:
            self._known[key] = self._new[key] = answer

    def compact(self) -> None:
        """See `AnswerStore`; the same answers give the same bytes."""
        with self._lock:
            if not self._new:
                return
            lines = [
                json.dumps({"key": key, **answer.model_dump()}, ensure_ascii=False)
                for key, answer in sorted(self._known.items())
            ]
            write_file_atomically(
                f"{self._path}/{ALL}", "".join(f"{line}\n" for line in lines).encode()
            )
            fs, folder = url_to_fs(f"{self._path}/{NEW}")
            fs.rm(folder, recursive=True)
            self._new.clear()


class AnswerStoreDataset(AbstractDataset[Never, FileAnswerStore]):
    """The store of one use case. A node that loads it reads from it and adds to it.

    Args:
        metadata: For kedro-viz and the run summary.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = path
        self.metadata = metadata

    def load(self) -> FileAnswerStore:
        """The answers so far.

        Returns:
            A store; empty before the first answer.

        Raises:
            LabellingError: A file in it is damaged.
        """
        return FileAnswerStore(self._path)

    def save(self, data: Never) -> NoReturn:
        """Answers are added one by one, by whoever gets them."""
        raise NotImplementedError("A store of answers is an input, and no node's output.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "begun": is_stored(self._path)}


def _read_answer_file(address: str) -> dict[str, StoredAnswer]:
    content = read_file_if_present(address)
    if content is None:
        return {}
    return dict(_parse_answer_line(line, address) for line in content.decode().splitlines())


def _parse_answer_line(line: str, address: str) -> tuple[str, StoredAnswer]:
    try:
        fields = json.loads(line)
        return str(fields.pop("key")), StoredAnswer.model_validate(fields)
    except (ValueError, LookupError, TypeError, AttributeError) as err:
        raise LabellingError(
            f"{address} should hold one stored answer per line, but has a line that is none. Put "
            "the file back from a copy, or remove it: its answers are then paid for again."
        ) from err


def _read_new_answers(folder: str) -> dict[str, StoredAnswer]:
    fs, path = url_to_fs(folder)
    fs.invalidate_cache(path)
    files = [name for name in fs.find(path) if name.endswith(".json")]
    contents: dict[str, bytes] = fs.cat(files) if files else {}
    found = {}
    for name, content in contents.items():
        try:
            answer = StoredAnswer.model_validate_json(content)
        except ValidationError:
            continue  # an answer that was not written to its end was not kept: it is asked again
        found[name.rsplit("/", 1)[-1].removesuffix(".json")] = answer
    return found


# The language models that a run may ask, behind the catalog like all outside the project.


class LanguageModels:
    """Makes a language model of its settings; nothing is asked before the first question.

    Args:
        aws: Region and account, for those of Bedrock.
    """

    def __init__(self, aws: AwsSettings) -> None:
        self._aws = aws

    @contextmanager
    def open_chat(self, settings: LabellingSettings) -> Iterator[Chat | None]:
        """The model that settings name, whose connections are closed afterwards.

        Raises:
            ConfigurationError: What it needs is not installed.
        """
        if settings.provider == "bedrock":
            with closing(BedrockChat(settings.bedrock, self._aws, settings.workers)) as chat:
                yield chat
        elif settings.provider == "openai":
            with closing(OpenAIChat(settings.openai, settings.workers)) as chat:
                yield chat
        else:
            yield None


class LanguageModelsDataset(AbstractDataset[Never, LanguageModels]):
    """The language models of an environment."""

    def __init__(
        self, *, aws: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._aws = aws
        self.metadata = metadata

    def load(self) -> LanguageModels:
        """What makes them."""
        return LanguageModels(parse_aws_settings(self._aws or {}))

    def save(self, data: Never) -> NoReturn:
        """Models are asked, not written."""
        raise NotImplementedError("Language models are an input, and no node's output.")

    def _describe(self) -> dict[str, Any]:
        return {"aws": self._aws is not None}
