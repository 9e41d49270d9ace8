"""From the body of a request to its reply: the way that every prediction takes."""

import asyncio
import gc
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clientela.features.columns import build_columns
from clientela.serving.auth import Authenticator
from clientela.serving.case_reader import DATA, CaseBatch, RequestLimits
from clientela.serving.errors import ApiError
from clientela.serving.http_limits import Scope
from clientela.serving.model_store import (
    LoadedModel,
    ModelReloader,
    ModelStore,
    PackageStore,
    load_unpacked_model,
)
from clientela.serving.observability import ApiMetrics, RequestInfo
from clientela.serving.prediction_log import PredictionLog
from clientela.serving.segment_lookup import create_segment_lookup
from clientela.serving.settings import ServingSettings

# From the body of a request to its reply: the way that every prediction takes.


THREADS: Final = 2
"""For large bodies: one may wait for a core while another computes outside of Python's lock."""


@dataclass(frozen=True)
class PredictionRequest:
    """What was sent, and what is wanted.

    Attributes:
        names: What the array of a JSON body may be called.
        csv: Whether the body is CSV.
        csv_wanted: Whether the reply is to be.
        reasons: Whether each prediction comes with its reasons.
    """

    content: bytes
    names: tuple[str, ...] = (DATA,)
    csv: bool = False
    csv_wanted: bool = False
    reasons: bool = False


class PredictionHandler:
    """Answers what is asked.

    Args:
        log: Where predictions are written; None where they are not.
    """

    def __init__(self, settings: ServingSettings, log: PredictionLog | None) -> None:
        self._settings = settings
        self._log = log
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answers")

    async def reply(self, model: LoadedModel, asked: PredictionRequest, seen: RequestInfo) -> bytes:
        """The reply of a model.

        Args:
            model: Which; it answers the request to its end, whatever is served meanwhile.
            seen: What is known of the request; its cases are noted.

        Raises:
            Refusal: The body is not what the model can answer.
        """
        if len(asked.content) <= self._settings.inline_bytes and not asked.reasons:
            # to wait for another thread would take longer than the answer
            return self._get_response(model, asked, seen)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._get_response, model, asked, seen)

    def close(self) -> None:
        """Take no further work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _get_response(
        self, model: LoadedModel, asked: PredictionRequest, seen: RequestInfo
    ) -> bytes:
        header = True
        if asked.csv:
            batch, header = model.reader.parse_csv_batch(asked.content)
        else:
            batch = model.reader.batch(asked.content, asked.names)
        self._check_batch_size(batch, asked)
        columns = build_columns(batch.cases, model.manifest.read)
        answers = model.scorer.answers(columns)
        seen.use_case, seen.rows = model.manifest.use_case, len(batch.cases)
        if self._log is not None:
            self._log.add(model.manifest, batch, answers, seen.request_id)
        if asked.csv_wanted:
            return model.replies.csv(answers, header=header)
        count = self._settings.reasons
        reasons = model.scorer.reasons(columns, count) if asked.reasons else None
        return model.replies.json(answers, reasons)

    def _check_batch_size(self, batch: CaseBatch, asked: PredictionRequest) -> None:
        most = self._settings.largest_batch_with_reasons
        if asked.reasons and len(batch.cases) > most:
            raise ApiError(
                413,
                "too_many_cases",
                f"At most {most} cases can be asked for with reasons at a time. Send them in "
                "parts.",
            )


# What one process of the API is made of, and how it starts and stops.


logger = logging.getLogger(__name__)

STOP_SECONDS: Final = 5.0
"""For what is left to write when the server stops."""


class Service:
    """The parts of the API.

    Args:
        store: Where approved models lie; None where the one model lies in a folder.

    Attributes:
        segments: Looks customers up; None without a database.

    Raises:
        ConfigurationError: A setting can't be followed.
        NothingApproved: The folder of the one model is empty.
        ModelFileError: Its package is damaged, or foreign.
    """

    def __init__(self, settings: ServingSettings, store: PackageStore | None) -> None:
        self.settings = settings
        self.shelf = ModelStore()
        self.access = Authenticator(settings)
        self.observed = ApiMetrics()
        self.segments = create_segment_lookup(settings)
        self._log = self._create_prediction_log()
        self.predicting = PredictionHandler(settings, self._log)
        limits = RequestLimits(settings.largest_batch, settings.longest_word, settings.problems)
        self._watcher: ModelReloader | None = None
        if store is not None:
            failed = self.observed.count_reload_failure
            self._watcher = ModelReloader(
                store, self.shelf, limits, seconds=settings.poll_seconds, failed=failed
            )
        if settings.model is not None:
            model = load_unpacked_model(Path(settings.model), limits)
            self.shelf.replace({model.manifest.use_case: model})

    async def start(self) -> None:
        """Serve what the store has, before the first request comes."""
        if self._watcher is not None:
            await asyncio.to_thread(self._watcher.reload_models)
            self._watcher.start()
        if not self.shelf.models:
            logger.warning("No model is served yet. Approve one: clientela approve <use case>")
        # what was loaded stays: to look through it for garbage would only delay requests
        gc.collect()
        gc.freeze()

    async def stop(self) -> None:
        """Write what is waiting, close what is open."""
        self.predicting.close()
        if self._watcher is not None:
            await asyncio.to_thread(self._watcher.stop, STOP_SECONDS)
        if self._log is not None:
            await asyncio.to_thread(self._log.close, STOP_SECONDS)
        if self.segments is not None:
            self.segments.close()

    def polled_seconds_ago(self) -> float | None:
        """Since the store was last read; None where it never was, or there is none."""
        return None if self._watcher is None else self._watcher.age()

    def default(self) -> LoadedModel:
        """The model behind `/predict` and `/invocations`.

        Returns:
            That of the configured use case; in a container of one model that one.

        Raises:
            Refusal: It is not served (404).
        """
        if self.settings.model is not None:
            return next(iter(self.shelf.models.values()))
        return self.shelf.model(self.settings.use_case)

    def get_default_or_none(self) -> LoadedModel | None:
        """The same, without refusing."""
        try:
            return self.default()
        except ApiError:
            return None

    def resolve_default(self, _scope: Scope) -> LoadedModel:
        """The model of a request that names none."""
        return self.default()

    def resolve_by_use_case(self, scope: Scope) -> LoadedModel:
        """The model of a request whose path names the use case."""
        return self.shelf.model(scope["path_params"]["use_case"])

    def resolve_by_endpoint(self, scope: Scope) -> LoadedModel:
        """The model of a request whose path names an endpoint: that of the use case in the name."""
        name = scope["path_params"]["name"].replace("-", "_")
        named = [use_case for use_case in self.shelf.models if use_case in name]
        return self.shelf.model(max(named, key=len)) if named else self.default()

    def _create_prediction_log(self) -> PredictionLog | None:
        settings = self.settings
        if settings.predictions is None or settings.predictions_salt is None:
            return None
        return PredictionLog(
            Path(settings.predictions),
            share=settings.predictions_share,
            salt=settings.predictions_salt.get_secret_value(),
            waiting=settings.predictions_waiting,
            dropped=self.observed.count_lost_cases,
        )
