"""Answers that were paid for are kept, so that no rerun and no interruption pays for them twice."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from threading import Lock
from typing import Any, Literal, Never, NoReturn, TypeAlias

from fsspec.core import url_to_fs
from kedro.io import AbstractDataset
from pydantic import ValidationError

from clientela.aws_settings import AwsSettings, parse_aws_settings
from clientela.exceptions import LabellingError
from clientela.models.settings import LabellingSettings
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
from clientela.settings_base import FrozenSettings
from clientela.storage import is_stored, read_file_if_present, write_file_atomically

Step: TypeAlias = Literal["describe", "label"]


class StoredAnswer(FrozenSettings):
    """What a labeller said to one question, or why it said nothing that can be used.

    Attributes:
        text: The description or the label; None without one.
        lost: Why there is none, and `detail` the same in words.
    """

    text: str | None = None
    lost: LostReason | None = None
    detail: str = ""
    input_tokens: int = 0
    output_tokens: int = 0

    def reply(self) -> Reply:
        """The answer, which costs nothing now."""
        if self.lost is not None:
            raise UnanswerableError(self.lost, self.detail)
        return Reply(self.text)


ALL = "answers.jsonl"
NEW = "new"


class FileAnswerStore:
    """Answers in a folder; safe to share between threads.

    `new/<key>.json` is written when an answer comes; `compact` puts them into `answers.jsonl` and
    removes them then, so that a kill between the two leaves both, which agree.
    """

    def __init__(self, path: str) -> None:
        self._path = path.rstrip("/")
        self._lock = Lock()
        self._new = _read_new_answers(f"{self._path}/{NEW}")
        self._known = _read_answer_file(f"{self._path}/{ALL}") | self._new

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> StoredAnswer | None:
        """The answer to a question; None where there is none yet."""
        return self._known.get(key)

    def put(self, key: str, answer: StoredAnswer) -> None:
        """Keeps an answer: when this returns, a kill can't take it away."""
        write_file_atomically(f"{self._path}/{NEW}/{key}.json", answer.model_dump_json().encode())
        with self._lock:
            self._known[key] = self._new[key] = answer

    def compact(self) -> None:
        """Puts what was kept one by one into one file; the same answers give the same bytes."""
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


def _read_answer_file(address: str) -> dict[str, StoredAnswer]:
    content = read_file_if_present(address)
    if content is None:
        return {}
    answers = {}
    try:
        for line in content.decode().splitlines():
            fields = json.loads(line)
            key = str(fields.pop("key"))
            answers[key] = StoredAnswer.model_validate(fields)
    except (ValueError, LookupError, TypeError, AttributeError) as err:
        raise LabellingError(
            f"{address} should hold one stored answer per line, but has a line that is none. Put "
            "the file back from a copy, or remove it: its answers are then paid for again."
        ) from err
    return answers


def _read_new_answers(folder: str) -> dict[str, StoredAnswer]:
    fs, path = url_to_fs(folder)
    fs.invalidate_cache(path)
    files = [name for name in fs.find(path) if name.endswith(".json")]
    contents: dict[str, bytes] = fs.cat(files) if files else {}
    answers = {}
    for name, content in contents.items():
        try:
            answer = StoredAnswer.model_validate_json(content)
        except ValidationError:
            continue  # an answer that was not written to its end was not kept: it is asked again
        answers[name.rsplit("/", 1)[-1].removesuffix(".json")] = answer
    return answers


class CachedLabeller:
    """A labeller that is never asked the same question twice.

    Args:
        store: Where its answers are kept; a labeller that costs nothing is asked anew.
        retry_lost: Whether answers that could not be used are asked for again.
    """

    def __init__(
        self,
        labeller: Labeller,
        store: FileAnswerStore,
        *,
        repeat: int = 0,
        retry_lost: bool = False,
    ) -> None:
        self._labeller = labeller
        self._store = store
        self._repeat = repeat
        self._retry_lost = retry_lost

    def describe(self, fields: Fields) -> Reply:
        """The description of a row, remembered or asked for."""
        key = self._build_key("describe", fields)
        return self._answer(key, lambda: self._labeller.describe(fields))

    def label(self, fields: Fields, description: str) -> Reply:
        """The label of a row, remembered or asked for."""
        key = self._build_key("label", {"description": description})
        return self._answer(key, lambda: self._labeller.label(fields, description))

    def has_answered(self, fields: Fields) -> bool:
        """Whether nothing more is to be asked about a row."""
        described = self._load_answer(self._build_key("describe", fields))
        if described is None or described.text is None:
            return described is not None
        key = self._build_key("label", {"description": described.text})
        return self._load_answer(key) is not None

    def compute_worst_usage(self, fields: Fields) -> Usage:
        """See `Labeller`."""
        return self._labeller.compute_worst_usage(fields)

    def _answer(self, key: str, ask: Callable[[], Reply]) -> Reply:
        stored = self._load_answer(key)
        if stored is not None:
            return stored.reply()
        try:
            reply = ask()
        except UnanswerableError as failure:
            # an answer that can't be used was paid for, too
            lost = StoredAnswer(lost=failure.reason, detail=failure.detail, **vars(failure.usage))
            self._save_answer(key, lost)
            raise
        self._save_answer(key, StoredAnswer(text=reply.text, **vars(reply.usage)))
        return reply

    def _build_key(self, step: Step, request: Mapping[str, Any]) -> str:
        """The name of a question: made of all that its answer depends on, and of nobody's key."""
        parts = [self._labeller.identity, step, dict(request), self._repeat]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()

    def _load_answer(self, key: str) -> StoredAnswer | None:
        if not self._labeller.paid:
            return None
        answer = self._store.get(key)
        return None if answer is not None and answer.lost and self._retry_lost else answer

    def _save_answer(self, key: str, answer: StoredAnswer) -> None:
        if self._labeller.paid:
            self._store.put(key, answer)


class AnswerStoreDataset(AbstractDataset[Never, FileAnswerStore]):
    """The store of one use case. A node that loads it reads from it and adds to it."""

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = path
        self.metadata = metadata

    def load(self) -> FileAnswerStore:
        """The answers so far; none before the first run."""
        return FileAnswerStore(self._path)

    def save(self, data: Never) -> NoReturn:
        """Answers are added one by one, by whoever gets them."""
        raise NotImplementedError("A store of answers is an input, and no node's output.")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "begun": is_stored(self._path)}


class LanguageModels:
    """Makes a language model of its settings; nothing is asked before the first question."""

    def __init__(self, aws: AwsSettings) -> None:
        self._aws = aws

    @contextmanager
    def open_chat(self, settings: LabellingSettings) -> Iterator[Chat | None]:
        """The model that settings name, whose connections are closed afterwards."""
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
