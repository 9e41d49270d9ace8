"""The models that are served now, by use case: read by every request, changed by one thread."""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import orjson

from clientela.exceptions import ModelFileError, NoApprovedModelError, did_you_mean
from clientela.features.columns import build_columns
from clientela.registry.manifest import ServedManifest
from clientela.registry.package import ModelPackage, load_package_files, open_package
from clientela.registry.scorers import Scorer, build_scorer
from clientela.serving.case_reader import CaseReader, RequestLimits
from clientela.serving.errors import ApiError
from clientela.serving.schemas import ResponseWriter

# The models that are served now, by use case: read by every request, changed by one thread.


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model that is ready to answer, with what reads and writes for it.

    A request takes one and keeps it to its end, whatever becomes of the shelf meanwhile.

    Attributes:
        number: Of the entry in the registry; None where nobody knows.
    """

    scorer: Scorer
    reader: CaseReader
    replies: ResponseWriter
    number: int | None = None

    @property
    def manifest(self) -> ServedManifest:
        """What the model is."""
        return self.scorer.manifest

    def named(self) -> dict[str, Any]:
        """Which model it is."""
        shown = {"use_case", "role", "version"}
        return {"number": self.number, **self.manifest.model_dump(include=shown)}

    def to_public_dict(self) -> dict[str, Any]:
        """What anybody who may ask the model may know of it: nothing of its training rows."""
        shown = {
            "use_case",
            "role",
            "version",
            "group",
            "task",
            "classes",
            "target",
            "score_name",
            "primary_metric",
            "grades",
            "fields",
            "example",
        }
        return {"number": self.number, **self.manifest.model_dump(mode="json", include=shown)}


class ModelStore:
    """The served models.

    The mapping is never changed, only replaced: readers need no lock, and see the models of one
    moment.
    """

    def __init__(self) -> None:
        self._models: Mapping[str, LoadedModel] = MappingProxyType({})

    @property
    def models(self) -> Mapping[str, LoadedModel]:
        """The models of this moment, by use case."""
        return self._models

    def replace(self, models: Mapping[str, LoadedModel]) -> None:
        """Serve these models from now on."""
        self._models = MappingProxyType(dict(models))

    def model(self, use_case: str) -> LoadedModel:
        """The model of a use case.

        Raises:
            Refusal: None is served (404).
        """
        found = self._models.get(use_case)
        if found is None:
            raise ApiError(
                404,
                "no_model",
                "No approved model is served under this name. "
                f"{did_you_mean(use_case[:64], self._models)} GET /models lists them.",
            )
        return found


# From a package to a model on the shelf, after it gave the answer that it should.


TOLERANCE: Final = 1e-5
"""Between the answer to the example and the one that was written when the model was packaged."""


def build_loaded_model(
    served: ModelPackage, limits: RequestLimits, number: int | None, where: str
) -> LoadedModel:
    """A model that is ready to answer.

    Args:
        served: Of a package that was verified.
        limits: How much a request may hold.
        number: Of the entry in the registry.
        where: What to call the package in errors.

    Returns:
        The model, which answered its example as it should.
    """
    manifest = served.manifest
    reader = CaseReader(manifest.fields, limits)
    model = LoadedModel(build_scorer(served), reader, ResponseWriter(manifest), number)
    _verify_example(model, where)
    return model


def load_unpacked_model(folder: Path, limits: RequestLimits) -> LoadedModel:
    """The model of a package that was unpacked into a folder, as SageMaker does.

    Args:
        limits: How much a request may hold.

    Raises:
        NothingApproved: There is nothing in the folder.
        ModelFileError: The package is damaged, foreign, or does not answer its example.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise NoApprovedModelError(
            f"Expected an unpacked package in {folder}; there are no files. Mount one there, or "
            "name the folder in CLIENTELA_API_MODEL."
        )
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return build_loaded_model(load_package_files(files, str(folder)), limits, None, str(folder))


def _verify_example(model: LoadedModel, where: str) -> None:
    example = model.manifest.example
    try:
        batch = model.reader.batch(orjson.dumps({"data": [example.case]}))
    except ApiError as err:
        problems = "; ".join(f"{problem.field}: {problem.problem}" for problem in err.problems)
        raise ModelFileError(
            f"The package {where} refuses the example in its own manifest ({problems}). Run the "
            "deployment stage again."
        ) from err
    answers = model.scorer.answers(build_columns(batch.cases, model.manifest.read))
    label = model.manifest.classes[int(answers.codes[0])]
    close = math.isclose(
        float(answers.expected[0]), example.expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE
    )
    if label != example.label or not close:
        raise ModelFileError(
            f"The package {where} should answer its own example with {example.label} "
            f"({example.expected:g}); it answers {label} ({float(answers.expected[0]):g}). Was it "
            "made with other versions of the libraries? Run the deployment stage again."
        )


