"""Keeps answers that were paid for: each at once in a file of its own, later all in one."""

import json
from threading import Lock
from typing import Any, Never, NoReturn

from fsspec.core import url_to_fs
from kedro.io import AbstractDataset
from pydantic import ValidationError

from clientela.datasets.storage import is_stored
from clientela.exceptions import LabellingError
from clientela.labelling.answers import StoredAnswer
from clientela.registry.whole_files import read_whole, write_whole

ALL = "answers.jsonl"
NEW = "new"


class FileAnswerStore:
    """Answers in a folder; see `clientela.labelling.answers.AnswerStore`.

    `new/<key>.json` is written when an answer comes; `compact` puts them into `answers.jsonl` and
    removes them then, so that a kill between the two leaves both, which agree.

    Args:
        path: The folder; local or `s3://`.
    """

    def __init__(self, path: str) -> None:
        self._path = path.rstrip("/")
        self._lock = Lock()
        self._known = _lines(f"{self._path}/{ALL}")
        self._new = _single_answers(f"{self._path}/{NEW}")
        self._known |= self._new

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> StoredAnswer | None:
        """See `AnswerStore`."""
        return self._known.get(key)

    def put(self, key: str, answer: StoredAnswer) -> None:
        """See `AnswerStore`."""
        write_whole(f"{self._path}/{NEW}/{key}.json", answer.model_dump_json().encode())
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
            write_whole(f"{self._path}/{ALL}", "".join(f"{line}\n" for line in lines).encode())
            fs, folder = url_to_fs(f"{self._path}/{NEW}")
            fs.rm(folder, recursive=True)
            self._new.clear()


class AnswerStoreDataset(AbstractDataset[Never, FileAnswerStore]):
    """The store of one use case. A node that loads it reads from it and adds to it.

    Args:
        path: The folder; local or `s3://`.
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


def _lines(address: str) -> dict[str, StoredAnswer]:
    content = read_whole(address)
    if content is None:
        return {}
    return dict(_line(line, address) for line in content.decode().splitlines())


def _line(line: str, address: str) -> tuple[str, StoredAnswer]:
    try:
        fields = json.loads(line)
        return str(fields.pop("key")), StoredAnswer.model_validate(fields)
    except (ValueError, LookupError, TypeError, AttributeError) as err:
        raise LabellingError(
            f"{address} should hold one stored answer per line, but has a line that is none. Put "
            "the file back from a copy, or remove it: its answers are then paid for again."
        ) from err


def _single_answers(folder: str) -> dict[str, StoredAnswer]:
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
