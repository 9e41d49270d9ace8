"""What one process of the API is made of, and the lookup of a customer's segment."""

import asyncio
import gc
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from clientela.datasets.database import POSTGRESQL, SQLITE, fetch_first_row, resolve_database_url
from clientela.features.columns import build_columns
from clientela.features.segment_columns import EXPORTED_FEATURES, order_export_columns
from clientela.registry.package import PublishedModelStore
from clientela.serving.auth import ApiError, create_guards
from clientela.serving.case_reader import RequestLimits
from clientela.serving.model_store import (
    LoadedModel,
    ModelReloader,
    ModelStore,
    load_unpacked_model,
)
from clientela.serving.observability import ApiMetrics, RequestInfo
from clientela.serving.prediction_log import PredictionLog
from clientela.serving.schemas import DATA
from clientela.serving.settings import ServingSettings

# The segment of one customer, from the table that the segmentation stage loads.
#
# One row by its primary key; connections are kept, and only columns of the export leave the table,
# whatever else somebody has added to it.


logger = logging.getLogger(__name__)

# Columns that are replied even where they have no value; others may be of another model.
REQUIRED: Final = ("dni", "cluster_id", "cluster_nombre", *EXPORTED_FEATURES, "fecha_modelo")

CONNECTIONS: Final = 8
# For a connection, for an answer, or for a load that is being committed.
WAIT_SECONDS: Final = 5
# A connection that is older is made anew: the file may have been replaced, the database moved.
KEPT_SECONDS: Final = 300

Segment: TypeAlias = dict[str, Any]


class SegmentLookup:
    """Looks customers up in one table."""

    def __init__(self, url: sa.URL, table: str) -> None:
        self._engine = _create_lookup_engine(url)
        source = sa.table(table, sa.column("dni"))
        has_key = source.c.dni == sa.bindparam("dni", type_=sa.TEXT())
        columns: sa.Select[Any] = sa.select(sa.literal_column("*"))
        self._query = columns.select_from(source).where(has_key)

    def find_segment(self, dni: str) -> Segment:
        """The record of a customer.

        Returns:
            The columns of the export, in its order; measures that the customer's model did not
            have are left out.

        Raises:
            ApiError: Nobody is stored under this key (404), or the table can't be read (503).
        """
        try:
            row = fetch_first_row(self._engine, self._query, {"dni": dni})
        except sa.exc.SQLAlchemyError as err:
            # its words may repeat the key
            logger.error("Segments can't be read: %s", type(getattr(err, "orig", err)).__name__)  # noqa: TRY400
            raise ApiError(
                503,
                "no_segments",
                "The table of segments can't be read now. Run the segmentation stage if it never "
                "was; else try again.",
                headers={"retry-after": str(WAIT_SECONDS)},
            ) from None
        if row is None:
            raise ApiError(404, "no_customer", "No segment is stored for this customer.")
        columns = order_export_columns(row)
        segment = {name: row[name] for name in columns if row[name] is not None or name in REQUIRED}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in segment.items()
        }

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def create_segment_lookup(settings: ServingSettings) -> SegmentLookup | None:
    """What looks customers up; None where no database is named.

    Raises:
        ConfigurationError: Its address is none, or of another kind of database.
    """
    given = settings.database.get_secret_value() if settings.database else None
    if given is None and settings.segments_file is None:
        return None
    url = resolve_database_url(given, settings.segments_file or "")
    return None if url is None else SegmentLookup(url, settings.segments_table)


def _create_lookup_engine(url: sa.URL) -> sa.Engine:
    arguments: dict[str, Any] = {"timeout": WAIT_SECONDS}
    if url.get_backend_name() == SQLITE and not url.query:
        # read-only: to look somebody up must not make a file
        place = Path(str(url.database)).absolute().as_uri()
        url = url.set(database=place, query={"mode": "ro", "uri": "true"})
    if url.get_backend_name() == POSTGRESQL:
        milliseconds = WAIT_SECONDS * 1000
        arguments = {
            "connect_timeout": WAIT_SECONDS,
            "options": f"-c statement_timeout={milliseconds}",
        }
    return sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        pool_recycle=KEPT_SECONDS,
        pool_pre_ping=url.get_backend_name() == POSTGRESQL,
        connect_args={name: value for name, value in arguments.items() if name not in url.query},
        hide_parameters=True,
    )


# What one process of the API is made of, and the way from the body of a request to its reply.


