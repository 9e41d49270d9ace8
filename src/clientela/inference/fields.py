"""What a model asks of each case: the fields of a request, whatever carries them."""

from datetime import date
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FiniteFloat, model_validator

FieldKind: TypeAlias = Literal["number", "integer", "word", "moment"]

Column: TypeAlias = NDArray[np.float64] | NDArray[np.object_] | NDArray[np.datetime64]
"""One field of all cases: float64 (NaN where missing) for a number or an integer, objects (text or
None) for a word, `datetime64[us]` (NaT where missing) for a moment."""


class InputField(BaseModel):
    """One field of a case.

    Attributes:
        name: As the users' tables call it.
        kind: `number`, `integer`, `word` (a number is read as a word too) or `moment` (local time).
        required: Whether every case must bring a value; the others may be left out.
        read: Whether the model reads it: then a gap is imputed and reported. A field that only
            other models of the use case read is checked like any other, and changes no answer, so
            that callers need not change when another model takes over.
        minimum: Smallest value that can be; a case below it is refused. None: any.
        maximum: Largest value that can be.
        earliest: First day that a moment can be.
        latest: Last day.
        seen_minimum: Smallest value that the model learned from; beyond it an answer is a guess,
            which the reply says. None where none is known.
        seen_maximum: Largest value that it learned from.
        words: The words that it learned from, sorted; empty where there are too many to list.
        missing: The word that no word counts as, a category of its own; None: it is imputed.
        description: In words, for people; empty without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: FieldKind
    required: bool
    read: bool = True
    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    earliest: date | None = None
    latest: date | None = None
    seen_minimum: FiniteFloat | None = None
    seen_maximum: FiniteFloat | None = None
    words: tuple[str, ...] = ()
    missing: str | None = None
    description: str = ""

    @model_validator(mode="after")
    def _limits_fit_the_kind(self) -> Self:
        numeric = self.kind in ("number", "integer")
        if not numeric and any(
            limit is not None
            for limit in (self.minimum, self.maximum, self.seen_minimum, self.seen_maximum)
        ):
            raise ValueError(f"{self.name}: limits fit numbers, not a {self.kind}")
        if self.kind != "moment" and (self.earliest or self.latest):
            raise ValueError(f"{self.name}: earliest and latest fit a moment, not a {self.kind}")
        if self.kind != "word" and (self.words or self.missing is not None):
            raise ValueError(f"{self.name}: words fit a word, not a {self.kind}")
        if not self.read and (self.words or self.seen_minimum is not None):
            raise ValueError(f"{self.name}: a model learns nothing from what it does not read")
        return self
