"""Does a description say only what the row says: every number in it must occur there."""

import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Literal, TypeAlias

import pandas as pd

from clientela.exceptions import LabellingError
from clientela.pipelines.labelling.language_model import (
    Case,
    FatalError,
    Fields,
    LostReason,
    ModelCallError,
    TransientError,
)
from clientela.pipelines.labelling.response_cache import CachedLabeller
from clientela.progress import iter_with_progress
from clientela.text import normalize_word

# Does a description say only what the row says: every number in it must occur there.


_NUMBER: Final = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?")


def count_invented_numbers(description: str, fields: Fields) -> int:
    """How many numbers of a description do not occur in the row.

    A number may be written with any separators: `2.500`, `2,500` and `2500` are one. Numbers within
    words of the row may be repeated; numbers written as words are not seen.

    Args:
        description: What was written about the row.

    Returns:
        A count; 0 for a faithful description.
    """
    known = {
        reading
        for value in fields.values()
        for found in _NUMBER.findall(str(value))
        for reading in _parse_number_readings(found)
    }
    return sum(
        not (_parse_number_readings(found) & known) for found in _NUMBER.findall(description)
    )


def _parse_number_readings(text: str) -> set[float]:
    """Every number that a text may mean: a point may group thousands, or begin decimals."""
    digits = re.sub(r"[\u00a0\u202f]", "", text)
    found = {float(re.sub(r"[.,]", "", digits))} if _is_thousands_grouping(digits) else set()
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return found | {float(digits)}
    if digits.count(digits[last]) > 1:
        return found  # decimals begin once
    whole, decimals = re.sub(r"[.,]", "", digits[:last]), digits[last + 1 :]
    return found | {float(f"{whole}.{decimals}")}


def _is_thousands_grouping(digits: str) -> bool:
    return re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits) is not None


# Text in a row that reads like an instruction to whoever labels it.


LONGEST_VALUE: Final = 200
"""Characters of one value: a purpose or an occupation is shorter, a smuggled text is longer."""

_ORDER = r"(ignor\w*|olvid\w*|forget|disregard\w*|override|omit\w*|haz caso omiso)"
_WHAT = r"(instruc\w*|prompt\w*|rules?|reglas?|above|previous|anterior\w*|previ\w*|everything|todo)"
_SAY = r"(answer|respond\w*|reply|contest\w*|say|classify|clasific\w*|label|etiquet\w*|output)"
_PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_ORDER}\b.{{0,40}}\b{_WHAT}\b",
        rf"\b{_SAY}\b.{{0,40}}\b(good|bad|buen\w*|mal\w*|risk|riesgo|json)\b",
        r"\b(you are|eres|act as|actua como|pretend|finge)\b",
        r"\b(system|assistant|sistema|asistente|user|usuario)\s*:",
        r"<[/|]?\w+|\[/?inst\]|```|[{}]",
    )
)


def find_hostile_columns(fields: Fields, labels: Sequence[str]) -> list[str]:
    """The columns whose text reads like an instruction.

    A guess, made on the safe side: orders to forget or to answer, roles of a conversation, markup,
    a label itself, control characters, or a text much longer than a word or two.

    Args:
        fields: What a labeller would be shown.
    """
    return [
        name
        for name, value in fields.items()
        if isinstance(value, str) and _is_hostile(value, labels)
    ]


def _is_hostile(text: str, labels: Sequence[str]) -> bool:
    if len(text) > LONGEST_VALUE or any(not letter.isprintable() for letter in text):
        return True
    read = normalize_word(text)
    names_label = any(normalize_word(label) in read for label in labels)
    return names_label or any(pattern.search(read) for pattern in _PATTERNS)


# Labels every row, several at a time, and accounts for each: labelled, abstained, or lost.


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
class LabellingOptions:
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


class _CircuitBreaker:
    """Whether a further row is worth asking about; shared by the workers of a run.

    It ends at the first hopeless failure, and when too many rows in a row had no answer though
    they might have: then nobody is there.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._failed = 0
        self._ended: FatalError | None = None

    def raise_if_open(self) -> None:
        if self._ended is not None:
            raise self._ended

    def end(self, failure: FatalError) -> None:
        with self._lock:
            self._ended = self._ended or failure

    def answered(self) -> None:
        with self._lock:
            self._failed = 0

    def failed(self, failure: TransientError) -> None:
        with self._lock:
            self._failed += 1
            if self._failed < self._limit:
                return
        self.end(
            FatalError(
                f"The last {self._failed} rows had no answer ({failure.reason}: "
                f"{failure.detail}). Wait, lower labelling.workers or per_minute, or raise "
                "patience.attempts; then run again."
            )
        )
        self.raise_if_open()


def label_rows(
    cases: Sequence[Case], labeller: CachedLabeller, handling: LabellingOptions
) -> list[Outcome]:
    """What became of each row, in the order of the rows.

    Raises:
        LabellingError: No row can get an answer any more; what was answered is kept.
    """
    hope = _CircuitBreaker(handling.stop_after)
    pool = ThreadPoolExecutor(handling.workers, thread_name_prefix="labelling")
    try:
        futures = [pool.submit(_label_row, case, labeller, handling, hope) for case in cases]
        for _ in iter_with_progress(_iter_results(futures), len(cases), "labelling"):
            pass
        return [future.result() for future in futures]
    except FatalError as failure:
        done = sum(future.done() and future.exception() is None for future in futures)
        raise LabellingError(
            f"Labelling stopped after {done:,} of {len(cases):,} rows. {failure}"
        ) from failure
    finally:
        pool.shutdown(cancel_futures=True)


def _iter_results(futures: "Sequence[Future[Outcome]]") -> "Iterator[Outcome]":
    for future in as_completed(futures):
        yield future.result()


def _label_row(
    case: Case, labeller: CachedLabeller, handling: LabellingOptions, hope: _CircuitBreaker
) -> Outcome:
    hope.raise_if_open()
    hostile = tuple(find_hostile_columns(case.fields, handling.labels))
    if hostile and handling.hold:
        return Outcome(
            status="suspicious_text", detail="text like an instruction, held back", hostile=hostile
        )
    description: str | None = None
    invented = 0
    try:
        description = labeller.describe(case.fields).text or ""
        invented = count_invented_numbers(description, case.fields)
        label = labeller.label(case.fields, description).text
    except FatalError as failure:
        hope.end(failure)
        raise
    except ModelCallError as failure:
        if isinstance(failure, TransientError):
            hope.failed(failure)
        return Outcome(description, None, failure.reason, failure.detail, hostile, invented)
    hope.answered()
    status: Status = "abstained" if label is None else "labelled"
    return Outcome(description, label, status, "", hostile, invented)


def label_table(
    cases: Sequence[Case], found: Sequence[Outcome], key: str, source: str
) -> pd.DataFrame:
    """One row per case: its label and how it came about.

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
