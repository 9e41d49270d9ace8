"""What a measure of predictions is: a name, a direction, one signature."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from clientela.classification.codes import Codes, Floats, class_counts


@dataclass(frozen=True)
class Measure(ABC):
    """A measure of predictions, by the name that configuration uses."""

    name: str
    greater_is_better: bool

    @abstractmethod
    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one set of predictions; `scale` weighs mistakes and has K rows."""


@dataclass(frozen=True)
class PointMetric(Measure):
    """A measure of predicted classes, computed from tables of counts.

    Attributes:
        of_counts: From tables of counts, shape (..., K, K), and what weighs mistakes (the K values
            of ordered classes, or K x K costs) to one measure for each table.
    """

    of_counts: Callable[[Floats, Floats], Floats]

    def __call__(self, y_true: Codes, predicted: NDArray[Any], scale: Floats) -> float:
        """The measure of one set of predicted codes."""
        return float(self.of_counts(class_counts(y_true, predicted, len(scale)), scale))
