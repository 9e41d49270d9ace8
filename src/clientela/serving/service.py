"""What one process of the API is made of, and how it starts and stops."""

import asyncio
import gc
import logging
from pathlib import Path
from typing import Final

from clientela.serving.access import Access
from clientela.serving.body import Scope
from clientela.serving.case_reader import Limits
from clientela.serving.loading import unpacked_model
from clientela.serving.observed import Observed
from clientela.serving.predicting import Predicting
from clientela.serving.prediction_log import PredictionLog
from clientela.serving.refusals import Refusal
from clientela.serving.segment_lookup import segment_lookup
from clientela.serving.settings import ServingSettings
from clientela.serving.shelf import ModelShelf, ShelvedModel
from clientela.serving.watching import Store, Watcher

logger = logging.getLogger(__name__)

STOP_SECONDS: Final = 5.0
"""For what is left to write when the server stops."""


class Service:
    """The parts of the API.

    Args:
        settings: Of the API.
        store: Where approved models lie; None where the one model lies in a folder.

    Attributes:
        settings: Of the API.
        shelf: The served models.
        access: Who may ask.
        observed: What is counted.
        predicting: Answers.
        segments: Looks customers up; None without a database.

    Raises:
        ConfigurationError: A setting can't be followed.
        NothingApproved: The folder of the one model is empty.
        ModelFileError: Its package is damaged, or foreign.
    """

    def __init__(self, settings: ServingSettings, store: Store | None) -> None:
        self.settings = settings
        self.shelf = ModelShelf()
        self.access = Access(settings)
        self.observed = Observed()
        self.segments = segment_lookup(settings)
        self._log = self._prediction_log()
        self.predicting = Predicting(settings, self._log)
        limits = Limits(settings.largest_batch, settings.longest_word, settings.problems)
        self._watcher: Watcher | None = None
        if store is not None:
            failed = self.observed.reload_failed
            self._watcher = Watcher(
                store, self.shelf, limits, seconds=settings.poll_seconds, failed=failed
            )
        if settings.model is not None:
            model = unpacked_model(Path(settings.model), limits)
            self.shelf.replace({model.manifest.use_case: model})

    async def start(self) -> None:
        """Serve what the store has, before the first request comes."""
        if self._watcher is not None:
            await asyncio.to_thread(self._watcher.look)
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

    def default(self) -> ShelvedModel:
        """The model behind `/predict` and `/invocations`.

        Returns:
            That of the configured use case; in a container of one model that one.

        Raises:
            Refusal: It is not served (404).
        """
        if self.settings.model is not None:
            return next(iter(self.shelf.models.values()))
        return self.shelf.model(self.settings.use_case)

    def default_or_none(self) -> ShelvedModel | None:
        """The same, without refusing."""
        try:
            return self.default()
        except Refusal:
            return None

    def by_default(self, _scope: Scope) -> ShelvedModel:
        """The model of a request that names none."""
        return self.default()

    def by_use_case(self, scope: Scope) -> ShelvedModel:
        """The model of a request whose path names the use case."""
        return self.shelf.model(scope["path_params"]["use_case"])

    def by_endpoint(self, scope: Scope) -> ShelvedModel:
        """The model of a request whose path names an endpoint: that of the use case in the name."""
        name = scope["path_params"]["name"].replace("-", "_")
        named = [use_case for use_case in self.shelf.models if use_case in name]
        return self.shelf.model(max(named, key=len)) if named else self.default()

    def _prediction_log(self) -> PredictionLog | None:
        settings = self.settings
        if settings.predictions is None or settings.predictions_salt is None:
            return None
        return PredictionLog(
            Path(settings.predictions),
            share=settings.predictions_share,
            salt=settings.predictions_salt.get_secret_value(),
            waiting=settings.predictions_waiting,
            dropped=self.observed.dropped,
        )