# Keeps the shelf as the store has it: newly approved models come in, broken ones stay out.


logger = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 300.0
"""Seconds between two tries of the same broken package."""


class ModelPointer(Protocol):
    """What a store says of one served model; see `clientela.registry.published_models.PublishedModel`."""

    @property
    def use_case(self) -> str:
        """Whose model."""

    @property
    def number(self) -> int:
        """Of the entry in the registry."""

    @property
    def version(self) -> str:
        """Of the manifest."""

    @property
    def package_sha256(self) -> str:
        """Of the package."""


class PackageStore(Protocol):
    """Where approved models lie; see `clientela.registry.published_models.PublishedModelStore`."""

    def served(self) -> Mapping[str, Any]:
        """Pointers by use case."""

    def package(self, pointer: Any) -> bytes:
        """The package that a pointer names."""


@dataclass
class _LoadFailure:
    """A package that could not be served, and when it is tried again."""

    pointer: Any
    words: str
    pause: float
    again: float


class ModelReloader:
    """Compares shelf and store, now and then.

    Args:
        limits: How much a request may hold.
        failed: Called with the use case, or an empty text for the store, whenever one fails.
        now: A clock that never goes back.
    """

    def __init__(  # noqa: PLR0913 - what it needs to watch
        self,
        store: PackageStore,
        shelf: ModelStore,
        limits: RequestLimits,
        *,
        seconds: float,
        failed: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._shelf, self._limits, self._seconds = store, shelf, limits, seconds
        self._failed, self._now = failed, now
        self._pointers: dict[str, Any] = {}
        self._failures: dict[str, _LoadFailure] = {}
        self._store_words = ""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.seen: float | None = None
        """When the store was last read, on the clock; None before."""

    def start(self) -> None:
        """Look again and again from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Look no more.

        Args:
            seconds: Most to wait for a look that has begun.
        """
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def age(self) -> float | None:
        """Seconds since the store was last read; None where it never was."""
        return None if self.seen is None else self._now() - self.seen

    def reload_models(self) -> None:
        """Compare once; the shelf changes only for models that are proved."""
        try:
            pointers = dict(self._store.served())
        except Exception as err:  # noqa: BLE001 - whatever a store raises, the models stay
            self._record_store_failure(err)
            return
        self.seen, self._store_words = self._now(), ""
        models = dict(self._shelf.models)
        for gone in sorted(set(models) - set(pointers)):
            logger.info("%s is no longer served: it was withdrawn", gone)
            del models[gone]
            self._pointers.pop(gone, None)
        for use_case, pointer in pointers.items():
            model = self._load_if_new(use_case, pointer)
            if model is not None:
                models[use_case] = model
                self._pointers[use_case] = pointer
        if models != dict(self._shelf.models):
            self._shelf.replace(models)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.reload_models()

    def _load_if_new(self, use_case: str, pointer: Any) -> LoadedModel | None:
        """The model of a pointer that is not served yet; None where there is nothing to do."""
        if self._pointers.get(use_case) == pointer:
            return None
        failure = self._failures.get(use_case)
        if failure and failure.pointer == pointer and self._now() < failure.again:
            return None
        try:
            model = self._load_model(pointer)
        except Exception as err:  # noqa: BLE001 - whatever a package raises, the last one stays
            self._record_package_failure(use_case, pointer, err)
            return None
        self._failures.pop(use_case, None)
        logger.info("%s: version %s is served now", use_case, pointer.version)
        return model

    def _load_model(self, pointer: ModelPointer) -> LoadedModel:
        where = f"{pointer.use_case} {pointer.version}"
        served = open_package(self._store.package(pointer), where, pointer.package_sha256)
        found = served.manifest.use_case, served.manifest.version
        if found != (pointer.use_case, pointer.version):
            raise ModelFileError(
                f"The package that is served as {where} is of {' '.join(found)}. Approve it again."
            )
        return build_loaded_model(served, self._limits, pointer.number, where)

    def _record_package_failure(self, use_case: str, pointer: Any, err: Exception) -> None:
        last = self._failures.get(use_case)
        again = last is not None and last.pointer == pointer
        pause = min(last.pause * 2, LONGEST_PAUSE) if last and again else self._seconds
        words = f"{type(err).__name__}: {err}"
        if not (last and again and last.words == words):
            stays = "the last good model stays" if use_case in self._shelf.models else "none serves"
            logger.error("%s: a new package can't be served, %s. %s", use_case, stays, words)
        self._failures[use_case] = _LoadFailure(pointer, words, pause, self._now() + pause)
        self._failed(use_case)

    def _record_store_failure(self, err: Exception) -> None:
        words = f"{type(err).__name__}: {err}"
        if words != self._store_words:
            logger.error("The folder of served models can't be read; they stay. %s", words)
        self._store_words = words
        self._failed("")