# For large bodies: one may wait for a core while another computes outside of Python's lock.
THREADS: Final = 2

# For what is left to write when the server stops.
STOP_SECONDS: Final = 5.0


@dataclass(frozen=True)
class PredictionRequest:
    """What was sent, and what is wanted.

    Attributes:
        names: What the array of a JSON body may be called.
        reasons: Whether each prediction comes with its reasons.
    """

    content: bytes
    names: tuple[str, ...] = (DATA,)
    csv: bool = False
    csv_reply: bool = False
    reasons: bool = False


class Service:
    """The parts of the API.

    Args:
        store: Where approved models lie; None where the one model lies in a folder.

    Attributes:
        segments: Looks customers up; None without a database.

    Raises:
        NoApprovedModelError: The folder of the one model is empty.
    """

    def __init__(self, settings: ServingSettings, store: PublishedModelStore | None) -> None:
        self.settings = settings
        self.models = ModelStore()
        self.guards = create_guards(settings)
        self.metrics = ApiMetrics()
        self.segments = create_segment_lookup(settings)
        self._log: PredictionLog | None = None
        if settings.predictions is not None and settings.predictions_salt is not None:
            self._log = PredictionLog(
                Path(settings.predictions),
                share=settings.predictions_share,
                salt=settings.predictions_salt.get_secret_value(),
                waiting=settings.predictions_waiting,
                dropped=self.metrics.count_lost_cases,
            )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answers")
        limits = RequestLimits(settings.largest_batch, settings.longest_word, settings.problems)
        self.reloader: ModelReloader | None = None
        if store is not None:
            failed = self.metrics.count_reload_failure
            self.reloader = ModelReloader(
                store, self.models, limits, seconds=settings.poll_seconds, failed=failed
            )
        if settings.model is not None:
            model = load_unpacked_model(Path(settings.model), limits)
            self.models.replace({model.manifest.use_case: model})

    async def start(self) -> None:
        """Serve what the store has, before the first request comes."""
        if self.reloader is not None:
            await asyncio.to_thread(self.reloader.reload_models)
            self.reloader.start()
        if not self.models.by_use_case:
            logger.warning("No model is served yet. Approve one: clientela approve <use case>")
        # what was loaded stays: to look through it for garbage would only delay requests
        gc.collect()
        gc.freeze()

    async def stop(self) -> None:
        """Write what is waiting, close what is open."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self.reloader is not None:
            await asyncio.to_thread(self.reloader.stop, STOP_SECONDS)
        if self._log is not None:
            await asyncio.to_thread(self._log.close, STOP_SECONDS)
        if self.segments is not None:
            self.segments.close()

    def get_default_model(self) -> LoadedModel:
        """The model behind `/predict`: of the configured use case; in a container the only one."""
        if self.settings.model is not None:
            return next(iter(self.models.by_use_case.values()))
        return self.models.get_model(self.settings.use_case)

    async def predict(
        self, model: LoadedModel, request: PredictionRequest, info: RequestInfo
    ) -> bytes:
        """The reply of a model.

        Args:
            model: Answers the request to its end, whatever is served meanwhile.
            info: What is known of the request; its cases are noted.

        Raises:
            ApiError: The body is not what the model can answer.
        """
        if len(request.content) <= self.settings.inline_bytes and not request.reasons:
            # to wait for another thread would take longer than the answer
            return self._predict(model, request, info)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._predict, model, request, info)

    def _predict(self, model: LoadedModel, request: PredictionRequest, info: RequestInfo) -> bytes:
        manifest, header = model.manifest, True
        if request.csv:
            cases, header = model.reader.read_csv(request.content)
        else:
            cases = model.reader.read_json(request.content, request.names)
        most = self.settings.largest_batch_with_reasons
        if request.reasons and len(cases) > most:
            raise ApiError(
                413,
                "too_many_cases",
                f"At most {most} cases can be asked for with reasons at a time. Send them in "
                "parts.",
            )
        columns = build_columns(cases, model.fields)
        answers = model.scorer.answers(columns)
        info.use_case, info.rows = manifest.use_case, len(cases)
        if self._log is not None:
            self._log.add(manifest, cases, answers, info.request_id)
        if request.csv_reply:
            return model.replies.csv(answers, header=header)
        reasons = None
        if request.reasons:
            reasons = model.scorer.reasons(columns, self.settings.reasons)
        return model.replies.json(answers, reasons)
