"""Labels every row, several at a time, and accounts for each: labelled, abstained, or lost."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, TypeAlias

import pandas as pd

from clientela.exceptions import LabellingError
from clientela.labelling.answers import Remembering
from clientela.labelling.cases import Case
from clientela.labelling.failures import CallFailed, Hopeless, LostReason, Passing
from clientela.labelling.faithfulness import invented_numbers
from clientela.labelling.hostile_text import hostile_columns
from clientela.progress import with_progress

logger = logging.getLogger(__name__)

Status: TypeAlias = Literal["labelled", "abstained"] | LostReason
KEPT: tuple[Status, ...] = ("labelled", "abstained")
"""What may become of a row that is not lost."""


@dataclass(frozen=True)
class Outcome:
    """What became of one row.

    Attributes:
        description: What was written about it; None without.
        label: One of the labels; None without.
        status: Labelled, abstained, or why it was lost.
        detail: A lost row's reason in words.
        hostile: Columns whose text reads like an instruction.
        invented: Numbers of the description that are not in the row.
    """

    description: str | None = None
    label: str | None = None
    status: Status = "labelled"
    detail: str = ""
    hostile: tuple[str, ...] = ()
    invented: int = 0


@dataclass(frozen=True)
class Handling:
    """How rows are worked through.

    Attributes:
        labels: The labels there are.
        hold: Whether rows with hostile text are held back.
        workers: Rows in work at the same time.
        stop_after: Rows in a row without an answer after which the run stops.
    """

    labels: tuple[str, ...]
    hold: bool
    workers: int
    stop_after: int


class _Hope:
    """Whether a further row is worth asking about; shared by the workers of a run.

    It ends at the first hopeless failure, and when too many rows in a row had no answer though
    they might have: then nobody is there.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._failed = 0
        self._ended: Hopeless | None = None

    def require(self) -> None:
        if self._ended is not None:
            raise self._ended

    def end(self, failure: Hopeless) -> None:
        with self._lock:
            self._ended = self._ended or failure

    def answered(self) -> None:
        with self._lock:
            self._failed = 0

    def failed(self, failure: Passing) -> None:
        with self._lock:
            self._failed += 1
            if self._failed < self._limit:
                return
        self.end(
            Hopeless(
                f"The last {self._failed} rows had no answer ({failure.reason}: "
                f"{failure.detail}). Wait, lower labelling.workers or per_minute, or raise "
                "patience.attempts; then run again."
            )
        )
        self.require()


def outcomes(cases: Sequence[Case], labeller: Remembering, handling: Handling) -> list[Outcome]:
    """What became of each row, in the order of the rows.

    Args:
        cases: The rows.
        labeller: Who labels them.
        handling: How they are worked through.

    Returns:
        One outcome per row.

    Raises:
        LabellingError: No row can get an answer any more; what was answered is kept.
    """
    hope = _Hope(handling.stop_after)
    pool = ThreadPoolExecutor(handling.workers, thread_name_prefix="labelling")
    try:
        futures = [pool.submit(_outcome, case, labeller, handling, hope) for case in cases]
        for _ in with_progress(_finished(futures), len(cases), "labelling"):
            pass
        return [future.result() for future in futures]
    except Hopeless as failure:
        done = sum(future.done() and future.exception() is None for future in futures)
        raise LabellingError(
            f"Labelling stopped after {done:,} of {len(cases):,} rows. {failure}"
        ) from failure
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(futures: "Sequence[Future[Outcome]]") -> "Iterator[Outcome]":
    for future in as_completed(futures):
        yield future.result()


def _outcome(case: Case, labeller: Remembering, handling: Handling, hope: _Hope) -> Outcome:
    hope.require()
    hostile = tuple(hostile_columns(case.fields, handling.labels))
    if hostile and handling.hold:
        return Outcome(
            status="suspicious_text", detail="text like an instruction, held back", hostile=hostile
        )
    description: str | None = None
    invented = 0
    try:
        description = labeller.describe(case.fields).text or ""
        invented = invented_numbers(description, case.fields)
        label = labeller.label(case.fields, description).text
    except Hopeless as failure:
        hope.end(failure)
        raise
    except CallFailed as failure:
        if isinstance(failure, Passing):
            hope.failed(failure)
        return Outcome(description, None, failure.reason, failure.detail, hostile, invented)
    hope.answered()
    status: Status = "abstained" if label is None else "labelled"
    return Outcome(description, label, status, "", hostile, invented)


def label_table(
    cases: Sequence[Case], found: Sequence[Outcome], key: str, source: str
) -> pd.DataFrame:
    """One row per case: its label and how it came about.

    Args:
        cases: The rows.
        found: Their outcomes.
        key: Name of the key.
        source: Who labelled.

    Returns:
        The key (PII), `description` (PII), `label`, `label_source` (null without a label),
        `status`, `detail`, `hostile` (columns, divided by commas), `invented` (numbers).
    """
    rows: list[dict[str, Any]] = [
        {
            key: case.key,
            "description": outcome.description,
            "label": outcome.label,
            "label_source": None if outcome.label is None else source,
            "status": outcome.status,
            "detail": outcome.detail,
            "hostile": ", ".join(outcome.hostile),
            "invented": outcome.invented,
        }
        for case, outcome in zip(cases, found, strict=True)
    ]
    return pd.DataFrame(rows, columns=[key, *TEXTS, "invented"]).astype(dict.fromkeys(TEXTS, "str"))


TEXTS = ("description", "label", "label_source", "status", "detail", "hostile")
"""Columns of the label table that hold text."""


def require_few_lost(table: pd.DataFrame, max_share: float) -> None:
    """Refuses labels of which too many are missing.

    Args:
        table: See `label_table`.
        max_share: Largest share of the rows that may be lost.

    Raises:
        LabellingError: More are; says why, by reason.
    """
    lost = table[~table["status"].isin(KEPT)]
    if len(lost) <= max_share * len(table):
        return
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in lost["status"].value_counts().items())
    raise LabellingError(
        f"{len(lost):,} of {len(table):,} rows have no label ({reasons}), and "
        f"labelling.max_lost_share allows {max_share:.1%}. The file of lost rows names each. Run "
        "again to ask anew where nobody answered; set labelling.retry_lost to pay again for "
        "refused or misshapen answers; or raise the limit."
    )
