"""Who is asked, in batches, and what becomes of each case."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from clientela.exceptions import ServingError

Case = dict[str, Any]
Prediction = dict[str, Any]

TOO_LARGE: Final = 413


class Refused(Exception):
    """What was asked is refused for what it is: the same again would be refused again.

    Args:
        status: Of HTTP.
        message: For people.
        problems: Position of a case to what is wrong with it.
    """

    def __init__(self, status: int, message: str, problems: dict[int, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = problems or {}


class Model(Protocol):
    """A model that can be asked from here."""

    def about(self) -> dict[str, Any]:
        """What it asks of each case, and what its answers mean.

        Raises:
            ServingError: It gives no answer, or is none of ours.
        """

    def predictions(self, cases: Sequence[Case]) -> list[Prediction]:
        """What it says of some cases.

        Args:
            cases: Some.

        Raises:
            Refused: They can't be answered.
            ServingError: It gives no answer.
        """


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Attributes:
        prediction: None where there is none.
        problem: Why there is none; empty where there is one.
    """

    prediction: Prediction | None
    problem: str = ""


def outcomes(model: Model, cases: Sequence[Case], size: int) -> Iterator[Outcome]:
    """What becomes of each case.

    Args:
        model: That is asked.
        cases: In order.
        size: Of a batch.

    Yields:
        One outcome per case, in order. Where the model gives no answer at all, it is not asked
        about the cases that follow, and each says so.
    """
    for start in range(0, len(cases), size):
        try:
            yield from _batch(model, cases[start : start + size])
        except ServingError as err:
            yield from [Outcome(None, str(err))] * (len(cases) - start)
            return


def _batch(model: Model, cases: Sequence[Case]) -> list[Outcome]:
    """Cases that are refused are set aside and the others asked again, so that none is lost."""
    try:
        return [Outcome(prediction) for prediction in model.predictions(cases)]
    except Refused as refused:
        if len(cases) == 1:
            return [Outcome(None, refused.problems.get(0, refused.message))]
        if refused.status == TOO_LARGE or not refused.problems:
            half = len(cases) // 2
            return [*_batch(model, cases[:half]), *_batch(model, cases[half:])]
        others = [case for row, case in enumerate(cases) if row not in refused.problems]
        answered = iter(_batch(model, others) if others else [])
        return [
            Outcome(None, refused.problems[row]) if row in refused.problems else next(answered)
            for row in range(len(cases))
        ]
