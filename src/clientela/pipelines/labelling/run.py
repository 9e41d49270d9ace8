"""Labels every row, several at a time, and checks what goes out and what comes back."""

import logging
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import pandas as pd

from clientela.exceptions import LabellingError
from clientela.models.settings import LabellingSettings, LanguageModelSettings
from clientela.pipelines.labelling.call_limits import (
    compute_cost,
    find_exceeded_limit,
    has_limit,
)
from clientela.pipelines.labelling.language_model import (
    Case,
    FatalError,
    Fields,
    Labeller,
    LostReason,
    ModelCallError,
    TransientError,
    Usage,
)
from clientela.pipelines.labelling.response_cache import CachedLabeller, FileAnswerStore
from clientela.progress import iter_with_progress
from clientela.text import normalize_word

# What is checked about texts: numbers that a description invents, instructions hidden in a row.


_NUMBER: Final = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?")


def count_invented_numbers(description: str, fields: Fields) -> int:
    """How many numbers of a description do not occur in the row.

    A number may be written with any separators: `2.500`, `2,500` and `2500` are one. Numbers within
    words of the row may be repeated; numbers written as words are not seen.
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
    grouped = re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits) is not None
    found = {float(re.sub(r"[.,]", "", digits))} if grouped else set()
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return found | {float(digits)}
    if digits.count(digits[last]) > 1:
        return found  # decimals begin once
    whole, decimals = re.sub(r"[.,]", "", digits[:last]), digits[last + 1 :]
    return found | {float(f"{whole}.{decimals}")}


# Characters of one value: a purpose or an occupation is shorter, a smuggled text is longer.
LONGEST_VALUE: Final = 200

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
#
# Every row is asked about once, and some again to see whether the answer is stable. What the run is
# going to cost is said, and checked against the budget, before the first call.


logger = logging.getLogger(__name__)

Status: TypeAlias = Literal["labelled", "abstained"] | LostReason
# What may become of a row that is not lost.
KEPT: tuple[Status, ...] = ("labelled", "abstained")

# Columns of the label table that hold text.
TEXTS = ("description", "label", "label_source", "status", "detail", "hostile")

# Of the worst: prose has some 4 bytes per token where 2 are reckoned with, and answers are seldom
# longer than half of what they may be.
LIKELY_SHARE = 0.5


@dataclass(frozen=True)
class Outcome:
    """What became of one row.

    Attributes:
        hostile: Columns whose text reads like an instruction.
        invented: Numbers of the description that are not in the row.
    """

    description: str | None = None
    label: str | None = None
    status: Status = "labelled"
    detail: str = ""
    hostile: tuple[str, ...] = ()
    invented: int = 0


class LabellingRound(NamedTuple):
    """Rows that are asked about once, and who remembers these answers apart from other rounds'."""

    cases: Sequence[Case]
    labeller: CachedLabeller


def build_labelling_rounds(
    cases: Sequence[Case], labeller: Labeller, store: FileAnswerStore, settings: LabellingSettings
) -> list[LabellingRound]:
    """A round over every row, then further ones over the same rows drawn at random."""
    again = [cases[place] for place in draw_repeat_positions(len(cases), settings)]
    repeats = settings.audit.stability_repeats if again else 1
    return [
        LabellingRound(
            again if repeat else cases,
            CachedLabeller(labeller, store, repeat=repeat, retry_lost=settings.retry_lost),
        )
        for repeat in range(repeats)
    ]


def draw_repeat_positions(rows: int, settings: LabellingSettings) -> list[int]:
    """Places of the rows that are asked about again."""
    wanted = min(settings.audit.stability_rows, rows)
    places = pd.Series(range(rows)).sample(wanted, random_state=settings.seed)
    return sorted(int(place) for place in places)


def check_and_log_cost(
    rounds: Sequence[LabellingRound], source: str, settings: LabellingSettings
) -> None:
    """Says what a run is going to cost, and refuses one that the budget will hardly let end.

    Raises:
        LabellingError: The likely cost is more than the budget, or answers that may be billed have
            no budget; nothing was spent.
    """
    model = settings.language_model
    if model is None:
        logger.info("%d rows are labelled by %s, offline", len(rounds[0].cases), source)
        return
    rows = sum(len(each.cases) for each in rounds)
    pending = [
        labeller.compute_worst_usage(case.fields)
        for cases, labeller in rounds
        for case in cases
        if not labeller.has_answered(case.fields)
    ]
    worst = sum(pending, start=Usage())
    likely = Usage(
        round(worst.input_tokens * LIKELY_SHARE), round(worst.output_tokens * LIKELY_SHARE)
    )
    prices = model.prices
    cost = f"{compute_cost(likely, prices):.2f} {prices.currency}"
    logger.info(
        "%s",
        f"{rows:,} rows by {source}: {rows - len(pending):,} are answered already; the others "
        f"need about {likely.tokens:,} tokens ({cost}), at most {worst.tokens:,} "
        f"({compute_cost(worst, prices):.2f}).",
    )
    if pending:
        _require_budget(likely, worst, model, source, settings)


