"""The state of a model as monitoring writes it, read strictly enough to be trusted."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from clientela.drift.state import Recommendation, State
from clientela.drift.wording import Wording


class _Part(BaseModel):
    # what a later version adds is no reason to show nothing
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Words(_Part):
    """The same in both languages."""

    es: str
    en: str

    @property
    def wording(self) -> Wording:
        """As the dashboard says things."""
        return Wording(self.es, self.en)


class Span(_Part):
    """The rows of a baseline or a period.

    Attributes:
        period: Its name; None for a baseline.
        first: Earliest day; None without dates.
        last: Latest day.
        rows: How many.
        mode: How a period was measured; of a file, it begins with `file`.
        hash: Of a baseline profile.
    """

    period: str | None = None
    first: str | None = Field(default=None, alias="from")
    last: str | None = Field(default=None, alias="to")
    rows: int
    mode: str = ""
    hash: str | None = None


class StateReason(Words):
    """Why a model is in its state.

    Attributes:
        code: Of the reason.
    """

    code: str


class Figure(_Part):
    """One figure of performance.

    Attributes:
        value: None where it can't be known.
        lower: Of its interval.
        upper: Likewise.
        n: Rows it rests on.
        note: Why something of it is not known.
    """

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int = 0
    note: Words | None = None


class Performance(_Part):
    """How good the model was in the latest period.

    Attributes:
        measure: By which it is judged.
        reference: What it was when the model was graded.
        estimated: Without labels.
        realised: On those that are known by now.
    """

    measure: str
    reference: float | None = None
    estimated: Figure
    realised: Figure


class Delivery(_Part):
    """What became of an alert on one channel.

    Attributes:
        channel: Its place and kind; no address.
        delivered: Whether it was taken.
        attempts: How often it was tried.
        detail: The answer or the error.
    """

    channel: str
    delivered: bool
    attempts: int
    detail: str


class SentAlert(_Part):
    """What was told, and whom it reached.

    Attributes:
        sentence: The alert.
        sentence_en: In English.
        sent: One item per channel.
    """

    sentence: str
    sentence_en: str
    sent: tuple[Delivery, ...] = ()


class DriftState(_Part):
    """The state of one model after its latest period.

    Attributes:
        status: Whether there was anything to compare.
        baseline: The rows the model is compared with.
        current: The latest period; None without one.
        state: Of the model.
        recommendation: What to do, as a code.
        reasons: Why.
        performance: Figures of the latest period; None where the model is judged by none.
        alert: What was told; None when there was nothing to tell.
        what_to_do: For people.
    """

    status: Literal["compared", "no_current_data"]
    baseline: Span
    current: Span | None = None
    state: State | None = None
    recommendation: Recommendation | None = None
    reasons: tuple[StateReason, ...] = ()
    performance: Performance | None = None
    alert: SentAlert | None = None
    what_to_do: Words
