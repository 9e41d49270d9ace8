"""The models that are served now, and what keeps them as the store of approved models has them.

Newly approved models come in, broken ones stay out: a package is verified, loaded and asked for its
own example before a request meets it, and the last good model stays until then.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson

from clientela.exceptions import ModelFileError, NoApprovedModelError, did_you_mean
from clientela.features.columns import InputField, build_columns
from clientela.registry.manifest import ServedManifest
from clientela.registry.package import (
    ModelPackage,
    PublishedModel,
    PublishedModelStore,
    load_package_files,
    open_package,
)
from clientela.registry.scorers import CompiledScorer, build_scorer
from clientela.serving.auth import ApiError
from clientela.serving.case_reader import CaseReader, RequestLimits
from clientela.serving.schemas import DATA, ResponseWriter

logger = logging.getLogger(__name__)

# Between the answer to the example and the one that was written when the model was packaged.
TOLERANCE: Final = 1e-5

# Seconds between two tries of the same broken package.
LONGEST_PAUSE: Final = 300.0

NAMED: Final = {"use_case", "role", "version"}
# What anybody who may ask a model may know of it: nothing of its training rows.
DESCRIBED: Final = NAMED | {
    "group",
    "task",
    "classes",
    "target",
    "score_name",
    "primary_metric",
    "grades",
    "fields",
    "text",
    "example",
}


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model that is ready to answer, with what reads and writes for it.

    A request takes one and keeps it to its end, whatever is served meanwhile.

    Attributes:
        fields: Those that it reads.
        number: Of the entry in the registry; None where nobody knows.
    """

    manifest: ServedManifest
    fields: list[InputField]
    scorer: CompiledScorer
    reader: CaseReader
    replies: ResponseWriter
    number: int | None = None

    def to_name(self) -> dict[str, Any]:
        """Which model it is."""
        return {"number": self.number, **self.manifest.model_dump(include=NAMED)}

    def to_public_dict(self) -> dict[str, Any]:
        """The fields of `ModelDescription`."""
        return {"number": self.number, **self.manifest.model_dump(mode="json", include=DESCRIBED)}


class ModelStore:
    """The served models.

    The mapping is never changed, only replaced: readers need no lock, and see the models of one
    moment.
    """

    def __init__(self) -> None:
        self._models: Mapping[str, LoadedModel] = MappingProxyType({})

    @property
    def by_use_case(self) -> Mapping[str, LoadedModel]:
        """The models of this moment."""
        return self._models

    def replace(self, models: Mapping[str, LoadedModel]) -> None:
        """Serve these models from now on."""
        self._models = MappingProxyType(dict(models))

    def get_model(self, use_case: str) -> LoadedModel:
        """The model of a use case."""
        model = self._models.get(use_case)
        if model is None:
            raise ApiError(
                404,
                "no_model",
                "No approved model is served under this name. "
                f"{did_you_mean(use_case[:64], self._models)} GET /models lists them.",
            )
        return model


def build_loaded_model(
    package: ModelPackage, limits: RequestLimits, number: int | None, where: str
) -> LoadedModel:
    """A model that is ready to answer, after it answered its example as it should."""
    manifest = package.manifest
    reader = CaseReader(
        manifest.fields, limits, manifest.use_case, manifest.example.case, manifest.text
    )
    scorer, replies = build_scorer(package), ResponseWriter(manifest)
    model = LoadedModel(manifest, manifest.read, scorer, reader, replies, number)
    _verify_example(model, where)
    return model


def load_unpacked_model(folder: Path, limits: RequestLimits) -> LoadedModel:
    """The model of a package that was unpacked into a folder, as SageMaker does.

    Raises:
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
        cases = model.reader.read_json(orjson.dumps({DATA: [example.case]}))
    except ApiError as err:
        problems = "; ".join(f"{problem.field}: {problem.problem}" for problem in err.problems)
        raise ModelFileError(
            f"The package {where} refuses the example in its own manifest ({problems}). Run the "
            "deployment stage again."
        ) from err
    answers = model.scorer.answers(build_columns(cases, model.fields))
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


@dataclass
class _LoadFailure:
    """A package that could not be served, and when it is tried again."""

    pointer: PublishedModel
    words: str
    pause: float
    again: float


class ModelReloader:
    """Brings the served models in line with the store, again and again.

    Args:
        failed: Called with the use case, or an empty text for the store, whenever one fails.
    """

    def __init__(  # noqa: PLR0913 - what it needs to watch
        self,
        store: PublishedModelStore,
        models: ModelStore,
        limits: RequestLimits,
        *,
        seconds: float,
        failed: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._models, self._limits, self._seconds = store, models, limits, seconds
        self._failed, self._now = failed, now
        self._pointers: dict[str, PublishedModel] = {}
        self._failures: dict[str, _LoadFailure] = {}
        self._store_words = ""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._read_at: float | None = None

    def start(self) -> None:
        """Look again and again from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="model reloader", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Look no more; waits so many seconds for a look that has begun."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def age(self) -> float | None:
        """Seconds since the store was last read; None where it never was."""
        return None if self._read_at is None else self._now() - self._read_at

    def reload_models(self) -> None:
        """Compare once; only models that answered their example are taken in."""
        try:
            pointers = dict(self._store.served())
        except Exception as err:  # noqa: BLE001 - whatever a store raises, the models stay
            words = f"{type(err).__name__}: {err}"
            if words != self._store_words:
                logger.error("The folder of served models can't be read; they stay. %s", words)  # noqa: TRY400
            self._store_words = words
            self._failed("")
            return
        self._read_at, self._store_words = self._now(), ""
        models = dict(self._models.by_use_case)
        for gone in sorted(set(models) - set(pointers)):
            logger.info("%s is no longer served: it was withdrawn", gone)
            del models[gone]
            self._pointers.pop(gone, None)
        for use_case, pointer in pointers.items():
            model = self._load_if_new(use_case, pointer)
            if model is not None:
                models[use_case] = model
                self._pointers[use_case] = pointer
        if models != dict(self._models.by_use_case):
            self._models.replace(models)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.reload_models()

    def _load_if_new(self, use_case: str, pointer: PublishedModel) -> LoadedModel | None:
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

    def _load_model(self, pointer: PublishedModel) -> LoadedModel:
        where = f"{pointer.use_case} {pointer.version}"
        package = open_package(self._store.package(pointer), where, pointer.package_sha256)
        name = f"{package.manifest.use_case} {package.manifest.version}"
        if name != where:
            raise ModelFileError(
                f"The package that is served as {where} is of {name}. Approve it again."
            )
        return build_loaded_model(package, self._limits, pointer.number, where)

    def _record_package_failure(
        self, use_case: str, pointer: PublishedModel, err: Exception
    ) -> None:
        last = self._failures.get(use_case)
        again = last is not None and last.pointer == pointer
        pause = min(last.pause * 2, LONGEST_PAUSE) if last and again else self._seconds
        words = f"{type(err).__name__}: {err}"
        if not (last and again and last.words == words):
            stays = (
                "the last good model stays"
                if use_case in self._models.by_use_case
                else "none serves"
            )
            logger.error("%s: a new package can't be served, %s. %s", use_case, stays, words)
        self._failures[use_case] = _LoadFailure(pointer, words, pause, self._now() + pause)
        self._failed(use_case)