def _require_budget(
    likely: Usage,
    worst: Usage,
    model: LanguageModelSettings,
    source: str,
    settings: LabellingSettings,
) -> None:
    prices, limits = model.prices, settings.budget
    needed = f"{likely.tokens:,} tokens ({compute_cost(likely, prices):.2f} {prices.currency})"
    if settings.is_paid and not has_limit(limits, prices):
        raise LabellingError(
            f"Answers of {source} may cost money: about {needed}, at most {worst.tokens:,} "
            f"({compute_cost(worst, prices):.2f}). labelling.budget sets no limit that counts, so "
            f"nothing was asked. Set labelling.budget.tokens to {worst.tokens}, or where prices "
            "are above zero a limit of money: --params=budget=. Without --params=labeller= rules "
            "label, free of charge."
        )
    if find_exceeded_limit(likely, limits, prices) is not None:
        tokens = [] if limits.tokens is None else [f"{limits.tokens:,} tokens"]
        money = [] if limits.money is None else [f"{limits.money:.2f} {prices.currency}"]
        raise LabellingError(
            f"Labelling needs about {needed}, and labelling.budget allows "
            f"{' and '.join(tokens + money)}. Nothing was asked yet. Raise the budget, or label "
            "fewer rows."
        )


class _CircuitBreaker:
    """Whether a further row is worth asking about; shared by the workers of a run.

    It ends at the first fatal failure, and when too many rows in a row had no answer though
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

    def record_answer(self) -> None:
        with self._lock:
            self._failed = 0

    def record_failure(self, failure: TransientError) -> None:
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
    labelling_round: LabellingRound, labels: Sequence[str], settings: LabellingSettings
) -> list[Outcome]:
    """What became of each row of a round, in the order of the rows.

    Raises:
        LabellingError: No row can get an answer any more; what was answered is kept.
    """
    cases, labeller = labelling_round
    breaker = _CircuitBreaker(settings.stop_after)
    hold = settings.suspicious == "hold"
    pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="labelling")
    try:
        futures = [
            pool.submit(_label_row, case, labeller, labels, breaker, hold=hold) for case in cases
        ]
        for future in iter_with_progress(as_completed(futures), len(cases), "labelling"):
            future.result()
        return [future.result() for future in futures]
    except FatalError as failure:
        done = sum(future.done() and future.exception() is None for future in futures)
        raise LabellingError(
            f"Labelling stopped after {done:,} of {len(cases):,} rows. {failure}"
        ) from failure
    finally:
        pool.shutdown(cancel_futures=True)


def _label_row(
    case: Case,
    labeller: CachedLabeller,
    labels: Sequence[str],
    breaker: _CircuitBreaker,
    *,
    hold: bool,
) -> Outcome:
    breaker.raise_if_open()
    hostile = tuple(find_hostile_columns(case.fields, labels))
    if hostile and hold:
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
        breaker.end(failure)
        raise
    except ModelCallError as failure:
        if isinstance(failure, TransientError):
            breaker.record_failure(failure)
        return Outcome(description, None, failure.reason, failure.detail, hostile, invented)
    breaker.record_answer()
    status: Status = "abstained" if label is None else "labelled"
    return Outcome(description, label, status, "", hostile, invented)


def label_table(
    cases: Sequence[Case], outcomes: Sequence[Outcome], key: str, source: str
) -> pd.DataFrame:
    """One row per case: its label and how it came about.

    Returns:
        The key (PII), `description` (PII), `label`, `label_source` (null without a label),
        `status`, `detail`, `hostile` (columns, divided by commas), `invented` (numbers).
    """
    rows: list[dict[str, Any]] = [
        {
            key: case.key,
            **vars(outcome),
            "label_source": None if outcome.label is None else source,
            "hostile": ", ".join(outcome.hostile),
        }
        for case, outcome in zip(cases, outcomes, strict=True)
    ]
    return pd.DataFrame(rows, columns=[key, *TEXTS, "invented"]).astype(dict.fromkeys(TEXTS, "str"))


def require_few_lost(table: pd.DataFrame, max_share: float) -> None:
    """Refuses labels of which too many are missing.

    Raises:
        LabellingError: A larger share of the rows is lost; says why, by reason.
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
