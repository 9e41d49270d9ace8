"""From the body of a request to its reply: the way that every prediction takes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from clientela.inference.columns import columns_of
from clientela.serving.case_reader import DATA, Batch
from clientela.serving.observed import Seen
from clientela.serving.prediction_log import PredictionLog
from clientela.serving.refusals import Refusal
from clientela.serving.settings import ServingSettings
from clientela.serving.shelf import ShelvedModel

THREADS: Final = 2
"""For large bodies: one may wait for a core while another computes outside of Python's lock."""


@dataclass(frozen=True)
class Asked:
    """What was sent, and what is wanted.

    Attributes:
        content: The body (PII).
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


class Predicting:
    """Answers what is asked.

    Args:
        settings: Of the API.
        log: Where predictions are written; None where they are not.
    """

    def __init__(self, settings: ServingSettings, log: PredictionLog | None) -> None:
        self._settings = settings
        self._log = log
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answers")

    async def reply(self, model: ShelvedModel, asked: Asked, seen: Seen) -> bytes:
        """The reply of a model.

        Args:
            model: Which; it answers the request to its end, whatever is served meanwhile.
            asked: What was sent.
            seen: What is known of the request; its cases are noted.

        Returns:
            JSON or CSV, as wanted.

        Raises:
            Refusal: The body is not what the model can answer.
        """
        if len(asked.content) <= self._settings.inline_bytes and not asked.reasons:
            # to wait for another thread would take longer than the answer
            return self._reply(model, asked, seen)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._reply, model, asked, seen)

    def close(self) -> None:
        """Take no further work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _reply(self, model: ShelvedModel, asked: Asked, seen: Seen) -> bytes:
        header = True
        if asked.csv:
            batch, header = model.reader.batch_of_csv(asked.content)
        else:
            batch = model.reader.batch(asked.content, asked.names)
        self._require_few(batch, asked)
        columns = columns_of(batch.cases, model.manifest.read)
        answers = model.scorer.answers(columns)
        seen.use_case, seen.rows = model.manifest.use_case, len(batch.cases)
        if self._log is not None:
            self._log.add(model.manifest, batch, answers, seen.request_id)
        if asked.csv_wanted:
            return model.replies.csv(answers, header=header)
        count = self._settings.reasons
        reasons = model.scorer.reasons(columns, count) if asked.reasons else None
        return model.replies.json(answers, reasons)

    def _require_few(self, batch: Batch, asked: Asked) -> None:
        most = self._settings.largest_batch_with_reasons
        if asked.reasons and len(batch.cases) > most:
            raise Refusal(
                413,
                "too_many_cases",
                f"At most {most} cases can be asked for with reasons at a time. Send them in "
                "parts.",
            )
